"""Calls of ours to residents, with a line that says what residents do: when they ring, what comes of them, when not."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from time import monotonic
from typing import Any
from uuid import UUID, uuid4

import pytest
from desk_node import LI_NA, SITE, FakeSpeech, Linked, labels, linked, served, settings_of, until

from callcenter.config import EdgeSettings, ResidentSettings, Settings, Trunk
from callcenter.desk import acts, outbound, resident_calls, tickets, todo
from callcenter.desk.house import Desk, open_desk
from callcenter.desk.resident_calls import dialable, next_decent, ring_at, why_not
from callcenter.domain import codec
from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.records import RecordKind
from callcenter.domain.situation import Situation
from callcenter.errors import DomainError, TelephonyError
from callcenter.node.ids import uuid7

NUMBER = 100779
ZHANG_WEI = "14000001102"
"""Of the same flat as LI_NA."""
CALENDAR = WorkingCalendar()


@dataclass
class Trunks:
    """A line's part: it keeps the desk's orders, and the test says what residents do."""

    orders: asyncio.Queue[dict[str, Any]] = field(default_factory=asyncio.Queue)
    node: Linked | None = None
    full: bool = False

    async def command(self, command: dict[str, Any]) -> dict[str, Any]:
        if command.get("purpose") not in {"callback", "follow_up"}:
            return {"call": str(uuid7())}
        if self.full:
            raise TelephonyError("telephony.no_leg", "no leg is free", retryable=True)
        order = {**command, "made": str(uuid7())}
        self.orders.put_nowait(order)
        return {"call": order["made"]}

    async def next(self) -> dict[str, Any]:
        async with asyncio.timeout(20):
            return await self.orders.get()

    def write(self, kind: RecordKind, order: dict[str, Any], /, **body: Any) -> None:
        assert self.node is not None
        self.node.line.journal.append(kind, site=SITE, call=UUID(order["made"]), body=body)

    def come(self, order: dict[str, Any], answer: str, *, state: str = "answered", **more: Any) -> None:
        """What came of a call, as a line writes it down."""
        who = {"purpose": order["purpose"], "ticket": order["ticket"], "order": order["order"], "to_staff": None}
        number = "+86" + order["to"]
        self.write(
            RecordKind.CALL_RINGING, order, direction="out", from_number=None, to_number=number, line=1,
            dialplan="callback.zh", **who,
        )  # fmt: skip
        self.write(RecordKind.PERSON_CALL, order, **who, state="ringing")
        self.write(RecordKind.PERSON_CALL, order, **who, state=state)
        self.write(RecordKind.PERSON_ANSWER, order, **who, answer=answer, **{"score": None, "words": "", **more})
        self.end(order)

    def end(self, order: dict[str, Any]) -> None:
        self.write(RecordKind.CALL_ENDED, order, reason="caller", duration_ms=8000, answered=True)


def calling(settings: Settings, **residents: Any) -> Settings:
    """Settings of a house with a trunk that rings residents at any hour."""
    edge = EdgeSettings(outbound_prefixes=["1"], trunks=[Trunk(name="carrier", outbound="127.0.0.1:5060")])
    wanted = {"hours": "00:00-23:59", "follow_up_after_min": 0, "attempts": 2, **residents}
    return settings.model_copy(update={"edge": edge, "residents": ResidentSettings(**wanted)})


@asynccontextmanager
async def house(settings: Settings) -> AsyncIterator[tuple[Desk, Trunks]]:
    trunks = Trunks()
    async with open_desk(settings) as desk, served(desk) as address:
        own = settings_of(settings.var_dir, str(desk.dsn), [address])
        async with linked(own, on_command=trunks.command) as node:
            trunks.node = node
            yield desk, trunks


async def matter(desk: Desk, trunks: Trunks, speech: FakeSpeech) -> None:
    """An ordinary matter of a caller with a number."""
    understood = labels("cleaning", "normal", "complaint")
    speech.answers["楼道很脏"] = understood
    assert trunks.node is not None
    trunks.node.line.whole_call("楼道很脏", NUMBER, understood)
    await until(lambda: desk.pool.fetchval("select complete from ticket where number = $1", NUMBER))


async def done(desk: Desk) -> None:
    responsible = await desk.pool.fetchval("select responsible from ticket where number = $1", NUMBER)
    await acts.change_state(desk, NUMBER, responsible, "done", str(uuid4()), result="打扫干净了")


async def silent_call(desk: Desk, trunks: Trunks, number: str = LI_NA) -> dict[str, Any]:
    """A call in which nothing was said: a call-back is planned, and due now."""
    assert trunks.node is not None
    line = trunks.node.line
    call = line.ring(number)
    line.answer(call)
    line.end(call)
    await until(lambda: desk.pool.fetchval("select id from callback where call = $1", call))
    sql = "update callback set due_at = now() where call = $1 returning *"
    return dict(await desk.pool.fetchrow(sql, call))


async def row(desk: Desk, **where: Any) -> dict[str, Any]:
    """The newest call of ours, once it looks so."""

    async def look() -> dict[str, Any] | None:
        found = await desk.pool.fetchrow("select * from resident_call order by id desc limit 1")
        return dict(found) if found is not None and where.items() <= dict(found).items() else None

    return dict(await until(look))


async def history(desk: Desk, number: int = NUMBER) -> str:
    return "\n".join(step.body.get("zh", "") for step in (await tickets.one(desk, number)).history)


async def history_en(desk: Desk, number: int = NUMBER) -> str:
    return "\n".join(step.body.get("en", "") for step in (await tickets.one(desk, number)).history)


async def status(desk: Desk) -> str:
    return str(await desk.pool.fetchval("select status from ticket where number = $1", NUMBER))


async def test_a_follow_up_that_is_solved_archives_with_its_score(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        await done(desk)
        order = await trunks.next()
        assert (order["purpose"], order["to"], order["about"]) == ("follow_up", LI_NA, {"category": "cleaning"})
        trunks.come(order, "solved", score=4, words="解决了，满意")
        assert (await row(desk, state="done"))["score"] == 4
        assert await status(desk) == "archived"
        assert "满意（4分）" in await history(desk)
        assert "Follow-up call: solved, satisfied (4 of 5)." in await history_en(desk)
        assert await desk.pool.fetchval("select state from task where kind = 'follow_up'") == "done"
        call = await desk.pool.fetchrow("select * from call where direction = 'out'")
        assert (call["ticket"], call["from_number"]) == (NUMBER, "+86" + LI_NA)
        await until(lambda: desk.pool.fetchval("select completed_at from call where direction = 'out'"))
        assert await desk.pool.fetchval("select count(*) from ticket") == 1, "a call of ours opens no matter"


@pytest.mark.parametrize(("answer", "score"), [("unsolved", None), ("solved", 2)])
async def test_not_solved_or_not_satisfied_opens_it_again(
    settings: Settings, speech: FakeSpeech, answer: str, score: int | None
) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        await done(desk)
        trunks.come(await trunks.next(), answer, score=score, words="没解决，还是很脏")
        await row(desk, state="done")
        detail = await tickets.one(desk, NUMBER)
        assert await status(desk) == "reopened"
        assert detail.ticket.responsible == detail.ticket.first_responder, "back to the first responder (R23)"


async def test_not_reached_is_rung_again_and_then_a_persons(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings, again_after_min=30)) as (desk, trunks):
        await matter(desk, trunks, speech)
        await done(desk)
        trunks.come(await trunks.next(), "none", state="no_answer")
        again = await row(desk, state="due", attempts=1)
        assert again["result"] == "no_answer"
        assert timedelta(minutes=25) < again["next_at"] - datetime.now(UTC) <= timedelta(minutes=31)
        await desk.pool.execute("update resident_call set next_at = now()")
        trunks.come(await trunks.next(), "none")
        assert (await row(desk, state="given_up"))["result"] == "no_clear_answer", "a mailbox, or silence"
        assert await status(desk) == "follow_up_due"
        assert "回访未接通" in await history(desk)
        assert await desk.pool.fetchval("select state from task where kind = 'follow_up'") == "open", "on the list"


async def test_a_person_who_is_quicker_makes_the_call_needless(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        trunks.full = True
        await matter(desk, trunks, speech)
        await done(desk)
        await row(desk, state="due", result="telephony.no_leg")
        assert (await row(desk))["attempts"] == 0, "a line that could not is no try"
        await acts.change_state(desk, NUMBER, "rule", "archived", str(uuid4()), result="电话回访满意")
        await desk.pool.execute("update resident_call set next_at = now()")
        assert (await row(desk, state="dropped"))["result"] == "not_needed"


async def test_only_so_many_residents_are_rung_in_a_minute(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings, calls_per_min=1)) as (desk, trunks):
        for number in (LI_NA, "14000009902"):
            await silent_call(desk, trunks, number)
        first = await trunks.next()
        trunks.come(first, "none", state="busy")
        await until(lambda: _tried(desk))
        await desk.resident_calls.look(datetime.now(UTC))
        assert trunks.orders.empty(), "the rest waits"
        await desk.pool.execute("update resident_call set rung_at = rung_at - interval '1 minute'")
        assert (await trunks.next())["to"] != first["to"]


async def _tried(desk: Desk) -> bool:
    return bool(await desk.pool.fetchval("select true from resident_call where attempts = 1 and state = 'due'"))


async def test_a_line_that_could_not_ring_may_the_next_time(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outbound, "LINE_RESTS_S", 0)
    async with house(calling(settings)) as (desk, trunks):
        trunks.full = True
        await matter(desk, trunks, speech)
        await done(desk)
        await row(desk, state="due", result="telephony.no_leg")
        trunks.full = False
        await desk.pool.execute("update resident_call set next_at = now()")
        assert (await trunks.next())["purpose"] == "follow_up"
        assert (await row(desk, state="calling"))["attempts"] == 1


async def test_who_is_still_to_be_rung_is_rung_at_the_corrected_number(settings: Settings, speech: FakeSpeech) -> None:
    right = "14000009955"
    async with house(calling(settings)) as (desk, trunks):
        callback = await silent_call(desk, trunks)
        first = await trunks.next()
        assert first["to"] == LI_NA
        trunks.come(first, "none", state="no_answer")
        await row(desk, state="due", attempts=1)
        responsible = await desk.pool.fetchval("select responsible from ticket where number = $1", callback["ticket"])
        await acts.correct(desk, callback["ticket"], responsible, {"caller_number": right}, str(uuid4()))
        await desk.pool.execute("update resident_call set next_at = now()")
        order = await trunks.next()
        assert order["to"] == right, "nobody else hears of it (R10)"
        trunks.come(order, "heard", words="楼道的灯坏了")
        await row(desk, state="done", result="heard")
        kept = await desk.pool.fetchrow("select state, number from callback where id = $1", callback["id"])
        assert tuple(kept) == ("done", "+86" + right)


async def test_one_of_several_lines_is_left_for_emergencies(settings: Settings, speech: FakeSpeech) -> None:
    own = calling(settings)
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(own))
        address = await stack.enter_async_context(served(desk))
        trunks = Trunks()
        for number in (1, 2):
            line = linked(settings_of(own.var_dir, str(desk.dsn), [address]), number, trunks.command)
            trunks.node = await stack.enter_async_context(line)
        await until(lambda: _lines(desk, 2))
        emergency = next(iter(desk.links))
        emergency.rings["of another queue"] = monotonic() + 3600
        for number in (LI_NA, "14000009902"):
            await silent_call(desk, trunks, number)
        first = await trunks.next()
        await row_of(desk, first, state="calling", call=UUID(first["made"]))
        await desk.resident_calls.look(datetime.now(UTC))
        talks = {"purpose": "callback", "ticket": first["ticket"], "order": first["order"], "to_staff": None}
        trunks.write(RecordKind.PERSON_CALL, first, **talks, state="answered")
        await row_of(desk, first, result="answered")
        later = monotonic() + resident_calls.RINGING_S
        talking = next(link for link in desk.links if link is not emergency)
        assert [ends > later for ends in talking.rings.values()] == [True], "the talk goes on"
        emergency.rings.clear()
        await desk.resident_calls.look(datetime.now(UTC))
        assert trunks.orders.empty(), "the other line can still ring somebody about an emergency"
        trunks.come(first, "heard", words="楼道的灯坏了")
        assert (await trunks.next())["order"] != first["order"]


async def _lines(desk: Desk, many: int) -> bool:
    return len(desk.links) == many


async def row_of(desk: Desk, order: dict[str, Any], **where: Any) -> None:
    """Until the row of this order looks so."""

    async def look() -> bool:
        found = await desk.pool.fetchrow("select * from resident_call where key = $1", order["order"])
        return bool(where.items() <= dict(found).items())

    await until(look)


async def test_a_desk_that_was_away_waits_to_hear_how_a_call_ended_before_it_rings_again(
    settings: Settings, speech: FakeSpeech
) -> None:
    async with house(calling(settings)) as (desk, trunks):
        callback = await silent_call(desk, trunks)
        order = await trunks.next()
        await row(desk, state="calling", attempts=1)
        for link in list(desk.links):
            await link._socket.close()
        await until(lambda: _alone(desk))
        await desk.pool.execute("update resident_call set next_at = now()")  # it was away for longer than the call
        await until(lambda: _has_lines(desk))
        await desk.resident_calls.look(datetime.now(UTC))
        trunks.come(order, "heard", words="楼道的灯坏了")
        assert (await row(desk, state="done", result="heard"))["attempts"] == 1, "rung once"
        assert trunks.orders.empty()
        assert await desk.pool.fetchval("select state from callback where id = $1", callback["id"]) == "done"


async def _alone(desk: Desk) -> bool:
    return not desk.links


async def _has_lines(desk: Desk) -> bool:
    return bool(desk.links)


async def test_a_call_that_is_never_heard_of_is_made_again(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await silent_call(desk, trunks)
        lost = await trunks.next()
        await row(desk, state="calling", call=UUID(lost["made"]))
        monkeypatch.setattr(outbound, "TOLD_WITHIN_S", 0)
        for link in desk.links:
            link.rings.clear()  # the claim's time is over
        await desk.pool.execute("update resident_call set next_at = now()")
        assert (await trunks.next())["order"] == lost["order"]


async def test_asked_for_again_after_a_try_is_another_call(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        await done(desk)
        trunks.come(await trunks.next(), "none", state="busy")
        await row(desk, state="due", attempts=1)
        await resident_calls.ring_now(desk, "he_min", "a key", ticket=NUMBER)
        trunks.come(await trunks.next(), "solved")
        assert (await row(desk, state="done"))["result"] == "solved"


async def test_the_call_back_of_a_silent_call_hears_the_matter(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        callback = await silent_call(desk, trunks)
        order = await trunks.next()
        assert order["flags"] == ["silence", "nothing_said"]
        assert order["about"] is None
        understood = labels("water_supply", "important", "repair")
        trunks.write(
            RecordKind.CALL_RINGING, order, direction="out", to_number="+86" + order["to"], ticket=order["ticket"],
            purpose="callback", order=order["order"],
        )  # fmt: skip
        fields = {"text": "家里没有水"}
        trunks.write(
            RecordKind.TICKET_AMENDED, order, ticket=order["ticket"], labels=codec.to_plain(understood), fields=fields
        )
        trunks.come(order, "heard", words="家里没有水")
        await row(desk, state="done", result="heard")
        detail = await tickets.one(desk, callback["ticket"])
        assert (detail.ticket.category, detail.ticket.urgency) == ("water_supply", "important")
        assert detail.ticket.content == "家里没有水"
        assert {deadline.clock for deadline in detail.deadlines} >= {"answer", "close"}, "R18, R21"
        assert "家里没有水" in await history(desk, callback["ticket"])
        assert await desk.pool.fetchval("select state from callback where id = $1", callback["id"]) == "done"


async def test_danger_told_in_a_call_back_rings_people_at_once(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        await resident_calls.ring_now(desk, "he_min", "a key", ticket=NUMBER)
        order = await trunks.next()
        fire = labels("fire", "emergency", "help")
        trunks.write(
            RecordKind.CALL_RINGING, order, direction="out", to_number="+86" + order["to"], ticket=order["ticket"]
        )
        plain = codec.to_plain(fire)
        trunks.write(RecordKind.TICKET_AMENDED, order, ticket=order["ticket"], labels=plain, fields={"text": "着火了"})
        sql = "select urgency from outward_message where channel = 'telephone' and ticket = $1"
        assert await until(lambda: desk.pool.fetchval(sql, NUMBER)) == "emergency"
        detail = await tickets.one(desk, NUMBER)
        assert (detail.ticket.category, detail.ticket.urgency) == ("fire", "emergency")


@pytest.mark.parametrize("before", ["normal", "emergency"])
async def test_danger_told_in_a_follow_up_opens_the_matter_and_asks_its_department_at_once(
    settings: Settings, speech: FakeSpeech, before: str
) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        responsible = await desk.pool.fetchval("select responsible from ticket where number = $1", NUMBER)
        if before == "emergency":  # and over: in the follow-up it begins anew
            await acts.correct(desk, NUMBER, responsible, {"category": "fire", "urgency": before}, str(uuid4()))
            await acts.accept(desk, NUMBER, responsible, str(uuid4()))
            under_way = (
                "select count(*) = 2 from outward_message where channel = 'telephone' and state = 'sending'"
                " and next_at > now() + interval '1 minute'"
            )
            await until(lambda: desk.pool.fetchval(under_way))  # leader and general manager; then the line is free
            heard = "update outward_message set state = 'seen' where channel = 'telephone' returning key"
            for told in await desk.pool.fetch(heard):
                desk.reach.over(told["key"])
        await done(desk)
        order = await trunks.next()
        who = {"purpose": order["purpose"], "ticket": order["ticket"], "order": order["order"], "to_staff": None}
        trunks.write(RecordKind.CALL_RINGING, order, direction="out", to_number="+86" + order["to"], **who)
        plain = codec.to_plain(labels("fire", "emergency", "help", department="security"))
        trunks.write(RecordKind.TICKET_AMENDED, order, ticket=order["ticket"], labels=plain, fields={"text": "着火了"})
        trunks.write(RecordKind.PERSON_CALL, order, **who, state="answered")
        trunks.write(RecordKind.PERSON_ANSWER, order, **who, answer="none", score=None, words="着火了")
        trunks.end(order)
        assert (await row(desk, state="done"))["result"] == "not_needed", "nobody asks whether it is solved"
        detail = await tickets.one(desk, NUMBER)
        assert (detail.ticket.category, detail.ticket.urgency) == ("fire", "emergency")
        assert detail.ticket.department == "security"
        sql = (
            "select staff from outward_message where ticket = $1 and channel = 'telephone' and body->>'kind' = 'ask'"
            " order by id desc limit 1"
        )
        assert await desk.pool.fetchval(sql, NUMBER) == detail.ticket.asked
        assert detail.ticket.asked is not None
        assert await desk.pool.fetchval("select state from task where kind = 'follow_up'") != "open"


@pytest.mark.parametrize("state", ["ringing", "answered"])
async def test_whom_a_line_was_calling_when_it_died_is_rung_again_at_once(
    settings: Settings, speech: FakeSpeech, state: str
) -> None:
    """R22: it was no fault of theirs; but so often only, and then a person calls them."""
    async with house(calling(settings)) as (desk, trunks):
        await silent_call(desk, trunks)
        for attempt in (1, 2):
            order = await trunks.next()
            assert (await row(desk, state="calling"))["attempts"] == attempt
            who = {"purpose": order["purpose"], "ticket": order["ticket"], "order": order["order"], "to_staff": None}
            trunks.write(RecordKind.CALL_RINGING, order, direction="out", to_number="+86" + order["to"], **who)
            trunks.write(RecordKind.PERSON_CALL, order, **who, state=state)
            trunks.end(order)
        assert (await row(desk, state="given_up"))["result"] == "line_died"
        (back,) = await todo.callbacks(desk, SITE)
        assert (back.state, back.attempts) == ("due", 2), "on the list"
        assert back.ticket is not None
        assert "线路中断" in await history(desk, back.ticket)


async def test_an_answer_that_comes_twice_counts_once(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        await done(desk)
        order = await trunks.next()
        trunks.come(order, "unsolved", words="没解决")
        trunks.come(order, "unsolved", words="没解决")
        trunks.come({**order, "made": str(uuid7())}, "solved", score=5)
        await row(desk, state="done", result="unsolved")
        await until(lambda: desk.pool.fetchval("select count(*) >= 3 from event where kind = 'person.answer'"))
        assert await status(desk) == "reopened"
        assert await desk.pool.fetchval("select count(*) from event where kind = 'ticket.unsatisfied'") == 1


async def test_somebody_has_a_resident_rung_once_per_key(settings: Settings, speech: FakeSpeech) -> None:
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        first = await resident_calls.ring_now(desk, "he_min", "a key", ticket=NUMBER)
        assert first["purpose"] == "callback"
        assert await resident_calls.ring_now(desk, "he_min", "a key", ticket=NUMBER) == {}
        order = await trunks.next()
        trunks.write(RecordKind.CALL_RINGING, order, direction="out", to_number="+86" + order["to"], **order)
        trunks.write(RecordKind.CALL_TRANSFER, order, to="he_min", state="answered", at_ms=9000)
        trunks.come(order, "bridged")
        await row(desk, state="done", result="bridged")
        assert len(await resident_calls.of_ticket(desk, NUMBER)) == 1
        assert f"已接通{desk.site(SITE).organisation.person('he_min').called()}" in await history(desk)


async def test_what_a_person_promised_is_kept_at_its_time(settings: Settings, speech: FakeSpeech) -> None:
    """R22: on the list and on the clock at once, rung at its time, and ended by the call."""
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        who = str(await desk.pool.fetchval("select responsible from ticket where number = $1", NUMBER))
        first, later = (datetime.now(UTC) + timedelta(hours=hours) for hours in (2, 3))
        for _ in range(2):
            detail = await acts.promise(desk, NUMBER, who, first, "告知保洁安排", "key-promise-1")
        assert [(d.due_at, d.state) for d in detail.deadlines if d.clock == "call_back"] == [(first, "running")]
        assert (await history(desk)).count("告知保洁安排") == 1
        (back,) = await todo.callbacks(desk, SITE)
        assert (back.reason, back.due_at, back.number, back.responsible) == ("promised", first, "+86" + LI_NA, who)
        await acts.promise(desk, NUMBER, who, later, "", "key-promise-2")
        assert [(c.id, c.due_at) for c in await todo.callbacks(desk, SITE)] == [(back.id, later)], "another time"
        await desk.resident_calls.look(datetime.now(UTC))
        assert trunks.orders.empty(), "not before its time"
        await desk.pool.execute("update callback set due_at = now()")
        order = await trunks.next()
        assert (order["purpose"], order["to"], order["flags"]) == ("callback", LI_NA, ["promised"])
        assert order["about"] == {"category": "cleaning"}
        with pytest.raises(DomainError) as error:
            await acts.promise(desk, NUMBER, who, later, "", "key-promise-3")
        assert error.value.code == "r22.under_way"
        trunks.come(order, "none", state="busy")
        await row(desk, state="due", attempts=1)
        await acts.promise(desk, NUMBER, who, later, "", "key-promise-3")
        assert (await row(desk, state="due", attempts=0))["next_at"] == later, "the new time, not the next try"
        await desk.pool.execute("update resident_call set next_at = now()")
        trunks.come(await trunks.next(), "bridged")
        await row(desk, state="done", result="bridged")
        assert await todo.callbacks(desk, SITE) == []
        clocks = (await tickets.one(desk, NUMBER)).deadlines
        assert {d.state for d in clocks if d.clock == "call_back"} == {"met"}


async def test_a_call_about_it_leaves_the_call_back_standing_that_a_person_promised_for_later(
    settings: Settings, speech: FakeSpeech
) -> None:
    """R22: what was promised for three o'clock is not kept by a question at noon; made sooner by itself it is."""
    async with house(calling(settings)) as (desk, trunks):
        await matter(desk, trunks, speech)
        who = await desk.pool.fetchval("select responsible from ticket where number = $1", NUMBER)
        later = datetime.now(UTC) + timedelta(hours=3)
        await acts.promise(desk, NUMBER, who, later, "", "key-promise-1")
        await resident_calls.ring_now(desk, who, "key-ring-1", ticket=NUMBER)
        trunks.come(await trunks.next(), "heard", words="门禁卡也坏了")
        await row(desk, state="done", result="heard", callback=None)
        (back,) = await todo.callbacks(desk, SITE)
        assert back.due_at == later
        clocks = (await tickets.one(desk, NUMBER)).deadlines
        assert [d.state for d in clocks if d.clock == "call_back"] == ["running"]
        assert "Called: the resident said: 门禁卡也坏了" in await history_en(desk)
        await resident_calls.ring_now(desk, who, "key-ring-2", callback=back.id)
        trunks.come(await trunks.next(), "bridged")
        await row(desk, state="done", result="bridged", callback=back.id)
        assert await todo.callbacks(desk, SITE) == []


async def test_everybody_who_called_is_called_back_on_their_own_number(settings: Settings, speech: FakeSpeech) -> None:
    """R5, R17, R22: two of one flat say nothing on two phones: one matter, and a call-back to each."""
    del speech
    async with house(calling(settings)) as (desk, trunks):
        one, other = await silent_call(desk, trunks), await silent_call(desk, trunks, ZHANG_WEI)
        assert one["ticket"] == other["ticket"]
        first = await trunks.next()
        trunks.come(first, "bridged")
        second = await trunks.next()
        assert {first["to"], second["to"]} == {LI_NA, ZHANG_WEI}
        await row(desk, state="calling")

        async def left() -> bool:
            return [b.number for b in await todo.callbacks(desk, SITE)] == ["+86" + second["to"]]

        await until(left)
        clocks = (await tickets.one(desk, one["ticket"])).deadlines
        states = [d.state for d in clocks if d.clock == "call_back"]
        assert {"running", "missed"} & {*states}, "the other is still due"
        trunks.come(second, "bridged")
        await row(desk, state="done")
        assert await todo.callbacks(desk, SITE) == []
        life = await desk.pool.fetchval("select life from ticket where number = $1", one["ticket"])
        assert all(t["met_at"] for t in life["timers"] if t["clock"] == "call_back")


async def test_whoever_is_there_is_bridged_though_the_responsible_was_taken_out_of_the_file(desk: Desk) -> None:
    """One matter of somebody who has left holds up no call to anybody."""
    site, now = desk.site(SITE), datetime.now(UTC)
    around = Situation(site.organisation, site.snapshot(now).roster, site.rules, now)
    operator = site.organisation.person(around.operator_or_last_resort)
    row = {"purpose": "callback", "asked_by": None, "responsible": "gone_wang"}
    assert resident_calls._bridge_to(row, around, {str(operator.extension)}) == operator.extension
    assert resident_calls._bridge_to(row, around, set()) is None


async def test_without_a_trunk_the_list_is_a_persons(desk: Desk, speech: FakeSpeech) -> None:
    del speech
    assert why_not(desk.settings)
    with pytest.raises(DomainError) as error:
        await resident_calls.ring_now(desk, "he_min", "a key", ticket=NUMBER)
    assert error.value.code == "residents.not_rung"


def test_a_number_is_dialled_only_where_a_prefix_allows_it() -> None:
    assert dialable("+8614000000001", ["1"]) == "14000000001"
    assert dialable("+861088880000", ["010"]) == "01088880000"
    assert dialable("+8614000000001", ["010"]) is None
    assert dialable("+4930123456", ["1", "010"]) is None
    assert dialable("anonymous", ["1", "a"]) is None


@pytest.mark.parametrize(
    "number",
    [
        "110", "119", "12345", "10086", "12590123456", "+8612590123456", "+861259012345", "16838888", "+86168388881",
        "4001234567", "+861380000000", "+86138000000001", "138 0000 0000", "+86１３８００００００００", "*10086#", "+",
        "", "+86", "+1900555012345678",
    ],
)  # fmt: skip
def test_no_caller_makes_us_dial_what_is_no_subscribers_number(number: str) -> None:
    """Toll fraud: From and what is said hold whatever a caller likes, and prefixes are short."""
    assert dialable(number, ["0", "1", "4", "+"]) is None


def test_numbers_abroad_and_local_ones_have_prefixes_of_their_own() -> None:
    assert dialable("+4930123456", ["+49"]) == "+4930123456"
    assert dialable("88880000", ["8"]) == "88880000"
    assert dialable("+8675588880000", ["0755"]) == "075588880000"
    assert dialable("+8614000000001", ["+86"]) == "+8614000000001"


def at(day: int, clock: str) -> datetime:
    return CALENDAR.at(datetime(2026, 3, day).date(), time.fromisoformat(clock))  # noqa: DTZ001


@pytest.mark.parametrize(
    ("moment", "workdays", "expected"),
    [
        (at(4, "10:00"), False, at(4, "10:00")), (at(4, "06:00"), False, at(4, "09:00")),
        (at(4, "20:30"), False, at(5, "09:00")), (at(7, "10:00"), True, at(9, "09:00")),
        (at(7, "10:00"), False, at(7, "10:00")),
    ],
)  # fmt: skip
def test_residents_are_rung_at_decent_hours(moment: datetime, workdays: bool, expected: datetime) -> None:
    assert next_decent(moment, time(9), time(20, 30), CALENDAR, workdays=workdays) == expected


@pytest.mark.parametrize(
    ("reason", "urgency", "asked_by", "late_min", "now"),
    [
        ("promised", "normal", None, 0, True), ("promised", "normal", None, 30, False),
        ("silence", "normal", None, 0, False), ("hang_up", "emergency", None, 0, True),
        ("silence", "normal", "somebody", 0, True),
    ],
)  # fmt: skip
def test_a_promise_is_kept_at_night_and_nobody_else_is_woken(
    reason: str, urgency: str, asked_by: str | None, late_min: int, now: bool
) -> None:
    night = at(4, "02:30")
    call = {
        "asked_by": asked_by, "purpose": "callback", "reason": reason, "urgency": urgency,
        "promised_at": night - timedelta(minutes=late_min),
    }  # fmt: skip
    expected = night if now else at(4, "09:00")
    assert ring_at(call, ResidentSettings(), CALENDAR, night) == expected
