"""What callers and trunks do to a line's signalling, and that only the call in question feels it."""

from __future__ import annotations

import signal
import socket

from line_node import rtp_packet, sdp, their_rtp_port

from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, Turn, When


async def still_answers(node):
    report = await place_call(CallPlan(node.uri, hangup_after_s=0.3))
    assert report.answered, "the line does not answer any more"


async def test_rings_at_once_and_answers_on_the_first_ring(start_line):
    node = await start_line()
    report = await place_call(CallPlan(node.uri, from_number="13800000000", hangup_after_s=0.5))
    assert report.answered
    assert report.rings == 1
    ringing = await node.wait_record("call.ringing")
    assert ringing["body"]["from_number"] == "+8613800000000"
    assert ringing["body"]["to_number"] == "4001"
    answered = await node.wait_record("call.answered")
    assert answered["body"]["rings"] == 1
    assert answered["body"]["by"] == "script"
    assert answered["body"]["answer_ms"] >= 1000
    ended = await node.wait_record("call.ended")
    assert ended["body"] | {"duration_ms": 0} == {"reason": "caller", "duration_ms": 0, "answered": True}


async def test_answers_on_the_ring_that_is_set(start_line):
    node = await start_line(answer_after_rings=2)
    report = await place_call(CallPlan(node.uri, hangup_after_s=0.3))
    assert report.rings == 2
    assert (await node.wait_record("call.answered"))["body"]["rings"] == 2


async def test_caller_hangs_up_while_it_rings(start_line):
    node = await start_line()
    report = await place_call(CallPlan(node.uri, cancel_after_s=0.4))
    assert not report.answered
    assert report.status == 487
    ended = await node.wait_record("call.ended")
    assert ended["body"] == {"reason": "cancelled", "duration_ms": 0, "answered": False}
    await still_answers(node)


async def test_answer_that_is_never_acknowledged_is_given_up(start_line, raw_caller):
    node = await start_line(ack_timeout_s=1.0, callers_per_line=1)
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(180)
    await caller.response(200)
    ended = await node.wait_record("call.ended")
    assert ended["body"]["reason"] == "no_ack"
    await still_answers(node)


async def test_one_caller_too_many_is_told_busy(start_line, raw_caller):
    node = await start_line(callers_per_line=1, answer_after_rings=3)
    first, second = raw_caller(node), raw_caller(node)
    first.request("INVITE", sdp(first.rtp_port))
    await first.response(180)
    second.request("INVITE", sdp(second.rtp_port))
    await second.response(486)
    first.request("CANCEL")
    await first.response(487)


async def test_offer_in_the_answer_only(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE")
    answer = await caller.response(200)
    assert "m=audio" in answer
    caller.ack(sdp(caller.rtp_port))
    said = await node.wait_record("call.said")
    assert said["body"]["prompt"] == "recording_notice"
    caller.bye()
    await node.wait_record("call.ended")


async def test_unknown_codec_is_refused(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port, "97", "a=rtpmap:97 AMR/8000\r\n"))
    await caller.response(488)
    await still_answers(node)


async def test_ipv6_only_media_is_refused(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    offer = sdp(caller.rtp_port).replace("IN IP4 127.0.0.1", "IN IP6 ::1")
    caller.request("INVITE", offer)
    await caller.response(488)
    await still_answers(node)


async def test_transfer_from_outside_is_declined(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(200)
    caller.ack()
    caller.cseq += 1
    caller.request("REFER", extra="Refer-To: <sip:1@127.0.0.1>", branch="z9hG4bKrefer1")
    await caller.response(603)
    caller.bye()
    ended = await node.wait_record("call.ended")
    assert ended["body"]["reason"] == "caller"


async def test_keys_by_rfc4733_and_by_info(start_line):
    node = await start_line()
    turns = (Turn(Action.KEYS, "7", When.TALKING), Turn(Action.INFO_KEYS, "8", When.NOW, 0.3))
    await place_call(CallPlan(node.uri, turns=turns, hangup_after_s=3))
    pressed = [(r["body"]["key"], r["body"]["by"]) for r in node.records("call.dtmf")]
    assert pressed == [("7", "rfc4733"), ("8", "info")]


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


async def test_rtp_from_elsewhere_is_not_the_caller(start_line, raw_caller):
    """Packets from an address that was never negotiated neither end the call nor take our audio away from it."""
    node = await start_line()
    caller = raw_caller(node)
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
    assert (await node.wait_record("call.ended"))["body"]["reason"] == "caller"


async def test_malformed_sip_is_survived(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    for rubbish in (
        b"",
        b"\r\n\r\n",
        b"INVITE",
        b"INVITE sip:x SIP/2.0\r\n\r\n",
        bytes(range(256)),
        b"SIP/2.0 999\r\n\r\n",
    ):
        caller._socket.sendto(rubbish, ("127.0.0.1", node.port))
    await still_answers(node)
    assert node.process is not None
    assert node.process.returncode is None


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
    assert [r["body"]["prompt"] for r in node.records("call.said")][-1] == "goodbye"
    ended, recording = node.records("call.ended")[0], node.records("call.recording")[0]
    assert ended["body"]["reason"] == "drain"
    assert node.flac(ended["call"]).stat().st_size == recording["body"]["bytes"]
