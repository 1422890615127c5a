-- name: put$
insert into event (journal, seq, site, call, ticket, at, kind, version, body, actor, rules)
values (:journal, :seq, :site, :call, :ticket, :at, :kind, :version, :body, :actor, :rules)
on conflict (journal, seq) do nothing
returning id;

-- name: of_call
select id, at, kind, body, actor, rules, ticket from event where call = :call order by at, id;

-- name: of_ticket
select id, at, kind, body, actor, rules, call from event where ticket = any(:tickets::bigint[]) order by at, id;

-- name: one^
select id, journal, seq, site, call, at, kind, version, body from event where id = :id;

-- name: note_cursor!
insert into journal_cursor (journal, role, node, number, acked) values (:journal, :role, :node, :number, :acked)
on conflict (journal) do update set acked = greatest(journal_cursor.acked, excluded.acked), seen_at = now();

-- name: cursor$
select acked from journal_cursor where journal = :journal;

-- name: lease_block<!
with block as (select nextval('ticket_block_seq') as first)
insert into number_block (first, last, node, line, next)
select first, first + 99, :node, :line, case when :node::text = '' then first end from block
returning first, last;

-- name: take_own_number$
update number_block set next = next + 1
where first = (select first from number_block where node = '' and next <= last order by first limit 1 for update)
returning next - 1;

-- name: put_job!
insert into job (key, kind, body, run_at) values (:key, :kind, :body, coalesce(:run_at::timestamptz, now()))
on conflict (key) do update set run_at = least(job.run_at, excluded.run_at);

-- name: put_job_once!
-- One that is there already does it: while it is being done it waits for the lock of what it is about, which we hold, and
-- sees what we have made of that.
insert into job (key, kind, body) values (:key, :kind, :body) on conflict (key) do nothing;

-- name: take_job^
select id, key, kind, body, attempts from job where run_at <= now() and kind = any(:kinds::text[])
order by run_at limit 1 for update skip locked;

-- name: end_job!
delete from job where id = :id;

-- name: put_off_job!
update job set attempts = attempts + 1, last_error = :error, run_at = now() + :pause * interval '1 second'
where id = :id;

-- name: next_job_in_s$
select extract(epoch from min(run_at) - now())::float from job;

-- name: act$
insert into act (key, actor) values (:key, :actor) on conflict do nothing returning key;

-- name: notify!
select pg_notify('callcenter', :payload);
