-- name: ring!
insert into call (id, site, journal, node, line, sip_call_id, from_number, to_number, dialplan, state, ringing_at,
    invite_to_180_ms, household)
values (:id, :site, :journal, :node, :line, :sip_call_id, :from_number, :to_number, :dialplan, 'ringing', :at,
    :invite_to_180_ms, (select h.id from contact_number n join household h on h.id = n.household
                        where n.site = :site and n.e164 = :from_number order by n.id limit 1))
on conflict (id) do update set from_number = excluded.from_number, to_number = excluded.to_number,
    dialplan = excluded.dialplan, sip_call_id = excluded.sip_call_id, household = excluded.household;

-- name: ensure!
insert into call (id, site, journal, state, ringing_at) values (:id, :site, :journal, 'talking', :at)
on conflict (id) do nothing;

-- name: answer!
update call set state = case when state = 'ended' then state else 'talking' end, answered_at = :at, rings = :rings,
    answer_ms = :answer_ms, late_ms = :late_ms, answered_by = :by, answered = true
where id = :id;

-- name: step!
update call set step = :step where id = :id;

-- name: state!
update call set state = :state where id = :id and state <> 'ended';

-- name: receiver!
update call set receiver = :staff where id = :id and receiver is null and exists (select from staff where id = :staff);

-- name: understood!
update call set labels = :labels where id = :id;

-- name: gap!
update call set gap_from_ms = coalesce(gap_from_ms, :from_ms) where id = :id;

-- name: end!
update call set state = 'ended', ended_at = :at, end_reason = :reason,
    duration_ms = coalesce(:duration_ms::int, extract(epoch from :at::timestamptz - answered_at)::float * 1000),
    answered = answered or :answered, text_complete = gap_from_ms is null
where id = :id and ended_at is null;

-- name: text_complete!
update call set text_complete = true where id = :id;

-- name: objected!
update call set objected = true where id = :id;

-- name: unserved$
insert into call (id, site, journal, node, sip_call_id, from_number, to_number, state, ringing_at, ended_at, end_reason,
    unserved, text_complete, household)
select :id, :site, :journal, :node, :sip_call_id, :from_number, :to_number, 'ended', :at, :at, 'unserved', :reason, true,
    (select h.id from contact_number n join household h on h.id = n.household
     where n.site = :site and n.e164 = :from_number order by n.id limit 1)
where :sip_call_id::text is null or not exists (
    select from call where sip_call_id = :sip_call_id and ringing_at > :at::timestamptz - interval '10 minutes')
on conflict (id) do nothing
returning id;

-- name: say!
insert into utterance (call, leg, n, start_ms, end_ms, text, words, prompt, interrupted, afterwards, at)
values (:call, :leg, :n, :start_ms, :end_ms, :text, :words, :prompt, :interrupted, :afterwards, :at);

-- name: said_between$
select exists (select from utterance where call = :call and leg = :leg and start_ms < :end_ms and end_ms > :start_ms);

-- name: show!
insert into live_text (call, leg, start_ms, text) values (:call, :leg, :start_ms, :text)
on conflict (call, leg) do update set start_ms = excluded.start_ms, text = excluded.text, at = now();

-- name: unshow!
delete from live_text where call = :call and (leg = :leg or :leg::text is null);

-- name: forget_live!
delete from live_text where at < now() - interval '10 minutes';

-- name: for_intake^
select c.*, h.key as household_key, pl.building as home_building, pl.unit as home_unit, pl.room as home_room,
    (select p.name from contact_number n join person p on p.id = n.person
     where n.site = c.site and n.e164 = c.from_number and n.household = h.id and p.left_at is null
     order by n.id limit 1) as known_name
from call c left join household h on h.id = c.household left join place pl on pl.id = h.place
where c.id = :id
for update of c;

-- name: heard
select leg, text, start_ms from utterance where call = :call and leg <> 'ours' order by start_ms, id;

-- name: complete!
update call set completed_at = :at, ticket = :ticket, labels = coalesce(:labels, labels) where id = :id;

-- name: set_household!
update call set household = (select id from household where site = :site and key = :key) where id = :id;

-- name: known$
select true from call where id = :id;

-- name: announce!
insert into recording (call, site, node, state, file, sha256, bytes, duration_ms, channels, sample_rate_hz, notice_given,
    objected, delete_after)
values (:call, :site, :node, 'announced', null, :sha256, :bytes, :duration_ms, :channels, :sample_rate_hz, :notice_given,
    :objected, :delete_after)
on conflict (call) do update set sha256 = case when recording.state = 'announced' then excluded.sha256
        else recording.sha256 end,
    bytes = coalesce(recording.bytes, excluded.bytes), duration_ms = excluded.duration_ms, channels = excluded.channels,
    sample_rate_hz = excluded.sample_rate_hz, notice_given = excluded.notice_given,
    objected = recording.objected or excluded.objected, delete_after = excluded.delete_after;

-- name: recording^
select r.*, c.objected as call_objected from recording r join call c on c.id = r.call where r.call = :call;

-- name: stored!
insert into recording (call, site, node, state, file, sha256, bytes, stored_at)
select id, site, node, 'stored', :file, :sha256, :bytes, now() from call where id = :call
on conflict (call) do update set state = 'stored', file = excluded.file, sha256 = excluded.sha256, bytes = excluded.bytes,
    stored_at = now()
where recording.state <> 'deleted';

-- name: set_peaks!
update recording set peaks = :peaks where call = :call;

-- name: deleted!
update recording set state = 'deleted', deleted_at = now(), deleted_why = :why, peaks = null,
    objected = objected or :objected
where call = :call;

-- name: due_for_deletion
select r.call, r.site, r.file, r.objected from recording r
where r.state = 'stored' and (r.delete_after < now() or r.objected)
order by r.delete_after limit 100 for update skip locked;

-- name: listen!
insert into listening (site, call, account, from_ms) select site, id, :account, :from_ms from call where id = :call;

-- name: listenings
select account, at, from_ms from listening where call = :call order by at;

-- name: put_search!
insert into search_text (site, what, key, at, text, terms, facets)
select site, 'call', id::text, ringing_at, :text, array_to_tsvector(:terms::text[]), call_facets(c)
from call c where id = :id
on conflict (what, key) do update set text = excluded.text, terms = excluded.terms, facets = excluded.facets;
