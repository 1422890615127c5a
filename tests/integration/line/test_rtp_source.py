"""`line.rtp_source = "negotiated"`: RTP from elsewhere is not heard, and takes nothing from a silent caller."""

from __future__ import annotations

import socket

import numpy as np
import pytest_asyncio
import soundfile
from line_node import rtp_packet, sdp, their_rtp_port

LOUD = b"\x2a\xaa" * 80
"""One frame of the loudest A-law, up and down."""


@pytest_asyncio.fixture
async def strict_line(start_line):
    """A line that hears callers from where they said alone."""
    return await start_line(rtp_source="negotiated")


async def up(caller) -> tuple[str, int]:
    """Have the call answered; where the line wants its RTP."""
    caller.request("INVITE", sdp(caller.rtp_port))
    answer = await caller.response(200)
    caller.ack()
    return "127.0.0.1", their_rtp_port(answer)


async def test_a_stranger_who_sends_before_the_caller_is_neither_heard_nor_spoken_to(strict_line, raw_caller):
    caller = raw_caller(strict_line)
    target = await up(caller)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
        stranger.bind(("127.0.0.1", 0))
        stranger.setblocking(False)
        for n in range(100):
            await caller.hear_frame()
            stranger.sendto(rtp_packet(n, 0x1234)[:12] + LOUD, target)
        try:
            taken = stranger.recv(2048)
        except BlockingIOError:
            taken = b""
    assert taken == b"", "the line's audio went to a stranger"
    caller.bye()
    recording = await strict_line.wait_record("call.recording")
    audio, _ = soundfile.read(str(strict_line.flac(recording["call"])), dtype="int16")
    assert np.abs(audio[:, 0].astype(int)).max() < 1000, "a stranger is on the caller's track"


async def test_the_callers_own_voice_is_heard_and_survives_a_closed_port(strict_line, raw_caller):
    caller = raw_caller(strict_line)
    target = await up(caller)
    port = caller.rtp_port
    caller.rtp.close()  # the kernel refuses our packets meanwhile, which a connected socket is told
    await strict_line.wait_record("call.said")
    caller.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    caller.rtp.bind(("127.0.0.1", port))
    caller.rtp.setblocking(False)
    for n in range(60):
        await caller.hear_frame()
        caller.rtp.sendto(rtp_packet(n, 0x77)[:12] + LOUD, target)
    caller.bye()
    recording = await strict_line.wait_record("call.recording")
    audio, rate = soundfile.read(str(strict_line.flac(recording["call"])), dtype="int16")
    assert np.count_nonzero(np.abs(audio[:, 0].astype(int)) > 10000) > rate // 2


async def test_a_reinvite_may_move_the_callers_rtp(strict_line, raw_caller):
    caller = raw_caller(strict_line)
    await up(caller)
    await caller.hear_frame()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as moved:
        moved.bind(("127.0.0.1", 0))
        moved.setblocking(False)
        before, caller.rtp = caller.rtp, moved
        caller.cseq += 1
        caller.request("INVITE", sdp(caller.rtp_port), branch="z9hG4bKmoved1")
        answer = await caller.response(200)
        caller.ack()
        target = ("127.0.0.1", their_rtp_port(answer))
        for n in range(60):
            await caller.hear_frame()
            moved.sendto(rtp_packet(n, 0x77)[:12] + LOUD, target)
        caller.rtp = before
        caller.bye()
    recording = await strict_line.wait_record("call.recording")
    audio, rate = soundfile.read(str(strict_line.flac(recording["call"])), dtype="int16")
    assert np.count_nonzero(np.abs(audio[:, 0].astype(int)) > 10000) > rate // 2
