"""A caller asks for a person: the operator's phone rings through a real edge, the two talk, and the call comes back."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import pytest
import pytest_asyncio
import soundfile
from line_node import LineNode

from callcenter.config import load_settings
from callcenter.edge.phones import keep_phones
from callcenter.line.surroundings import operator_extension
from callcenter.node.link import Phone
from callcenter.site.load import load_sites
from callcenter.telephony.caller import place_call, running_phone
from callcenter.telephony.plan import Action, CallPlan, PhonePlan, Turn, When
from callcenter.telephony.wav import write_wav
from tests.harness.edge import Edge

PASSWORD = "an example, of no phone"


@pytest.fixture
def extension() -> str:
    """The phone of whoever is operator now by the example site's roster."""
    settings = load_settings()
    at = datetime.now(UTC)
    site = load_sites(settings.sites_dir, settings.rules, at)["xingfu"].snapshot(at)
    found = operator_extension(site, at)
    assert found is not None, "the example roster has a gap now, or an operator without a phone"
    return found


@pytest_asyncio.fixture
async def house(start_line: Any, extension: str) -> AsyncIterator[tuple[LineNode, Edge]]:
    """A line and an edge that knows the operator's phone."""
    node = await start_line(mode="kamailio")
    settings = load_settings(node.config)
    ha1 = hashlib.md5(f"{extension}:{settings.edge.realm}:{PASSWORD}".encode()).hexdigest()
    keep_phones(settings, 1, [Phone(extension, ha1)])
    edge = Edge(node.var, {"edge": {"mode": "kamailio", "sip_port": 0, "loopback_trunk": True}})
    try:
        await edge.start()
        await edge.wait_lines([node.port])
        yield node, edge
    finally:
        await edge.stop()


def tone(path: Any) -> str:
    """Three seconds of 700 Hz."""
    samples = np.sin(2 * np.pi * 700 * np.arange(24000) / 8000) * 9000
    write_wav(path, samples.astype(np.int16).tobytes())
    return str(path)


async def test_the_operator_answers_and_both_are_recorded(house, extension, tmp_path):
    node, edge = house
    plan = PhonePlan(
        f"127.0.0.1:{edge.sip[1]}", extension, PASSWORD, play=tone(tmp_path / "tone.wav"), hangup_after_s=4.0
    )
    async with running_phone(plan) as phone:
        turns = (Turn(Action.KEYS, "0", When.TALKING, 4.0),)
        report = await place_call(CallPlan(f"sip:4001@127.0.0.1:{edge.sip[1]}", turns=turns, max_s=60))
        assert report.ended_by == "them"
        await phone.wait_for("gone")
    states = [r["body"]["state"] for r in node.records("call.transfer")]
    assert states == ["ringing", "answered", "ended"]
    assert node.records("call.transfer")[0]["body"]["to"]
    assert node.records("call.said")[-1]["body"]["prompt"] == "goodbye"
    recording = await node.wait_record("call.recording")
    audio, _ = soundfile.read(str(node.flac(recording["call"])), dtype="int16")
    answered = node.records("call.transfer")[1]["body"]["at_ms"]
    talk = audio[answered * 8 : answered * 8 + 24000, 1].astype(float)
    spectrum = np.abs(np.fft.rfft(talk))
    peak_hz = np.fft.rfftfreq(len(talk), 1 / 8000)[spectrum.argmax()]
    assert abs(peak_hz - 700) < 10, "the operator is not on our track"


async def test_an_engaged_operator_gives_the_call_back(house, extension):
    node, edge = house
    plan = PhonePlan(f"127.0.0.1:{edge.sip[1]}", extension, PASSWORD, refuse_status=486)
    async with running_phone(plan):
        turns = (Turn(Action.KEYS, "0", When.TALKING, 4.0), Turn(Action.HANGUP, when=When.QUIET))
        await place_call(CallPlan(f"sip:4001@127.0.0.1:{edge.sip[1]}", turns=turns, max_s=60))
    await node.wait_record("call.ended")
    assert [r["body"]["state"] for r in node.records("call.transfer")] == ["ringing", "busy"]
    after = [r for r in node.records("call.said") if r["at"] > node.records("call.transfer")[-1]["at"]]
    assert after, "nobody spoke to the caller any more"


async def test_without_a_registered_phone_the_call_comes_back(house):
    node, edge = house
    turns = (Turn(Action.KEYS, "0", When.TALKING, 4.0),)
    call = asyncio.create_task(place_call(CallPlan(f"sip:4001@127.0.0.1:{edge.sip[1]}", turns=turns, max_s=60)))
    transfers = [await node.wait_record("call.transfer", n) for n in (1, 2)]
    assert [r["body"]["state"] for r in transfers] == ["ringing", "unreachable"]
    spoken = await node.wait_record("call.said", len(node.records("call.said")) + 1)
    assert spoken["body"]["start_ms"] >= transfers[-1]["body"]["at_ms"], "the caller is spoken to again"
    call.cancel()


async def test_a_caller_who_hangs_up_while_the_operator_is_rung_is_told_apart(house, extension):
    node, edge = house
    plan = PhonePlan(f"127.0.0.1:{edge.sip[1]}", extension, PASSWORD, answer_after_s=None)
    turns = (Turn(Action.KEYS, "0", When.TALKING, 4.0),)
    async with running_phone(plan) as phone:
        call = asyncio.create_task(place_call(CallPlan(f"sip:4001@127.0.0.1:{edge.sip[1]}", turns=turns)))
        await phone.wait_for("ringing")
        call.cancel()
        await phone.wait_for("gone")
    ended = await node.wait_record("call.ended")
    assert ended["body"]["reason"] == "caller"
    assert [r["body"]["state"] for r in node.records("call.transfer")] == ["ringing", "abandoned"]
