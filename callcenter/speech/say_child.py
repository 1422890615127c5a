"""The child process that holds libespeak-ng: it may crash, its parent (`callcenter.speech.say`) starts another.

Protocol on its pipes: a JSON line in, `{"text","language","voice","rate_wpm"}`; out, a big-endian 32-bit signed length
and as many bytes of 16-bit 8 kHz mono, or the negated length and an error text.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import struct
import sys
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from callcenter.speech.reading import clauses_of

SAMPLE_RATE_HZ = 8000
BAND_HZ = (200.0, 3600.0)
LOUDNESS_LUFS = -20.0
PEAK = 0.95
TAIL_MS = 120

_ESPEAK_SYNCHRONOUS = 2
_CHARS_UTF8 = 1
_PARAMETER_RATE, _PARAMETER_RANGE = 1, 4
_VOICES = {"zh": "cmn-latn-pinyin", "en": "en-us"}

Audio = npt.NDArray[np.float64]


class Espeak:
    """libespeak-ng, once per process (its state is global)."""

    def __init__(self) -> None:
        import espeakng_loader

        self._library = ctypes.CDLL(espeakng_loader.get_library_path())
        self.rate_hz = self._library.espeak_Initialize(
            _ESPEAK_SYNCHRONOUS, 0, espeakng_loader.get_data_path().encode(), 1
        )
        if self.rate_hz <= 0:
            raise RuntimeError("libespeak-ng found no data: reinstall espeakng-loader")
        self._variants = Path(espeakng_loader.get_data_path()) / "voices" / "!v"
        self._pieces: list[bytes] = []
        prototype = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p)
        self._callback = prototype(self._collect)
        self._library.espeak_SetSynthCallback(self._callback)

    def _collect(self, wave: int | None, samples: int, _events: Any) -> int:
        if wave and samples > 0:
            self._pieces.append(ctypes.string_at(wave, samples * 2))
        return 0

    def say(self, text: str, language: str, voice: str, rate_wpm: int) -> Audio:
        """One clause at libespeak's own rate, -1..1."""
        name = f"{_VOICES[language]}+{voice}"
        known = voice.isalnum() and (self._variants / voice).exists()
        if not known or self._library.espeak_SetVoiceByName(name.encode()) != 0:
            raise ValueError(f"libespeak-ng has no voice {name}")
        self._library.espeak_SetParameter(_PARAMETER_RATE, rate_wpm, 0)
        self._library.espeak_SetParameter(_PARAMETER_RANGE, 55, 0)
        self._library.espeak_ng_SetRandSeed(1)
        self._pieces = []
        said = text.encode() + b"\0"
        self._library.espeak_Synth(said, len(said), 0, 1, 0, _CHARS_UTF8, None, None)
        self._library.espeak_Synchronize()
        return np.frombuffer(b"".join(self._pieces), dtype="<i2").astype(np.float64) / 32768


def trim(audio: Audio, rate_hz: int, keep_ms: int = 15) -> Audio:
    """Without the silence that libespeak puts before and after a clause."""
    loud = np.flatnonzero(np.abs(audio) > 0.004)
    if not loud.size:
        return audio[:0]
    keep = rate_hz * keep_ms // 1000
    return audio[max(0, loud[0] - keep) : loud[-1] + keep]


def band_pass(audio: Audio, rate_hz: int) -> Audio:
    """Telephone band, with raised-cosine edges an eighth of each limit wide."""
    spectrum = np.fft.rfft(audio)
    frequency = np.fft.rfftfreq(len(audio), 1 / rate_hz)
    low, high = BAND_HZ
    rise = np.clip((frequency - low * 0.75) / (low * 0.5), 0, 1)
    fall = np.clip((high * 1.06 - frequency) / (high * 0.12), 0, 1)
    gain = (0.5 - 0.5 * np.cos(np.pi * rise)) * (0.5 - 0.5 * np.cos(np.pi * fall))
    return np.fft.irfft(spectrum * gain, len(audio))


def _k_weighting(frequency: npt.NDArray[np.floating[Any]]) -> Audio:
    """Power response of ITU-R BS.1770's two filters (coefficients for 48 kHz, evaluated on the unit circle)."""
    z = np.exp(-2j * np.pi * frequency / 48000)
    shelf = (1.53512485958697 - 2.69169618940638 * z + 1.19839281085285 * z**2) / (
        1 - 1.69065929318241 * z + 0.73248077421585 * z**2
    )
    high_pass = (1 - 2 * z + z**2) / (1 - 1.99004745483398 * z + 0.99007225036621 * z**2)
    return np.asarray(np.abs(shelf * high_pass) ** 2, dtype=np.float64)


def loudness_lufs(audio: Audio, rate_hz: int) -> float:
    """Integrated loudness of a mono signal (BS.1770 gating over 400 ms blocks, 75 % overlap)."""
    weight = np.sqrt(_k_weighting(np.fft.rfftfreq(len(audio), 1 / rate_hz)))
    weighted = np.fft.irfft(np.fft.rfft(audio) * weight, len(audio))
    block = min(len(weighted), rate_hz * 2 // 5)
    starts = range(0, len(weighted) - block + 1, max(1, block // 4))
    power = np.array([np.mean(weighted[s : s + block] ** 2) for s in starts]) + 1e-12
    level = -0.691 + 10 * np.log10(power)
    kept = power[level > -70]
    if not kept.size:
        return -70.0
    gate = -0.691 + 10 * np.log10(kept.mean()) - 10
    return float(-0.691 + 10 * np.log10(power[level > gate].mean()))


def finish(audio: Audio, rate_hz: int) -> bytes:
    """Band-pass, level to -20 LUFS with peaks under 0.95, resample to 8 kHz, 16 bits."""
    import soxr

    if not len(audio):
        return b""
    audio = band_pass(audio, rate_hz)
    audio = soxr.resample(audio, rate_hz, SAMPLE_RATE_HZ, quality="HQ")
    for _ in range(2):
        audio = audio * 10 ** ((LOUDNESS_LUFS - loudness_lufs(audio, SAMPLE_RATE_HZ)) / 20)
        over = np.abs(audio) > 0.7
        audio = np.where(over, np.sign(audio) * (0.7 + 0.25 * np.tanh((np.abs(audio) - 0.7) / 0.25)), audio)
    return np.round(np.clip(audio, -PEAK, PEAK) * 32767).astype("<i2").tobytes()


def render(espeak: Espeak, text: str, language: str, voice: str, rate_wpm: int) -> bytes:
    """Whole text, clause by clause."""
    pieces: list[Audio] = []
    for clause in clauses_of(text, language):
        pieces.append(trim(espeak.say(clause.text, clause.language, voice, rate_wpm), espeak.rate_hz))
        pieces.append(np.zeros(espeak.rate_hz * clause.pause_ms // 1000))
    if not any(len(p) for p in pieces):
        return b""
    pieces.append(np.zeros(espeak.rate_hz * TAIL_MS // 1000))
    return finish(np.concatenate(pieces), espeak.rate_hz)


def main() -> None:
    """Serve requests until standard input ends."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, 9)  # die with the parent
    out = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # whatever libespeak prints must not enter the protocol
    espeak = Espeak()
    for line in sys.stdin.buffer:
        try:
            asked = json.loads(line)
            reply = render(espeak, asked["text"], asked["language"], asked["voice"], int(asked["rate_wpm"]))
            out.write(struct.pack(">i", len(reply)) + reply)
        except (KeyError, TypeError, ValueError, RuntimeError) as error:
            reason = str(error).encode() or b"?"
            out.write(struct.pack(">i", -len(reason)) + reason)
        out.flush()


if __name__ == "__main__":
    main()
