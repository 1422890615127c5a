"""libvosk behind types: a model loaded once, a recognizer for each stream, resampling to the model's rate."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from callcenter.errors import SpeechError
from callcenter.speech.catalogue import language_of, sample_rate_hz
from callcenter.speech.protocol import StreamConfig


class Recognizer:
    """One stream's recognizer. Not to be used by two threads at once."""

    def __init__(self, model: Any, model_rate_hz: int, config: StreamConfig) -> None:
        import vosk

        grammar = (json.dumps([*config.phrases, "[unk]"], ensure_ascii=False),) if config.phrases else ()
        self._vosk = vosk.KaldiRecognizer(model, float(model_rate_hz), *grammar)
        self._vosk.SetWords(config.words)
        if config.max_alternatives:
            self._vosk.SetMaxAlternatives(config.max_alternatives)
        self._resampler: Any = None
        if config.sample_rate_hz != model_rate_hz:
            import soxr

            self._resampler = soxr.ResampleStream(config.sample_rate_hz, model_rate_hz, 1, dtype="int16", quality="MQ")

    def _at_model_rate(self, pcm: bytes, last: bool = False) -> bytes:
        if self._resampler is None:
            return pcm
        return bytes(self._resampler.resample_chunk(np.frombuffer(pcm, "<i2"), last=last).tobytes())

    def accept(self, pcm: bytes) -> bool:
        """Decode samples; True when an utterance ended, and `result` has it."""
        samples = self._at_model_rate(pcm)
        return bool(samples) and self._vosk.AcceptWaveform(samples) == 1

    def result(self) -> str:
        """JSON of the utterance that ended."""
        return str(self._vosk.Result())

    def partial(self) -> str:
        """JSON of what is heard so far of the present utterance."""
        return str(self._vosk.PartialResult())

    def final(self, pcm: bytes, last: bool) -> str:
        """Decode the rest and end the utterance now; with `last` the stream is over."""
        samples = self._at_model_rate(pcm, last)
        if samples:
            self._vosk.AcceptWaveform(samples)
        return str(self._vosk.FinalResult())


@dataclass(frozen=True)
class SpeechModel:
    """A loaded model, shared by all streams."""

    folder: Path
    sample_rate_hz: int
    language: str | None
    handle: Any

    def recognizer(self, config: StreamConfig) -> Recognizer:
        """A recognizer for one stream. Slow with many phrases: not on an event loop."""
        try:
            return Recognizer(self.handle, self.sample_rate_hz, config)
        except Exception as error:
            raise SpeechError("transcribe.recognizer", "libvosk refused the configuration") from error


def load_model(folder: Path) -> SpeechModel:
    """Load a model that `catalogue.check_model` has found whole."""
    import vosk

    vosk.SetLogLevel(-1)
    try:
        handle = vosk.Model(os.fspath(folder))
    except Exception as error:
        raise SpeechError(
            "model.damaged", "libvosk cannot read the speech model", where=str(folder),
            mend="run `callcenter model verify`, or install one with `callcenter model pull`",
        ) from error  # fmt: skip
    return SpeechModel(folder, sample_rate_hz(folder), language_of(folder), handle)
