"""WAV files, whole and torn."""

import struct

import pytest

from callcenter.errors import TelephonyError
from callcenter.telephony.wav import interleave, read_prompt, read_track, track_finished, write_wav


def test_a_prompt_is_read_back(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, b"\x01\x00" * 800)
    assert read_prompt(path) == b"\x01\x00" * 800


def test_stereo_is_refused_with_the_mend(tmp_path):
    path = tmp_path / "a.wav"
    write_wav(path, b"\x01\x00" * 800, channels=2)
    with pytest.raises(TelephonyError, match="sox") as caught:
        read_prompt(path)
    assert caught.value.code == "telephony.wav_format"


@pytest.mark.parametrize("content", [b"", b"RIFF", b"not a wav file at all, however long it may be" * 3])
def test_rubbish_is_refused_with_its_name(tmp_path, content):
    path = tmp_path / "a.wav"
    path.write_bytes(content)
    with pytest.raises(TelephonyError, match=r"a\.wav"):
        read_prompt(path)


def test_a_track_without_lengths_is_read_to_its_end(tmp_path):
    path = tmp_path / "x.caller.wav"
    write_wav(path, b"\x05\x00" * 100)
    raw = bytearray(path.read_bytes() + b"\x05\x00" * 50 + b"\x05")
    raw[4:8] = struct.pack("<I", 0)
    path.write_bytes(raw)
    assert read_track(path) == b"\x05\x00" * 150
    assert not track_finished(path)
    assert read_track(tmp_path / "none.wav") == b""
    assert not track_finished(tmp_path / "none.wav")


def test_a_finished_track_says_so(tmp_path):
    path = tmp_path / "x.caller.wav"
    write_wav(path, b"\x05\x00" * 100)
    assert track_finished(path)


def test_the_shorter_side_ends_in_silence():
    left, right = b"\x01\x00\x02\x00\x03\x00", b"\x09\x00"
    assert interleave(left, right) == struct.pack("<6h", 1, 9, 2, 0, 3, 0)
    assert interleave(b"", b"") == b""
