"""vosk-server's WebSocket messages: what a client may ask, checked before anything is made of it.

Binary messages are 16-bit little-endian mono samples. Text messages are JSON: `{"config": {…}}` before the first audio,
`{"eof": 1}` at the end. Ours beyond vosk-server's: `{"flush": 1}` (a final result now, the stream goes on) and, in
`config`, `"replies": "news"` (a message only when there is something new, instead of one reply to every message).
"""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callcenter.errors import SpeechError

SAMPLE_RATES_HZ = (8000, 48000)
MAX_PHRASES = 500
MAX_PHRASE_CHARACTERS = 20_000
MAX_ALTERNATIVES = 10
MAX_TEXT_CHARACTERS = 64_000
MAX_MESSAGE_BYTES = 1 << 20


class Replies(StrEnum):
    """How often the server answers."""

    EACH = "each"
    """One reply to every message, as vosk-server does: clients that wait in lock step need it."""
    NEWS = "news"
    """Only when the text changed or something ended."""


@dataclass(frozen=True)
class StreamConfig:
    """What one stream asked for."""

    sample_rate_hz: int = 8000
    phrases: tuple[str, ...] = ()
    words: bool = True
    max_alternatives: int = 0
    replies: Replies = Replies.EACH


class Command(StrEnum):
    """What a text message asks."""

    CONFIG = "config"
    FLUSH = "flush"
    EOF = "eof"


def refuse(code: str, message: str, mend: str | None = None) -> SpeechError:
    """An error that is told to the client and ends its stream."""
    return SpeechError(f"transcribe.{code}", message, mend=mend)


def read_message(text: str) -> tuple[Command, dict[str, Any]]:
    """Command and its configuration. Raises SpeechError `transcribe.*` with what is wrong."""
    if len(text) > MAX_TEXT_CHARACTERS:
        raise refuse("too_long", f"a text message of {len(text)} characters; at most {MAX_TEXT_CHARACTERS} are read")
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        raise refuse("not_json", "a text message that is not JSON") from None
    if not isinstance(message, dict):
        raise refuse("not_object", "a text message must be a JSON object")
    for command in Command:
        if command in message:
            config = message[command]
            if command is Command.CONFIG and not isinstance(config, dict):
                raise refuse("config", "`config` must be an object")
            return command, config if isinstance(config, dict) else {}
    raise refuse("unknown", "a text message without `config`, `flush` or `eof`")


def _sample_rate(value: Any, default: int) -> int:
    low, high = SAMPLE_RATES_HZ
    if value is None:
        return default
    good = isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)
    if not good or value != int(value) or not low <= value <= high:
        raise refuse("sample_rate", f"`sample_rate` must be a whole number from {low} to {high} Hz")
    return int(value)


def _phrases(value: Any) -> tuple[str, ...]:
    if isinstance(value, str):  # the original takes a JSON list in a string too
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            value = ""
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(p, str) and p.strip() for p in value):
        raise refuse("phrase_list", "`phrase_list` must be a list of texts")
    if len(value) > MAX_PHRASES or sum(map(len, value)) > MAX_PHRASE_CHARACTERS:
        raise refuse(
            "phrase_list", f"`phrase_list` may hold {MAX_PHRASES} texts and {MAX_PHRASE_CHARACTERS} characters"
        )
    return tuple(value)


def read_config(config: dict[str, Any], default_rate_hz: int) -> StreamConfig:
    """Check a `config` object. Unknown keys are ignored, as vosk-server ignores them."""
    if config.get("model"):
        raise refuse(
            "model", "the model belongs to all streams and cannot be changed by one", "leave `model` out of `config`"
        )
    words = config.get("words", True)
    if not isinstance(words, (bool, int)):
        raise refuse("words", "`words` must be true or false")
    alternatives = config.get("max_alternatives", 0)
    if isinstance(alternatives, bool) or not isinstance(alternatives, int) or not 0 <= alternatives <= MAX_ALTERNATIVES:
        raise refuse("max_alternatives", f"`max_alternatives` must be a whole number from 0 to {MAX_ALTERNATIVES}")
    try:
        replies = Replies(config.get("replies", Replies.EACH))
    except ValueError:
        raise refuse("replies", "`replies` must be `each` or `news`") from None
    return StreamConfig(
        sample_rate_hz=_sample_rate(config.get("sample_rate"), default_rate_hz),
        phrases=_phrases(config.get("phrase_list")),
        words=bool(words),
        max_alternatives=alternatives,
        replies=replies,
    )
