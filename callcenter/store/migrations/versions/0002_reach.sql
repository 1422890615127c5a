-- What was never rung before desks could ring is not rung now.
update outward_message set state = 'failed', result = 'before_telephones' where channel = 'telephone' and state = 'due';

create index outward_message_ring on outward_message (next_at) where channel = 'telephone' and state in ('due', 'sending');
create index outward_message_rung on outward_message (ticket, staff, id) where channel = 'telephone';
