"""What is left of a call on the disk is enough to finish it."""

import hashlib
from datetime import UTC, datetime
from uuid import uuid4

import soundfile

from callcenter.line.recordings import CallNote, encode, forget, read_note, record_body, update_note, write_note
from callcenter.telephony.recorder import CALLER_SUFFIX, OURS_SUFFIX
from callcenter.telephony.wav import write_wav


def note_in(folder):
    note = CallNote(folder / "1-1", uuid4(), "xingfu", "zh", datetime(2026, 3, 4, 2, 0, tzinfo=UTC))
    write_note(note)
    return note


def test_a_note_is_read_back_with_its_changes(tmp_path):
    note = note_in(tmp_path)
    note = update_note(note, text_to_ms=4000, utterances=2)
    note = update_note(note, notice_given=True)
    assert read_note(note.path) == note
    assert note.path.stat().st_mode & 0o777 == 0o600


def test_a_torn_line_is_left_out(tmp_path):
    note = note_in(tmp_path)
    with note.path.open("a") as file:
        file.write('{"text_to_ms": 12')
    assert read_note(note.path) == note


def test_a_note_without_a_first_line_is_none(tmp_path):
    path = tmp_path / "1-2.call"
    path.write_text('{"ca')
    assert read_note(path) is None


def test_two_tracks_become_one_lossless_file(tmp_path):
    note = note_in(tmp_path)
    write_wav(note.track(CALLER_SUFFIX), b"\x01\x00\xff\x7f" * 4000)
    write_wav(note.track(OURS_SUFFIX), b"\x02\x00" * 4000)
    finished = encode(note)
    audio, rate = soundfile.read(str(finished.path), dtype="int16")
    assert rate == 8000
    assert audio[:, 0].tobytes() == b"\x01\x00\xff\x7f" * 4000
    assert audio[:4000, 1].tobytes() == b"\x02\x00" * 4000
    assert not audio[4000:, 1].any()
    assert finished.duration_ms == 1000
    assert finished.sha256 == hashlib.sha256(finished.path.read_bytes()).hexdigest()
    body = record_body(note, finished, 365)
    assert body["file"] == f"{note.call}.flac"
    assert body["bytes"] == finished.path.stat().st_size


def test_a_caller_who_objects_leaves_no_audio(tmp_path):
    note = update_note(note_in(tmp_path), objected=True)
    write_wav(note.track(CALLER_SUFFIX), b"\x01\x00" * 4000)
    finished = encode(note)
    assert finished.path is None
    body = record_body(note, finished, 365)
    assert (body["file"], body["objected"]) == (None, True)
    forget(note)
    assert list(tmp_path.iterdir()) == []


def test_nothing_recorded_is_no_file(tmp_path):
    assert encode(note_in(tmp_path)).path is None
