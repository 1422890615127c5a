"""Decoding through libvosk as the service does it: chunks of 100 ms, results at endpoints."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import vosk
from numpy.typing import NDArray

from models.evaluation.scoring import Word

CHUNK_S = 0.1


@dataclass(frozen=True)
class Heard:
    """What was heard: words of all results, how many non-empty results there were, CPU and audio seconds."""

    words: tuple[Word, ...]
    results: int
    cpu_s: float
    audio_s: float

    @property
    def text(self) -> str:
        """The characters heard, without spaces."""
        return "".join(word.text for word in self.words)


def load(folder: Path) -> vosk.Model:
    """A model, with libvosk's own messages off."""
    vosk.SetLogLevel(-1)
    return vosk.Model(str(folder))


def recognise(model: vosk.Model, samples: NDArray[np.int16], sample_rate_hz: int = 8000) -> Heard:
    """Decode one stream, in this thread."""
    started = time.thread_time()
    recogniser = vosk.KaldiRecognizer(model, sample_rate_hz)
    recogniser.SetWords(True)
    audio = samples.tobytes()
    step = int(sample_rate_hz * CHUNK_S) * 2
    words: list[Word] = []
    results = 0
    for start in range(0, len(audio), step):
        if recogniser.AcceptWaveform(audio[start : start + step]):
            found = json.loads(recogniser.Result()).get("result", [])
            words += [Word(w["word"], float(w["conf"])) for w in found]
            results += bool(found)
    found = json.loads(recogniser.FinalResult()).get("result", [])
    words += [Word(w["word"], float(w["conf"])) for w in found]
    results += bool(found)
    return Heard(tuple(words), results, time.thread_time() - started, len(samples) / sample_rate_hz)


def recognise_all(model: vosk.Model, streams: Iterable[NDArray[np.int16]]) -> Iterator[Heard]:
    """Decode streams at 8 kHz on all cores; what was heard, in their order."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        yield from pool.map(lambda samples: recognise(model, samples), streams)


def real_time_factor(model: vosk.Model, streams: Iterable[NDArray[np.int16]]) -> float:
    """CPU seconds per second of audio, one stream after the other on one core."""
    heard = [recognise(model, samples) for samples in streams]
    return sum(one.cpu_s for one in heard) / sum(one.audio_s for one in heard)
