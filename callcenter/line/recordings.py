"""A finished call's recording: two tracks joined into one FLAC (caller left, our side right) with its SHA-256.

While a call runs, its folder entry is `<base>.call` (JSON lines: what it is, then how far its text has come) beside
the two WAV tracks. Whatever dies, these three are enough to finish it (`recovery`).
"""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from callcenter.errors import TelephonyError
from callcenter.log import get_logger
from callcenter.telephony.recorder import CALLER_SUFFIX, OURS_SUFFIX
from callcenter.telephony.voice import SAMPLE_RATE_HZ
from callcenter.telephony.wav import interleave, open_track, track_finished, track_samples

log = get_logger("line.recordings")
HEADER_TIMEOUT_S = 2.0
LOOK_EVERY_S = 0.02
ENCODED_AT_ONCE = 4096
"""Samples handed to the encoder between two chances for other threads to run."""
SUFFIX = ".call"


@dataclass(frozen=True)
class CallNote:
    """What is on the disk of a call that is not finished. `base` is the path of its tracks without suffix."""

    base: Path
    call: UUID
    site: str
    language: str
    started_at: datetime
    text_to_ms: int = 0
    """The caller's words up to here are in the journal."""
    utterances: int = 0
    notice_given: bool = False
    objected: bool = False
    handed_over: bool = False
    """The recording is on its way to the store; only words are missing."""

    @property
    def path(self) -> Path:
        """The note itself."""
        return Path(str(self.base) + SUFFIX)

    def track(self, suffix: str) -> Path:
        """One of the two WAV files."""
        return Path(str(self.base) + suffix)


def write_note(note: CallNote) -> None:
    """Begin a call's note."""
    note.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    first = {
        "call": str(note.call), "site": note.site, "language": note.language,
        "started_at": note.started_at.isoformat(),
    }  # fmt: skip
    note.path.touch(mode=0o600)
    _append(note.path, first)


def update_note(note: CallNote, **changes: Any) -> CallNote:
    """Note a change (`text_to_ms`, `utterances`, `notice_given`, `objected`)."""
    _append(note.path, changes)
    return replace(note, **changes)


def _append(path: Path, line: dict[str, Any]) -> None:
    try:
        with path.open("a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
    except OSError as error:
        log.warning("note_unwritable", error=error.strerror)


def read_note(path: Path) -> CallNote | None:
    """A call's note, None when its first line never reached the disk."""
    fields: dict[str, Any] = {}
    for line in path.read_text(encoding="utf-8", errors="replace").splitlines():
        try:
            fields |= json.loads(line)
        except ValueError:
            break  # torn at the end
    try:
        return CallNote(
            base=Path(str(path)[: -len(SUFFIX)]),
            call=UUID(fields["call"]),
            site=fields["site"],
            language=fields["language"],
            started_at=datetime.fromisoformat(fields["started_at"]),
            text_to_ms=int(fields.get("text_to_ms", 0)),
            utterances=int(fields.get("utterances", 0)),
            notice_given=bool(fields.get("notice_given", False)),
            objected=bool(fields.get("objected", False)),
            handed_over=bool(fields.get("handed_over", False)),
        )
    except (KeyError, ValueError, TypeError):
        return None


def forget(note: CallNote) -> None:
    """Delete tracks and note: everything of the call is elsewhere."""
    for path in (note.track(CALLER_SUFFIX), note.track(OURS_SUFFIX), note.path):
        path.unlink(missing_ok=True)


async def tracks_complete(note: CallNote) -> None:
    """Return when pjmedia has finished both files, or after HEADER_TIMEOUT_S."""
    tracks = [note.track(CALLER_SUFFIX), note.track(OURS_SUFFIX)]
    waits = round(HEADER_TIMEOUT_S / LOOK_EVERY_S)
    for _ in range(waits):
        if all(track_finished(track) for track in tracks):
            return
        await asyncio.sleep(LOOK_EVERY_S)


@dataclass(frozen=True)
class Finished:
    """A FLAC that is ready to be handed over; None `path` when nothing was recorded or the caller objected."""

    path: Path | None
    sha256: str | None
    size: int
    duration_ms: int


def encode(note: CallNote) -> Finished:
    """Join the tracks into `<base>.flac`, piece by piece. Blocks: run it in a thread. Raises TelephonyError."""
    tracks = [note.track(CALLER_SUFFIX), note.track(OURS_SUFFIX)]
    samples = max(map(track_samples, tracks))
    if note.objected or not samples:
        return Finished(None, None, 0, 0)
    path = Path(str(note.base) + ".flac")
    try:
        write_flac(path, stereo_pieces(tracks[0], tracks[1], samples))
    except OSError as error:
        path.unlink(missing_ok=True)
        raise TelephonyError(
            "recording.unwritable", f"cannot write the recording: {error.strerror}", where=str(path), retryable=True,
            mend="free space on this disk: the tracks are kept and finished at the next start",
        ) from error  # fmt: skip
    with path.open("rb") as file:
        sha256 = hashlib.file_digest(file, "sha256").hexdigest()
    return Finished(path, sha256, path.stat().st_size, samples * 1000 // SAMPLE_RATE_HZ)


def stereo_pieces(left: Path, right: Path, samples: int) -> Iterator[bytes]:
    """Both tracks as interleaved stereo; the shorter one ends in silence."""
    with open_track(left) as first, open_track(right) as second:
        done = 0
        while done < samples:
            step = min(ENCODED_AT_ONCE, samples - done)
            sides = [file.read(step * 2).ljust(step * 2, b"\0") for file in (first, second)]
            yield interleave(*sides)
            done += step


def write_flac(path: Path, pieces: Iterable[bytes]) -> None:
    """Encode 8 kHz 16-bit stereo PCM. PyAV is loaded already for the browsers' headsets and needs no GIL to encode."""
    import av

    with av.open(str(path), "w", format="flac") as container:
        stream = container.add_stream("flac", rate=SAMPLE_RATE_HZ, layout="stereo")
        at = 0
        for piece in pieces:
            frame = av.AudioFrame(format="s16", layout="stereo", samples=len(piece) // 4)
            frame.planes[0].update(piece)
            frame.sample_rate = SAMPLE_RATE_HZ
            frame.pts = at
            at += len(piece) // 4
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def record_body(note: CallNote, finished: Finished, keep_days: int) -> dict[str, Any]:
    """Body of `call.recording`."""
    kept = finished.path is not None
    return {
        "file": f"{note.call}.flac" if kept else None,
        "sha256": finished.sha256,
        "bytes": finished.size,
        "duration_ms": finished.duration_ms,
        "channels": ["caller", "ours"],
        "sample_rate_hz": SAMPLE_RATE_HZ,
        "delete_after": (datetime.now(UTC) + timedelta(days=keep_days)).isoformat(),
        "notice_given": note.notice_given,
        "objected": note.objected,
    }
