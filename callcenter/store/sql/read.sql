-- name: calls_now
select * from call_row where site = :site and ended_at is null order by ringing_at;

-- name: live_texts
-- Words may be written down as spoken a moment after they are final, or after the call: then they are not shown.
select l.call, l.leg, l.start_ms, l.text from live_text l join call c on c.id = l.call
where l.call = any(:calls::uuid[]) and c.ended_at is null
    and not exists (
        select from utterance u where u.call = l.call and u.leg = l.leg and u.start_ms >= l.start_ms - 100)
order by l.start_ms;

-- name: calls_page
-- The page first, then what stands beside its rows. `ids`: those that were found by words; as a subquery, since the
-- planner would weigh a thousand constants one by one.
with page as materialized (
    select c.id from call c
    where c.site = :site
        and (:ids::uuid[] is null or c.id = any(array(select unnest(:ids::uuid[]))))
        and (:number::text is null or reverse(c.from_number) like reverse(:number::text) || '%')
        and (:before_at::timestamptz is null
             or (c.ringing_at, c.id) < (:before_at::timestamptz, :before_id::uuid))
        and (:since::timestamptz is null or c.ringing_at >= :since)
        and (:until::timestamptz is null or c.ringing_at < :until)
        and (:state::text is null
             or (:state = 'live' and c.ended_at is null)
             or (:state = 'answered' and c.answered and c.ended_at is not null)
             or (:state = 'unanswered' and not c.answered and c.ended_at is not null and c.unserved is null)
             or (:state = 'unserved' and c.unserved is not null))
    order by c.ringing_at desc, c.id desc
    limit :rows
)
select * from call_row where id = any(array(select id from page)) order by ringing_at desc, id desc;

-- name: calls_in_strip
select c.ringing_at, c.duration_ms, c.answered, c.ended_at is not null as over, t.urgency,
    c.labels->'category'->>'value' as category
from call c left join ticket t on t.number = c.ticket
where c.site = :site and c.ringing_at >= :since order by c.ringing_at desc limit :rows;

-- name: calls_counted^
select count(*)::int as calls, count(*) filter (where answered)::int as answered,
    count(*) filter (where answered and coalesce(rings, 1) <= :rings)::int as quick,
    count(distinct ticket)::int as tickets
from call where site = :site and ringing_at >= :since;

-- name: found
-- The newest calls or matters in whose text all `terms` stand, among those with all of `facets` and one of `spans`; as
-- many as are asked for, and those of the same moment as the last. Words that are looked for as written are looked at in
-- the text itself.
select key, at from search_text
where terms @@ :terms::tsquery and facets @> :facets::text[]
    and (:spans::text[] is null or facets && :spans::text[])
    and (:words::text[] is null or (select bool_and(strpos(lower(text), word) > 0) from unnest(:words::text[]) word))
    and (:upto::timestamptz is null or at < :upto)
    and site = :site
order by at desc fetch first (:asked) rows with ties;

-- name: numbers_named
-- Matters that a search names: by their own number, or by the last figures of the caller's.
select number from ticket where number = :as_number::bigint
union
select number from ticket where reverse(caller_number) like reverse(:figures::text) || '%';

-- name: call_one^
select r.*, c.node, c.line, c.dialplan, c.sip_call_id, c.invite_to_180_ms, c.answer_ms, c.late_ms, c.answered_by,
    c.receiver, c.text_complete
from call_row r join call c on c.id = r.id
where r.id = :id;

-- name: calls_of_ticket
select * from call_row where ticket = :ticket or id = :opened_by order by ringing_at;

-- name: turns
select leg, start_ms, end_ms, text, words, prompt, interrupted, afterwards from utterance where call = :call
order by start_ms, id;

-- name: tickets_page
-- `numbers`: those that were found by words, as the `ids` of calls_page.
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from ticket t
where t.site = :site
    and (:numbers::bigint[] is null or t.number = any(array(select unnest(:numbers::bigint[]))))
    and (:before_at::timestamptz is null or (t.opened_at, t.number) < (:before_at::timestamptz, :before_number::bigint))
    and (:status::text is null or t.status = :status)
    and (not :open_only::boolean or t.closed_at is null)
    and (:joined::boolean or t.status <> 'joined')
    and (:urgency::text is null or t.urgency = :urgency)
    and (:department::text is null or t.department = :department)
    and (:category::text is null or t.category = :category)
    and (:responsible::text is null or t.responsible = :responsible)
    and (:asked::text is null or t.asked = :asked)
    and (:to_confirm::boolean is null or t.to_confirm = :to_confirm)
    and (:incident::bigint is null or t.incident = :incident)
    and (:overdue::boolean is null or (t.closed_at is null and t.due_at < now()) = :overdue)
    and (:since::timestamptz is null or t.opened_at >= :since)
    and (:until::timestamptz is null or t.opened_at < :until)
order by t.opened_at desc, t.number desc
limit :rows;

-- name: tickets_by_status
select status, count(*)::int as n from ticket where site = :site group by status;

-- name: ticket_one^
select * from ticket where number = :number;

-- name: alarms
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from ticket t where site = :site and urgency = 'emergency' and closed_at is null
    and status in ('recorded', 'to_confirm', 'assigned', 'handed_over', 'reopened')
order by opened_at desc limit :rows;

-- name: to_confirm
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from ticket t where site = :site and to_confirm and closed_at is null order by opened_at limit 200;

-- name: counts^
select
    (select count(*) from call where site = :site and ended_at is null)::int as calls_now,
    (select count(*) from ticket where site = :site and asked = :staff)::int as waiting_for_me,
    (select count(*) from ticket where site = :site and to_confirm and closed_at is null)::int as to_confirm,
    (select count(*) from ticket where site = :site and closed_at is null and due_at < now())::int as overdue,
    (select count(*) from callback where site = :site and state in ('due', 'calling'))::int as callbacks,
    (select count(*) from ticket where site = :site and urgency = 'emergency' and closed_at is null
        and status in ('recorded', 'to_confirm', 'assigned', 'handed_over', 'accepted', 'in_progress', 'waiting',
                       'reopened'))::int as emergencies;

-- name: told
select staff, rule, at, zh, en, seen_at from told where ticket = :ticket order by at, rule, staff;

-- name: tasks_of_ticket
select * from task where ticket = :ticket order by created_at, id;

-- name: tasks
select * from task where site = :site and state = 'open' and (:staff::text is null or staff = :staff or staff is null)
order by due_at nulls last, id limit 500;

-- name: task_one^
select * from task where id = :id;

-- name: task_lock^
select * from task where id = :id for update;

-- name: task_done<!
update task set state = 'done', done_at = now(), done_by = (select id from staff where id = :by) where id = :id
returning *;

-- name: callbacks
select b.*, h.key as household_key from callback b left join household h on h.id = b.household
where b.site = :site and b.state in ('due', 'calling')
    and (:department::text is null or b.responsible = :staff::text
         or exists (select from ticket t where t.number = b.ticket and t.department = :department::text))
order by b.due_at limit 500;

-- name: callback_of_call^
select b.*, h.key as household_key from callback b left join household h on h.id = b.household
where b.call = :call;

-- name: callback_one^
select b.*, h.key as household_key from callback b left join household h on h.id = b.household
where b.id = :id;

-- name: callback_lock^
select id, site, ticket, call, state, number from callback where id = :id for update;

-- name: callback_done!
update callback set state = 'done', done_at = now(), done_by = (select id from staff where id = :by), result = :result,
    attempts = attempts + 1
where id = :id;
