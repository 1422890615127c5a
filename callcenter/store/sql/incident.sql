-- name: open_ones
select i.id, i.category, i.buildings, i.recognised_at, i.major_at,
    coalesce((select jsonb_agg(jsonb_build_array(t.number::text, t.opened_at) order by t.opened_at, t.number)
              from ticket t where t.incident = i.id), '[]') as tickets
from incident i where i.site = :site and i.category = :category and i.closed_at is null;

-- name: in_the_making
select number, building, opened_at from ticket
where site = :site and category = :category and opened_at >= :since and incident is null and status <> 'joined'
    and kind <> 'none' and number <> :but
order by opened_at, number;

-- name: group_of$
select site || ' ' || category from ticket where number = :number;

-- name: matter^
select number, life, incident, call from ticket where number = :number for update;

-- name: recognise<!
insert into incident (site, category, buildings, phrase, phrase_en, opened_at, recognised_at, major_at)
values (:site, :category, :buildings, :phrase, :phrase_en, :opened_at, :recognised_at, :major_at)
returning id;

-- name: assign!
update ticket set incident = :incident, changed_at = now() where number = any(:numbers::bigint[]);

-- name: leave
-- A matter that is of another category or building than its incident is no part of it; the incident that has no open
-- matter left by that is over, and returned.
with gone as (
    update ticket t set incident = null from incident i
    where t.number = :number and i.id = t.incident and i.closed_at is null
        and (i.category <> t.category or (i.buildings <> '{}' and t.building <> all(i.buildings)))
    returning i.id)
update incident i set closed_at = :at from gone
where i.id = gone.id and not exists (select from ticket o where o.incident = i.id and o.number <> :number
    and o.closed_at is null and o.status not in ('done', 'follow_up_due'))
returning i.id, (select coalesce(jsonb_agg(o.number order by o.number), '[]') from ticket o
    where o.incident = i.id and o.number <> :number) as tickets;

-- name: major!
update incident set major_at = :at where id = :id;

-- name: list
select i.*, (select count(*) from ticket t where t.incident = i.id)::int as matters,
    (select count(*) from ticket t where t.incident = i.id and t.closed_at is null)::int as open_matters,
    (select coalesce(array_agg(t.number order by t.opened_at), '{}') from ticket t where t.incident = i.id) as numbers
from incident i where i.site = :site and (:open_only::boolean is false or i.closed_at is null)
order by i.opened_at desc limit 200;

-- name: lock^
select id, site, closed_at from incident where id = :id for update;

-- name: open_matters_of
select number from ticket where incident = :id and closed_at is null and status not in ('done', 'follow_up_due')
order by number;

-- name: close!
update incident set closed_at = :at where id = :id and closed_at is null;

-- name: calls
select c.* from ticket t join call_row c on c.ticket = t.number or c.id = t.call
where t.incident = :id
order by c.ringing_at desc limit 200;
