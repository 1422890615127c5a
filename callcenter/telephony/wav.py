"""16-bit WAV files, read even when whoever wrote them died before the header was finished."""

from __future__ import annotations

import io
import wave
from array import array
from pathlib import Path
from typing import BinaryIO

from callcenter.errors import TelephonyError
from callcenter.telephony.voice import SAMPLE_RATE_HZ

HEADER_BYTES = 44


def read_prompt(path: Path) -> bytes:
    """PCM of a prompt. Raises TelephonyError unless it is 8 kHz, mono, 16-bit."""
    try:
        with wave.open(str(path), "rb") as file:
            shape = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            pcm = file.readframes(file.getnframes())
    except (OSError, EOFError, wave.Error) as error:
        raise TelephonyError(
            "telephony.wav_unreadable", f"cannot read this WAV file: {error}", where=str(path),
            mend="record or render it again: 8 kHz, mono, 16-bit PCM",
        ) from error  # fmt: skip
    if shape != (SAMPLE_RATE_HZ, 1, 2):
        raise TelephonyError(
            "telephony.wav_format", f"{shape[0]} Hz, {shape[1]} channels, {shape[2] * 8} bits", where=str(path),
            mend=f"convert it: sox {path.name} -r 8000 -c 1 -b 16 OUT.wav",
        )  # fmt: skip
    return pcm


def track_samples(path: Path) -> int:
    """Samples that pjmedia's recorder wrote, by the file's size whatever its header says; 0 when there is none."""
    try:
        return max(0, path.stat().st_size - HEADER_BYTES) // 2
    except FileNotFoundError:
        return 0


def open_track(path: Path) -> BinaryIO:
    """A recorder's file (8 kHz mono 16-bit) at its first sample; an empty one when there is none."""
    try:
        file = path.open("rb")
    except FileNotFoundError:
        return io.BytesIO()
    file.seek(HEADER_BYTES)
    return file


def read_track(path: Path, from_ms: int = 0, until_ms: int | None = None) -> bytes:
    """PCM of a stretch of a recorder's file; b"" when there is none."""
    with open_track(path) as file:
        first = from_ms * SAMPLE_RATE_HZ // 1000
        last = track_samples(path) if until_ms is None else until_ms * SAMPLE_RATE_HZ // 1000
        file.seek(first * 2, 1)
        pcm = file.read(max(0, last - first) * 2)
    return pcm[: len(pcm) // 2 * 2]


def track_finished(path: Path) -> bool:
    """Whether the recorder has written the lengths into the header, i.e. will write no more."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            head = file.read(8)
    except OSError:
        return False
    return size >= HEADER_BYTES and int.from_bytes(head[4:8], "little") == size - 8


def interleave(left: bytes, right: bytes) -> bytes:
    """Two mono tracks as one stereo track; the shorter one ends in silence."""
    longest = max(len(left), len(right)) // 2
    stereo = array("h", bytes(longest * 4))
    for offset, track in enumerate((left, right)):
        samples = array("h", track.ljust(longest * 2, b"\0"))
        stereo[offset::2] = samples
    return stereo.tobytes()


def write_wav(path: Path, pcm: bytes, channels: int = 1) -> None:
    """Write 8 kHz 16-bit PCM."""
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm)
