"""Nobody hears a fourth ring, even when everything inside stands still (R1)."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, Turn, When

CHILD = Path(__file__).parent / "answering_child.py"


async def test_a_standing_loop_is_answered_for_and_apologised_for():
    child = await asyncio.create_subprocess_exec(sys.executable, str(CHILD), stdout=asyncio.subprocess.PIPE)
    assert child.stdout is not None
    try:
        port = int(await child.stdout.readline())
        turns = (Turn(Action.HANGUP, when=When.TALKING),)
        report = await place_call(CallPlan(f"sip:4001@127.0.0.1:{port}", turns=turns, max_s=20))
        assert report.answered
        assert report.turns_done == 1, "nothing was heard from the watchdog"
        said = (await child.stdout.read()).decode().split("\n")
        assert "Answered watchdog" in said
    finally:
        if child.returncode is None:
            child.kill()
        await child.wait()
