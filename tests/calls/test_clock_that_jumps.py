"""Somebody sets the clock while a resident is on the telephone: durations stay true, nothing is lost or done twice."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from tests.calls.hotline import running_hotline, says
from tests.calls.jumping_clock import JumpingClock

pytestmark = pytest.mark.asyncio(loop_scope="session")

HOUR_S = 3600


async def test_the_clock_is_set_back_and_then_ahead(tmp_path: Path) -> None:
    clock = JumpingClock(tmp_path)
    async with running_hotline(lines=1, environment=clock.environment) as hotline:
        resident = await hotline.dial(
            says("我要报修，我家水管漏水了，请派人来修一下"), says("对的"), says("没有了，谢谢"), number="14000001102",
            max_s=200,
        )  # fmt: skip
        await resident.was_heard()
        clock.jump(-HOUR_S)
        report = await resident.report()
        assert report["ended_by"] == "them"
        ringing, ended = await resident.was_written("call.ringing"), await resident.was_written("call.ended")
        assert datetime.fromisoformat(ended["at"]) < datetime.fromisoformat(ringing["at"]), "the jump was seen"
        kept = await hotline.kept(resident.number)
        talk_ms = report["talk_s"] * 1000
        for duration_ms in (kept.call["duration_ms"], kept.call["recording"]["duration_ms"]):
            assert abs(duration_ms - talk_ms) < HOUR_S * 1000 / 2, "no duration follows the wall clock"
        starts = [turn["start_ms"] for turn in kept.call["turns"]]
        assert starts == sorted(starts)
        kept.expect(category="water_leak", building="3", room="1102")
        clock.jump(HOUR_S)
        _, later = await hotline.call(says("我要报修，下水道堵了"), number="14000000301", hangup_after_s=30)
        assert later.ticket["number"] != kept.ticket["number"]
        await hotline.answers()
