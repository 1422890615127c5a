"""The telephone between mouth and model, for training: room, noise, band, tilt, level, gaps, G.711."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
import scipy.signal
from numpy.typing import NDArray

SAMPLE_RATE_HZ = 8000
Signal = NDArray[np.float64]

TRAINING_NOISES = ("white", "coloured", "babble", "hum")
HARD_NOISES = ("band", "band", "babble", "coloured")
SHARP_NOISES = ("traffic", "clatter", "tones", "engine", "wind", "babble", "babble", "band", "coloured")
_NOISES = {"hard": HARD_NOISES, "sharp": SHARP_NOISES}
NOISE_DB = {"training": (3, 28), "hard": (2, 17), "sharp": (3, 19)}  # speech over noise, from, to


def alaw(signal: Signal) -> Signal:
    """Round trip through G.711 A-law (companding curve, 8 bits) of samples in -1..1."""
    a, scale = 87.6, 1 + np.log(87.6)
    y = np.clip(signal, -1, 1)
    magnitude = np.abs(y)
    coded = np.where(magnitude < 1 / a, a * magnitude / scale, (1 + np.log(np.maximum(a * magnitude, 1e-9))) / scale)
    q = np.round(coded * 127) / 127
    back = np.where(q < 1 / scale, q * scale / a, np.exp(q * scale - 1) / a)
    return np.asarray(np.sign(y) * back)


def mulaw(signal: Signal) -> Signal:
    """Round trip through G.711 µ-law of samples in -1..1."""
    y = np.clip(signal, -1, 1)
    coded = np.sign(y) * np.log1p(255 * np.abs(y)) / np.log(256)
    q = np.round(coded * 127) / 127
    return np.asarray(np.sign(q) * (np.power(256.0, np.abs(q)) - 1) / 255)


def training_noise(kind: str, length: int, random: np.random.Generator, babble: Sequence[Signal]) -> Signal:
    """`length` samples of a kind of noise that training hears, of no particular level."""
    if kind == "white":
        return random.standard_normal(length)
    if kind == "coloured":
        spectrum = np.fft.rfft(random.standard_normal(length))
        return np.asarray(np.fft.irfft(spectrum / (np.arange(len(spectrum)) + 1.0) ** random.uniform(0.3, 1.0), length))
    if kind == "band":  # any part of the band, swelling and falling
        low = random.uniform(60, 1500)
        edges = [low, min(3900, low + random.uniform(300, 2500))]
        filtered = scipy.signal.butter(int(random.integers(1, 4)), edges, "band", fs=SAMPLE_RATE_HZ, output="sos")
        swell = np.interp(np.arange(length), np.linspace(0, length, 12), random.uniform(0.2, 1, 12))
        return np.asarray(scipy.signal.sosfilt(filtered, random.standard_normal(length)) * swell)
    if kind == "babble":
        mixed = np.zeros(length)
        for _ in range(random.integers(2, 9)):  # fewer would be another caller, not noise
            voice = babble[int(random.integers(len(babble)))]
            repeated = np.tile(voice, length // len(voice) + 1)[:length]
            mixed += np.roll(repeated, random.integers(length)) * random.uniform(0.3, 1)
        return mixed
    if kind in _SCENES:
        return _SCENES[kind](length, random)
    seconds = np.arange(length) / SAMPLE_RATE_HZ
    hum = sum(np.sin(2 * np.pi * 50 * h * seconds + random.uniform(0, 6)) / h for h in range(1, 8))
    return np.asarray(hum + random.standard_normal(length) * 0.3)


def _coloured(length: int, random: np.random.Generator, slope: float) -> Signal:
    """Noise whose amplitude falls with frequency to the power of `slope` (rises below nought)."""
    spectrum = np.fft.rfft(random.standard_normal(length))
    return unit_level(np.fft.irfft(spectrum * (np.arange(len(spectrum)) + 20.0) ** -slope, length))


def _traffic(length: int, random: np.random.Generator) -> Signal:
    """Vehicles that come and go, each a hump of noise of its own colour, over a distant road; sometimes a horn."""
    position = np.arange(length) / SAMPLE_RATE_HZ
    road = _coloured(length, random, random.uniform(0.2, 0.8)) * random.uniform(0.1, 0.6)
    for _ in range(random.integers(1, 4)):
        middle, width = random.uniform(0, position[-1]), random.uniform(0.3, 2.0)
        hump = 1 / (1 + ((position - middle) / width) ** 2)
        road += _coloured(length, random, random.uniform(-0.2, 0.7)) * hump
    if random.random() < 0.2:
        start, pitch = random.uniform(0, position[-1]), random.uniform(300, 550)
        sounding = (position > start) & (position < start + random.uniform(0.1, 0.6))
        horn = np.sign(np.sin(2 * np.pi * pitch * position)) + np.sign(np.sin(2 * np.pi * pitch * 1.26 * position))
        road += horn * sounding * random.uniform(0.3, 1)
    return road


def _clatter(length: int, random: np.random.Generator) -> Signal:
    """Things put down and knocked together: short bursts of noise through a resonance, over a hiss."""
    out = _coloured(length, random, random.uniform(-0.7, 0.5)) * random.uniform(0.1, 0.9)
    for _ in range(max(1, int(length / SAMPLE_RATE_HZ * random.uniform(0.5, 6)))):
        size = int(random.integers(160, 2400))
        start = int(random.integers(0, max(1, length - size)))
        low = random.uniform(200, 2500)
        edges = [low, min(3900, low * random.uniform(1.1, 1.8))]
        bell = scipy.signal.butter(1, edges, "band", fs=SAMPLE_RATE_HZ, output="sos")
        burst = scipy.signal.sosfilt(bell, random.standard_normal(size)) * np.exp(-5 * np.arange(size) / size)
        out[start : start + size] += unit_level(burst)[: length - start] * random.uniform(0.5, 3)
    return out


def _tones(length: int, random: np.random.Generator) -> Signal:
    """Like music: notes of a few voices that begin, die away and change, each with harmonics."""
    out = _coloured(length, random, 0.5) * random.uniform(0.02, 0.3)
    beat = int(random.uniform(0.12, 0.6) * SAMPLE_RATE_HZ)
    root = random.uniform(80, 400)
    for _ in range(random.integers(1, 4)):
        for start in range(0, length, beat):
            size = min(int(beat * random.uniform(0.6, 1.6)), length - start)
            seconds = np.arange(size) / SAMPLE_RATE_HZ
            pitch = root * 2 ** (int(random.integers(0, 25)) / 12)
            harmonics = [k for k in range(1, 9) if pitch * k < 3900]
            note = sum(np.sin(2 * np.pi * pitch * k * seconds) * random.uniform(0, 1) / k for k in harmonics)
            out[start : start + size] += note * np.exp(-seconds * random.uniform(1, 8)) * random.uniform(0.2, 1)
    return out


def _engine(length: int, random: np.random.Generator) -> Signal:
    """A machine that runs: harmonics of random strength whose pitch drifts, and its air."""
    drift = np.interp(np.arange(length), np.linspace(0, length, 6), random.uniform(0.95, 1.05, 6))
    turned = 2 * np.pi * np.cumsum(random.uniform(25, 350) * drift) / SAMPLE_RATE_HZ
    slope = random.uniform(0.2, 1.5)
    tones = sum(np.sin(k * turned + random.uniform(0, 6)) * random.uniform(0, 1) / k**slope for k in range(1, 12))
    low = random.uniform(80, 900)
    edges = [low, low + random.uniform(400, 2800)]
    around = scipy.signal.butter(1, edges, "band", fs=SAMPLE_RATE_HZ, output="sos")
    air = unit_level(scipy.signal.sosfilt(around, random.standard_normal(length)))
    return np.asarray(unit_level(np.asarray(tones)) * random.uniform(0, 1) + air * random.uniform(0.3, 1))


def _wind(length: int, random: np.random.Generator) -> Signal:
    """Gusts over a microphone: dark noise that swells, brighter when it is loud."""
    points = max(4, int(length / SAMPLE_RATE_HZ * random.uniform(1, 5)))
    gusts = np.interp(np.arange(length), np.linspace(0, length, points), random.uniform(0, 1, points))
    dark = _coloured(length, random, random.uniform(0.8, 1.3))
    return np.asarray(dark * gusts + _coloured(length, random, 0.2) * gusts**2 * random.uniform(0.1, 0.8))


_SCENES = {"traffic": _traffic, "clatter": _clatter, "tones": _tones, "engine": _engine, "wind": _wind}


def unit_level(signal: Signal) -> Signal:
    """The signal at a root mean square of 1."""
    return np.asarray(signal / (np.sqrt(np.mean(signal**2)) + 1e-9))


def telephone(
    speech: NDArray[np.float32],
    speech_rate_hz: int,
    random: np.random.Generator,
    babble: Sequence[Signal],
    *,
    manner: Literal["training", "development", "hard", "sharp"] = "training",
) -> tuple[NDArray[np.int16], int, float]:
    """One training utterance as the far end of a call hears it.

    Returns 8 kHz samples, the number of samples put before the speech, and the factor from the sample numbers of
    `speech` to those of the result (speech is also stretched by up to 15 %, which moves the formants). `hard` and
    `sharp`: in strong noise of more kinds.
    """
    down = round(441 * random.uniform(0.87, 1.16) * speech_rate_hz / 22050)
    x = scipy.signal.resample_poly(speech.astype(np.float64), 160, down)
    lead = int(random.uniform(0.1, 0.7) * SAMPLE_RATE_HZ)
    x = np.concatenate([np.zeros(lead), x, np.zeros(int(random.uniform(0.2, 0.8) * SAMPLE_RATE_HZ))])
    if random.random() < 0.3:  # a room
        taps = int(random.uniform(0.08, 0.5) * SAMPLE_RATE_HZ)
        echo = random.standard_normal(taps) * np.exp(-6.9 * np.arange(taps) / taps) * random.uniform(0.02, 0.25)
        echo[0] = 1
        x = scipy.signal.fftconvolve(x, echo)[: len(x)]
    x = unit_level(x)
    if random.random() < 0.85:
        kinds = _NOISES.get(manner, TRAINING_NOISES)
        kind = kinds[int(random.integers(len(kinds)))]
        noise = unit_level(training_noise(kind, len(x), random, babble))
        x = x + noise * 10 ** (-random.uniform(*NOISE_DB.get(manner, NOISE_DB["training"])) / 20)
    if random.random() < 0.7:
        band = [random.uniform(100, 350), random.uniform(3100, 3800)]
        x = scipy.signal.sosfilt(
            scipy.signal.butter(random.integers(1, 5), band, "band", fs=SAMPLE_RATE_HZ, output="sos"), x
        )
    if random.random() < 0.3:  # a handset's tilt
        x = scipy.signal.lfilter([1, random.uniform(-0.6, 0.6)], [1], x)
    x = x * random.uniform(0.03, 0.95) / (np.abs(x).max() + 1e-9)
    if random.random() < 0.08:  # lost packets
        for _ in range(random.integers(1, 4)):
            start = random.integers(0, max(1, len(x) - 160))
            x[start : start + 160] = 0
    codec = random.random()
    if codec < 0.4:
        x = mulaw(x)
    elif codec < 0.9:
        x = alaw(x)
    return np.clip(np.round(x * 32767), -32768, 32767).astype(np.int16), lead, 160 / down
