-- name: asked
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from ticket t where t.asked = :staff and t.site = :site order by t.accept_by, t.number limit 100;

-- name: mine
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from ticket t where t.responsible = :staff and t.site = :site and t.closed_at is null
    and t.status not in ('joined', 'done', 'follow_up_due') and t.asked is distinct from :staff
order by t.due_at nulls last, t.number limit 200;

-- name: followed
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from ticket t where t.first_responder = :staff and t.site = :site and t.closed_at is null
    and t.responsible <> :staff and t.status not in ('joined', 'done', 'follow_up_due')
order by t.due_at nulls last, t.number limit 100;

-- name: follow_ups
select t.number, t.site, t.status, t.opened_at, t.kind, t.category, t.urgency, t.department, t.building, t.unit, t.room,
    t.caller_name, t.caller_number, t.content, t.first_responder, t.responsible, t.asked, t.accept_by, t.to_confirm,
    t.complete, t.major, t.calls, t.incident, t.joined_to, t.due_at, t.due_clock, t.closed_at, t.version
from task k join ticket t on t.number = k.ticket
where k.site = :site and k.state = 'open' and k.kind = 'follow_up' and t.status = 'follow_up_due'
    and (:staff::text is null or k.staff = :staff)
order by k.due_at nulls last, t.number limit 200;

-- name: tasks
select * from task where site = :site and state = 'open' and staff = :staff and kind in ('report', 'incident', 'settle')
order by due_at nulls last, id limit 100;

-- name: callbacks
select b.*, h.key as household_key from callback b left join household h on h.id = b.household
where b.site = :site and b.state in ('due', 'calling') and b.responsible = :staff order by b.due_at limit 100;

-- name: told
-- What one was told of others' matters and has not looked at, newest first; one's own stand in the lists above.
select k.ticket, t.urgency, t.category, k.rule, k.at, k.zh, k.en
from (
    select ticket, rule, at, zh, en from told
    where staff = :staff and seen_at is null and rule not in ('R11', 'R17', 'R27') order by at desc limit 300
) k join ticket t on t.number = k.ticket
where t.site = :site and t.status <> 'joined' and (t.closed_at is null or k.at > now() - interval '3 days')
    and t.responsible <> :staff and t.first_responder <> :staff and t.asked is distinct from :staff
order by k.at desc limit 50;
