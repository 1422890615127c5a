-- name: ring_out!
-- A call of ours: `from_number` is the resident's, whoever dialled, so that a number's calls are found in one place.
insert into call (id, site, journal, node, line, direction, from_number, to_number, dialplan, state, ringing_at, ticket,
    household)
values (:id, :site, :journal, :node, :line, 'out', :number, null, :dialplan, 'ringing', :at,
    (select coalesce(joined_to, number) from ticket where number = :ticket),
    (select h.id from contact_number n join household h on h.id = n.household
     where n.site = :site and n.e164 = :number order by n.id limit 1))
on conflict (id) do update set direction = 'out', from_number = excluded.from_number, dialplan = excluded.dialplan,
    ticket = excluded.ticket, household = excluded.household;

-- name: plan_callbacks!
insert into resident_call (key, site, purpose, ticket, callback, number, next_at, created_at)
select 'callback:' || id, site, 'callback', ticket, id, number, due_at, :at from callback
where state = 'due' and ticket is not null and site = any(:sites::text[]) and due_at <= :at
    and due_at > :at::timestamptz - interval '1 day'  -- what nobody did for a day stays a person's
on conflict (key) do nothing;

-- name: plan_follow_ups!
insert into resident_call (key, site, purpose, ticket, number, next_at, created_at)
select 'follow_up:' || t.number || ':' || extract(epoch from t.done_at)::bigint, t.site, 'follow_up', t.number,
    t.caller_number, :at, :at
from task k join ticket t on t.number = k.ticket
where k.kind = 'follow_up' and k.state = 'open' and t.site = any(:sites::text[]) and t.status = 'follow_up_due'
    and t.done_at <= :done_before and t.done_at > :done_before::timestamptz - interval '7 days'
    and t.caller_number is not null
on conflict (key) do nothing;

-- name: ask_callback^
-- Somebody wants the resident of a call-back rung now.
insert into resident_call (key, site, purpose, ticket, callback, number, asked_by, next_at, created_at)
select 'callback:' || id, site, 'callback', ticket, id, number, :staff, :at, :at from callback
where id = :callback and state in ('due', 'calling') and ticket is not null
on conflict (key) do update set asked_by = excluded.asked_by, state = 'due', attempts = 0, next_at = excluded.next_at
where resident_call.state <> 'calling'
returning id, site, purpose, ticket, state;

-- name: ask_matter^
-- Somebody wants the resident of a matter rung now: its follow-up where that is due, else a call about it.
insert into resident_call (key, site, purpose, ticket, number, asked_by, next_at, created_at)
select case when t.status = 'follow_up_due' then 'follow_up:' || t.number || ':' || extract(epoch from t.done_at)::bigint
        else 'asked:' || :key::text end,
    t.site, case when t.status = 'follow_up_due' then 'follow_up' else 'callback' end, t.number, t.caller_number, :staff,
    :at, :at
from ticket t where t.number = :ticket and t.caller_number is not null
on conflict (key) do update set asked_by = excluded.asked_by, state = 'due', attempts = 0, next_at = excluded.next_at
where resident_call.state <> 'calling'
returning id, site, purpose, ticket, state;

-- name: being_called_back$
select exists(select from resident_call where ticket = :ticket and purpose = 'callback' and state = 'calling'
    and next_at > :at);

-- name: promise_again$
-- The call-back that is still to be made has another time now; whether there was one.
with moved as (
    update callback set reason = 'promised', due_at = :due_at, number = :number, responsible = :responsible
    where id = (
        select id from callback where ticket = :ticket and state in ('due', 'calling')
        order by (number = :number) desc, due_at, id limit 1)
    returning id),
again as (
    update resident_call r set state = 'due', attempts = 0, next_at = :due_at, number = :number, result = null,
        asked_by = null
    from moved where r.callback = moved.id and (r.state <> 'calling' or r.next_at <= :at))
select exists(select from moved);

-- name: promised_by_person$
-- Whether one of ours has promised the resident a call-back at a time that has not come yet.
select exists(
        select from callback where ticket = :ticket and state in ('due', 'calling') and reason = 'promised' and due_at > :at)
    and coalesce((
        select actor not in ('rule', 'caller') from event where ticket = :ticket and kind = 'ticket.promise'
        order by id desc limit 1), false);

-- name: carry_callbacks!
-- What was promised to the caller of a matter is kept in the one that it joined: what is due sooner, and what is due to
-- a number that nobody there is called back on.
with moved as (
    update callback c set ticket = :into where ticket = :number and state in ('due', 'calling')
        and (:every::boolean or not exists (
            select from callback o where o.ticket = :into and o.state in ('due', 'calling') and o.number = c.number))
    returning id)
update resident_call r set ticket = :into from moved where r.callback = moved.id;

-- name: renumber!
-- A matter's number was corrected: whom it was promised to, or who is still to be rung, is at the right one (R5, R10).
with promised as (
    update callback set number = :number where ticket = :ticket and number = :before and state in ('due', 'calling'))
update resident_call set number = :number
where ticket = :ticket and number = :before and state in ('due', 'calling', 'given_up');

-- name: one_at_a_time!
select pg_advisory_xact_lock(hashtext('resident calls'));

-- name: rung_lately$
select count(*)::int from resident_call where rung_at > :since;

-- name: next^
-- The next resident to ring; nobody is rung twice at once. `lost`: also whose last call was never heard of again.
select r.*, t.status, t.category, t.urgency, t.responsible, t.done_at as matter_done_at, b.state as callback_state,
    b.reason, b.due_at as promised_at, k.state as task_state,
    (select o.dialplan from call o where o.id = t.call) as dialplan
from resident_call r join ticket t on t.number = r.ticket left join callback b on b.id = r.callback
    left join task k on k.key = 'follow_up:' || r.ticket
where r.state in ('due', 'calling') and r.next_at <= :at and r.site = any(:sites::text[])
    and (r.state = 'due' or :lost::boolean)
    and not exists (
        select from resident_call o
        where o.number = r.number and o.id <> r.id and o.state = 'calling' and o.next_at > :at)
order by (r.asked_by is not null) desc, (r.purpose = 'callback') desc, r.next_at, r.id
limit 1 for update of r skip locked;

-- name: claim!
update resident_call set state = 'calling', attempts = attempts + 1, next_at = :until, rung_at = :at, result = null
where id = :id;

-- name: under_way!
update resident_call set next_at = greatest(next_at, :until), call = :call
where id = :id and state = 'calling' and attempts = :attempts;

-- name: not_rung!
-- The line did not do it, which is no try.
update resident_call set state = 'due', attempts = attempts - 1, next_at = :at, result = :result
where id = :id and state = 'calling' and attempts = :attempts;

-- name: put_off!
update resident_call set state = 'due', next_at = :at, result = coalesce(:result, result) where id = :id;

-- name: finish!
update resident_call set state = :state, result = :result, score = :score, done_at = :at where id = :id;

-- name: by_key^
select * from resident_call where key = :key for update;

-- name: by_call^
select * from resident_call where call = :call and state = 'calling' for update;

-- name: progress!
update resident_call set call = :call, result = :result, next_at = greatest(next_at, :until)
where key = :key and state = 'calling';

-- name: tried!
update callback set attempts = attempts + 1, result = :result where id = :id and state in ('due', 'calling');

-- name: of_ticket
select id, purpose, state, attempts, next_at, call, result, score, asked_by, created_at, done_at from resident_call
where ticket = :ticket order by id;
