"""Texts to WAV files: renders what changed, leaves staff's recordings alone, and checks those.

The voice is given by the caller (`Synthesise`): siblings do not import each other, and a line never renders.
"""

from __future__ import annotations

import array
import hashlib
import json
import math
import sys
import wave
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from callcenter.dialplan.prompts import RECORDED, Piece, PromptSet
from callcenter.errors import DialplanError

SAMPLE_RATE_HZ = 8000
MANIFEST = "rendered.json"
VERSION = 1
"""Raised when the way of rendering changes, so that everything is rendered anew."""
_FRAME = 80
_FLOOR = 180
"""Peak of a 10 ms frame (of 32768) under which it counts as silence at the edges."""
_KEEP_FRAMES = 3
_MIN_S, _MAX_S = 0.1, 60.0
_RMS_LOUD_DBFS, _RMS_SOFT_DBFS = -9.0, -35.0

Synthesise = Callable[[str, str], bytes]
"""(text, language) → 16-bit mono samples at 8 kHz."""


class State(StrEnum):
    """How a piece stands."""

    RENDERED = "rendered"
    STALE = "stale"
    """The text changed since, or there is no WAV."""
    RECORDED = "recorded"
    """Staff recorded it; never rendered over."""


@dataclass(frozen=True)
class Part:
    """One WAV of a prompt."""

    prompt: str
    piece: Piece
    state: State


def parts(prompts: PromptSet) -> Iterator[Part]:
    """Every WAV the texts ask for, and how it stands."""
    manifest = _manifest(prompts.folder)
    for prompt in prompts.prompts.values():
        for piece in prompt.pieces:
            if not piece.file:
                continue
            recorded = (prompts.folder / RECORDED / f"{piece.file}.wav").exists()
            fresh = manifest.get(piece.file) == _key(piece.text, prompts.language)
            there = (prompts.folder / f"{piece.file}.wav").exists()
            state = State.RECORDED if recorded else State.RENDERED if fresh and there else State.STALE
            yield Part(prompt.id, piece, state)


def render(
    prompts: PromptSet, synthesise: Synthesise, *, only: Collection[str] = (), again: bool = False
) -> list[Part]:
    """Render what is stale (with `again` everything) of the prompts named in `only`, or of all; returns what was.

    WAVs that no text asks for any more are removed when all are rendered. Raises DialplanError
    `dialplan.prompt_missing` for an unknown id in `only`.
    """
    if unknown := [name for name in only if name not in prompts]:
        raise DialplanError("dialplan.prompt_missing", f"no prompt {unknown[0]!r}", where=str(prompts.folder))
    manifest = _manifest(prompts.folder)
    done: list[Part] = []
    for part in parts(prompts):
        chosen = not only or part.prompt in only
        if not chosen or part.state is State.RECORDED or (part.state is State.RENDERED and not again):
            continue
        text = part.piece.text.strip()
        samples = trim(synthesise(text, prompts.language))
        if not samples:
            raise DialplanError(
                "dialplan.prompt_silent", f"prompt {part.prompt!r}: nothing can be said of {text!r}",
                where=str(prompts.folder), mend="write it in words",
            )  # fmt: skip
        _write_wav(prompts.folder / f"{part.piece.file}.wav", samples)
        manifest[part.piece.file] = _key(part.piece.text, prompts.language)
        done.append(part)
    if not only:
        wanted = {part.piece.file for part in parts(prompts)}
        for path in prompts.folder.glob("*.wav"):
            if path.stem not in wanted:
                path.unlink()
        manifest = {file: key for file, key in manifest.items() if file in wanted}
    text = json.dumps(manifest, indent=0, sort_keys=True) + "\n"
    _replace(prompts.folder / MANIFEST, text.encode())
    return done


def trim(pcm: bytes) -> bytes:
    """Without the silence at both ends, so that parts join like speech; b"" if there is nothing else."""
    samples = _samples(pcm)
    loud = [at for at in range(0, len(samples), _FRAME) if max(map(abs, samples[at : at + _FRAME])) > _FLOOR]
    if not loud:
        return b""
    start = max(0, loud[0] - _FRAME)
    end = min(len(samples), loud[-1] + (1 + _KEEP_FRAMES) * _FRAME)
    return pcm[2 * start : 2 * end]


def check_recording(path: Path) -> list[DialplanError]:
    """What is wrong with a recording by staff: format, length, level; [] when it can be played."""

    def problem(message: str, mend: str) -> DialplanError:
        return DialplanError("dialplan.recording", message, where=str(path), mend=mend)

    try:
        with wave.open(str(path), "rb") as file:
            form = (file.getframerate(), file.getnchannels(), file.getsampwidth())
            pcm = file.readframes(file.getnframes())
    except (wave.Error, EOFError, OSError) as error:
        return [problem(f"is no WAV file ({error})", "save it as WAV, PCM")]
    if form != (SAMPLE_RATE_HZ, 1, 2):
        said = f"{form[0]} Hz, {form[1]} channel(s), {8 * form[2]} bit"
        return [problem(f"is {said}", f"convert it: sox {path.name} -r 8000 -c 1 -b 16 new.wav")]
    samples = _samples(pcm)
    seconds = len(samples) / SAMPLE_RATE_HZ
    if not _MIN_S <= seconds <= _MAX_S:
        return [problem(f"is {seconds:.2f} s long", f"record between {_MIN_S} and {_MAX_S:.0f} s")]
    out: list[DialplanError] = []
    level = math.sqrt(sum(s * s for s in samples) / len(samples)) / 32768
    dbfs = 20 * math.log10(level) if level else -100.0
    if dbfs < _RMS_SOFT_DBFS:
        out.append(problem(f"is too soft ({dbfs:.0f} dBFS)", "speak closer to the microphone, or `sox --norm=-3`"))
    if dbfs > _RMS_LOUD_DBFS or sum(abs(s) >= 32700 for s in samples) > len(samples) // 1000:
        out.append(problem(f"is too loud or clipped ({dbfs:.0f} dBFS)", "turn the microphone down and record again"))
    return out


def _samples(pcm: bytes) -> array.array[int]:
    samples = array.array("h", pcm[: len(pcm) // 2 * 2])
    if sys.byteorder == "big":
        samples.byteswap()
    return samples


def _key(text: str, language: str) -> str:
    return hashlib.sha256(f"{VERSION}\n{language}\n{text.strip()}".encode()).hexdigest()[:16]


def _manifest(folder: Path) -> dict[str, str]:
    try:
        read = json.loads((folder / MANIFEST).read_text())
    except (OSError, ValueError):
        return {}
    return read if isinstance(read, dict) else {}


def _write_wav(path: Path, pcm: bytes) -> None:
    part = path.with_name(path.name + ".part")
    with wave.open(str(part), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(SAMPLE_RATE_HZ)
        file.writeframes(pcm)
    part.replace(path)


def _replace(path: Path, content: bytes) -> None:
    part = path.with_name(path.name + ".part")
    part.write_bytes(content)
    part.replace(path)
