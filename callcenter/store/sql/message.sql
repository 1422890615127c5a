-- name: to_spread
-- Messages for people that nobody has looked at yet for further ways; old ones stay where they are.
select m.id, m.key, m.site, m.staff, m.ticket, m.channel, m.urgency, m.rule, m.body, m.created_at, c.rules,
    coalesce(c.email, s.email) as email
from outward_message m join staff s on s.id = m.staff left join reach_choice c on c.staff = m.staff
where not m.spread and m.channel in ('page', 'telephone') and m.site = any(:sites::text[])
    and m.created_at > :at::timestamptz - interval '1 hour'
order by m.created_at limit 100 for update of m skip locked;

-- name: spread!
update outward_message set spread = true where id = any(:ids::bigint[]);

-- name: put!
insert into outward_message (key, site, ticket, staff, channel, target, urgency, rule, body, next_at, created_at, spread)
values (:key, :site, :ticket, :staff, :channel, :target, :urgency, :rule, :body, :at, :at, true)
on conflict (key) do nothing;

-- name: claim^
with next as (
    select id from outward_message
    where channel = :channel and target = :target and state in ('due', 'sending') and next_at <= :at
        and site = any(:sites::text[])
    order by next_at, id limit 1 for update skip locked)
update outward_message m set state = 'sending', attempts = m.attempts + 1, next_at = :until
from next where m.id = next.id
returning m.id, m.key, m.site, m.ticket, m.staff, m.urgency, m.rule, m.body, m.attempts, m.created_at;

-- name: matter^
select t.category, t.building, t.status, t.asked, t.closed_at from ticket t where t.number = :ticket;

-- name: address$
select coalesce(c.email, s.email) from staff s left join reach_choice c on c.staff = s.id where s.id = :staff;

-- name: finish!
update outward_message set state = :state, result = :result, sent_at = case when :state::text = 'sent' then :at::timestamptz end
where id = :id;

-- name: put_off!
update outward_message set state = 'due', next_at = :at, result = :result where id = :id;

-- name: choice^
select c.email, c.rules, c.changed_at, s.email as files_email from staff s left join reach_choice c on c.staff = s.id
where s.id = :staff;

-- name: choose!
insert into reach_choice (staff, email, rules, changed_at) values (:staff, :email, :rules, now())
on conflict (staff) do update set email = excluded.email, rules = excluded.rules, changed_at = excluded.changed_at;

-- name: of_ticket
select id, staff, channel, target, urgency, rule, state, attempts, result, created_at, sent_at, seen_at
from outward_message where ticket = :ticket order by id;
