"""What callers and trunks do to one line, call after call; it answers the next one all the same."""

from __future__ import annotations

import socket

import pytest
from line_node import rtp_packet, sdp, their_rtp_port

from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, Turn, When

pytestmark = pytest.mark.asyncio(loop_scope="module")


async def still_answers(node):
    """The next caller is served."""
    before = len(node.records("call.ended"))
    report = await place_call(CallPlan(node.uri, hangup_after_s=0.3))
    assert report.answered, "the line does not answer any more"
    await node.wait_record("call.ended", before + 1)


async def test_rings_at_once_and_answers_on_the_first_ring(line):
    report = await place_call(CallPlan(line.uri, from_number="13800000000", hangup_after_s=0.5))
    assert report.answered
    assert report.rings == 1
    ringing = await line.wait_record("call.ringing")
    assert ringing["body"]["from_number"] == "+8613800000000"
    assert ringing["body"]["to_number"] == "4001"
    answered = await line.wait_record("call.answered")
    assert answered["body"]["rings"] == 1
    assert answered["body"]["by"] == "script"
    assert answered["body"]["answer_ms"] >= 1000
    ended = await line.wait_record("call.ended")
    assert ended["body"] | {"duration_ms": 0} == {"reason": "caller", "duration_ms": 0, "answered": True}


async def test_rings_heard_before_this_line_had_the_call_count(line, raw_caller):
    """The edge let it ring while no line was up: the second ring has begun, so it is answered at once (R1)."""
    caller = raw_caller(line)
    caller.request("INVITE", sdp(caller.rtp_port), extra="X-Callcenter-Ringing: 7000")
    await caller.response(200)
    caller.ack()
    answered = (await line.wait_record("call.answered"))["body"]
    assert (answered["rings"], answered["by"]) == (2, "script")
    assert answered["answer_ms"] >= 7000
    caller.bye()
    await line.wait_record("call.ended")


async def test_caller_hangs_up_while_it_rings(line):
    report = await place_call(CallPlan(line.uri, cancel_after_s=0.4))
    assert not report.answered
    assert report.status == 487
    ended = await line.wait_record("call.ended")
    assert ended["body"] == {"reason": "cancelled", "duration_ms": 0, "answered": False}
    await still_answers(line)


async def test_offer_in_the_answer_only(line, raw_caller):
    caller = raw_caller(line)
    caller.request("INVITE")
    answer = await caller.response(200)
    assert "m=audio" in answer
    caller.ack(sdp(caller.rtp_port))
    said = await line.wait_record("call.said")
    assert said["body"]["prompt"] == "recording_notice"
    caller.bye()
    await line.wait_record("call.ended")


async def test_unknown_codec_is_refused(line, raw_caller):
    caller = raw_caller(line)
    caller.request("INVITE", sdp(caller.rtp_port, "97", "a=rtpmap:97 AMR/8000\r\n"))
    await caller.response(488)
    await still_answers(line)


async def test_ipv6_only_media_is_refused(line, raw_caller):
    caller = raw_caller(line)
    offer = sdp(caller.rtp_port).replace("IN IP4 127.0.0.1", "IN IP6 ::1")
    caller.request("INVITE", offer)
    await caller.response(488)
    await still_answers(line)


async def test_transfer_from_outside_is_declined(line, raw_caller):
    caller = raw_caller(line)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(200)
    caller.ack()
    caller.cseq += 1
    caller.request("REFER", extra="Refer-To: <sip:1@127.0.0.1>", branch="z9hG4bKrefer1")
    await caller.response(603)
    caller.bye()
    ended = await line.wait_record("call.ended")
    assert ended["body"]["reason"] == "caller"


async def test_keys_by_rfc4733_and_by_info(line):
    turns = (Turn(Action.KEYS, "7", When.TALKING), Turn(Action.INFO_KEYS, "8", When.NOW, 0.3))
    await place_call(CallPlan(line.uri, turns=turns, hangup_after_s=3))
    await line.wait_record("call.ended")
    pressed = [(r["body"]["key"], r["body"]["by"]) for r in line.records("call.dtmf")]
    assert pressed == [("7", "rfc4733"), ("8", "info")]


async def test_rtp_from_elsewhere_is_not_the_caller(line, raw_caller):
    """Packets from an address that was never negotiated neither end the call nor take our audio away from it."""
    caller = raw_caller(line)
    caller.request("INVITE", sdp(caller.rtp_port))
    answer = await caller.response(200)
    caller.ack()
    target = ("127.0.0.1", their_rtp_port(answer))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        for n in range(100):
            await caller.hear_frame()
            caller.rtp.sendto(rtp_packet(n, 0x77), target)
            if n == 50:
                for m in range(5):
                    stranger.sendto(rtp_packet(m, 0x1234), target)
                stranger.sendto(b"\x80" + bytes(3), target)
                stranger.sendto(b"not rtp at all", target)
    caller.bye()
    assert (await line.wait_record("call.ended"))["body"]["reason"] == "caller"


async def test_malformed_sip_is_survived(line, raw_caller):
    caller = raw_caller(line)
    for rubbish in (
        b"",
        b"\r\n\r\n",
        b"INVITE",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        bytes(range(256)),
        b"SIP/2.0 999\r\n\r\n",
    ):
        caller._socket.sendto(rubbish, ("127.0.0.1", line.port))
    await still_answers(line)
    assert line.process is not None
    assert line.process.returncode is None
