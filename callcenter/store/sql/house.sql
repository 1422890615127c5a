-- name: site_digests
select id, digest from site;

-- name: put_site!
insert into site (id, name, name_en, zone, digest, definition)
values (:id, :name, :name_en, :zone, :digest, :definition)
on conflict (id) do update set name = excluded.name, name_en = excluded.name_en, zone = excluded.zone,
    digest = excluded.digest, definition = excluded.definition;

-- name: put_staff!
insert into staff (id, site, name, name_en, title, title_en, department, extension, mobile, reports_to, active_from,
    active_until)
values (:id, :site, :name, :name_en, :title, :title_en, :department, :extension, :mobile, :reports_to, :active_from,
    :active_until)
on conflict (id) do update set name = excluded.name, name_en = excluded.name_en, title = excluded.title,
    title_en = excluded.title_en, department = excluded.department, extension = excluded.extension,
    mobile = excluded.mobile, reports_to = excluded.reports_to, active_from = excluded.active_from,
    active_until = excluded.active_until;

-- name: staff_of_other_site^
select id, site from staff where id = any(:ids::text[]) and site <> :site limit 1;

-- name: put_department!
insert into department (site, id, name, name_en, manager, deputies)
values (:site, :id, :name, :name_en, :manager, :deputies)
on conflict (site, id) do update set name = excluded.name, name_en = excluded.name_en, manager = excluded.manager,
    deputies = excluded.deputies;

-- name: put_place<!
insert into place (site, parent, kind, key, name, building, unit, room)
values (:site, :parent, :kind, :key, :name, :building, :unit, :room)
on conflict (site, parent, kind, key) do update set name = excluded.name
returning id;

-- name: find_place$
select id from place
where site = :site and building is not distinct from :building and unit is not distinct from :unit
    and room is not distinct from :room and kind in ('building', 'unit', 'room');

-- name: put_household<!
insert into household (site, key, place) values (:site, :key, :place)
on conflict (site, key) do update set place = excluded.place
returning id;

-- name: put_person<!
insert into person (site, household, name, relation) values (:site, :household, :name, :relation) returning id;

-- name: find_person$
select id from person where household = :household and name = :name and left_at is null;

-- name: put_number!
insert into contact_number (site, e164, person, household) values (:site, :e164, :person, :household)
on conflict (site, e164, person) do update set household = excluded.household;

-- name: numbers_elsewhere
select n.e164, h.key from contact_number n join household h on h.id = n.household
where n.site = :site and n.e164 = any(:numbers::text[]) and h.key <> :key;

-- name: callers
select distinct on (n.e164) n.e164, h.key, p.name, pl.building, pl.unit, pl.room
from contact_number n join household h on h.id = n.household join person p on p.id = n.person
left join place pl on pl.id = h.place
where n.site = :site and p.left_at is null
order by n.e164, n.id;

-- name: household_of_number^
select h.id, h.key, p.name from contact_number n join household h on h.id = n.household
join person p on p.id = n.person
where n.site = :site and n.e164 = :number and p.left_at is null order by n.id limit 1;

-- name: household_of_door^
select id, key from household where site = :site and key = :key;

-- name: households
select h.id, h.key, pl.building, pl.unit, pl.room,
    coalesce(jsonb_agg(jsonb_build_array(p.name, p.numbers) order by p.id) filter (where p.id is not null), '[]') people
from household h left join place pl on pl.id = h.place
left join lateral (
    select p.id, p.name, coalesce(jsonb_agg(n.e164) filter (where n.id is not null), '[]') numbers
    from person p left join contact_number n on n.person = p.id
    where p.household = h.id and p.left_at is null group by p.id, p.name
) p on true
where h.site = :site and (:pattern::text is null or h.key like :pattern or exists (
    select from person q left join contact_number m on m.person = q.id
    where q.household = h.id and (q.name like :pattern or m.e164 like :pattern)))
group by h.id, h.key, pl.building, pl.unit, pl.room
order by length(pl.building), pl.building, pl.unit, length(pl.room), pl.room
limit :rows;

-- name: roster_until$
select max(ends_at) from duty_shift where site = :site;

-- name: drop_planned_shifts!
delete from duty_shift where site = :site and starts_at >= :after and state = 'planned' and swapped_from is null;

-- name: put_shifts*!
insert into duty_shift (site, role, name, staff, starts_at, ends_at)
values (:site, :role, :name, :staff, :starts_at, :ends_at)
on conflict do nothing;

-- name: put_absence!
insert into absence (site, staff, starts_at, ends_at, reason, replaced_by)
values (:site, :staff, :starts_at, :ends_at, :reason, :replaced_by)
on conflict (site, staff, starts_at) do update set ends_at = excluded.ends_at, reason = excluded.reason,
    replaced_by = excluded.replaced_by;

-- name: shifts
select role, name, staff, starts_at, ends_at from duty_shift
where site = :site and starts_at < :ends_at and ends_at > :starts_at and state <> 'absent'
order by id;

-- name: absences
select staff, starts_at, ends_at, reason, replaced_by from absence
where site = :site and starts_at < :ends_at and ends_at > :starts_at
order by id;

-- name: version$
select n from version where what = :what;

-- name: bump!
update version set n = n + 1, at = now() where what = :what;

-- name: phones
select "user", ha1 from phone order by "user";

-- name: phones_of_site
select staff, changed_at from phone where site = :site and staff is not null;

-- name: put_phone!
insert into phone ("user", site, staff, ha1) values (:phone_user, :site, :staff, :ha1)
on conflict ("user") do update set site = excluded.site, staff = excluded.staff, ha1 = excluded.ha1, changed_at = now();

-- name: drop_phone!
delete from phone where "user" = :phone_user;
