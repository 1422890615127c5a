"""People are reached by telephone: who is asked is rung and takes it or not by key; then the next is rung."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
import pytest_asyncio
from desk_node import SITE, FakeSpeech, Linked, decided, labels, linked, served, settings_of, until

from callcenter.config import Settings
from callcenter.desk import acts, choices, messages, tickets
from callcenter.desk.house import Desk, open_desk
from callcenter.desk.models import TicketRow
from callcenter.desk.reach import Reach
from callcenter.domain.labels import Label
from callcenter.domain.records import RecordKind
from callcenter.domain.staff import Staff
from callcenter.errors import TelephonyError
from callcenter.node.ids import uuid7

NUMBER = 100777


@dataclass
class Phones:
    """A line's part in ringing people: it keeps the desk's orders, and the test says what people do."""

    orders: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    verdicts: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    node: Linked | None = None
    ordered: list[dict[str, Any]] = field(default_factory=list)
    full: bool = False

    async def command(self, command: dict[str, Any]) -> dict[str, Any]:
        if command["command"] == "verdict":
            self.verdicts.put_nowait(command)
            return {}
        if self.full:
            raise TelephonyError("telephony.no_leg", "no leg is free", retryable=True)
        order = {**command, "made": str(uuid7())}
        self.ordered.append(order)
        self.orders.put_nowait(order)
        return {"call": order["made"]}

    async def next(self, question: str = "take") -> dict[str, Any]:
        """The next person rung to take the matter; who only has to know says that they do."""
        async with asyncio.timeout(20):
            while (order := await self.orders.get())["question"] != question:
                self.come(order, "ringing", "answered", answer="accepted")
        return order

    def come(self, order: dict[str, Any], *states: str, answer: str, **more: str) -> None:
        """What came of a call, as the line writes it down."""
        assert self.node is not None
        about = {name: order[name] for name in ("purpose", "ticket", "to_staff")}
        journal = self.node.line.journal
        for state in states:
            journal.append(
                RecordKind.PERSON_CALL, site=SITE, call=UUID(order["made"]),
                body={**about, "number": None, "state": state},
            )  # fmt: skip
        said = {**about, "question": order["question"], "answer": answer, **more}
        journal.append(RecordKind.PERSON_ANSWER, site=SITE, call=UUID(order["made"]), body=said)


@asynccontextmanager
async def ringing_line(desks: list[Desk], settings: Settings) -> AsyncIterator[Phones]:
    """A line linked to the first of some desks, to the next when that is away."""
    phones = Phones()
    async with AsyncExitStack() as stack:
        addresses = [await stack.enter_async_context(served(desk)) for desk in desks]
        own = settings_of(settings.var_dir, str(desks[0].dsn), addresses)
        phones.node = await stack.enter_async_context(linked(own, on_command=phones.command))
        yield phones


@pytest_asyncio.fixture
async def phones(desk: Desk, settings: Settings) -> AsyncIterator[Phones]:
    async with ringing_line([desk], settings) as phones:
        yield phones


def emergency(phones: Phones, speech: FakeSpeech) -> UUID:
    """A call about people shut in a lift; its caller heard NUMBER."""
    understood = labels("lift", "emergency", "help")
    speech.answers["电梯困人"] = understood
    assert phones.node is not None
    return phones.node.line.whole_call("电梯困人", NUMBER, understood)


async def matter(desk: Desk) -> TicketRow:
    return (await tickets.one(desk, NUMBER)).ticket


async def accepted(desk: Desk) -> str:
    """Who has accepted the matter."""
    return str(await until(lambda: desk.pool.fetchval("select accepted_by from ticket where number = $1", NUMBER)))


async def kinds(desk: Desk) -> list[str]:
    rows = await desk.pool.fetch("select kind from event where ticket = $1 order by id", NUMBER)
    return [r["kind"] for r in rows]


async def result_of(desk: Desk, staff: str) -> str:
    """What came of ringing a person to take the matter."""
    sql = (
        "select result from outward_message where ticket = $1 and staff = $2 and channel = 'telephone'"
        " and body->>'kind' = 'ask' and state in ('sent', 'seen') and result is not null"
    )
    return str(await until(lambda: desk.pool.fetchval(sql, NUMBER, staff)))


async def test_the_person_asked_is_rung_and_takes_it_by_key(desk: Desk, phones: Phones, speech: FakeSpeech) -> None:
    emergency(phones, speech)
    order = await phones.next()
    before = await matter(desk)
    assert before.asked is not None
    assert order["to_staff"] == before.asked
    assert order["to"] == desk.site(SITE).organisation.person(before.asked).extension
    assert "3号楼2单元1102室" in order["text"]
    phones.come(order, "ringing", "answered", answer="accepted")
    assert await accepted(desk) == before.asked
    assert (await matter(desk)).responsible == before.asked
    async with asyncio.timeout(10):
        verdict = await phones.verdicts.get()
        while verdict["call"] != order["made"]:
            verdict = await phones.verdicts.get()
    assert "由您负责" in verdict["text"]
    written = await kinds(desk)
    assert "person.call" in written
    assert "person.answer" in written
    assert await desk.pool.fetchval("select count(*) from call") == 1, "a call of ours is no caller's call"


async def test_leader_and_general_manager_are_told_on_their_telephones(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    emergency(phones, speech)
    told: set[str] = set()
    sql = "select staff from outward_message where rule = 'R15' and channel = 'telephone' and body->>'kind' = 'tell'"
    expected = {r["staff"] for r in await until(lambda: desk.pool.fetch(sql))}
    assert desk.site(SITE).organisation.general_manager in expected
    asked = None
    while not expected <= told:
        async with asyncio.timeout(20):
            order = await phones.orders.get()
        if order["question"] == "know":
            told.add(order["to_staff"])
            phones.come(order, "ringing", "answered", answer="accepted")
        else:
            asked = order
    assert asked is not None, "who has to take it is rung before those who have to know"
    assert (await matter(desk)).responsible not in expected, "to know of it is not to take it"


async def test_refused_by_key_the_next_is_rung(desk: Desk, phones: Phones, speech: FakeSpeech) -> None:
    emergency(phones, speech)
    first = await phones.next()
    phones.come(first, "ringing", "answered", answer="refused")
    second = await phones.next()
    assert second["to_staff"] != first["to_staff"]
    phones.come(second, "ringing", "answered", answer="accepted")
    assert await accepted(desk) == second["to_staff"]
    detail = await tickets.one(desk, NUMBER)
    assert detail.ticket.responsible == second["to_staff"]
    assert (await kinds(desk)).count("ticket.refuse") == 1
    (refused,) = (step.body for step in detail.history if step.kind == "ticket.refuse")
    assert "按2" in refused["zh"]
    assert "2 was pressed" in refused["en"]


async def test_nobody_answers_and_the_next_is_rung_before_the_limit(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    emergency(phones, speech)
    first = await phones.next()
    before = await matter(desk)
    phones.come(first, "ringing", "no_answer", answer="none")
    second = await phones.next()
    assert second["to_staff"] not in {first["to_staff"], None}
    after = await matter(desk)
    assert after.asked == second["to_staff"]
    assert after.responsible == before.responsible, "until somebody accepts (R14)"
    assert await result_of(desk, first["to_staff"]) == "no_answer"
    assert (await kinds(desk)).count("ticket.pass_over") == 1


async def test_an_engaged_person_is_rung_again(desk: Desk, phones: Phones, speech: FakeSpeech) -> None:
    emergency(phones, speech)
    first = await phones.next()
    phones.come(first, "ringing", "busy", answer="none")
    again = await phones.next()
    assert again["to_staff"] == first["to_staff"]
    assert again["id"] != first["id"], "another order, not the one that is done"
    assert "ticket.pass_over" not in await kinds(desk)


async def test_whom_a_line_was_ringing_when_it_died_is_rung_again_at_once(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    emergency(phones, speech)
    first = await phones.next()
    long_ago = "update outward_message set created_at = created_at - interval '2 minutes' where staff = $1"
    await desk.pool.execute(long_ago, first["to_staff"])
    phones.come(first, "ringing", answer="lost", rung_at=datetime.now(UTC).isoformat())
    again = await phones.next()
    assert again["to_staff"] == first["to_staff"]
    assert "ticket.pass_over" not in await kinds(desk), "no fault of theirs"


async def test_who_is_engaged_is_rung_on_their_mobile_where_such_numbers_may_be_dialled(
    settings: Settings, speech: FakeSpeech
) -> None:
    own = settings.model_copy(update={"edge": settings.edge.model_copy(update={"outbound_prefixes": ["140"]})})
    async with open_desk(own) as desk, ringing_line([desk], own) as phones:
        emergency(phones, speech)
        first = await phones.next()
        person = desk.site(SITE).organisation.person(first["to_staff"])
        assert first["to"] == person.extension
        phones.come(first, "ringing", "busy", answer="none")
        again = await phones.next()
        assert (again["to_staff"], again["to"]) == (person.id, person.mobile)


async def test_the_second_to_accept_hears_who_was_first(desk: Desk, phones: Phones, speech: FakeSpeech) -> None:
    emergency(phones, speech)
    first = await phones.next()
    phones.come(first, "ringing", "no_answer", answer="none")
    second = await phones.next()
    await acts.accept(desk, NUMBER, first["to_staff"], "on the page")
    phones.come(second, "ringing", "answered", answer="accepted")
    assert await result_of(desk, second["to_staff"]) == "r14.already_taken"
    assert (await matter(desk)).responsible == first["to_staff"]
    assert (await kinds(desk)).count("ticket.accept") == 1
    name = desk.site(SITE).organisation.person(first["to_staff"]).name
    heard = ""
    async with asyncio.timeout(10):
        while name not in heard:
            verdict = await phones.verdicts.get()
            heard = verdict["text"] if verdict["call"] == second["made"] else ""


async def test_somebody_accepts_on_a_page_and_the_telephone_stops_ringing(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    emergency(phones, speech)
    order = await phones.next()
    await acts.accept(desk, NUMBER, order["to_staff"], "on the page")
    async with asyncio.timeout(10):
        while (await phones.verdicts.get())["call"] != order["made"]:
            pass
    phones.come(order, "no_answer", answer="none")
    assert await result_of(desk, order["to_staff"]) == "no_answer"
    assert "ticket.pass_over" not in await kinds(desk)


async def test_the_same_answer_twice_is_one(desk: Desk, phones: Phones, speech: FakeSpeech) -> None:
    emergency(phones, speech)
    order = await phones.next()
    for _ in range(2):
        phones.come(order, "ringing", "answered", answer="accepted")
    await accepted(desk)
    await until(lambda: _answers(desk, 2))
    assert (await kinds(desk)).count("ticket.accept") == 1


async def _answers(desk: Desk, many: int) -> bool:
    sql = "select count(*) from event where kind = 'person.answer' and body->>'answer' = 'accepted'"
    return int(await desk.pool.fetchval(sql)) >= many


async def test_a_desk_dies_between_dialling_and_the_answer(settings: Settings, dsn: str, speech: FakeSpeech) -> None:
    """The answer reaches another desk; where it is lost the person is rung again, and the matter taken once."""
    async with open_desk(settings) as staying, AsyncExitStack() as dying:
        going = await dying.enter_async_context(open_desk(settings))
        async with ringing_line([going, staying], settings) as phones:
            emergency(phones, speech)
            order = await phones.next()
            for link in list(going.links):
                await link._socket.close()
            await dying.aclose()
            await until(lambda: _linked(staying))
            lost = "update outward_message set next_at = now() where state = 'sending' and staff = $1"
            await staying.pool.execute(lost, order["to_staff"])
            again = await phones.next()
            assert again["to_staff"] == order["to_staff"]
            phones.come(again, "ringing", "answered", answer="accepted")
            phones.come(order, "ringing", "answered", answer="accepted")
            assert await accepted(staying) == order["to_staff"]
            await until(lambda: _answers(staying, 2))
            assert (await kinds(staying)).count("ticket.accept") == 1


async def _linked(desk: Desk) -> bool:
    return bool(desk.links)


async def test_two_desks_ring_one_person_once(settings: Settings, dsn: str, speech: FakeSpeech) -> None:
    async with AsyncExitStack() as stack:
        one = await stack.enter_async_context(open_desk(settings))
        other = await stack.enter_async_context(open_desk(settings))
        phones = await stack.enter_async_context(ringing_line([one], settings))
        address = await stack.enter_async_context(served(other))
        own = settings_of(settings.var_dir, str(other.dsn), [address])
        beside = Phones()
        beside.node = await stack.enter_async_context(linked(own, 2, beside.command))
        await until(lambda: _linked(other))
        emergency(phones, speech)
        await until(lambda: one.pool.fetchval("select count(*) from outward_message where channel = 'telephone'"))
        await until(lambda: _none_waits(one))
        await until(lambda: _ordered(phones, beside))
        rung = [o["to_staff"] for o in phones.ordered + beside.ordered]
        assert len(rung) == len(set(rung))


async def _none_waits(desk: Desk) -> bool:
    sql = "select count(*) from outward_message where channel = 'telephone' and state = 'due'"
    return int(await desk.pool.fetchval(sql)) == 0


async def _ordered(one: Phones, other: Phones) -> bool:
    return len(one.ordered) + len(other.ordered) >= 2


async def test_a_line_that_rings_nobody_is_no_fault_of_the_person(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    phones.full = True
    emergency(phones, speech)
    sql = "select result from outward_message where channel = 'telephone' and result is not null and state = 'due'"
    assert await until(lambda: desk.pool.fetchval(sql)) == "telephony.no_leg"
    assert "ticket.pass_over" not in await kinds(desk)
    phones.full = False
    assert (await phones.next())["to_staff"] == (await matter(desk)).asked


@asynccontextmanager
async def at_once(settings: Settings) -> AsyncIterator[tuple[Desk, Phones]]:
    """A house in which an emergency rings the duty leader as well, to take it."""
    rules = settings.rules.model_copy(update={"emergency_rings": "at_once"})
    own = settings.model_copy(update={"rules": rules})
    async with open_desk(own) as desk, ringing_line([desk], own) as phones:
        yield desk, phones


async def both_rung(desk: Desk, phones: Phones) -> tuple[dict[str, Any], dict[str, Any]]:
    """Orders for who is asked and for the duty leader; whoever else is told says that they know."""
    asked: dict[str, Any] = {}
    leader: dict[str, Any] = {}
    while not (asked and leader):
        async with asyncio.timeout(20):
            order = await phones.orders.get()
        if order["question"] == "know":
            phones.come(order, "ringing", "answered", answer="accepted")
        elif order["to_staff"] == (await matter(desk)).asked:
            asked = order
        else:
            leader = order
    return asked, leader


async def heard(desk: Desk, staff: str) -> str:
    """What this person's call ended as, once they have been reached."""
    sql = "select result from outward_message where staff = $1 and channel = 'telephone' and state = 'seen'"
    return str(await until(lambda: desk.pool.fetchval(sql, staff)))


async def test_at_once_the_duty_leader_is_rung_as_well_and_takes_it(settings: Settings, speech: FakeSpeech) -> None:
    async with at_once(settings) as (desk, phones):
        emergency(phones, speech)
        asked, leader = await both_rung(desk, phones)
        assert leader["to_staff"] != desk.site(SITE).organisation.general_manager
        phones.come(leader, "ringing", "answered", answer="accepted")
        assert await accepted(desk) == leader["to_staff"]
        assert (await matter(desk)).responsible == leader["to_staff"]
        async with asyncio.timeout(10):
            while (await phones.verdicts.get())["call"] != asked["made"]:
                pass  # who was asked is rung no more
        phones.come(asked, "no_answer", answer="none")
        assert await result_of(desk, asked["to_staff"]) == "no_answer"
        assert (await kinds(desk)).count("ticket.accept") == 1


async def test_at_once_both_press_one_and_the_first_has_it(settings: Settings, speech: FakeSpeech) -> None:
    async with at_once(settings) as (desk, phones):
        emergency(phones, speech)
        asked, leader = await both_rung(desk, phones)
        phones.come(asked, "ringing", "answered", answer="accepted")
        phones.come(leader, "ringing", "answered", answer="accepted")
        assert await accepted(desk) == asked["to_staff"]
        assert await heard(desk, leader["to_staff"]) == "r14.already_taken"
        assert (await kinds(desk)).count("ticket.accept") == 1


async def test_at_once_the_leader_who_cannot_leaves_it_to_who_is_asked(settings: Settings, speech: FakeSpeech) -> None:
    async with at_once(settings) as (desk, phones):
        emergency(phones, speech)
        asked, leader = await both_rung(desk, phones)
        phones.come(leader, "ringing", "answered", answer="refused")
        assert await heard(desk, leader["to_staff"]) == "known"
        assert (await matter(desk)).asked == asked["to_staff"]
        assert "ticket.refuse" not in await kinds(desk)


async def _nameless(desk: Desk, monkeypatch: pytest.MonkeyPatch, staff: str) -> None:
    """This person has no telephone at all."""
    real = Reach._numbers

    def numbers(self: Reach, person: Staff) -> tuple[str, ...]:
        return () if person.id == staff else real(self, person)

    monkeypatch.setattr(Reach, "_numbers", numbers)


async def test_a_person_without_a_number_is_passed_over_after_a_minute(
    desk: Desk, phones: Phones, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = decided(desk, labels("lift", "emergency", "help")).handed_to[0].staff
    await _nameless(desk, monkeypatch, asked)
    emergency(phones, speech)
    sql = "select next_at - created_at from outward_message where result = 'no_number' and staff = $1 and state = 'due'"
    assert await until(lambda: desk.pool.fetchval(sql, asked)) == timedelta(seconds=60), "they may see it on their page"
    minute = (
        "update outward_message set created_at = created_at - interval '1 minute', next_at = now() where staff = $1"
    )
    await desk.pool.execute(minute, asked)
    following = await phones.next()
    assert following["to_staff"] != asked
    assert (await kinds(desk)).count("ticket.pass_over") == 1
    assert await result_of_failed(desk, asked) == "no_number"


async def result_of_failed(desk: Desk, staff: str) -> str:
    sql = (
        "select result from outward_message where ticket = $1 and staff = $2 and channel = 'telephone'"
        " and state = 'failed'"
    )
    return str(await until(lambda: desk.pool.fetchval(sql, NUMBER, staff)))


async def test_who_has_to_know_and_does_not_answer_is_rung_again(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    emergency(phones, speech)
    order = await phones.next("know")
    phones.come(order, "ringing", "no_answer", answer="none")
    sql = (
        "select next_at - now() from outward_message where staff = $1 and channel = 'telephone' and state = 'due'"
        " and result = 'no_answer'"
    )
    pause = await until(lambda: desk.pool.fetchval(sql, order["to_staff"]))
    assert timedelta(seconds=30) < pause <= timedelta(seconds=60), "every minute"
    await desk.pool.execute("update outward_message set next_at = now() where staff = $1", order["to_staff"])
    while (again := await phones.next("know"))["to_staff"] != order["to_staff"]:
        phones.come(again, "ringing", "answered", answer="accepted")


async def test_what_is_no_major_matter_after_all_rings_nobody_and_needs_no_report(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    """R8, R15: not sure it was an emergency, and a person has listened."""
    phones.full = True
    understood = replace(labels("lift", "emergency", "help"), urgency=Label("emergency", 0.5))
    speech.answers["电梯有人"] = understood
    assert phones.node is not None
    phones.node.line.whole_call("电梯有人", NUMBER, understood)
    sql = (
        "select staff, state, result from outward_message where ticket = $1 and channel = 'telephone' and rule = 'R15'"
    )
    await until(lambda: desk.pool.fetch(sql, NUMBER))
    first = (await matter(desk)).first_responder
    await acts.correct(desk, NUMBER, first, {"urgency": "normal"}, "key-not-major")
    detail = await tickets.one(desk, NUMBER)
    assert (detail.ticket.major, [t.state for t in detail.tasks if t.kind == "report"]) == (False, ["dropped"])
    assert "ticket.not_major" in await kinds(desk)
    phones.full = False
    asked = await phones.next()  # whoever is asked to take it is rung all the same
    phones.come(asked, "ringing", "answered", answer="accepted")

    async def none_waits() -> bool:
        return all((r["state"], r["result"]) == ("sent", "not_needed") for r in await desk.pool.fetch(sql, NUMBER))

    await until(none_waits)
    told = {r["staff"] for r in await desk.pool.fetch(sql, NUMBER)}
    assert told.isdisjoint(order["to_staff"] for order in phones.ordered if order is not asked)


async def test_an_emergency_that_is_not_heard_of_climbs(desk: Desk, phones: Phones, speech: FakeSpeech) -> None:
    phones.full = True
    emergency(phones, speech)
    organisation = desk.site(SITE).organisation
    sql = "select staff from outward_message where rule = 'R15' and channel = 'telephone' and body->>'kind' = 'tell'"
    leader = next(
        r["staff"] for r in await until(lambda: desk.pool.fetch(sql)) if r["staff"] != organisation.general_manager
    )
    old = "update outward_message set created_at = now() - interval '31 minutes', next_at = now() where staff = $1"
    await desk.pool.execute(
        "delete from outward_message where staff = any($1::text[])", list(organisation.above(leader))
    )
    await desk.pool.execute(old, leader)
    up = "select staff from outward_message where key like '%/up/%'"
    assert await until(lambda: desk.pool.fetchval(up), 60) in organisation.above(leader)
    detail = await tickets.one(desk, NUMBER)
    assert any("未能通知到" in step.body.get("zh", "") for step in detail.history)


async def test_who_has_it_on_the_screen_is_rung_no_more_to_be_told(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    phones.full = True
    emergency(phones, speech)
    manager = desk.site(SITE).organisation.general_manager
    due = "select state from outward_message where staff = $1 and channel = 'telephone' and state = 'due'"
    await until(lambda: desk.pool.fetchval(due, manager))
    asked = (await matter(desk)).asked
    assert asked is not None
    for staff in (manager, asked):
        await until(lambda staff=staff: _read(desk, staff))
    assert await desk.pool.fetchval("select count(*) from told where staff = $1 and seen_at is not null", manager)
    asks = "select state from outward_message where staff = $1 and channel = 'telephone' and body->>'kind' = 'ask'"
    assert await desk.pool.fetchval(asks, asked) in {"due", "sending"}, "to be asked ends by an answer alone"


async def _read(desk: Desk, staff: str) -> bool:
    await messages.read_by(desk, NUMBER, staff)
    sql = (
        "select count(*) from outward_message where staff = $1 and channel = 'telephone' and state = 'due'"
        " and body->>'kind' <> 'ask'"
    )
    return int(await desk.pool.fetchval(sql, staff)) == 0


async def test_who_chose_the_telephone_for_important_matters_is_rung_and_not_passed_over(
    desk: Desk, phones: Phones, speech: FakeSpeech
) -> None:
    understood = labels("water_supply", "important", "repair")
    asked = decided(desk, understood).handed_to[0].staff
    rules = [{"urgency": "important", "channels": ["page", "telephone"]}]
    await choices.choose(desk, asked, email=None, rules=rules, actor=asked, key="a choice")
    speech.answers["停水"] = understood
    assert phones.node is not None
    phones.node.line.whole_call("停水", NUMBER, understood)
    order = await phones.next()
    assert order["to_staff"] == asked
    assert not order["text"].startswith("紧急")
    phones.come(order, "ringing", "no_answer", answer="none")
    assert await result_of(desk, asked) == "no_answer"
    assert (await matter(desk)).asked == asked, "their limit is as long as ever"
    assert "ticket.pass_over" not in await kinds(desk)
