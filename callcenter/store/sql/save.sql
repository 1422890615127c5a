-- What a step of a ticket writes, many tickets at a time; see desk.matters.Writing for the order.

-- name: plan_once#
set local plan_cache_mode = force_generic_plan;

-- name: plan_anew#
set local plan_cache_mode = force_custom_plan;

-- name: update*!
update ticket set life = :life, version = :version, status = :status, joined_to = :joined_to, kind = :kind,
    category = :category, urgency = :urgency, department = :department, caller_name = :caller_name,
    caller_number = :caller_number, building = :building, unit = :unit, room = :room, household = :household,
    missing = :missing, to_confirm = :to_confirm, responsible = :responsible, asked = :asked, accept_by = :accept_by,
    accepted_by = :accepted_by, major = :major, calls = :calls, refusals = :refusals, due_at = :due_at,
    due_clock = :due_clock, next_at = :next_at, done_at = :done_at, closed_at = :closed_at, changed_at = now()
where number = :number;

-- name: event*!
insert into event (journal, seq, site, call, ticket, at, kind, version, body, actor, rules)
values (:journal, :seq, :site, :call, :ticket, :at, :kind, 1, :body, :actor, :rules)
on conflict (journal, seq) do nothing;

-- name: end_tasks*!
update task set state = :state, done_at = :at, done_by = (select id from staff where id = :by)
where ticket = :ticket and kind = :kind and state = 'open';

-- name: tell*!
insert into told (ticket, staff, rule, at, zh, en) values (:ticket, :staff, :rule, :at, :zh, :en)
on conflict (ticket, staff, rule) do update set at = excluded.at, zh = excluded.zh, en = excluded.en, seen_at = null;

-- name: put_task*!
insert into task (key, site, kind, ticket, call, staff, due_at, rule, body, created_at)
values (:key, :site, :kind, :ticket, :call, :staff, :due_at, :rule, :body, :at)
on conflict (key) do update set staff = excluded.staff, due_at = excluded.due_at, state = 'open', done_at = null;

-- name: send*!
-- Where no way but pages and telephones is switched on, only for who chose a way is there anything to spread.
insert into outward_message (key, site, ticket, staff, channel, urgency, rule, body, next_at, created_at, spread)
values (:key, :site, :ticket, :staff, :channel, :urgency, :rule, :body, :at, :at,
    not :outward::boolean and not exists (select from reach_choice where staff = :staff))
on conflict (key) do nothing;

-- name: end_callbacks*!
-- Those to one number, or all.
update callback set state = :state, done_at = :at, done_by = (select id from staff where id = :by)
where ticket = :ticket and state in ('due', 'calling') and (:number::text is null or number = :number);

-- name: set_callback_responsible*!
update callback set responsible = :responsible where ticket = :ticket and state in ('due', 'calling');

-- name: close_if_over*!
-- With the last of its matters an incident is over, which is an event of its own (R32), and told.
with over as (
    update incident i set closed_at = :at
    where i.closed_at is null and i.id = (select incident from ticket where number = :number)
        and not exists (select from ticket t where t.incident = i.id and t.closed_at is null
            and t.status not in ('done', 'follow_up_due'))
    returning i.id, i.site)
insert into event (journal, seq, site, at, kind, version, body, actor, rules)
select :journal::uuid, :seq::bigint, site, :at::timestamptz, :kind::text, 1, jsonb_build_object(
    'incident', id, 'result', :result::text,
    'tickets', (select jsonb_agg(t.number order by t.number) from ticket t where t.incident = over.id)),
    :actor::text, '{R32}'
from over
on conflict (journal, seq) do nothing
returning pg_notify('callcenter', :payload::text);

-- name: notify*!
select pg_notify('callcenter', :payload);
