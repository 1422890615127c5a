"""Nobody hears a fourth ring, even when everything inside stands still (R1)."""

from __future__ import annotations

from pathlib import Path

from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, Turn, When

PROGRAM = (str(Path(__file__).with_name("standing_line.py")),)
THIRD_RING_BEGINS_MS, THIRD_RING_ENDS_MS = 10_000, 11_000
"""After 180; China's ringback is 1 s on, 4 s off."""


async def test_a_standing_line_answers_in_the_third_ring_and_apologises(start_line):
    node = await start_line(program=PROGRAM)
    report = await place_call(CallPlan(node.uri, turns=(Turn(Action.HANGUP, when=When.TALKING),), max_s=30))
    assert report.answered
    assert report.turns_done == 1, "nothing was heard from the watchdog"
    assert not node.records("call.answered"), "the loop was meant to stand still until the caller was gone"
    body = (await node.wait_record("call.answered"))["body"]
    assert (body["by"], body["rings"]) == ("watchdog", 3)
    assert THIRD_RING_BEGINS_MS <= body["answer_ms"] < THIRD_RING_ENDS_MS, "R1"
    assert (await node.wait_record("call.ended"))["body"]["answered"]
