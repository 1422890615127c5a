-- A person's day shows what they were told of others' matters and have not looked at (R9, R15, R16, R24).
create index told_unseen on told (staff, at desc) where seen_at is null;
