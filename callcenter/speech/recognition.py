"""libvosk behind types: a model loaded once, a recognizer for each stream, resampling to the model's rate."""

from __future__ import annotations

import json
import os
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from callcenter.errors import SpeechError
from callcenter.speech.protocol import StreamConfig

_FILES = (("am/final.mdl",), ("conf/mfcc.conf",), ("graph/HCLG.fst", "graph/HCLr.fst"))
_WORDS = ("graph/words.txt", "graph/Gr.fst")
_HAN_SHARE = 0.3
"""A model whose words are at least this share Chinese characters is a Mandarin model."""
_MEND = "run `callcenter model verify`, or install one with `callcenter model pull`"


def language_of(folder: Path) -> str | None:
    """`zh` or `en` by the model's own words; None when it has no list of them."""
    file = folder / "graph" / "words.txt"
    if not file.is_file():
        return None
    with file.open(encoding="utf-8", errors="replace") as lines:
        words = [w for line, _ in zip(lines, range(20_000), strict=False) if (w := line.split(" ")[0]).isalpha()]
    if not words:
        return None
    chinese = sum("\u4e00" <= w[0] <= "\u9fff" for w in words)
    return "zh" if chinese >= _HAN_SHARE * len(words) else "en"


def sample_rate_of(folder: Path) -> int:
    """The model's sample rate in Hz (`conf/mfcc.conf`; 16000 where it does not say)."""
    text = (folder / "conf" / "mfcc.conf").read_text(encoding="utf-8", errors="replace")
    found = re.search(r"^--sample-frequency=(\d+)", text, re.MULTILINE)
    return int(found.group(1)) if found else 16000


def check_folder(folder: Path, language: str | None = None) -> None:
    """Raise SpeechError `model.*` unless `folder` looks like a whole Vosk model for `language`."""
    if not folder.is_dir():
        raise SpeechError("model.missing", "there is no speech model", where=str(folder), mend=_MEND)
    if (folder / "final.mdl").is_file() and not (folder / "am").exists():
        raise SpeechError("model.layout", "the model is of an old layout", where=str(folder), mend=_MEND)
    for names in (*_FILES, _WORDS):
        if not any((folder / n).is_file() and (folder / n).stat().st_size > 0 for n in names):
            raise SpeechError("model.damaged", f"the speech model lacks {names[0]}", where=str(folder), mend=_MEND)
    has = language_of(folder)
    if language and has and has != language[:2]:
        raise SpeechError(
            "model.language",
            f"the speech model hears {has}, the dialplans speak {language[:2]}",
            where=str(folder),
            mend="set speech.model to a model of that language (`callcenter model list`)",
        )


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


def load_model(folder: Path, language: str | None = None) -> SpeechModel:
    """Check and load a model. A damaged one can end the process inside libvosk: load it in the role's own process."""
    check_folder(folder, language)
    import vosk

    vosk.SetLogLevel(-1)
    try:
        handle = vosk.Model(os.fspath(folder))
    except Exception as error:
        raise SpeechError("model.damaged", "libvosk cannot read the model", where=str(folder), mend=_MEND) from error
    return SpeechModel(folder, sample_rate_of(folder), language_of(folder), handle)
