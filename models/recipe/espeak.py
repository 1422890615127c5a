"""Speech from libespeak-ng with the exact time of every phoneme. Needs only numpy and espeakng-loader.

libespeak is one per process and may crash: whoever synthesises much does it in a child process and retries
(see `models.recipe.synthesis`).
"""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import espeakng_loader
import numpy as np
from numpy.typing import NDArray

_RATE, _PITCH, _RANGE = 1, 3, 4  # espeak_PARAMETER
_EVENT_WORD, _EVENT_PHONEME = 1, 7
_OUTPUT_RETRIEVAL, _PHONEME_EVENTS, _CHARS_UTF8 = 1, 1, 1


class EspeakError(RuntimeError):
    """libespeak refused a voice, or gave no sound."""


class _Id(ctypes.Union):
    _fields_ = [("number", ctypes.c_int), ("name", ctypes.c_char_p), ("string", ctypes.c_char * 8)]


class _Event(ctypes.Structure):
    _fields_ = [
        ("type", ctypes.c_int),
        ("unique_identifier", ctypes.c_uint),
        ("text_position", ctypes.c_int),
        ("length", ctypes.c_int),
        ("audio_position", ctypes.c_int),
        ("sample", ctypes.c_int),
        ("user_data", ctypes.c_void_p),
        ("id", _Id),
    ]


@dataclass(frozen=True)
class Phoneme:
    """A phoneme event: `name` None marks the start of a word (here: a syllable); `sample` is its first sample."""

    sample: int
    name: str | None


@dataclass(frozen=True)
class Voice:
    """How a sentence is spoken: an espeak variant, words per minute, pitch and range 0-99."""

    variant: str
    rate: int = 175
    pitch: int = 50
    pitch_range: int = 50


class Espeak:
    """The process's libespeak, reading toned pinyin (`cmn-latn-pinyin`).

    `data` is a folder with espeak-ng's data (and perhaps more voices); None means the package's own.
    """

    def __init__(self, data: Path | None = None) -> None:
        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        path = str(data) if data else espeakng_loader.get_data_path()
        self.sample_rate_hz: int = self._library.espeak_Initialize(2, 0, path.encode(), _PHONEME_EVENTS)
        if self.sample_rate_hz <= 0:
            raise EspeakError("libespeak-ng did not start; mend: pip install --force-reinstall espeakng-loader")
        self._sound: list[NDArray[np.int16]] = []
        self._events: list[Phoneme] = []
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.POINTER(_Event))
        self._callback = prototype(self._receive)
        self._library.espeak_SetSynthCallback(self._callback)

    def _receive(self, wave: Sequence[int], samples: int, events: Sequence[_Event]) -> int:
        if samples > 0 and wave:
            self._sound.append(np.ctypeslib.as_array(wave, shape=(samples,)).copy())
        index = 0
        while events[index].type:
            event = events[index]
            if event.type == _EVENT_WORD:
                self._events.append(Phoneme(event.sample, None))
            elif event.type == _EVENT_PHONEME:
                self._events.append(Phoneme(event.sample, bytes(event.id.string).decode("utf-8", "replace")))
            index += 1
        return 0

    def say(self, pinyin: str, voice: Voice) -> tuple[NDArray[np.float32], list[Phoneme]]:
        """Toned syllables parted by spaces -> samples at `sample_rate_hz` (int16 range), phoneme events."""
        self._sound, self._events = [], []
        if self._library.espeak_SetVoiceByName(f"cmn-latn-pinyin+{voice.variant}".encode()) != 0:
            raise EspeakError(f"libespeak-ng has no voice variant {voice.variant!r}")
        for parameter, value in ((_RATE, voice.rate), (_PITCH, voice.pitch), (_RANGE, voice.pitch_range)):
            self._library.espeak_SetParameter(parameter, int(value), 0)
        text = pinyin.encode()
        self._library.espeak_Synth(text, len(text) + 1, 0, 1, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        if not self._sound:
            raise EspeakError(f"libespeak-ng gave no sound for {pinyin!r}")
        return np.concatenate(self._sound).astype(np.float32), self._events
