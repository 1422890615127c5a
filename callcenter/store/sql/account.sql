-- name: by_login^
select * from account where login = :login;

-- name: by_id^
select * from account where id = :id;

-- name: every
select * from account order by login;

-- name: count$
select count(*) from account;

-- name: create<!
insert into account (login, name, site, staff, department, role, argon2, language, must_change)
values (:login, :name, :site, :staff, :department, :role, :argon2, :language, :must_change)
on conflict (login) do nothing
returning *;

-- name: set_password<!
update account set argon2 = :argon2, must_change = :must_change where id = :id returning *;

-- name: set_role<!
update account set role = :role, active = :active where id = :id returning *;

-- name: set_staff<!
update account set staff = :staff, department = coalesce(:department, department) where id = :id returning *;

-- name: set_language!
update account set language = :language where id = :id;

-- name: seen!
update account set seen_at = now() where id = :id;
