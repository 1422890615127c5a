"""Development speech: sentences, voices and noises that are neither trained on nor tested with. Scales are tuned on it
and confidence is calibrated on it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np
import vosk
from numpy.typing import NDArray

from models.evaluation import scoring, speech
from models.evaluation.recognise import recognise_all
from models.recipe import channel, spoken_numbers
from models.recipe.espeak import Voice

_FILE = Path(__file__).parent / "development.txt"
_VOICES = ("Alicia", "edward", "linda", "Mario")  # the development voices that every espeak-ng has
_SNR_DB = 10.0


@dataclass(frozen=True)
class Item:
    """An utterance of the development speech."""

    text: str
    samples: NDArray[np.int16]


@dataclass(frozen=True)
class Score:
    """How a model does on the development speech."""

    cer: float
    cer_numbers: float
    calibration_error: float


def sentences() -> list[str]:
    """The hand-written development sentences."""
    lines = _FILE.read_text("utf-8").splitlines()
    return [line.strip() for line in lines if line.strip() and not line.startswith("#")]


def items(cache: Path, seed: int = 41) -> list[tuple[bool, Item]]:
    """(is it numbers, item): sentences in two voices each, sixty numbers in one; training noises at 10 dB, A-law."""
    random = Random(seed)
    wanted: list[tuple[bool, speech.Request]] = []
    for text in sentences():
        for variant in random.sample(_VOICES, 2):
            voice = _voice(variant, random)
            wanted.append((False, speech.Request(text, voice)))
    makers = (spoken_numbers.mobile, spoken_numbers.address, spoken_numbers.room, spoken_numbers.digits)
    for index in range(60):
        text = makers[index % len(makers)](random)
        wanted.append((True, speech.Request(text, _voice(random.choice(_VOICES), random))))
    audio = speech.synthesise([request for _, request in wanted], cache)
    babble = list(audio.values())
    out = []
    for index, (numbers, request) in enumerate(wanted):
        noise = np.random.default_rng([seed, index])
        x = np.concatenate([np.zeros(2400), channel.unit_level(audio[request]), np.zeros(4000)])
        kind = channel.TRAINING_NOISES[index % len(channel.TRAINING_NOISES)]
        x = x + channel.unit_level(channel.training_noise(kind, len(x), noise, babble)) * 10 ** (-_SNR_DB / 20)
        x = channel.alaw(x * 0.5 / np.abs(x).max())
        out.append((numbers, Item(request.text, np.round(x * 32767).astype(np.int16))))
    return out


def _voice(variant: str, random: Random) -> Voice:
    return Voice(variant, random.choice((140, 165, 190)), random.choice((35, 50)), random.choice((40, 55)))


def score(model: Path, speech_items: list[tuple[bool, Item]]) -> Score:
    """Decode all items with the model in a folder."""
    vosk.SetLogLevel(-1)
    loaded = vosk.Model(str(model))
    rates = {False: scoring.ErrorRate(), True: scoring.ErrorRate()}
    judged: list[tuple[float, bool]] = []
    streams = [item.samples for _, item in speech_items]
    for (numbers, item), heard in zip(speech_items, recognise_all(loaded, streams), strict=True):
        rates[numbers].add(item.text, heard.text)
        judged += scoring.right_words(item.text, heard.words)
    return Score(rates[False].rate, rates[True].rate, scoring.expected_calibration_error(judged))
