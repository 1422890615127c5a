"""Both sides on one time line from the first frame, whatever the caller does with the call."""

from __future__ import annotations

import hashlib
import signal
from pathlib import Path

import numpy as np
import soundfile
from line_node import sdp

from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, Turn, When
from callcenter.telephony.wav import write_wav

RATE = 8000


def burst(path: Path) -> str:
    """100 ms of 1 kHz."""
    tone = np.sin(2 * np.pi * 1000 * np.arange(RATE // 10) / RATE) * 12000
    write_wav(path, tone.astype(np.int16).tobytes())
    return str(path)


def onsets_s(track: np.ndarray) -> list[float]:
    """When each stretch of sound begins, seconds."""
    loud = np.flatnonzero(np.abs(track.astype(int)) > 3000)
    starts = loud[np.insert(np.diff(loud) > RATE // 4, 0, True)]
    return [float(s) / RATE for s in starts]


async def test_wall_time_is_file_time_through_hold_and_reinvite(start_line, tmp_path):
    node = await start_line()
    sound = burst(tmp_path / "burst.wav")
    turns = (
        Turn(Action.PLAY, sound, When.NOW, 0.3),
        Turn(Action.HOLD, when=When.NOW, after_s=0.4),
        Turn(Action.UNHOLD, when=When.NOW, after_s=1.5),
        Turn(Action.PLAY, sound, When.NOW, 0.6),
        Turn(Action.REINVITE, when=When.NOW, after_s=0.3),
        Turn(Action.PLAY, sound, When.NOW, 0.8),
        Turn(Action.HANGUP, when=When.NOW, after_s=0.4),
    )
    report = await place_call(CallPlan(node.uri, turns=turns))
    recording = await node.wait_record("call.recording")
    path = node.flac(recording["call"])
    assert hashlib.sha256(path.read_bytes()).hexdigest() == recording["body"]["sha256"]
    audio, rate = soundfile.read(str(path), dtype="int16")
    assert rate == RATE
    assert audio.shape[1] == 2
    ended = await node.wait_record("call.ended")
    assert abs(recording["body"]["duration_ms"] - ended["body"]["duration_ms"]) <= 40
    played = [e["at_s"] for e in report.events if e["event"] == "turn" and e["action"] == "play"]
    found = onsets_s(audio[:, 0])
    assert len(found) == len(played) == 3
    for wall, file in zip(played[1:], found[1:], strict=True):
        assert abs((wall - played[0]) - (file - found[0])) <= 0.040, "file time is not wall time"
    assert [r["body"]["on"] for r in node.records("call.hold")] == [True, False]


async def test_our_side_is_where_the_journal_says(start_line):
    node = await start_line()
    await place_call(CallPlan(node.uri, hangup_after_s=5))
    recording = await node.wait_record("call.recording")
    audio, _ = soundfile.read(str(node.flac(recording["call"])), dtype="int16")
    ours = np.abs(audio[:, 1].astype(int))
    said = node.records("call.said")
    assert said[0]["body"]["prompt"] == "recording_notice"
    first = said[0]["body"]
    stretch = ours[first["start_ms"] * 8 : first["end_ms"] * 8]
    assert stretch.max() > 3000, "the prompt is not on our track where call.said says"
    assert said[-1]["body"]["interrupted"] is True
    assert recording["body"]["notice_given"] is True


async def test_line_killed_in_mid_call_leaves_a_whole_recording(start_line, raw_caller):
    node = await start_line()
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(200)
    caller.ack()
    said = await node.wait_record("call.said")
    node.signal(signal.SIGKILL)
    await node.exit_code()
    await node.start()
    ended = await node.wait_record("call.ended")
    assert ended["body"]["reason"] == "line_died"
    recording = await node.wait_record("call.recording")
    assert recording["call"] == ended["call"] == said["call"]
    audio, _ = soundfile.read(str(node.flac(recording["call"])), dtype="int16")
    assert np.abs(audio[:, 1].astype(int)).max() > 3000
    assert len(audio) / 8 >= said["body"]["end_ms"] - 600, "more than the last half second is missing"


async def test_below_the_disk_reserve_calls_are_refused_aloud(start_line, raw_caller):
    """With nobody's phone to ring (direct mode) the edge's overflow gets the call."""
    node = await start_line(reserve_mb=100_000_000)
    notice = next(s for s in node.said if s["event"] == "notice" and "ALARM" in s["message"])
    assert "reserve_mb" in notice["message"]
    caller = raw_caller(node)
    caller.request("INVITE", sdp(caller.rtp_port))
    await caller.response(503)
