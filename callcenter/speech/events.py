"""What a stream of speech tells: text so far, finished utterances, and when transcription is away. Light to import."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

_BETWEEN_HAN = re.compile(r"(?<=[\u3400-\u9fff])\s+(?=[\u3400-\u9fff])")


def without_spaces(text: str) -> str:
    """The recogniser's words as people write them: no spaces between Chinese characters, unknown words left out."""
    return _BETWEEN_HAN.sub("", text.replace("[unk]", " ")).strip()


@dataclass(frozen=True)
class Word:
    """One word with its place on the stream's time line and the recogniser's confidence (0..1)."""

    word: str
    start_ms: int
    end_ms: int
    confidence: float


@dataclass(frozen=True)
class Partial:
    """What is heard so far of the present utterance; `start_ms` is about where it began."""

    text: str
    start_ms: int


@dataclass(frozen=True)
class Final:
    """A finished utterance. `flushed` if it was asked for by `flush`; `text` may then be ""."""

    text: str
    start_ms: int
    end_ms: int
    words: tuple[Word, ...] = ()
    flushed: bool = False


@dataclass(frozen=True)
class Away:
    """Transcription is away; what was said from `from_ms` on has no final text yet."""

    from_ms: int
    reason: str


@dataclass(frozen=True)
class Back:
    """Transcription is there again. `resumes_ms` is where it goes on: equal to `Away.from_ms` if nothing is missing."""

    from_ms: int
    resumes_ms: int


@dataclass(frozen=True)
class Behind:
    """The transcriber is this far behind the caller (0: it has caught up)."""

    behind_ms: int


Event = Partial | Final | Away | Back | Behind


def final_from(message: Mapping[str, Any], offset_ms: int, until_ms: int) -> Final:
    """A result message of vosk-server as a Final; its times are shifted by `offset_ms`.

    Where a server sends no word times, the utterance is taken to end at `until_ms`.
    """
    best = message
    if alternatives := message.get("alternatives"):
        best = alternatives[0]
    words = tuple(
        Word(
            str(w["word"]),
            offset_ms + round(float(w["start"]) * 1000),
            offset_ms + round(float(w["end"]) * 1000),
            float(w.get("conf", 1.0)),
        )
        for w in best.get("result", ())
    )
    start_ms, end_ms = (words[0].start_ms, words[-1].end_ms) if words else (min(offset_ms, until_ms), until_ms)
    return Final(without_spaces(str(best.get("text", ""))), start_ms, end_ms, words, bool(message.get("flushed")))
