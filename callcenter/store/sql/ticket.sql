-- name: open_matters
select number, kind, category, urgency, department, building, unit, room, first_responder, responsible, status,
    opened_at, household, incident, life->'numbers' as numbers
from ticket where site = :site and closed_at is null and status not in ('joined', 'archived')
order by opened_at desc limit 5000;

-- name: open_of
select life from ticket
where site = :site and closed_at is null and status not in ('joined', 'archived') and number <> :but
    and (caller_number = :number or household = :household or number = :about
         or (building = :building and room = :room) or life->'numbers' ? :number::text)
order by opened_at desc limit 50;

-- name: carry_incident!
-- A matter that joins another leaves its place in an incident to that one, which lasts as long as it does (R32).
update ticket set incident = (select incident from ticket where number = :number)
where number = :into and incident is null;

-- name: open_incidents
select i.id, i.category, i.opened_at, i.phrase as zh, i.phrase_en as en, i.buildings,
    (select count(*) from ticket t where t.incident = i.id)::int as calls
from incident i where i.site = :site and i.closed_at is null;

-- name: of_call^
select number, life, joined_to, labels, content, complete, spoken from ticket where call = :call for update;

-- name: lock^
select number, life, joined_to from ticket where number = :number for update;

-- name: resolve$
with recursive chain as (
    select number, joined_to, 0 as depth from ticket where number = :number
    union all
    select t.number, t.joined_to, c.depth + 1 from ticket t join chain c on t.number = c.joined_to where c.depth < 50
)
select number from chain where joined_to is null;

-- name: insert$
insert into ticket (number, site, call, life, version, status, joined_to, opened_at, kind, category, urgency, department,
    labels, decision, caller_name, caller_number, building, unit, room, household, content, missing, complete,
    to_confirm, first_responder, responsible, asked, accept_by, accepted_by, major, spoken, calls, refusals, due_at,
    due_clock, next_at, done_at, closed_at)
values (:number, :site, :call, :life, :version, :status, :joined_to, :opened_at, :kind, :category, :urgency, :department,
    :labels, :decision, :caller_name, :caller_number, :building, :unit, :room, :household, :content, :missing, :complete,
    :to_confirm, :first_responder, :responsible, :asked, :accept_by, :accepted_by, :major, :spoken, :calls, :refusals,
    :due_at, :due_clock, :next_at, :done_at, :closed_at)
on conflict do nothing
returning number;

-- name: complete!
update ticket set labels = :labels, content = :content, complete = :complete, decision = coalesce(:decision, decision),
    completed_at = case when :complete then coalesce(completed_at, :at) else completed_at end, changed_at = now()
where number = :number;

-- name: corrected_by_person$
select exists(select 1 from event where ticket = :number and kind in ('ticket.amend', 'ticket.confirm')
    and actor not in ('rule', 'caller'));

-- name: set_labels!
update ticket set labels = :labels where number = :number;

-- name: look_again!
update ticket set next_at = :at where number = :number;

-- name: look_again_all!
update ticket set next_at = least(next_at, now()) where site = :site and closed_at is null;

-- name: due_to_look
select number, site, life from ticket where next_at <= :at and site = any(:sites::text[])
order by next_at limit :rows for update skip locked;

-- name: next_look$
select min(next_at) from ticket where next_at is not null;

-- name: put_callback!
insert into callback (site, call, ticket, household, number, reason, due_at, responsible, created_at)
values (:site, :call, :ticket, (select id from household where site = :site and key = :household), :number, :reason,
    :due_at, :responsible, :at)
on conflict (call) where call is not null do update set due_at = excluded.due_at, responsible = excluded.responsible,
    ticket = excluded.ticket;

-- name: callback_due$
select min(due_at) from callback
where ticket = :ticket and state in ('due', 'calling') and (:to::text is null or number = :to)
    and (:but::text is null or number <> :but);

-- name: silence_broken!
-- What a caller said was understood later on: they are called back as somebody whose call broke off.
update callback set reason = 'hang_up' where ticket = :ticket and reason = 'silence' and state in ('due', 'calling');

-- name: put_search!
insert into search_text (site, what, key, at, text, terms, facets)
select site, 'ticket', number::text, opened_at, :text, array_to_tsvector(:terms::text[]), ticket_facets(t)
from ticket t where number = :number
on conflict (what, key) do update set text = excluded.text, terms = excluded.terms, facets = excluded.facets;
