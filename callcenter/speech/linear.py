"""The linear model of labels: weights in one `.npz`, odds by a few array look-ups; no scikit-learn at run time."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from callcenter.domain.understanding.text import Utterance
from callcenter.errors import SpeechError
from callcenter.speech.features import SIZE, features

FORMAT = 1
HEADS = ("kind", "category", "urgency")
Floats = npt.NDArray[np.float32]


@dataclass(frozen=True)
class Head:
    """One question: class names, int8 weights (features × classes) with a scale per class, bias, temperature."""

    classes: tuple[str, ...]
    weights: npt.NDArray[np.int8]
    scale: Floats
    bias: Floats
    temperature: float

    def scores(self, index: npt.NDArray[np.int64], weight: Floats) -> Floats:
        """Calibrated log-odds of every class."""
        summed = weight @ self.weights[index].astype(np.float32) if len(index) else np.zeros(len(self.classes))
        return np.asarray((summed * self.scale + self.bias) / self.temperature, dtype=np.float32)


def softmax(scores: Floats) -> Floats:
    """Probabilities of scores."""
    grown = np.exp(scores - scores.max())
    return np.asarray(grown / grown.sum(), dtype=np.float32)


class LinearModel:
    """Probabilities of kind, category and urgency, by language."""

    def __init__(self, heads: Mapping[tuple[str, str], Head]) -> None:
        self.heads = heads

    def scores(self, said: Utterance, language: str) -> dict[str, Floats]:
        """Log-odds by head."""
        seen = features(said, language)
        index = np.fromiter(seen.keys(), np.int64, len(seen))
        weight = np.fromiter(seen.values(), np.float32, len(seen))
        return {name: self.heads[language, name].scores(index, weight) for name in HEADS}

    def classes(self, language: str, head: str) -> tuple[str, ...]:
        """Class names of a head, in the order of its scores."""
        return self.heads[language, head].classes

    def save(self, path: Path) -> None:
        """Write one `.npz` without pickled objects."""
        arrays: dict[str, npt.NDArray[np.generic]] = {}
        about: dict[str, object] = {"format": FORMAT, "size": SIZE}
        for (language, name), head in self.heads.items():
            key = f"{language}.{name}"
            used = np.flatnonzero(np.any(head.weights, axis=1))
            arrays |= {
                f"{key}.rows": used.astype(np.uint32), f"{key}.weights": head.weights[used],
                f"{key}.scale": head.scale, f"{key}.bias": head.bias,
            }  # fmt: skip
            about[key] = {"classes": head.classes, "temperature": round(head.temperature, 4)}
        arrays["about"] = np.frombuffer(json.dumps(about).encode(), np.uint8)
        np.savez_compressed(path, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path) -> LinearModel:
        """Read what `save` wrote. Raises SpeechError `understanding.model` with the mend."""
        try:
            with np.load(path, allow_pickle=False) as arrays:
                about = json.loads(arrays["about"].tobytes())
                if about.pop("format") != FORMAT or about.pop("size") != SIZE:
                    raise ValueError("another format")
                heads = {}
                for key, told in about.items():
                    language, _, name = key.partition(".")
                    weights = np.zeros((SIZE, len(told["classes"])), np.int8)
                    weights[arrays[f"{key}.rows"]] = arrays[f"{key}.weights"]
                    heads[language, name] = Head(
                        tuple(told["classes"]),
                        weights,
                        arrays[f"{key}.scale"],
                        arrays[f"{key}.bias"],
                        told["temperature"],
                    )
        except (OSError, ValueError, KeyError, zipfile.BadZipFile, zlib.error) as error:
            raise SpeechError(
                "understanding.model", "the model of the understanding is missing or damaged", where=str(path),
                mend="run `python -m callcenter.speech.train_understanding`",
            ) from error  # fmt: skip
        return cls(heads)
