"""A part of the hotline breaks while somebody is on the telephone: nothing that was said is lost."""

from __future__ import annotations

import os
import signal

import pytest

from callcenter.telephony.plan import Action, Turn
from tests.calls.hotline import PATIENCE_S, Hotline, listens_then_hangs_up, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

LEAK = "我要报修，我家水管漏水了，请派人来修一下"
ON_AND_ON = ("是的", "请快一点", "没有了，谢谢")


async def test_the_line_is_killed(hotline: Hotline) -> None:
    resident = await hotline.dial(says(LEAK), says("是的"), Turn(Action.WAIT), number="14000001101", max_s=200)
    await resident.was_heard(words="漏水")
    line = f"line-{resident.records('call.ringing')[0]['body']['line']}"
    mark = hotline.house.kill(line)
    assert (await resident.report())["ended_by"] == "them", "a caller is not kept in silence"
    await hotline.house.wait(line, "ready", after=mark, timeout_s=PATIENCE_S)
    kept = await hotline.kept(resident.number)
    assert kept.call["end_reason"] == "line_died"
    assert "漏水" in kept.heard
    assert kept.call["recording"]["duration_ms"] > 0
    kept.expect(category="water_leak")
    await hotline.answers()


async def test_every_line_is_killed_and_the_next_caller_rings_until_one_is_back(hotline: Hotline) -> None:
    for line in range(1, hotline.house.lines + 1):
        hotline.house.kill(f"line-{line}")
    resident = await hotline.dial(listens_then_hangs_up())
    assert (await resident.report())["answered"]
    assert (await resident.was_written("call.answered"))["body"]["rings"] <= 3
    assert not (await hotline.kept(resident.number)).call["unserved"]
    await hotline.answers()


async def test_the_transcription_is_killed(hotline: Hotline) -> None:
    resident = await hotline.dial(
        says(LEAK), says("还有，门禁坏了，打不开，请派人来修"), says("没有了，谢谢"), listens_then_hangs_up(),
        number="14000001002",
    )  # fmt: skip
    await resident.was_heard()
    mark = hotline.house.kill("speech")
    await resident.was_written("call.gap")
    assert (await resident.report())["answered"]
    await hotline.house.wait("speech", "ready", after=mark, timeout_s=PATIENCE_S)
    kept = await hotline.kept(resident.number)
    assert "漏水" in kept.heard
    assert "门禁" in kept.heard, "what was said meanwhile is decoded afterwards"
    kept.expect(building="3", unit="2", room="1002")
    await hotline.answers()


async def test_the_database_stands_still_for_the_whole_call(hotline: Hotline) -> None:
    number = "14000000602"
    with hotline.frozen_database():
        resident = await hotline.dial(says(LEAK), *(says(words) for words in ON_AND_ON), number=number, max_s=200)
        report = await resident.report()
    assert report["answered"]
    assert report["talk_s"] > 20, "a call of that length was meant"
    kept = await hotline.kept(number)
    assert "漏水" in kept.heard
    kept.expect(category="water_leak", building="6", unit="1", room="602")
    await hotline.answers()


async def test_the_database_ends_during_the_call(hotline: Hotline) -> None:
    resident = await hotline.dial(says(LEAK), says("是的"), listens_then_hangs_up(), number="14000002708")
    await resident.was_heard()
    mark = hotline.house.mark
    os.kill(hotline.database_pid, signal.SIGINT)
    assert (await resident.report())["answered"]
    await hotline.answers()
    await hotline.house.wait("desk", "ready", after=mark, timeout_s=PATIENCE_S)
    kept = await hotline.kept(resident.number)
    assert "漏水" in kept.heard
    kept.expect(category="water_leak", building="12", room="2708")
    await hotline.answers()


async def test_the_desk_is_killed_and_the_caller_hears_a_number_all_the_same(hotline: Hotline) -> None:
    resident = await hotline.dial(
        says(LEAK), says("是的"), says("没有了，谢谢"), number="14000000501", max_s=200
    )  # fmt: skip
    await resident.was_heard()
    mark = hotline.house.kill("desk")
    opened = await resident.was_written("ticket.opened")
    assert (await resident.report())["ended_by"] == "them"
    await hotline.house.wait("desk", "ready", after=mark, timeout_s=PATIENCE_S)
    kept = await hotline.kept(resident.number)
    assert str(kept.ticket["number"]) == str(opened["body"]["ticket"]), "the number that the caller heard"
    kept.expect(category="water_leak")
    await hotline.answers()
