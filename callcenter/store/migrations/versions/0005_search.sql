-- A search is met by one index: terms say what stands in the text, facets what the row is. So a common word in a rare
-- category costs as little as a rare word, and the newest days are looked through first. See desk.search.

create function span_facets(at timestamptz) returns text[] immutable language sql as $$
    select array['d1:' || day, 'd8:' || day / 8, 'd64:' || day / 64]
    from (select floor(extract(epoch from at) / 86400)::bigint as day) d
$$;

create function ticket_facets(t ticket) returns text[] stable language sql as $$
    select array[
        'ticket', case when t.status in ('archived', 'joined') then 'closed' else 'open' end, 'category:' || t.category,
        'urgency:' || t.urgency, 'department:' || t.department, 'responsible:' || t.responsible
    ] || span_facets(t.opened_at)
$$;

create function call_facets(c call) returns text[] stable language sql as $$
    select array['call'] || span_facets(c.ringing_at)
$$;

alter table search_text add terms tsvector, add facets text[];
update search_text s set terms = s.bigrams || s.pinyin,
    facets = case s.what
        when 'ticket' then (select ticket_facets(t) from ticket t where t.number = s.key::bigint)
        else (select call_facets(c) from call c where c.id = s.key::uuid) end;
delete from search_text where facets is null;   -- of a call or ticket that is no more
alter table search_text alter terms set not null, alter facets set not null,
    drop bigrams, drop pinyin;                  -- their indexes go with them
create index search_text_terms on search_text using gin (terms, facets);
drop index search_text_time;
drop index ticket_name;                         -- a name is among the terms

create function keep_ticket_facets() returns trigger language plpgsql as $$
begin
    update search_text set facets = ticket_facets(new) where what = 'ticket' and key = new.number::text;
    return null;
end
$$;

create trigger ticket_facets after update on ticket for each row
    when ((old.status in ('archived', 'joined'), old.category, old.urgency, old.department, old.responsible)
          is distinct from (new.status in ('archived', 'joined'), new.category, new.urgency, new.department,
                            new.responsible))
    execute function keep_ticket_facets();

-- The list of what is late reads the newest first and stops at a page, however many are late.
drop index ticket_open;
create index ticket_open on ticket (site, opened_at desc, number desc, due_at) where closed_at is null;
