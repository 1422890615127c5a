-- name: one_at_a_time!
select pg_advisory_xact_lock(hashtext('reach'));

-- name: next_to_ring^
-- Nobody's phone is rung twice at once. `lost`: also those whose last call was never heard of again. Who is asked to
-- take a matter comes before who is told of one.
select m.id, m.key, m.site, m.staff, m.ticket, m.body, m.urgency, m.attempts, m.created_at, t.status, t.asked, t.accepted_by,
    t.closed_at, t.major, t.category, t.building, t.unit, t.room, t.content, t.life->'record'->>'content' as heard
from outward_message m left join ticket t on t.number = m.ticket
where m.channel = 'telephone' and m.state in ('due', 'sending') and m.next_at <= :at and m.site = any(:sites::text[])
    and (m.state = 'due' or :lost::boolean)
    and not exists (
        select from outward_message o
        where o.staff = m.staff and o.id <> m.id and o.channel = 'telephone' and o.state = 'sending' and o.next_at > :at)
order by (m.body->>'kind' = 'ask') desc, m.created_at, m.id
limit 1 for update of m skip locked;

-- name: claim!
update outward_message set state = 'sending', attempts = attempts + 1, next_at = :until, result = null where id = :id;

-- name: under_way!
update outward_message set next_at = greatest(next_at, :until)
where id = :id and state = 'sending' and attempts = :attempts;

-- name: put_off!
update outward_message set state = 'due', next_at = :at, result = :result where id = :id and state = 'sending';

-- name: not_rung!
-- The line did not do it: the next line may, at once.
update outward_message set state = 'due', next_at = :at, result = :result
where id = :id and state = 'sending' and attempts = :attempts;

-- name: finish!
update outward_message set state = :state, result = :result, sent_at = coalesce(sent_at, :at),
    seen_at = case when :state = 'seen' then :at else seen_at end
where id = :id;

-- name: of_answer^
-- The message that an answer on the telephone belongs to: the one being rung, else the last.
select id, key, state, body, urgency, attempts, created_at, result from outward_message
where ticket = :ticket and staff = :staff and channel = 'telephone'
order by (state = 'sending') desc, id desc limit 1 for update;

-- name: progress!
update outward_message set result = :result, next_at = greatest(next_at, :until)
where ticket = :ticket and staff = :staff and channel = 'telephone' and state = 'sending';

-- name: needless
-- Calls under way whose person need not take the matter any more.
select m.key, m.site, m.staff, t.accepted_by from outward_message m join ticket t on t.number = m.ticket
where m.key = any(:keys::text[]) and m.state = 'sending' and m.body->>'kind' = 'ask'
    and (t.status <> 'handed_over' or t.asked is distinct from m.staff);

-- name: verdict^
select m.result, t.accepted_by, m.site from outward_message m join ticket t on t.number = m.ticket
where m.ticket = :ticket and m.staff = :staff and m.channel = 'telephone' and m.result is not null
order by m.seen_at desc nulls last, m.id desc limit 1;

-- name: calls_by_line
select node, line, count(*)::int as calls from call
where ended_at is null and ringing_at > now() - interval '2 hours' group by node, line;

-- name: wait!
-- Nobody can be rung: the person has until then to see it on their page.
update outward_message set next_at = :at, result = :result where id = :id;

-- name: has_read$
select exists (select from told where ticket = :ticket and staff = :staff and seen_at is not null);

-- name: rung_about
select distinct staff from outward_message where ticket = :ticket and channel = 'telephone';

-- name: send_up!
insert into outward_message (key, site, ticket, staff, channel, urgency, rule, body, next_at, created_at)
values (:key, :site, :ticket, :staff, 'telephone', :urgency, 'R24', :body, :at, :at)
on conflict (key) do nothing;

-- name: read!
-- Who has seen it on their page is rung no more to tell them; being asked to take it ends only by an answer. A page that is
-- read again writes nothing.
with page as (
    update told set seen_at = :at where ticket = :ticket and staff = :staff and seen_at is null)
update outward_message set state = 'seen', seen_at = :at, result = 'read'
where ticket = :ticket and staff = :staff and channel = 'telephone' and state = 'due' and body->>'kind' <> 'ask';
