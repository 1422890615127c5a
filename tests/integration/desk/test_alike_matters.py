"""Worked example 5: many calls from one building become one incident (R32)."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from desk_node import SITE, FakeSpeech, Linked, labels, until

from callcenter.desk import acts, alike, incidents, tickets, todo
from callcenter.desk.house import Desk
from callcenter.domain.matters import Matter
from callcenter.errors import DomainError
from callcenter.node.ids import uuid7


async def calls_from_building_6(desk: Desk, node: Linked, speech: FakeSpeech, count: int) -> None:
    await calls_from(desk, node, speech, ["6"] * count)


async def calls_from(desk: Desk, node: Linked, speech: FakeSpeech, buildings: list[str]) -> None:
    for n, building in enumerate(buildings):
        understood = labels("power", "important", building=building, unit="1", room=f"{n + 1}01")
        speech.answers[f"停电了{n}"] = understood
        call = node.line.ring(number=f"1391111{n:04}")
        node.line.answer(call)
        node.line.hear(call, f"停电了{n}")
        node.line.open(call, 100200 + n, understood)
        node.line.end(call)
    completed = "select count(*) = $1 from call where completed_at is not null"
    await until(lambda: desk.pool.fetchval(completed, len(buildings)))
    await until(lambda: desk.pool.fetchval("select count(*) = 0 from job"))


async def test_a_power_cut_becomes_one_incident_and_later_callers_hear_of_it(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    await calls_from_building_6(desk, node, speech, 12)
    (incident,) = await incidents.every(desk, SITE)
    assert (incident.category, incident.buildings, incident.matters) == ("power", ("6",), 12)
    calls = await incidents.calls_of(desk, incident.id)
    assert {c.last_text for c in calls} == {f"停电了{n}" for n in range(12)}, "its page shows what each caller said"
    assert incident.major_at is not None, "more households than the set number (R15)"
    reports = [t for t in await todo.tasks(desk, SITE) if t.kind == "report"]
    assert [(t.ticket, t.rule, t.due_at is not None) for t in reports] == [(incident.numbers[0], "R15", True)]
    manager = desk.site(SITE).organisation.general_manager
    assert [(t.ticket, t.rule) for t in (await todo.day(desk, SITE, manager)).told] == [(incident.numbers[0], "R15")]
    told = [t for t in await todo.tasks(desk, SITE) if t.kind == "incident"]
    assert len(told) == 2
    assert all("6号楼" in t.body["zh"] for t in told)
    sent = await desk.pool.fetch("select key from outward_message where key like 'incident/%'")
    assert len(sent) == len({r["key"] for r in sent}) == 4

    async def known() -> Any:
        snapshot = node.link.snapshot
        found = snapshot.site(SITE).incidents if snapshot else ()
        return found if found and found[0].calls == 12 else None

    (heard,) = await until(known)
    assert heard.buildings == ("6",)
    assert heard.zh


async def ends(desk: Desk) -> list[tuple[str, str, list[int]]]:
    """Events that an incident is over: who ended it, with what, and its matters."""
    rows = await desk.pool.fetch("select actor, body from event where kind = 'incident.closed' order by id")
    return [(r["actor"], r["body"]["result"], r["body"]["tickets"]) for r in rows]


async def test_closing_it_finishes_all_and_each_is_followed_up(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    await calls_from_building_6(desk, node, speech, 5)
    (incident,) = await incidents.every(desk, SITE)
    manager = desk.site(SITE).organisation.department("engineering").manager
    numbers = incident.numbers
    closing = await incidents.close(desk, incident.id, manager, "变压器已修复", "key-0001")
    assert closing == incidents.Closing(numbers, ())
    again = await incidents.close(desk, incident.id, manager, "变压器已修复", "key-0001")
    assert again == incidents.Closing((), ())
    assert await incidents.every(desk, SITE) == []
    assert await ends(desk) == [(manager, "变压器已修复", list(numbers))]
    assert {(await tickets.one(desk, n)).ticket.state for n in numbers} == {"follow_up_due"}
    assert len([t for t in await todo.tasks(desk, SITE) if t.kind == "follow_up"]) == 5


async def test_nobody_closes_it_over_what_is_not_theirs_to_finish(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R14, R32: what others have stays with them, and the incident lasts until they have done it."""
    await calls_from_building_6(desk, node, speech, 5)
    (incident,) = await incidents.every(desk, SITE)
    organisation = desk.site(SITE).organisation
    engineering, security = (organisation.department(name).manager for name in ("engineering", "security"))
    with pytest.raises(DomainError) as error:
        await incidents.close(desk, incident.id, "shen_jie", "修好了", "key-0001")
    assert error.value.code == "r14.none_of_them"
    theirs, *others = incident.numbers
    await acts.hand_over(desk, theirs, engineering, security, "车库的电", "key-0002", department="security")
    await acts.accept(desk, theirs, security, "key-0003")
    deputy = organisation.department("engineering").deputies[0]
    closing = await incidents.close(desk, incident.id, deputy, "变压器已修复", "key-0004")
    assert closing == incidents.Closing(tuple(others), (theirs,))
    assert await incidents.close(desk, incident.id, deputy, "变压器已修复", "key-0004") == replace(closing, finished=())
    (lasting,) = await incidents.every(desk, SITE)
    assert (lasting.closed_at, (await tickets.one(desk, theirs)).ticket.state) == (None, "accepted")
    await acts.change_state(desk, theirs, security, "done", "key-0005", result="车库的也好了")
    assert await incidents.every(desk, SITE) == [], "over with its last matter, though each is still followed up"
    assert await ends(desk) == [(security, "车库的也好了", list(incident.numbers))]


async def test_what_is_to_be_confirmed_is_left_open(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    await calls_from_building_6(desk, node, speech, 5)
    (incident,) = await incidents.every(desk, SITE)
    unsure = incident.numbers[2]
    sql = "update ticket set status = 'to_confirm', life = life || '{\"status\": \"to_confirm\"}' where number = $1"
    await desk.pool.execute(sql, unsure)
    manager = desk.site(SITE).organisation.department("engineering").manager
    closing = await incidents.close(desk, incident.id, manager, "变压器已修复", "key-0001")
    assert closing.left == (unsure,)
    assert len(await incidents.every(desk, SITE)) == 1


async def test_it_is_over_when_its_last_matter_is(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    await calls_from_building_6(desk, node, speech, 5)
    (incident,) = await incidents.every(desk, SITE)
    manager = desk.site(SITE).organisation.department("engineering").manager
    for number in incident.numbers:
        assert await incidents.every(desk, SITE)
        await acts.change_state(desk, number, manager, "done", str(uuid7()), result="修好了")
        await acts.change_state(desk, number, manager, "archived", str(uuid7()))
    assert await incidents.every(desk, SITE) == []
    assert await ends(desk) == [(manager, "修好了", list(incident.numbers))], "told once, by an event of its own"


async def test_a_power_cut_in_every_building_is_one_incident_of_the_whole_site(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R32: two calls from each building, and nowhere enough for an incident of its own."""
    await calls_from(desk, node, speech, ["1", "2", "3", "5", "6"] * 2)
    (incident,) = await incidents.every(desk, SITE)
    assert (incident.category, incident.buildings, incident.matters) == ("power", (), 10)
    told = [t for t in await todo.tasks(desk, SITE) if t.kind == "incident"]
    assert all("小区短时间内有10起停电跳闸来电" in t.body["zh"] for t in told)
    assert "小区" in incident.phrase


async def test_an_incident_lasts_as_long_as_what_its_last_matter_joined(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R17, R32"""
    await calls_from_building_6(desk, node, speech, 5)
    (incident,) = await incidents.every(desk, SITE)
    *others, last = incident.numbers
    manager = desk.site(SITE).organisation.department("engineering").manager
    outside = 100299
    understood = labels("water_leak", "important", building="6", unit="1", room="901")
    speech.answers["水泵停了"] = understood
    node.line.whole_call("水泵停了", outside, understood)
    await until(lambda: desk.pool.fetchval("select true from ticket where number = $1", outside))
    for number in others:
        await acts.change_state(desk, number, manager, "done", str(uuid7()), result="修好了")
    await acts.join(desk, last, manager, outside, str(uuid7()))
    (lasting,) = await incidents.every(desk, SITE)
    assert (lasting.id, outside in lasting.numbers) == (incident.id, True)
    await acts.change_state(desk, outside, manager, "done", str(uuid7()), result="都修好了")
    assert await incidents.every(desk, SITE) == []
    assert [(by, result) for by, result, _ in await ends(desk)] == [(manager, "都修好了")]


async def test_what_turns_out_to_be_something_else_is_no_part_of_it_and_of_another_perhaps(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R32: who closes the power cut has not mended the leak."""
    await calls_from_building_6(desk, node, speech, 6)
    (incident,) = await incidents.every(desk, SITE)
    leak, elsewhere, *others = incident.numbers
    manager = desk.site(SITE).organisation.department("engineering").manager
    await acts.correct(desk, leak, manager, {"category": "water_leak"}, str(uuid7()))
    await acts.correct(desk, elsewhere, manager, {"building": "5", "unit": "", "room": ""}, str(uuid7()))
    (left,) = await incidents.every(desk, SITE)
    assert left.numbers == tuple(others)
    await incidents.close(desk, incident.id, manager, "来电了", str(uuid7()))
    for number in (leak, elsewhere):
        assert (await tickets.one(desk, number)).ticket.state == "handed_over"


async def test_it_is_over_when_its_last_matter_turns_out_to_be_something_else(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R32: else later callers would hear for ever that it is known."""
    await calls_from_building_6(desk, node, speech, 5)
    (incident,) = await incidents.every(desk, SITE)
    mended, *others = incident.numbers
    manager = desk.site(SITE).organisation.department("engineering").manager
    await acts.change_state(desk, mended, manager, "done", str(uuid7()), result="合上了闸")
    for number in others:
        assert len(await incidents.every(desk, SITE)) == 1
        await acts.correct(desk, number, manager, {"category": "water_leak"}, str(uuid7()))
    assert await incidents.every(desk, SITE) == []
    assert await ends(desk) == [(manager, None, [mended])]

    async def forgotten() -> bool:
        snapshot = node.link.snapshot
        return snapshot is not None and not any(i.id == str(incident.id) for i in snapshot.site(SITE).incidents)

    await until(forgotten)


async def test_what_turns_out_to_be_the_same_belongs_to_it(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    """R32"""
    await calls_from_building_6(desk, node, speech, 5)
    understood = labels("facility", "important", building="6", unit="1", room="901")
    speech.answers["电梯间黑的"] = understood
    node.line.whole_call("电梯间黑的", 100298, understood)
    await until(lambda: desk.pool.fetchval("select complete from ticket where number = 100298"))
    manager = desk.site(SITE).organisation.department("engineering").manager
    await acts.correct(desk, 100298, manager, {"category": "power"}, str(uuid7()))
    await until(lambda: desk.pool.fetchval("select incident is not null from ticket where number = 100298"))


async def test_a_matter_is_saved_while_it_is_looked_at(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    """Who has the matter does not wait for the job that waits for the matter."""
    job = "insert into job (key, kind, body, run_at) values ('incident:100200:power', 'incident', '{}', 'infinity')"
    await desk.pool.execute(job)
    async with desk.pool.acquire() as worker, worker.transaction(), desk.pool.acquire() as ours, ours.transaction():
        await worker.execute("select from job where key = 'incident:100200:power' for update")
        await ours.execute("set local lock_timeout = '1s'")
        await alike.consider(ours, 100200, Matter.understood(labels("power")))
    await desk.pool.execute("delete from job")


async def test_while_the_supervisor_is_away_the_next_above_is_told(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R32, R24: nobody reads it otherwise until they are back."""
    supervisor, above = desk.site(SITE).organisation.ladder[1:3]
    await desk.pool.execute(
        "insert into absence (site, staff, starts_at, ends_at, reason)"
        " values ($1, $2, now() - interval '1 hour', now() + interval '1 day', '')",
        SITE, supervisor,
    )  # fmt: skip
    await calls_from_building_6(desk, node, speech, 5)
    told = {t.staff for t in await todo.tasks(desk, SITE) if t.kind == "incident"}
    assert above in told
    assert supervisor not in told
