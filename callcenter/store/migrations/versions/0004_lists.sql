create index ticket_department on ticket (site, department, urgency, opened_at desc, number desc);
create index ticket_urgency on ticket (site, urgency, opened_at desc, number desc);
create index ticket_whose on ticket (responsible, opened_at desc, number desc);
create index ticket_received on ticket (first_responder) where closed_at is null;
