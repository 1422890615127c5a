"""Text to telephone audio through libespeak-ng in a child process, which may crash and is started again.

Light to import: everything heavy is in the child.
"""

from __future__ import annotations

import atexit
import contextlib
import functools
import io
import json
import os
import select
import struct
import subprocess
import sys
import threading
import time
import wave
from pathlib import Path
from typing import Self

from callcenter.errors import SpeechError

SAMPLE_RATE_HZ = 8000
DEFAULT_VOICE = "f2"
DEFAULT_RATE_WPM = 175
MAX_CHARACTERS = 2000
_TRIES = 3
_START_TIMEOUT_S = 30.0


class Synthesiser:
    """One child process with libespeak-ng; safe to use from several threads, one text at a time."""

    def __init__(self, timeout_s: float = 20.0) -> None:
        self._timeout_s = timeout_s
        self._lock = threading.Lock()
        self._child: subprocess.Popen[bytes] | None = None
        self._closing = False
        self.restarts = 0

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def pid(self) -> int | None:
        """Process id of the child, None while there is none."""
        return self._child.pid if self._child else None

    def say(
        self, text: str, language: str = "zh", voice: str = DEFAULT_VOICE, rate_wpm: int = DEFAULT_RATE_WPM
    ) -> bytes:
        """Audio of `text`: 16-bit little-endian mono at 8 kHz; b"" when there is nothing to say.

        `language` is `zh…` or `en…`; `voice` an espeak-ng variant (`f2`, `m3`). Raises SpeechError `say.*`.
        """
        if len(text) > MAX_CHARACTERS:
            raise SpeechError("say.too_long", f"a text of {len(text)} characters; at most {MAX_CHARACTERS} are said")
        if not language.startswith(("zh", "en")):
            raise SpeechError("say.language", f"no voice for language {language!r}", mend="use zh or en")
        request = {"text": text, "language": language[:2], "voice": voice, "rate_wpm": rate_wpm}
        asked = json.dumps(request, ensure_ascii=False).encode() + b"\n"
        with self._lock:
            for attempt in range(_TRIES):
                fresh = self._child is None
                try:
                    return self._ask(asked, self._timeout_s + (_START_TIMEOUT_S if fresh else 0.0))
                except (OSError, EOFError, TimeoutError) as error:
                    self._drop()
                    if self._closing:
                        raise SpeechError("say.closed", "the voice was closed", retryable=True) from error
                    self.restarts += 1
                    if attempt == _TRIES - 1:
                        raise SpeechError(
                            "say.crashed",
                            f"libespeak-ng failed {_TRIES} times on one text",
                            mend="try `python -m callcenter.speech.say_child` by hand; reinstall espeakng-loader",
                        ) from error
        raise AssertionError("unreachable")

    def _ask(self, asked: bytes, timeout_s: float) -> bytes:
        child = self._child or self._start()
        assert child.stdin is not None
        child.stdin.write(asked)
        child.stdin.flush()
        deadline = time.monotonic() + timeout_s
        (length,) = struct.unpack(">i", self._read(child, 4, deadline))
        reply = self._read(child, abs(length), deadline)
        if length < 0:
            raise SpeechError("say.refused", reply.decode(errors="replace"))
        return reply

    def _start(self) -> subprocess.Popen[bytes]:
        self._child = subprocess.Popen(
            [sys.executable, "-m", "callcenter.speech.say_child"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
        )
        return self._child

    @staticmethod
    def _read(child: subprocess.Popen[bytes], size: int, deadline: float) -> bytes:
        assert child.stdout is not None
        got = bytearray()
        while len(got) < size:
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([child.stdout], [], [], left)[0]:
                raise TimeoutError
            piece = os.read(child.stdout.fileno(), min(size - len(got), 1 << 16))
            if not piece:
                raise EOFError
            got += piece
        return bytes(got)

    def _drop(self) -> None:
        child, self._child = self._child, None
        if child is None:
            return
        child.kill()
        child.wait()
        for pipe in (child.stdin, child.stdout):
            with contextlib.suppress(OSError):
                if pipe is not None:
                    pipe.close()

    def close(self) -> None:
        """End the child, whatever it is saying. May be called twice; `say` starts another."""
        self._closing = True
        if (child := self._child) is not None:
            child.kill()
        with self._lock:
            self._drop()
            self._closing = False


@functools.cache
def _shared() -> Synthesiser:
    """This process's own child, started at the first text and ended with the process."""
    synthesiser = Synthesiser()
    atexit.register(synthesiser.close)
    return synthesiser


def synthesise(text: str, language: str = "zh", voice: str = DEFAULT_VOICE, rate_wpm: int = DEFAULT_RATE_WPM) -> bytes:
    """Audio of `text` from this process's shared child; see `Synthesiser.say`. Blocks: from a loop use a thread."""
    return _shared().say(text, language, voice, rate_wpm)


def wav_of(pcm: bytes, sample_rate_hz: int = SAMPLE_RATE_HZ) -> bytes:
    """A WAV file around 16-bit mono samples."""
    file = io.BytesIO()
    with wave.open(file, "wb") as out:
        out.setnchannels(1)
        out.setsampwidth(2)
        out.setframerate(sample_rate_hz)
        out.writeframes(pcm)
    return file.getvalue()


def synthesise_to_wav(
    path: Path, text: str, language: str = "zh", voice: str = DEFAULT_VOICE, rate_wpm: int = DEFAULT_RATE_WPM
) -> int:
    """Write `text` as a WAV (8 kHz mono 16-bit) at `path`, whole or not at all; returns its length in ms."""
    pcm = synthesise(text, language, voice, rate_wpm)
    part = path.with_name(path.name + ".part")
    part.write_bytes(wav_of(pcm))
    part.replace(path)
    return len(pcm) * 1000 // (2 * SAMPLE_RATE_HZ)
