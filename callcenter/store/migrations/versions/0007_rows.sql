-- Every page counts the open emergencies and shows those that nobody has taken yet: both by the index alone.
drop index ticket_emergency;
create index ticket_emergency on ticket (site, opened_at, status) where urgency = 'emergency' and closed_at is null;

-- A call as lists show it, with what stands beside it: its household, the name known for its number, how urgent its
-- matter is, and what was said last.
create view call_row as
select c.id, c.site, c.state, c.from_number, c.to_number, c.ringing_at, c.answered_at, c.ended_at, c.duration_ms,
    c.rings, c.answered, c.end_reason, c.unserved, c.step, c.labels, c.ticket, h.key as household_key, t.urgency,
    (select p.name from contact_number n join person p on p.id = n.person
     where n.site = c.site and n.e164 = c.from_number order by n.id limit 1) as caller_name,
    (select u.text from utterance u where u.call = c.id and u.leg <> 'ours' order by u.id desc limit 1) as last_text
from call c left join household h on h.id = c.household left join ticket t on t.number = c.ticket;
