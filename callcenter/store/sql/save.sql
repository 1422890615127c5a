-- What steps of tickets write, many tickets at a time; see desk.matters.Writing for the order. `rows`: a JSON list of
-- objects whose keys are columns.

-- name: plan_once#
set local plan_cache_mode = force_generic_plan;

-- name: plan_anew#
set local plan_cache_mode = force_custom_plan;

-- name: update!
update ticket t set life = r.life, version = r.version, status = r.status, joined_to = r.joined_to, kind = r.kind,
    category = r.category, urgency = r.urgency, department = r.department, caller_name = r.caller_name,
    caller_number = r.caller_number, building = r.building, unit = r.unit, room = r.room, household = r.household,
    missing = r.missing, to_confirm = r.to_confirm, responsible = r.responsible, asked = r.asked,
    accept_by = r.accept_by, accepted_by = r.accepted_by, major = r.major, calls = r.calls, refusals = r.refusals,
    due_at = r.due_at, due_clock = r.due_clock, next_at = r.next_at, done_at = r.done_at, closed_at = r.closed_at,
    changed_at = now()
from jsonb_populate_recordset(null::ticket, :rows) r where t.number = r.number;

-- name: event!
insert into event (journal, seq, site, call, ticket, at, kind, version, body, actor, rules)
select journal, seq, site, call, ticket, at, kind, 1, body, actor, rules
from jsonb_populate_recordset(null::event, :rows)
on conflict (journal, seq) do nothing;

-- name: end_tasks!
update task t set state = r.state, done_at = r.done_at, done_by = (select id from staff where id = r.done_by)
from jsonb_populate_recordset(null::task, :rows) r
where t.ticket = r.ticket and t.kind = r.kind and t.state = 'open';

-- name: tell!
-- The last thing that somebody was told by a rule.
insert into told (ticket, staff, rule, at, zh, en)
select distinct on (ticket, staff, rule) ticket, staff, rule, at, zh, en
from rows from (jsonb_populate_recordset(null::told, :rows)) with ordinality
order by ticket, staff, rule, ordinality desc
on conflict (ticket, staff, rule) do update set at = excluded.at, zh = excluded.zh, en = excluded.en, seen_at = null;

-- name: put_task!
insert into task (key, site, kind, ticket, call, staff, due_at, rule, body, created_at)
select distinct on (key) key, site, kind, ticket, call, staff, due_at, rule, body, created_at
from rows from (jsonb_populate_recordset(null::task, :rows)) with ordinality
order by key, ordinality desc
on conflict (key) do update set staff = excluded.staff, due_at = excluded.due_at, state = 'open', done_at = null;

-- name: send!
-- Where no way but pages and telephones is switched on (`spread` true: done with), only for who chose a way is there
-- anything to spread.
insert into outward_message (key, site, ticket, staff, channel, urgency, rule, body, next_at, created_at, spread)
select key, site, ticket, staff, channel, urgency, rule, body, created_at, created_at,
    spread and not exists (select from reach_choice c where c.staff = r.staff)
from jsonb_populate_recordset(null::outward_message, :rows) r
on conflict (key) do nothing;

-- name: end_callbacks!
-- Those to one number, or all.
update callback c set state = r.state, done_at = r.done_at, done_by = (select id from staff where id = r.done_by)
from jsonb_populate_recordset(null::callback, :rows) r
where c.ticket = r.ticket and c.state in ('due', 'calling') and (r.number is null or c.number = r.number);

-- name: set_callback_responsible!
update callback c set responsible = r.responsible from jsonb_populate_recordset(null::callback, :rows) r
where c.ticket = r.ticket and c.state in ('due', 'calling');

-- name: close_if_over!
-- With the last of its matters an incident is over, which is an event of its own (R32), and told.
with ended as (
    select distinct on (t.incident) t.incident, r.*
    from jsonb_to_recordset(:rows) r(
        number bigint, at timestamptz, journal uuid, seq bigint, kind text, result text, actor text, payload text)
    join ticket t on t.number = r.number
    where t.incident is not null and not exists (select from ticket o where o.incident = t.incident
        and o.closed_at is null and o.status not in ('done', 'follow_up_due'))
    order by t.incident, r.seq desc),
over as (
    update incident i set closed_at = ended.at from ended where i.id = ended.incident and i.closed_at is null
    returning i.id, i.site)
insert into event (journal, seq, site, at, kind, version, body, actor, rules)
select e.journal, e.seq, over.site, e.at, e.kind, 1, jsonb_build_object(
    'incident', over.id, 'result', e.result,
    'tickets', (select jsonb_agg(t.number order by t.number) from ticket t where t.incident = over.id)),
    e.actor, '{R32}'
from over join ended e on e.incident = over.id
on conflict (journal, seq) do nothing
returning pg_notify('callcenter', (select payload from ended where ended.seq = event.seq));

-- name: notify!
select pg_notify('callcenter', r.payload) from jsonb_to_recordset(:rows) r(payload text);
