-- Everything the house holds. Times are UTC (timestamptz); people see them in the site's zone.
-- `site`, `department` and `staff` carry the keys of the site's files; the rest is numbered here.

create table site (
    id text primary key,
    name text not null,
    name_en text not null default '',
    zone text not null default 'Asia/Shanghai',
    digest text not null default '',               -- of the folder it was last loaded from
    definition jsonb not null default '{}'          -- what the files say beyond the tables below: rules, phrases, hours
);

-- places and people -----------------------------------------------------------------------------

create table place (
    id bigint generated always as identity primary key,
    site text not null references site,
    parent bigint references place,
    kind text not null check (kind in ('site', 'area', 'building', 'unit', 'room')),
    key text not null,                              -- '3' of 3号楼, '1102' of 1102室
    name text not null,                             -- as people write it
    building text, unit text, room text,            -- where it lies, for looking up what was said
    area_staff text,                                -- 片区管理员, on areas and buildings
    unique nulls not distinct (site, parent, kind, key)
);
create index place_spoken on place (site, building, unit, room);

create table household (
    id bigint generated always as identity primary key,
    site text not null references site,
    key text not null,                              -- '3-2-1102'
    place bigint references place,
    note text not null default '',
    unique (site, key)
);

create table person (
    id bigint generated always as identity primary key,
    site text not null references site,
    household bigint references household,
    name text not null,
    relation text not null default '',              -- 业主, 租户, 家属
    left_at timestamptz
);
create index person_household on person (household);

create table contact_number (
    id bigint generated always as identity primary key,
    site text not null references site,
    e164 text not null,
    person bigint references person,
    household bigint references household,
    unique nulls not distinct (site, e164, person)
);
create index contact_number_e164 on contact_number (site, e164);

-- our own people --------------------------------------------------------------------------------

create table department (
    site text not null references site,
    id text not null,
    name text not null,
    name_en text not null default '',
    manager text not null,
    deputies text[] not null default '{}',
    primary key (site, id)
);

create table staff (
    id text primary key,
    site text not null references site,
    name text not null,
    name_en text not null default '',
    title text not null default '',
    title_en text not null default '',
    department text not null,
    extension text,                                 -- the SIP user of their desk phone
    mobile text,
    email text,
    reports_to text,
    notify jsonb not null default '{}',             -- their choice by urgency and hour
    active_from date,
    active_until date
);

create table duty_shift (                           -- R25
    id bigint generated always as identity primary key,
    site text not null references site,
    role text not null,                             -- operator, leader, or a department's id
    name text not null default '',                  -- 白班, 晚班, 夜班
    staff text not null references staff,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    swapped_from text references staff,
    state text not null default 'planned' check (state in ('planned', 'taken_over', 'ended', 'absent')),
    check (ends_at > starts_at),
    unique (site, role, staff, starts_at)
);
create index duty_shift_time on duty_shift (site, ends_at, starts_at);

create table absence (
    id bigint generated always as identity primary key,
    site text not null references site,
    staff text not null references staff,
    starts_at timestamptz not null,
    ends_at timestamptz not null,
    reason text not null default '',
    replaced_by text references staff,
    check (ends_at > starts_at),
    unique (site, staff, starts_at)
);

create table account (
    id bigint generated always as identity primary key,
    login text not null unique,
    name text not null,
    site text references site,                      -- null: every site
    staff text references staff,
    department text,
    role text not null check (role in ('agent', 'dispatcher', 'supervisor', 'manager', 'administrator')),
    argon2 text not null,                           -- the password's hash
    language text not null default 'zh-CN',
    active boolean not null default true,
    must_change boolean not null default false,
    failed int not null default 0,
    locked_until timestamptz,
    created_at timestamptz not null default now(),
    seen_at timestamptz
);

create table phone (                                -- people's SIP phones; pushed to the edges
    "user" text primary key,
    site text not null references site,
    staff text references staff,
    ha1 text not null,                              -- MD5(user:realm:password), never the password
    changed_at timestamptz not null default now()
);

-- what happened ---------------------------------------------------------------------------------

create table event (
    id bigint generated always as identity primary key,
    journal uuid not null,
    seq bigint not null,
    site text not null,
    call uuid,
    ticket bigint,
    at timestamptz not null,
    kind text not null,
    version int not null default 1,
    body jsonb not null,
    actor text,                                     -- staff id, or null: the house itself
    rules text[] not null default '{}',             -- rule numbers that made it so
    stored_at timestamptz not null default now(),
    unique (journal, seq)
);
create index event_call on event (call, id) where call is not null;
create index event_ticket on event (ticket, id) where ticket is not null;
create index event_kind on event (site, kind, at);

create function event_stands() returns trigger language plpgsql as $$
begin
    raise exception 'events stand for good: % of event % refused', tg_op, old.id;
end $$;
create trigger event_stands before update or delete on event for each row execute function event_stands();

create table journal_cursor (
    journal uuid primary key,
    role text not null,
    node text not null,
    number int not null default 0,
    acked bigint not null default 0,
    seen_at timestamptz not null default now()
);

create sequence ticket_block_seq start 100001 increment 100;
create table number_block (
    first bigint primary key,
    last bigint not null,
    node text not null,                             -- '' for the desks' own
    line int not null,
    next bigint,                                    -- of the desks' own block: the next to be given out
    leased_at timestamptz not null default now()
);

create table call (
    id uuid primary key,
    site text not null references site,
    journal uuid,
    node text not null default '',
    line int,
    direction text not null default 'in' check (direction in ('in', 'out')),
    sip_call_id text,
    from_number text,
    to_number text,
    dialplan text,
    state text not null check (state in ('ringing', 'talking', 'held', 'transferring', 'bridged', 'ended')),
    step text,
    ringing_at timestamptz not null,
    answered_at timestamptz,
    ended_at timestamptz,
    invite_to_180_ms int,
    rings int,
    answer_ms int,
    late_ms int,
    answered_by text,
    end_reason text,
    duration_ms int,
    answered boolean not null default false,
    unserved text,                                  -- all_busy, no_line, refused, flood, cancelled_ringing
    household bigint references household,
    receiver text references staff,                 -- who received it: R11
    labels jsonb,
    gap_from_ms int,
    text_complete boolean not null default false,   -- every word that was said is written down
    objected boolean not null default false,
    ticket bigint,
    completed_at timestamptz                        -- intake is through with it
);
create index call_live on call (site, ringing_at) where ended_at is null;
create index call_time on call (site, ringing_at desc);
create index call_from on call (site, from_number, ringing_at desc);
create index call_from_end on call (reverse(from_number) text_pattern_ops);  -- the last figures of a number
create index call_ticket on call (ticket);
create index call_open_intake on call (ended_at) where completed_at is null;

create table utterance (
    id bigint generated always as identity primary key,
    call uuid not null references call,
    leg text not null check (leg in ('caller', 'agent', 'ours')),
    n int,
    start_ms int not null,
    end_ms int not null,
    text text not null,
    words jsonb not null default '[]',              -- [[word, start_ms, end_ms, confidence]]
    prompt text,
    interrupted boolean not null default false,
    afterwards boolean not null default false,      -- decoded after the call
    at timestamptz not null
);
create index utterance_call on utterance (call, start_ms);

create unlogged table live_text (                   -- words as they are spoken; gone when they are final
    call uuid not null,
    leg text not null,
    start_ms int not null,
    text text not null,
    at timestamptz not null default now(),
    primary key (call, leg)
);

create table recording (
    call uuid primary key references call,
    site text not null references site,
    node text not null,
    state text not null check (state in ('announced', 'stored', 'deleted')),
    file text,                                      -- below the store's folder
    sha256 text not null,
    bytes bigint,
    duration_ms int,
    channels text[] not null default '{caller,ours}',
    sample_rate_hz int,
    notice_given boolean not null default false,
    objected boolean not null default false,
    delete_after timestamptz,
    stored_at timestamptz,
    deleted_at timestamptz,
    deleted_why text,
    peaks jsonb
);
create index recording_due on recording (delete_after) where state = 'stored';

create table listening (
    id bigint generated always as identity primary key,
    site text not null references site,
    call uuid not null references call,
    account bigint not null references account,
    at timestamptz not null default now(),
    from_ms int not null default 0
);
create index listening_call on listening (call, at);

-- matters ---------------------------------------------------------------------------------------

create table incident (                             -- R32
    id bigint generated always as identity primary key,
    site text not null references site,
    category text not null,
    buildings text[] not null default '{}',         -- none: the whole site
    phrase text not null default '',                -- what later callers hear
    phrase_en text not null default '',
    opened_at timestamptz not null,                 -- of its first matter
    recognised_at timestamptz not null,
    major_at timestamptz,
    closed_at timestamptz
);
create index incident_open on incident (site) where closed_at is null;

create table ticket (
    number bigint primary key,
    site text not null references site,
    call uuid unique references call,               -- the call that opened it: one ticket for one call, whatever crashes
    life jsonb not null,                            -- domain.tickets.TicketState: what its events made of it
    version int not null,                           -- counts its events
    status text not null,                           -- domain.tickets.Status; the columns below repeat `life` for searching
    joined_to bigint references ticket,             -- status 'joined': an alias of the matter it joined
    opened_at timestamptz not null,
    kind text not null,
    category text not null,
    urgency text not null,
    department text not null,
    labels jsonb not null,                          -- domain.labels.Understanding
    decision jsonb not null,                        -- domain.responsibility.Decision, the newest
    caller_name text,
    caller_number text,
    building text, unit text, room text,
    household text,                                 -- household.key
    content text not null default '',
    missing text[] not null default '{}',           -- fields of R6 that nobody could fill in
    complete boolean not null default false,        -- final text and labels are in
    completed_at timestamptz,
    to_confirm boolean not null default false,      -- 待核实 and not yet confirmed
    first_responder text not null references staff, -- R11; never changes
    responsible text not null references staff,     -- R14; exactly one at every moment
    asked text references staff,                    -- R13: who is asked to take it now
    accept_by timestamptz,
    accepted_by text references staff,
    major boolean not null default false,           -- R15
    incident bigint references incident,
    spoken boolean not null default false,          -- the caller heard the number
    calls int not null default 1,                   -- R17, R31
    refusals int not null default 0,                -- R16
    due_at timestamptz,                             -- the time limit that ends next
    due_clock text,
    next_at timestamptz,                            -- when the clock has to look at it again
    done_at timestamptz,
    closed_at timestamptz,
    changed_at timestamptz not null default now()
);
create index ticket_open on ticket (site, opened_at desc) where closed_at is null;
create index ticket_time on ticket (site, opened_at desc);
create index ticket_responsible on ticket (responsible, opened_at desc) where closed_at is null;
create index ticket_asked on ticket (asked) where asked is not null;
create index ticket_household on ticket (site, household) where closed_at is null;
create index ticket_caller on ticket (site, caller_number);
create index ticket_caller_end on ticket (reverse(caller_number) text_pattern_ops);
create index ticket_name on ticket (site, caller_name) where caller_name is not null;
create index ticket_status on ticket (site, status);
create index ticket_emergency on ticket (site, opened_at) where urgency = 'emergency' and closed_at is null;
create index ticket_alike on ticket (site, category, opened_at);
create index ticket_incident on ticket (incident) where incident is not null;
create index ticket_confirm on ticket (site, opened_at) where to_confirm;
create index ticket_next on ticket (next_at) where next_at is not null;
create index ticket_due on ticket (site, due_at) where closed_at is null and due_at is not null;
alter table call add foreign key (ticket) references ticket deferrable initially deferred;

create function first_responder_stands() returns trigger language plpgsql as $$
begin
    if new.first_responder is distinct from old.first_responder then
        raise exception 'R14: the first responder of ticket % never changes', old.number;
    end if;
    return new;
end $$;
create trigger first_responder_stands before update on ticket for each row execute function first_responder_stands();

create table told (                                 -- who was told of a matter, and why: R9, R15, R17
    ticket bigint not null references ticket,
    staff text not null references staff,
    rule text not null,
    at timestamptz not null,
    zh text not null default '',
    en text not null default '',
    seen_at timestamptz,
    primary key (ticket, staff, rule)
);

create table callback (                             -- R5, R22
    id bigint generated always as identity primary key,
    site text not null references site,
    call uuid references call,
    ticket bigint references ticket,
    household bigint references household,
    number text not null,
    reason text not null,                           -- silence, hang_up, unserved, promised
    due_at timestamptz not null,
    state text not null default 'due' check (state in ('due', 'calling', 'done', 'given_up', 'joined')),
    attempts int not null default 0,
    responsible text references staff,
    created_at timestamptz not null,
    done_at timestamptz,
    done_by text references staff,
    result text
);
create unique index callback_call on callback (call) where call is not null;
create index callback_due on callback (site, due_at) where state in ('due', 'calling');
create index callback_number on callback (site, number) where state in ('due', 'calling');

create table task (                                 -- 待核实, written report of a major matter, follow-up, …
    id bigint generated always as identity primary key,
    key text not null unique,                       -- what makes it one: 'confirm:100001'
    site text not null references site,
    kind text not null,
    ticket bigint references ticket,
    call uuid references call,
    staff text references staff,                    -- null: whoever is the operator on duty
    due_at timestamptz,
    state text not null default 'open' check (state in ('open', 'done', 'dropped')),
    rule text not null default '',
    body jsonb not null default '{}',
    created_at timestamptz not null,
    done_at timestamptz,
    done_by text references staff
);
create index task_open on task (site, due_at) where state = 'open';
create index task_ticket on task (ticket);

create table outward_message (                      -- at least once, the same key on every try
    id bigint generated always as identity primary key,
    key text not null unique,
    site text not null references site,
    ticket bigint references ticket,
    staff text references staff,
    channel text not null,                          -- page, mail, webhook, telephone
    urgency text not null,
    rule text not null default '',
    body jsonb not null,
    state text not null default 'due' check (state in ('due', 'sending', 'sent', 'seen', 'failed', 'unknown')),
    attempts int not null default 0,
    next_at timestamptz not null,
    created_at timestamptz not null,
    sent_at timestamptz,
    seen_at timestamptz,
    result text
);
create index outward_message_next on outward_message (next_at) where state in ('due', 'sending');
create index outward_message_staff on outward_message (staff, created_at desc);

-- work of the desks -----------------------------------------------------------------------------

create table job (                                  -- taken with SKIP LOCKED; the effect and its end are one transaction
    id bigint generated always as identity primary key,
    key text not null unique,
    kind text not null,
    body jsonb not null default '{}',
    run_at timestamptz not null default now(),
    attempts int not null default 0,
    last_error text
);
create index job_run on job (run_at);

create table act (                                  -- what a person did, by its idempotency key
    key text primary key,
    actor text not null,
    at timestamptz not null default now()
);

create sequence snapshot_version;                   -- each snapshot made has a greater one

create table version (                              -- counts changes of what is pushed to the edges
    what text primary key,
    n bigint not null default 1,
    at timestamptz not null default now()
);
insert into version (what) values ('phones');

-- finding things said ---------------------------------------------------------------------------

create table search_text (                          -- one row per call and per ticket
    site text not null references site,
    what text not null check (what in ('call', 'ticket')),
    key text not null,                              -- call id or ticket number
    at timestamptz not null,
    text text not null,
    bigrams tsvector not null,
    pinyin tsvector not null,                       -- toneless, finds homophones
    primary key (what, key)
);
create index search_text_bigrams on search_text using gin (bigrams);
create index search_text_pinyin on search_text using gin (pinyin);
create index search_text_time on search_text (site, at desc);
