create table resident_call (                        -- calls of ours to residents: R22, R23
    id bigint generated always as identity primary key,
    key text not null unique,                       -- 'callback:12', 'follow_up:100001:<when it was done>'
    site text not null references site,
    purpose text not null check (purpose in ('callback', 'follow_up')),
    ticket bigint not null references ticket,
    callback bigint references callback,
    number text not null,
    asked_by text references staff,                 -- who wanted it now; null: the clock
    state text not null default 'due' check (state in ('due', 'calling', 'done', 'given_up', 'dropped')),
    attempts int not null default 0,
    next_at timestamptz not null,                   -- due: when to ring; calling: when news of it are overdue
    rung_at timestamptz,
    call uuid,                                      -- the newest
    result text,
    score int,                                      -- 1 (very dissatisfied) to 5 (very satisfied)
    created_at timestamptz not null,
    done_at timestamptz
);
create index resident_call_next on resident_call (next_at) where state in ('due', 'calling');
create index resident_call_ticket on resident_call (ticket);
create index resident_call_rung on resident_call (rung_at);
create index resident_call_number on resident_call (number) where state = 'calling';
create index resident_call_call on resident_call (call);

-- Where each person wants to hear of what, by urgency and hour; none: the house's own way. An emergency always rings.
create table reach_choice (
    staff text primary key references staff,
    email text,                                     -- theirs for mails of the house; null: the one of the site's files
    rules jsonb not null default '[]',              -- [{"urgency", "from", "until", "channels"}], the first that fits counts
    changed_at timestamptz not null default now()
);

create index outward_message_out on outward_message (channel, next_at)
    where channel in ('mail', 'webhook') and state in ('due', 'sending');
create index outward_message_ticket on outward_message (ticket, id);

-- A message for a person's page or telephone is spread once to their other ways; `target` names a webhook.
alter table outward_message add column target text not null default '', add column spread boolean not null default true;
alter table outward_message alter column spread set default false;
create index outward_message_spread on outward_message (created_at) where not spread;
