"""Test audio: held-out voices, held-out noises, G.711. Made with libespeak in a child process and kept in a folder.

Needs only numpy, scipy, pypinyin and espeakng-loader.
"""

from __future__ import annotations

import hashlib
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from models.evaluation.sets import HeldOut
from models.recipe.channel import SAMPLE_RATE_HZ, alaw, unit_level
from models.recipe.espeak import Espeak, Voice
from models.recipe.phones import readings

Signal = NDArray[np.float64]
CONDITIONS = ("clean", "noise", "noise_alaw")
_ATTEMPTS = 6


@dataclass(frozen=True)
class Request:
    """A text in a voice."""

    text: str
    voice: Voice

    @property
    def key(self) -> str:
        """Names the audio file: equal for equal requests."""
        return hashlib.sha256(repr(self).encode()).hexdigest()[:24]


def voices_for(held_out: HeldOut, index: int, count: int) -> list[Voice]:
    """`count` different held-out voices for the sentence with this index, always the same."""
    random = Random(f"{held_out.seed}/{index}")
    return [
        Voice(
            held_out.voices[(index + 3 * turn) % len(held_out.voices)],
            random.choice(held_out.rates),
            random.choice(held_out.pitches),
            random.choice(held_out.ranges),
        )
        for turn in range(count)
    ]


def _child(requests: Sequence[Request], folder: str) -> None:
    espeak = Espeak()
    for request in requests:
        path = Path(folder) / f"{request.key}.npy"
        if path.exists():
            continue
        syllables = [syllable.replace("ü", "v") for syllable in readings(request.text)]
        sound, _ = espeak.say(" ".join(syllables), request.voice)
        speech = scipy.signal.resample_poly(sound, 160, 441 * espeak.sample_rate_hz // 22050)
        partial = path.with_suffix(".partial.npy")
        np.save(partial, speech.astype(np.float32))
        partial.rename(path)


def synthesise(requests: Sequence[Request], folder: Path) -> dict[Request, Signal]:
    """8 kHz speech of every request; what `folder` has already is not made again. Crashed children are retried."""
    folder.mkdir(parents=True, exist_ok=True)
    context = multiprocessing.get_context("spawn")
    for _ in range(_ATTEMPTS):
        missing = [r for r in requests if not (folder / f"{r.key}.npy").exists()]
        if not missing:
            break
        child = context.Process(target=_child, args=(missing, str(folder)))
        child.start()
        child.join()
    missing = [r for r in requests if not (folder / f"{r.key}.npy").exists()]
    if missing:
        raise RuntimeError(f"libespeak could not say {missing[0].text!r} in voice {missing[0].voice.variant!r}")
    return {r: np.load(folder / f"{r.key}.npy").astype(np.float64) for r in requests}


def _street(length: int, random: np.random.Generator, _: Sequence[Signal]) -> Signal:
    """Traffic: low rumble whose level swells and falls, with passing tyres."""
    rumble = scipy.signal.lfilter([1], [1, -0.96], random.standard_normal(length))
    tyres = scipy.signal.lfilter([1, -0.7], [1], random.standard_normal(length))
    seconds = np.arange(length) / SAMPLE_RATE_HZ
    swell = 0.6 + 0.4 * np.sin(2 * np.pi * seconds / random.uniform(2, 5) + random.uniform(0, 6))
    return np.asarray(unit_level(rumble) * swell + 0.4 * unit_level(tyres) * (1 - swell))


def _kitchen(length: int, random: np.random.Generator, _: Sequence[Signal]) -> Signal:
    """Running water and clatter: high-passed noise with decaying knocks."""
    water = scipy.signal.lfilter([1, -0.9], [1], random.standard_normal(length))
    knocks = np.zeros(length)
    for _index in range(max(1, length // 3000)):
        start = int(random.integers(0, max(1, length - 800)))
        ring = np.exp(-np.arange(800) / random.uniform(60, 200))
        ring *= np.sin(2 * np.pi * random.uniform(700, 2800) * np.arange(800) / SAMPLE_RATE_HZ)
        knocks[start : start + 800] += ring[: max(0, min(800, length - start))]
    return np.asarray(unit_level(water) + 0.7 * unit_level(knocks))


def _crowd(length: int, random: np.random.Generator, others: Sequence[Signal]) -> Signal:
    """Six held-out voices at once."""
    mixed = np.zeros(length)
    for _index in range(6):
        voice = others[int(random.integers(len(others)))]
        mixed += np.roll(np.resize(voice, length), int(random.integers(length))) * random.uniform(0.5, 1)
    return mixed


def _fan(length: int, random: np.random.Generator, _: Sequence[Signal]) -> Signal:
    """A fan: blade tone with harmonics and air."""
    seconds = np.arange(length) / SAMPLE_RATE_HZ
    blade = random.uniform(90, 160)
    tones = sum(np.sin(2 * np.pi * blade * k * seconds + random.uniform(0, 6)) / k for k in range(1, 6))
    air = scipy.signal.sosfilt(
        scipy.signal.butter(2, [200, 1500], "band", fs=SAMPLE_RATE_HZ, output="sos"), random.standard_normal(length)
    )
    return np.asarray(unit_level(np.asarray(tones)) * 0.7 + unit_level(air))


NOISES = {"street": _street, "kitchen": _kitchen, "crowd": _crowd, "fan": _fan}


def condition(speech: Signal, name: str, held_out: HeldOut, index: int, others: Sequence[Signal]) -> NDArray[np.int16]:
    """The speech as a call brings it: silence around, telephone band, noise at `snr_db` over the speech, A-law."""
    random = np.random.default_rng([held_out.seed, index])
    x = np.concatenate([np.zeros(2400), unit_level(speech), np.zeros(4000)])
    if name != "clean":
        kind = held_out.noises[index % len(held_out.noises)]
        x = x + unit_level(NOISES[kind](len(x), random, others)) * 10 ** (-held_out.snr_db / 20)
    x = scipy.signal.sosfilt(scipy.signal.butter(2, [200, 3500], "band", fs=SAMPLE_RATE_HZ, output="sos"), x)
    x = x * 0.5 / (np.abs(x).max() + 1e-9)
    if name == "noise_alaw":
        x = alaw(x)
    return np.asarray(np.clip(np.round(x * 32767), -32768, 32767), dtype=np.int16)
