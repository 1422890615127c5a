"""A resident wants to speak to a person: the operator's phone rings, and whatever comes of that, the call goes on."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.speech.say import Synthesiser
from callcenter.telephony.caller import running_phone
from callcenter.telephony.plan import Action, PhonePlan, Turn, When
from callcenter.telephony.wav import write_wav
from tests.calls.hotline import PATIENCE_S, Hotline, Kept, Resident, listens_then_hangs_up, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "an example, of no phone"
RINGS_MS = 20_000
LOOKS_WITHIN_MS = 1000
"""The line counts the call's own time: how late it looks on a busy machine."""
MATTER = "我要报修，我家水管漏水了，请派人来修一下"


def transfers(resident: Resident) -> list[str]:
    """What became of the transfers of this call, in order."""
    return [record["body"]["state"] for record in resident.records("call.transfer")]


def said_after_transfer(kept: Kept, resident: Resident) -> list[str]:
    """Our sentences after the last transfer."""
    at_ms = resident.records("call.transfer")[-1]["body"]["at_ms"]
    return [t["text"] for t in kept.call["turns"] if t["leg"] == "ours" and t["start_ms"] >= at_ms]


async def test_without_a_registered_phone_the_call_comes_back(hotline: Hotline) -> None:
    resident = await hotline.dial(
        Turn(Action.INFO_KEYS, "0", When.TALKING, 1.0), says(MATTER), listens_then_hangs_up(), number="14000000402"
    )
    assert (await resident.report())["answered"]
    kept = await hotline.kept(resident.number)
    assert transfers(resident) == ["ringing", "unreachable"]
    assert said_after_transfer(kept, resident), "the caller is not left in silence"
    kept.expect(category="water_leak", building="10", room="402")
    await hotline.answers()


async def test_a_phone_that_nobody_takes_gives_the_call_back_after_20_s(hotline: Hotline) -> None:
    _, extension = await hotline.operator()
    await hotline.give_phone(extension, PASSWORD)
    host, port = hotline.house.sip
    async with running_phone(PhonePlan(f"{host}:{port}", extension, PASSWORD, answer_after_s=None)) as phone:
        resident = await hotline.dial(says("我要报修，我家门锁坏了，我要找人工"), number="14000002001", max_s=200)
        await phone.wait_for("ringing", PATIENCE_S)
        await phone.wait_for("gone", PATIENCE_S)
        await resident.was_written("call.said", prompt="sorry_waited")
        await resident.hang_up()
        assert (await resident.report())["ended_by"] == "us", "nobody hangs up on the caller"
    kept = await hotline.kept(resident.number)
    assert transfers(resident) == ["ringing", "no_answer"]
    ringing, no_answer = (record["body"]["at_ms"] for record in resident.records("call.transfer"))
    assert RINGS_MS <= no_answer - ringing <= RINGS_MS + LOOKS_WITHIN_MS
    assert "久等" in "".join(said_after_transfer(kept, resident)), "R3"
    kept.expect(building="8", room="2001")
    await hotline.answers()


async def test_the_operator_takes_the_call_and_is_the_first_responder(hotline: Hotline, tmp_path: Path) -> None:
    staff, extension = await hotline.operator()
    await hotline.give_phone(extension, PASSWORD)
    host, port = hotline.house.sip
    greeting = tmp_path / "operator.wav"
    with Synthesiser() as synthesiser:
        write_wav(greeting, synthesiser.say("您好，我马上派人来修"))
    plan = PhonePlan(f"{host}:{port}", extension, PASSWORD, play=str(greeting))
    async with running_phone(plan) as phone:
        resident = await hotline.dial(
            Turn(Action.KEYS, "0", When.TALKING, 1.0), says(MATTER), number="14000001502", max_s=200
        )
        await phone.wait_for("answered", PATIENCE_S)
        await phone.wait_for("heard", PATIENCE_S)
        await resident.was_heard("agent")
        await resident.was_heard("caller")
        await phone.hangup()
        assert (await resident.report())["ended_by"] == "them", "our side says goodbye"
    kept = await hotline.kept(resident.number)
    assert transfers(resident) == ["ringing", "answered", "ended"]
    assert any(turn["leg"] == "agent" and turn["text"] for turn in kept.call["turns"]), "the operator was heard"
    kept.expect(category="water_leak", first_responder=staff, building="9", room="1502")
    assert kept.call["receiver"] == staff, "R11"
    await hotline.answers()
