"""A year of a large site in the database: matters, calls and events as the rule and the lines would have left them.

Each matter's life is played once per kind of matter by the domain's own functions; the year is copies of those lives,
each with its own number, place, caller, words and time. What is open is played for itself, so that its clocks are true.
"""

from __future__ import annotations

import json
import random
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any

import asyncpg

from callcenter.desk import matters
from callcenter.desk.search import terms
from callcenter.domain import codec, handover, work
from callcenter.domain.effects import Outcome
from callcenter.domain.labels import Label, SpokenPlace, Understanding
from callcenter.domain.matters import Call, Matter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import Decision, decide
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import CallRecord, WaitFor
from callcenter.site.load import Site

TICKETS = 100_000
EVENTS = 1_000_000
OPEN = 1_500
DUE = 10_000
FIRST_NUMBER = 200_001
YEAR = timedelta(days=365)
COMMON_WORD = "漏水"
"""What every eighth caller says."""
KINDS: tuple[tuple[str, str, str, int, tuple[str, ...]], ...] = (
    ("repair", "water_leak", "important", 12, ("厨房水管漏水了", "楼上漏水，天花板在滴水", "管道一直在漏水")),
    ("help", "lift", "emergency", 2, ("电梯停在半中间，有人被困在里面", "电梯门打不开，里面有个孩子")),
    ("repair", "lift", "important", 5, ("二单元的电梯又坏了，老人上不了楼", "电梯按钮没有反应，请派人看看")),
    ("help", "fire", "emergency", 1, ("楼道里着火了，快派人来", "地下车库冒烟，好像着火了")),
    ("repair", "power", "important", 7, ("家里突然停电，空气开关推不上去", "整个单元都没有电了")),
    ("repair", "drain", "normal", 9, ("下水道堵了，脏水往外冒", "厨房地漏堵住了，请来疏通")),
    ("repair", "facility", "normal", 12, ("楼道的灯不亮，晚上看不清路", "单元门关不严，风很大", "健身器材的螺丝松了")),
    ("complaint", "noise", "normal", 12, ("楼上装修太吵，中午也不停", "半夜还有人唱歌，睡不着")),
    ("complaint", "parking", "normal", 9, ("有车堵在消防通道上", "我的车位又被别人占了")),
    ("complaint", "cleaning", "normal", 8, ("垃圾桶满了没有人收", "楼梯间很久没有打扫")),
    ("enquiry", "fees", "normal", 12, ("请问物业费怎么交", "上个月的水费好像算错了")),
    ("enquiry", "renovation", "normal", 4, ("装修要办哪些手续", "装修押金什么时候退")),
    ("praise", "staff", "normal", 3, ("门口的保安师傅帮我搬东西，谢谢他",)),
    ("message", "message", "normal", 4, ("请转告管家，我下午不在家",)),
)  # fmt: skip
"""Kind, category, urgency, share of a hundred, and what people say."""
SURNAMES = "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林高罗"
AFTERWARDS = ("明天之前能来吗", "麻烦快一点", "已经打过一次电话了", "我今天都在家", "请先打我的手机")


def label(value: Any) -> Label[Any]:
    """A sure label."""
    return Label(value, 0.93)


@dataclass(frozen=True)
class Story:
    """One kind of matter as it was lived, up to some state."""

    outcome: Outcome
    decision: Decision
    labels: Understanding
    around: Situation
    words: tuple[str, ...]
    to_confirm: bool = False


class Author:
    """Plays lives of matters at the example site."""

    def __init__(self, site: Site, seed: int = 20_261_122) -> None:
        self.site = site
        self.chance = random.Random(seed)
        self.doors = [(b.name, u.name, r) for b in site.gazetteer.buildings for u in b.units for r in u.rooms()]
        self._around: dict[datetime, Situation] = {}

    def around(self, at: datetime) -> Situation:
        """Who is there at a moment, known by the hour."""
        hour = at.replace(minute=0, second=0, microsecond=0)
        if hour not in self._around:
            roster = self.site.roster(at - timedelta(days=3), at + timedelta(days=3))
            self._around[hour] = Situation(self.site.organisation, roster, self.site.rules_at(at), at)
        return replace(self._around[hour], at=at)

    def open(self, kind: int, number: int, at: datetime, *, to_confirm: bool = False) -> Story:
        """A matter as it stands when its call has ended."""
        name, category, urgency, _, words = KINDS[kind]
        building, unit, room = self.chance.choice(self.doors)
        place = self.site.gazetteer.complete(Place(building, unit, room))
        department = self.site.taxonomy.categories[category].department
        around, number_of_caller = self.around(at), self.caller()
        matter = Matter(name, category, urgency, department, place, to_confirm=to_confirm)
        call = Call(self.site.id, number_of_caller)
        decision = decide(call, matter, around.organisation, around.roster, around.rules, at)
        record = CallRecord(
            at, f"{self.chance.choice(SURNAMES)}先生", number_of_caller, building, unit, room, name,
            self.chance.choice(words),
        )  # fmt: skip
        outcome = handover.open_ticket(around, str(number), call, matter, decision, record)
        where = SpokenPlace(label(building), label(unit), label(room))
        understood = Understanding(label(name), label(category), label(urgency), label(department), where)
        return Story(outcome, decision, understood, around, words, to_confirm)

    def caller(self) -> str:
        """A mobile number that is given to nobody."""
        return f"+861400{self.chance.randrange(10**7):07}"

    def go_on(self, story: Story, after: timedelta, *steps: str) -> Story:
        """The same matter after people have worked on it."""
        at = story.around.at + after
        for step in steps:
            story = _step(replace(story, around=self.around(at)), step)
        return story


def _step(story: Story, step: str) -> Story:
    around, state = story.around, story.outcome.state
    by = state.accepted_by or state.asked or state.responsible
    match step:
        case "accept":
            made = handover.accept(around, state, by) if state.asked else Outcome(state)
        case "start":
            made = work.start(around, state, by)
        case "wait":
            made = work.wait(around, state, by, WaitFor.MATERIAL, around.at + timedelta(days=2), "等配件")
        case "done":
            made = work.done(around, state, by, "已处理")
        case "satisfied":
            made = work.satisfied(around, state)
        case _:
            made = work.reopen(around, state, state.first_responder, "居民说没解决")
    return replace(
        story, outcome=Outcome(made.state, (*story.outcome.events, *made.events), story.outcome.effects + made.effects)
    )


ENDS = (
    (), (), ("accept",), ("accept", "start"), ("accept", "start"), ("accept", "start", "wait"),
    ("accept", "start", "done"), ("accept", "start", "done"), ("accept", "start", "done", "reopen"),
)  # fmt: skip
"""How far what is open has come, in turn."""


def closed_stories(author: Author, at: datetime) -> list[Story]:
    """One whole life per kind of matter."""
    return [
        author.go_on(author.open(kind, 999_999, at), timedelta(minutes=1), "accept", "start", "done", "satisfied")
        for kind in range(len(KINDS))
    ]


def open_stories(author: Author, now: datetime, first: int) -> Iterator[Story]:
    """OPEN matters of the last days, in every state there is."""
    for n in range(OPEN):
        opened = now - timedelta(minutes=4 + n * 3)
        kind = author.chance.choices(range(len(KINDS)), [k[3] for k in KINDS])[0]
        story = author.open(kind, first + n, opened, to_confirm=n % 40 == 0)
        yield story if story.to_confirm else author.go_on(story, timedelta(minutes=1), *ENDS[n % len(ENDS)])


def due_stories(author: Author, now: datetime, first: int) -> Iterator[Story]:
    """DUE matters of which something is due within the same minute.

    Four in ten wait for somebody to accept whose limit passes; the others have been accepted and are a day old, so
    that the caller's answer and the first contact are overdue.
    """
    waits = [n for n, kind in enumerate(KINDS) if kind[2] != "normal"]
    calm = [n for n, kind in enumerate(KINDS) if kind[2] == "normal" and kind[0] != "praise"]
    for n in range(DUE):
        second = timedelta(seconds=60 * n / DUE)
        if n % 5 < 2:
            kind = author.chance.choice(waits)
            limit = timedelta(minutes=3 if KINDS[kind][2] == "emergency" else 30)
            yield author.open(kind, first + n, now - limit - second)
        else:
            story = author.open(author.chance.choice(calm), first + n, now - timedelta(hours=24) - second)
            yield author.go_on(story, timedelta(seconds=30), "accept")


@dataclass
class Rows:
    """What goes into the tables."""

    tickets: list[tuple[Any, ...]]
    calls: list[tuple[Any, ...]]
    search: list[tuple[Any, ...]]
    columns: tuple[str, ...] = ()


CALL_COLUMNS = (
    "id", "site", "node", "line", "from_number", "to_number", "dialplan", "state", "ringing_at", "answered_at",
    "ended_at", "invite_to_180_ms", "rings", "answer_ms", "late_ms", "answered_by", "end_reason", "duration_ms",
    "answered", "labels", "text_complete", "ticket", "completed_at",
)  # fmt: skip


def _call(author: Author, call: uuid.UUID, columns: dict[str, Any], at: datetime) -> tuple[Any, ...]:
    spoken = timedelta(seconds=author.chance.randrange(20, 160))
    answered = at + timedelta(seconds=1)
    return (
        call, columns["site"], "bench", 1, columns["caller_number"], "4001", "hotline.zh", "ended", at, answered,
        answered + spoken, 12, 1, 1003, 3, "script", "caller", int(spoken.total_seconds() * 1000), True,
        columns["labels"], True, columns["number"], answered + spoken,
    )  # fmt: skip


def _ticket(author: Author, rows: Rows, at: datetime, columns: dict[str, Any]) -> None:
    content = columns["content"]
    call = uuid.UUID(int=author.chance.getrandbits(128), version=4)
    place = str(Place(columns["building"], columns["unit"], columns["room"]))
    found = "\n".join((content, columns["caller_name"] or "", place))
    columns |= {"call": call, "opened_at": at, "spoken": True, "complete": True, "completed_at": at}
    rows.columns = rows.columns or tuple(columns)
    rows.tickets.append(tuple(columns[name] for name in rows.columns))
    rows.calls.append(_call(author, call, columns, at))
    rows.search.append((columns["site"], "ticket", str(columns["number"]), found, terms(found)))
    rows.search.append((columns["site"], "call", str(call), content, terms(content)))


def _columns(story: Story, life: str, decision: str, labels: str) -> dict[str, Any]:
    return matters.columns(story.around, story.outcome.state) | {
        "life": life, "decision": decision, "labels": labels, "content": story.outcome.state.record.content,
    }  # fmt: skip


def _plain(value: object) -> str:
    return json.dumps(codec.to_plain(value), ensure_ascii=False)


def live_rows(author: Author, stories: Iterator[Story], rows: Rows, *, resting: bool) -> None:
    """Add matters as they are; the clock leaves those that rest alone."""
    for story in stories:
        state = story.outcome.state
        columns = _columns(story, _plain(state), _plain(story.decision), _plain(story.labels))
        if resting:
            columns["next_at"] = None
        _ticket(author, rows, state.opened_at, columns)


def year_rows(author: Author, stories: Sequence[Story], now: datetime, count: int, rows: Rows) -> list[int]:
    """Add `count` archived matters of the last year; which story each one is."""
    plain = [
        _columns(s, _plain(s.outcome.state), _plain(s.decision), _plain(s.labels)) | {"next_at": None} for s in stories
    ]
    weights = [kind[3] for kind in KINDS]
    step, kinds = YEAR / count, []
    for n in range(count):
        kind = author.chance.choices(range(len(KINDS)), weights)[0]
        number, at = FIRST_NUMBER + n, now - YEAR + n * step - timedelta(hours=6)
        building, unit, room = author.chance.choice(author.doors)
        caller, content = author.caller(), author.chance.choice(KINDS[kind][4])
        content = f"{content}，{author.chance.choice(AFTERWARDS)}"
        name = f"{author.chance.choice(SURNAMES)}{author.chance.choice(('先生', '女士'))}"
        own = {
            "number": number, "building": building, "unit": unit, "room": room, "caller_number": caller,
            "caller_name": name, "content": content, "closed_at": at + timedelta(hours=5),
            "done_at": at + timedelta(hours=4), "life": plain[kind]["life"].replace('"999999"', f'"{number}"'),
        }  # fmt: skip
        _ticket(author, rows, at, plain[kind] | own)
        kinds.append(kind)
    return kinds


def story_events(stories: Sequence[Story]) -> list[tuple[Any, ...]]:
    """Events of each story: its number, what happened how long after the opening (s), who and why."""
    found: list[tuple[Any, ...]] = []
    for n, story in enumerate(stories):
        spoken = json.dumps({"text": story.words[0], "leg": "caller", "start_ms": 9000, "end_ms": 14000})
        found += [(n, k, f"call.{k}", s, None, [], spoken) for k, s in _CALL_EVENTS]
        found += [
            (n, "", f"ticket.{e.act.value}", 60.0 * i, e.actor, [e.rule], _plain(replace(e, opening=None)))
            for i, e in enumerate(story.outcome.events)
        ]
    return found


_CALL_EVENTS = (("ringing", 0.0), ("answered", 1.0), ("heard", 14.0), ("ended", 40.0))


async def load(dsn: str, site: Site, now: datetime) -> int:
    """Fill the database; gives the first number of the DUE matters. Statistics are fresh afterwards."""
    author, rows = Author(site), Rows([], [], [])
    stories = closed_stories(author, now - timedelta(days=30))
    year = TICKETS - OPEN - DUE
    kinds = year_rows(author, stories, now, year, rows)
    live_rows(author, open_stories(author, now, FIRST_NUMBER + year), rows, resting=True)
    first_due = FIRST_NUMBER + year + OPEN
    live_rows(author, due_stories(author, now, first_due), rows, resting=True)
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute("set session_replication_role = replica; set synchronous_commit = off")
        indexes = await _drop_indexes(connection)
        await connection.copy_records_to_table("ticket", records=rows.tickets, columns=list(rows.columns))
        await connection.copy_records_to_table("call", records=rows.calls, columns=list(CALL_COLUMNS))
        await _copy_search(connection, rows.search)
        await _copy_events(connection, site.id, stories, kinds)
        await connection.execute(
            "insert into utterance (call, leg, n, start_ms, end_ms, text, at) "
            "select call, 'caller', 0, 9000, 14000, content, opened_at from ticket where call is not null"
        )
        for definition in indexes:
            await connection.execute(definition)
        await connection.execute("vacuum analyze")
    finally:
        await connection.close()
    return first_due


LOADED = ("ticket", "call", "event", "search_text", "utterance")


async def _drop_indexes(connection: Any) -> list[str]:
    """Take away the indexes of the tables to be loaded that hold no constraint; how to make them again."""
    found = await connection.fetch(
        "select indexname, indexdef from pg_indexes i where tablename = any($1::text[]) and not exists "
        "(select from pg_constraint c where c.conname = i.indexname)", list(LOADED),
    )  # fmt: skip
    for row in found:
        await connection.execute(f'drop index "{row["indexname"]}"')
    return [row["indexdef"] for row in found]


async def _copy_search(connection: Any, rows: list[tuple[Any, ...]]) -> None:
    await connection.execute(
        "create temp table found (site text, what text, key text, text text, terms text[])"
    )
    await connection.copy_records_to_table("found", records=rows)
    await connection.execute(
        "insert into search_text (site, what, key, at, text, terms, facets) "
        "select f.site, what, key, opened_at, text, array_to_tsvector(terms), ticket_facets(t) "
        "from found f join ticket t on f.what = 'ticket' and t.number::text = f.key union all "
        "select f.site, what, key, ringing_at, text, array_to_tsvector(terms), call_facets(c) "
        "from found f join call c on f.what = 'call' and c.id::text = f.key; drop table found"
    )


async def _copy_events(connection: Any, site: str, stories: Sequence[Story], kinds: Sequence[int]) -> None:
    """Every archived matter's events, and notes until there are EVENTS."""
    await connection.execute(
        "create temp table told (story int, call text, kind text, after_s float, actor text, rules text[], body jsonb);"
        "create temp table lived (number bigint, story int)"
    )
    await connection.copy_records_to_table("told", records=story_events(stories))
    numbers = [(FIRST_NUMBER + n, kind) for n, kind in enumerate(kinds)]
    await connection.copy_records_to_table("lived", records=numbers)
    journal = uuid.uuid4()
    await connection.execute(
        f"""
        insert into event (journal, seq, site, call, ticket, at, kind, body, actor, rules)
        select '{journal}', row_number() over (), '{site}', t.call, case when e.call = '' then t.number end,
            t.opened_at + e.after_s * interval '1 second', e.kind, e.body, e.actor, e.rules
        from lived l join ticket t on t.number = l.number join told e on e.story = l.story order by t.opened_at
        """
    )
    missing = EVENTS - await connection.fetchval("select count(*) from event")
    await connection.execute(
        f"""
        insert into event (journal, seq, site, ticket, at, kind, body, actor)
        select '{uuid.uuid4()}', n, '{site}', {FIRST_NUMBER} + n % {len(kinds)}, now() - interval '1 day',
            'ticket.note', '{{"act": "note", "note": "已电话联系居民"}}', 'wang_fang'
        from generate_series(1, {max(0, missing)}) n
        """
    )
    await connection.execute("drop table told; drop table lived")


def utc_now() -> datetime:
    """Now, aware."""
    return datetime.now(UTC)
