"""What pages read and people do: lists, search, one matter, and each act once."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

import openpyxl
import pytest
from desk_node import LI_NA, SITE, K, Linked, labels, until

from callcenter.desk import accounts, acts, calls, duty, messages, phones, residents, tickets, todo
from callcenter.desk.house import Desk
from callcenter.desk.models import CallFilter, NewsKind, TicketFilter
from callcenter.desk.search import terms
from callcenter.domain import codec
from callcenter.domain.tickets import Status
from callcenter.errors import DomainError, StoreError

NUMBER = 100777


async def completed(desk: Desk, call: UUID) -> None:
    await until(lambda: desk.pool.fetchrow("select 1 from call where id = $1 and completed_at is not null", call))


async def opened(desk: Desk, node: Linked, text: str = "厨房水管漏水了", number: int = NUMBER) -> UUID:
    call = node.line.whole_call(text, number)
    await completed(desk, call)
    return call


async def test_a_call_in_progress_shows_its_words_on_any_desk(desk: Desk, node: Linked) -> None:
    news = desk.hub.subscribe()
    first = asyncio.ensure_future(anext(news))
    call = node.line.ring()
    node.line.answer(call)
    node.line.hear(call, "你好")
    await node.link.shipped()
    node.link.partial(call, "caller", 9000, "厨房漏")

    async def shown() -> bool:
        (row,) = await calls.now(desk, SITE)
        return row.last_text == "厨房漏" and row.live[0].start_ms == 9000

    told = await first
    await until(shown)
    (row,) = await calls.now(desk, SITE)
    assert (row.state, row.household, row.caller_name) == ("talking", "3-2-1102", "李娜")
    async with asyncio.timeout(10):
        while told.kind is not NewsKind.PARTIAL:
            told = await anext(news)
    assert told.body["text"] == "厨房漏"
    node.line.hear(call, "厨房漏水了", 1)
    await node.link.shipped()
    (row,) = await calls.now(desk, SITE)
    assert (row.live, row.last_text) == ((), "厨房漏水了")
    *_, turn = (await calls.one(desk, call)).turns
    late = "insert into live_text (call, leg, start_ms, text) values ($1, 'caller', $2, '厨房漏')"
    await desk.pool.execute(late, call, turn.start_ms)
    (row,) = await calls.now(desk, SITE)
    assert (row.live, row.last_text) == ((), "厨房漏水了"), "written down as spoken when it was final already"
    assert (await calls.one(desk, call)).call.live == ()
    assert (await tickets.counts(desk, SITE)).calls_now == 1


async def test_one_call_with_everything_in_it(desk: Desk, node: Linked) -> None:
    earlier = await opened(desk, node, "路灯坏了", 100600)
    call = await opened(desk, node)
    detail = await calls.one(desk, call)
    assert [(t.leg, t.text) for t in detail.turns] == [("caller", "厨房水管漏水了")]
    assert detail.turns[0].words[0][0] == "厨房"
    assert [e.id for e in detail.earlier] == [earlier]
    assert detail.text_complete
    assert detail.invite_to_180_ms == 12
    with pytest.raises(StoreError, match="no such call"):
        await calls.one(desk, UUID(int=1))


async def test_matters_are_found_by_words_homophones_numbers_and_names(desk: Desk, node: Linked) -> None:
    await opened(desk, node)

    async def found(text: str) -> list[int]:
        return [t.number for t in (await tickets.page(desk, SITE, TicketFilter(text=text))).rows]

    for text in ("漏水", "水管漏水", "楼水", str(NUMBER), "+86" + LI_NA, LI_NA):
        assert await found(text) == [NUMBER], text
    for text in ("停电", "水漏", "李四", "'; drop table ticket; --", "%"):
        assert await found(text) == [], text
    assert len((await calls.page(desk, SITE, CallFilter(text="漏水"))).rows) == 1
    assert terms("漏水A座") == ["lou.shui.", "漏", "水", "a", "座"]
    assert terms("漏水")[0] == terms("楼水")[0]


async def test_lists_go_on_page_by_page(desk: Desk, node: Linked) -> None:
    for n in range(5):
        call = node.line.ring(number=f"1390000000{n}")
        node.line.answer(call)
        node.line.open(call, 100300 + n, labels(room=f"{n + 1}01"))
        node.line.end(call)
        await completed(desk, call)
    seen, before = [], None
    for _ in range(3):
        page = await tickets.page(desk, SITE, TicketFilter(), before=before, limit=2)
        seen += [t.number for t in page.rows]
        before = page.next
    assert seen == [100304, 100303, 100302, 100301, 100300]
    assert before is None
    with pytest.raises(StoreError, match="no such page"):
        await tickets.page(desk, SITE, TicketFilter(), before="nonsense")
    assert (await tickets.counts_by_state(desk, SITE)) == {"handed_over": 5}


async def test_a_matter_goes_from_asked_to_archived_with_its_reasons(desk: Desk, node: Linked) -> None:
    await opened(desk, node)
    detail = await tickets.one(desk, NUMBER)
    asked = detail.ticket.asked
    assert asked is not None
    first = detail.ticket.first_responder
    assert {r.rule for r in detail.reasons} >= {"R11", "R13", "R14"}
    assert [(h.to_staff, h.state) for h in detail.chain] == [(asked, "waiting")]
    assert asked not in detail.ahead
    assert detail.ahead
    assert {"accept", "refuse"} <= set(detail.may)
    assert (await tickets.counts(desk, SITE, asked)).waiting_for_me == 1
    with pytest.raises(DomainError, match="needs its reason"):
        await acts.refuse(desk, NUMBER, asked, " ", "key-0000")
    detail = await acts.refuse(desk, NUMBER, asked, "正在处理别的紧急事项", "key-0001")
    again = await acts.refuse(desk, NUMBER, asked, "正在处理别的紧急事项", "key-0001")
    assert again.refusals == detail.refusals == 1
    second = detail.ticket.asked
    assert second not in {None, asked}
    assert detail.ticket.responsible == first, "until somebody accepts, the first responder is responsible (R14)"
    detail = await acts.accept(desk, NUMBER, str(second), "key-0002")
    assert (detail.ticket.responsible, detail.handler, detail.ticket.first_responder) == (second, second, first)
    assert [h.state for h in detail.chain] == ["refused", "accepted"]
    with pytest.raises(DomainError):
        await acts.accept(desk, NUMBER, asked, "key-0003")
    until_at = datetime.now(UTC) + timedelta(hours=5)
    detail = await acts.change_state(
        desk, NUMBER, str(second), "waiting", "key-0004", waiting_for="material: 等配件", until=until_at
    )
    assert (detail.waiting_for, detail.waiting_until) == ("material", until_at)
    detail = await acts.change_state(desk, NUMBER, str(second), "in_progress", "key-0005")
    detail = await acts.change_state(desk, NUMBER, str(second), "done", "key-0006", result="换了水管")
    assert (detail.ticket.state, detail.result) == ("follow_up_due", "换了水管")
    assert [t.kind for t in await todo.tasks(desk, SITE)] == ["follow_up"]
    detail = await acts.change_state(desk, NUMBER, first, "archived", "key-0007")
    assert detail.ticket.state == Status.ARCHIVED
    assert detail.satisfied
    assert await todo.tasks(desk, SITE) == []
    assert [s.kind for s in detail.history][-1] == "ticket.satisfied"
    assert all(s.body.get("zh") for s in detail.history if s.kind.startswith("ticket.") and "act" in s.body)


async def test_two_people_accept_at_once_and_one_of_them_has_it(desk: Desk, node: Linked) -> None:
    await opened(desk, node)
    detail = await tickets.one(desk, NUMBER)
    organisation = desk.site(SITE).organisation
    people = [detail.ticket.asked, organisation.department("engineering").manager]
    results = await asyncio.gather(
        *(acts.accept(desk, NUMBER, str(p), f"key-{p}") for p in people), return_exceptions=True
    )
    assert sum(isinstance(r, DomainError) for r in results) == 1
    detail = await tickets.one(desk, NUMBER)
    assert detail.ticket.responsible == detail.handler
    assert detail.handler in people


async def test_a_correction_is_an_event_and_moves_the_matter(desk: Desk, node: Linked) -> None:
    await opened(desk, node)
    by = (await tickets.one(desk, NUMBER)).ticket.first_responder
    detail = await acts.correct(
        desk, NUMBER, by, {"category": "cleaning", "caller_name": "李女士", "room": "1002", "content": "楼道没打扫"},
        "key-0001",
    )  # fmt: skip
    row = detail.ticket
    assert (row.category, row.department, row.caller_name, row.place) == (
        "cleaning", "environment", "李女士", "3号楼2单元1002室",
    )  # fmt: skip
    assert row.content == "楼道没打扫"
    assert [t.number for t in (await tickets.page(desk, SITE, TicketFilter(text="打扫"))).rows] == [NUMBER]
    assert detail.chain[0].state == "withdrawn"
    with pytest.raises(DomainError, match="does not exist"):
        await acts.correct(desk, NUMBER, by, {"category": "nonsense"}, "key-0002")
    with pytest.raises(DomainError, match="no field"):
        await acts.correct(desk, NUMBER, by, {"first_responder": "x"}, "key-0003")


async def test_a_promised_call_back_is_made_once(desk: Desk, node: Linked) -> None:
    call = node.line.ring()
    node.line.answer(call)
    node.line.end(call)
    await completed(desk, call)
    (back,) = await todo.callbacks(desk, SITE)
    assert back.responsible is not None
    done = await todo.callback_done(desk, back.id, back.responsible, "问清楚了，没有事", "key-0001")
    await todo.callback_done(desk, back.id, back.responsible, "again", "key-0001")
    assert (done.state, done.done_by) == ("done", back.responsible)
    assert await todo.callbacks(desk, SITE) == []
    detail = await tickets.one(desk, back.ticket or 0)
    assert [d.state for d in detail.deadlines if d.clock == "call_back"] == ["met"]


async def test_a_call_back_is_told_of_while_the_clock_works_on_its_matter(desk: Desk, node: Linked) -> None:
    """Both lock the matter first: in another order one of the two would be thrown out (deadlock)."""
    call = node.line.ring()
    node.line.answer(call)
    node.line.end(call)
    await completed(desk, call)
    (back,) = await todo.callbacks(desk, SITE)
    assert back.responsible is not None
    waits = "select count(*) > 0 from pg_stat_activity where wait_event_type = 'Lock' and datname = current_database()"
    async with desk.pool.acquire() as clock, clock.transaction():
        await clock.execute("select from ticket where number = $1 for update", back.ticket)
        told = asyncio.create_task(todo.callback_done(desk, back.id, back.responsible, "问清楚了", "key-0001"))
        await until(lambda: desk.pool.fetchval(waits))
        await clock.execute("update callback set responsible = responsible where id = $1", back.id)
    assert (await told).state == "done"


async def test_a_promise_outlives_the_work_and_ends_with_the_matter(desk: Desk, node: Linked) -> None:
    """R22: whoever does the work has not called back; list and clock say the same until the resident is content."""
    call = node.line.ring()
    node.line.answer(call)
    node.line.hear(call, "厨房水管漏水了")
    by = datetime.now(UTC) + timedelta(hours=2)
    node.line.open(call, NUMBER, labels(), fields={"callback_by": by.isoformat()})
    node.line.end(call)
    await completed(desk, call)
    (back,) = await todo.callbacks(desk, SITE)
    responsible = (await tickets.one(desk, NUMBER)).ticket.responsible
    done = await acts.change_state(desk, NUMBER, responsible, "done", "key-0001", result="换了水管")
    assert [d.state for d in done.deadlines if d.clock == "call_back"] == ["running"]
    assert [row.id for row in await todo.callbacks(desk, SITE)] == [back.id]
    over = await acts.change_state(desk, NUMBER, responsible, "archived", "key-0002")
    assert [d.state for d in over.deadlines if d.clock == "call_back"] == ["met"]
    assert await todo.callbacks(desk, SITE) == []


async def test_a_call_back_promised_after_the_ticket_was_opened_is_planned(desk: Desk, node: Linked) -> None:
    """R22: the script promises it while the caller corrects what was read back."""
    call = node.line.ring()
    node.line.answer(call)
    node.line.open(call, NUMBER, labels())
    by = datetime.now(UTC) + timedelta(hours=1)
    fields = {"callback_by": by.isoformat()}
    node.line.write(K.TICKET_AMENDED, call, {"ticket": NUMBER, "labels": codec.to_plain(labels()), "fields": fields})
    node.line.end(call)
    await completed(desk, call)
    (back,) = await todo.callbacks(desk, SITE)
    assert (back.ticket, back.reason, back.due_at) == (NUMBER, "promised", by)
    clocks = (await tickets.one(desk, NUMBER)).deadlines
    assert [(d.due_at, d.state) for d in clocks if d.clock == "call_back"] == [(by, "running")]


async def test_a_promise_goes_along_when_its_matter_joins_another(desk: Desk, node: Linked) -> None:
    """R17, R22: by a person's hand, and of a call that joins by itself."""
    await opened(desk, node)
    other = node.line.ring(number="13900000002")
    node.line.answer(other)
    node.line.open(other, 100779, labels(room="901"))
    node.line.end(other)
    await completed(desk, other)
    responsible = (await tickets.one(desk, 100779)).ticket.responsible
    by = datetime.now(UTC) + timedelta(hours=2)
    await acts.promise(desk, 100779, responsible, by, "", "key-0001")
    joined = await acts.join(desk, 100779, responsible, NUMBER, "key-0002")
    assert joined.ticket.number == NUMBER
    assert [(d.due_at, d.state) for d in joined.deadlines if d.clock == "call_back"] == [(by, "running")]
    (back,) = await todo.callbacks(desk, SITE)
    assert (back.ticket, back.due_at, back.number) == (NUMBER, by, "+8613900000002")
    assert len(joined.calls) == 2
    earlier = datetime.now(UTC) + timedelta(hours=1)
    again = node.line.ring()
    node.line.answer(again)
    node.line.hear(again, "厨房水管漏水了")
    node.line.open(again, 100780, labels(), fields={"callback_by": earlier.isoformat()})
    node.line.end(again)
    await completed(desk, again)
    detail = await tickets.one(desk, NUMBER)
    assert (await tickets.one(desk, 100780)).ticket.number == NUMBER
    assert [d.due_at for d in detail.deadlines if d.clock == "call_back"] == [earlier]
    assert {c.ticket for c in await todo.callbacks(desk, SITE)} == {NUMBER}


async def test_a_matter_joins_none_of_another_site(desk: Desk, node: Linked) -> None:
    await opened(desk, node)
    await completed(desk, node.line.whole_call("电梯里有异响", 100600, labels("lift")))
    await desk.pool.execute("insert into site (id, name) values ('other', 'other') on conflict do nothing")
    elsewhere = "update ticket set site = 'other', life = life || '{\"site\": \"other\"}' where number = 100600"
    await desk.pool.execute(elsewhere)
    responsible = (await tickets.one(desk, NUMBER)).ticket.responsible
    with pytest.raises(DomainError) as error:
        await acts.join(desk, NUMBER, responsible, 100600, "key-0001")
    assert error.value.code == "r17.other_site"


async def test_a_key_is_of_one_person_and_one_matter(desk: Desk, node: Linked) -> None:
    """Two programs that count their requests alike lose nothing to each other."""
    await opened(desk, node)
    await completed(desk, node.line.whole_call("电梯里有异响", 100600, labels("lift")))
    for number, staff in ((NUMBER, "wang_fang"), (NUMBER, "liu_yang"), (100600, "wang_fang"), (NUMBER, "wang_fang")):
        await acts.note(desk, number, staff, "看过了", "request-1")
    rows = await desk.pool.fetch("select ticket, actor from event where kind = 'ticket.note' order by id")
    wanted = [(NUMBER, "wang_fang"), (NUMBER, "liu_yang"), (100600, "wang_fang")]
    assert [tuple(row) for row in rows] == wanted


async def test_duty_and_roster(desk: Desk) -> None:
    found = await duty.now(desk, SITE)
    roles = {one.role: one for one in found.now}
    assert roles["operator"].staff is not None
    assert roles["leader"].staff is not None
    assert found.emergency_numbers
    start = datetime.now(UTC)
    week = await duty.roster(desk, SITE, start, start + timedelta(days=7))
    assert {row.role for row in week} >= {"operator", "leader", "engineering"}
    far = await duty.roster(desk, SITE, start + timedelta(days=50), start + timedelta(days=51))
    assert far, "the roster stands two months ahead (R25)"


async def test_accounts(desk: Desk) -> None:
    admin = await accounts.by_login(desk, "admin")
    assert admin is not None
    assert (admin.role, admin.must_change, await accounts.count(desk)) == ("administrator", True, 1)
    made = await accounts.create(
        desk, login="wang", name="王芳", role="agent", argon2="x", site=SITE, staff="wang_fang"
    )
    assert await accounts.by_id(desk, made.id) == made
    with pytest.raises(StoreError, match="in use"):
        await accounts.create(desk, login="wang", name="王芳", role="agent", argon2="x")
    changed = await accounts.set_role(desk, made.id, "supervisor", False)
    assert replace(changed, role="agent", active=True) == made


def spreadsheet(path: Path, rows: Sequence[Sequence[object]]) -> Path:
    book = openpyxl.Workbook()
    for row in rows:
        book.active.append(row)
    book.save(path)
    return path


async def test_residents_are_imported_after_a_preview(desk: Desk, tmp_path: Path) -> None:
    head = ["楼栋", "单元", "房号", "姓名", "电话", "关系"]
    bad = spreadsheet(
        tmp_path / "bad.xlsx",
        [head, ["3号楼", 2, 1102, "赵一", "13900000001", "业主"], [3, 2, 9999, "钱二", "", ""],
         [3, 2, 1002, "", "13900000001", ""], [3, 2, 1002, "孙三", "电话没有", ""]],
    )  # fmt: skip
    found = await residents.preview(desk, SITE, bad)
    assert [(m.row, m.column) for m in found.mistakes] == [(3, "房号"), (4, "姓名"), (4, "电话"), (5, "电话")]
    with pytest.raises(StoreError, match="4 cells are wrong"):
        await residents.import_file(desk, SITE, bad)
    good = spreadsheet(
        tmp_path / "good.xlsx",
        [head, ["3号楼", "2单元", "1102", "赵一", "13900000001、010-88880001", "租户"],
         [5, None, 801, "周四", LI_NA, "家属"]],
    )  # fmt: skip
    found = await residents.preview(desk, SITE, good)
    assert (found.new_households, found.new_people, found.numbers) == (0, 2, 3)
    assert [key for _, key in found.moved] == ["3-2-1102"]
    await residents.import_file(desk, SITE, good)
    await residents.import_file(desk, SITE, good)
    (row,) = await residents.households(desk, SITE, "赵一")
    assert row.key == "3-2-1102"
    assert ("赵一", ("+8613900000001", "+861088880001")) in row.people
    (moved,) = await residents.households(desk, SITE, LI_NA)
    assert moved.building == "5"
    with pytest.raises(StoreError, match="not a spreadsheet"):
        await residents.preview(desk, SITE, Path(__file__))


async def test_a_matter_that_is_looked_at_again_is_written_once(desk: Desk, node: Linked) -> None:
    await opened(desk, node)
    staff = await desk.pool.fetchval("select staff from told where ticket = $1 and seen_at is null", NUMBER)

    async def rows() -> list[tuple[str, datetime | None]]:
        stored = "select xmin::text as version, seen_at from told where ticket = $1 and staff = $2"
        return [(row["version"], row["seen_at"]) for row in await desk.pool.fetch(stored, NUMBER, staff)]

    await messages.read_by(desk, NUMBER, staff)
    once = await rows()
    assert once
    assert all(seen for _, seen in once)
    await messages.read_by(desk, NUMBER, staff)
    assert await rows() == once


async def test_phones_keep_a_hash_only(desk: Desk) -> None:
    await phones.set_phone(desk, SITE, "wang_fang", "8101", "correct-horse-1", "callcenter")
    stored = await desk.pool.fetchval("select ha1 from phone where \"user\" = '8101'")
    assert stored == phones.ha1("8101", "callcenter", "correct-horse-1")
    with pytest.raises(StoreError, match="ten characters"):
        await phones.set_phone(desk, SITE, None, "8102", "short", "callcenter")


async def test_an_emergency_nobody_has_taken_is_seen_behind_many_that_are_being_seen_to(
    desk: Desk, node: Linked
) -> None:
    await opened(desk, node)
    await desk.pool.execute("update ticket set urgency = 'emergency', status = 'assigned' where number = $1", NUMBER)
    await desk.pool.execute(
        """insert into ticket select (jsonb_populate_record(t, jsonb_build_object(
               'number', t.number + n, 'call', null, 'status', 'accepted',
               'opened_at', t.opened_at + n * interval '1 second'))).*
           from ticket t, generate_series(1, 60) n where t.number = $1""", NUMBER,
    )  # fmt: skip
    assert [row.number for row in await tickets.alarms(desk, SITE, 12)] == [NUMBER]
    assert (await tickets.counts(desk, SITE)).emergencies == 61
    assert await tickets.alarms(desk, SITE, 0) == []
