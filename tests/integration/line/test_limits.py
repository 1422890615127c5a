"""Ring policy, limits, deaths and endings of a line."""

from __future__ import annotations

import signal
import socket
from pathlib import Path

import pytest
from line_node import sdp

from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import CallPlan


async def still_answers(node):
    """The next caller is served."""
    before = len(node.records("call.ended"))
    report = await place_call(CallPlan(node.uri, hangup_after_s=0.3))
    assert report.answered, "the line does not answer any more"
    await node.wait_record("call.ended", before + 1)


async def test_answers_on_the_ring_that_is_set(start_line):
    node = await start_line(answer_after_rings=2)
    report = await place_call(CallPlan(node.uri, hangup_after_s=0.3))
    assert report.rings == 2
    assert (await node.wait_record("call.answered"))["body"]["rings"] == 2


async def test_answer_that_is_never_acknowledged_is_given_up(start_line, raw_caller):
    node = await start_line(ack_timeout_s=1.0, callers_per_line=1)
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(180)
    await caller.response(200)
    ended = await node.wait_record("call.ended")
    assert ended["body"]["reason"] == "no_ack"
    await still_answers(node)


async def test_behind_nat_the_public_address_is_told(start_line, raw_caller):
    node = await start_line(environment={"CALLCENTER_EDGE__PUBLIC_ADDRESS": "203.0.113.7"})
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    answer = await caller.response(200)
    caller.ack()
    assert "c=IN IP4 203.0.113.7" in answer
    assert "@203.0.113.7:" in answer.split("Contact:")[1].split("\r\n")[0]
    caller.bye()
    await node.wait_record("call.ended")


async def test_a_sip_port_in_use_is_said_with_its_mend(start_line):
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
        with pytest.raises(AssertionError, match=rf"line\.sip_port_first: cannot listen .*:{port}.* free that port"):
            await start_line(sip_port_first=port)


async def test_one_caller_too_many_is_told_busy(start_line, raw_caller):
    node = await start_line(callers_per_line=1, answer_after_rings=3)
    first, second = raw_caller(node), raw_caller(node)
    first.request("INVITE", sdp(first.rtp_port))
    await first.response(180)
    second.request("INVITE", sdp(second.rtp_port))
    await second.response(486)
    first.request("CANCEL")
    await first.response(487)


async def test_info_without_line_end_costs_only_this_process(start_line, raw_caller):
    """pjsip aborts on it; the edge filters it. The calls of this process are lost, and nothing else."""
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(200)
    caller.ack()
    await node.wait_record("call.step")
    caller.cseq += 1
    caller.request("INFO", "Signal=5", content_type="application/dtmf-relay", branch="z9hG4bKinfo1")
    assert await node.exit_code() != 0
    await node.start()
    ended = await node.wait_record("call.ended")
    assert ended["body"]["reason"] == "line_died"
    recording = await node.wait_record("call.recording")
    assert recording["call"] == ended["call"]
    await still_answers(node)


async def test_drain_lets_the_call_end_and_takes_no_other(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(200)
    caller.ack()
    await node.wait_record("call.step")
    node.signal(signal.SIGTERM)
    await node.wait_said("draining")
    late = raw_caller(node)
    late.request("INVITE", sdp(late.rtp_port))
    await late.response(503)
    caller.bye()
    assert await node.exit_code() == 0
    assert node.records("call.ended")[0]["body"]["reason"] == "caller"
    assert len(node.records("call.recording")) == 1


async def test_a_worn_out_line_retires_when_its_last_caller_is_gone(start_line, raw_caller):
    node = await start_line(program=(str(Path(__file__).with_name("worn_line.py")),))
    short, long = raw_caller(node), raw_caller(node)
    for caller in (short, long):
        caller.request("INVITE", sdp(caller.rtp_port))
        await caller.response(200)
        caller.ack()
    short.bye()
    await node.wait_record("call.ended")
    for _ in range(3):  # it looks at its ports more often than it says so
        node.said.clear()
        await node.wait_said("alive")
    assert not [said for said in node.said if said["event"] == "draining"], "somebody is still on the telephone"
    long.bye()
    assert await node.exit_code() == 0
    assert [said for said in node.said if said["event"] == "draining"]
    assert any("line_retires" in error for error in node.errors)
    assert [ended["body"]["reason"] for ended in node.records("call.ended")] == ["caller", "caller"]
    assert len(node.records("call.recording")) == 2
    await node.start()  # as the launcher does
    await still_answers(node)


async def test_second_signal_says_goodbye_and_keeps_the_recording(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(200)
    caller.ack()
    await node.wait_record("call.said")
    node.signal(signal.SIGTERM)
    await node.wait_said("draining")
    node.signal(signal.SIGTERM)
    await caller.their_request("BYE")
    assert await node.exit_code(8) == 0
    last = node.records("call.said")[-1]["body"]
    assert (last["prompt"], last["interrupted"]) == ("goodbye", False)
    ended, recording = node.records("call.ended")[0], node.records("call.recording")[0]
    assert ended["body"]["reason"] == "drain"
    assert node.flac(ended["call"]).stat().st_size == recording["body"]["bytes"]


async def test_an_idle_line_goes_on_beating_after_its_last_call(start_line):
    """pjsua closes an idle sound device after a second; a line that then fell silent would be killed as hung."""
    node = await start_line()
    await still_answers(node)
    for _ in range(3):
        node.said.clear()
        await node.wait_said("alive", 10)
    await still_answers(node)
