"""Train the labels' model from `models/understanding/training` and say how it does (`python -m …`, under a minute).

Fails when a training sentence shares a span of eight characters with an evaluation sentence.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import numpy as np

from callcenter.config import ROOT
from callcenter.domain.understanding.text import utterance
from callcenter.errors import SpeechError
from callcenter.speech.features import SIZE, features
from callcenter.speech.linear import HEADS, Head, LinearModel, softmax
from callcenter.speech.training_text import (
    Sentence,
    augmented,
    expand,
    misheard,
    read_lexicon,
    read_templates,
    read_words,
    shared_spans,
)
from callcenter.speech.understanding_figures import Figures, evaluation_files, figures_of, read_labelled

HOME = ROOT / "models" / "understanding"
SEED = 20261
STRENGTH = 8.0
"""Inverse regularisation of the logistic regressions."""
PRIOR = {"emergency": 0.35}
"""The training text has far more emergencies than the telephone."""


def sentences(folder: Path, random: Random) -> list[Sentence]:
    """Every expansion of every template, and a quarter of the lexicon's things in their carriers."""
    words = read_words(folder / "words.txt")
    lexicon = read_lexicon(folder)
    return random.sample(lexicon, len(lexicon) // 4) + [
        Sentence(text, t.kind, t.category, t.urgency, t.language)
        for t in read_templates(folder)
        for text in expand(t, words, random)
    ]


def check_overlap(plain: list[Sentence], evaluation: Path) -> None:
    """Raise SpeechError `training.overlap` when training text shares a span of eight with an evaluation sentence."""
    tested = [row.text for file in sorted(evaluation.glob("*.jsonl")) for row in read_labelled(file)]
    if shared := shared_spans([s.text for s in plain], tested):
        listed = "; ".join(f"{span} ({text})" for span, text in list(shared.items())[:20])
        raise SpeechError(
            "training.overlap", f"{len(shared)} spans of 8 characters are in training and evaluation: {listed}",
            mend="reword the training text, never the evaluation",
        )  # fmt: skip


def _matrix(rows: list[dict[int, float]]) -> Any:
    from scipy.sparse import csr_matrix

    starts = np.cumsum([0, *(len(r) for r in rows)])
    index = np.fromiter((i for r in rows for i in r), np.int32, starts[-1])
    values = np.fromiter((v for r in rows for v in r.values()), np.float32, starts[-1])
    return csr_matrix((values, index, starts), shape=(len(rows), SIZE))


def fit(matrix: Any, labels: list[str]) -> Head:
    """One head: logistic regression, weighted towards rare classes, quantised to eight bits."""
    from sklearn.linear_model import LogisticRegression

    counts = Counter(labels)
    weight = np.array([(len(labels) / len(counts) / counts[label]) ** 0.5 * PRIOR.get(label, 1.0) for label in labels])
    model = LogisticRegression(C=STRENGTH, max_iter=80, tol=2e-3)
    model.fit(matrix, labels, sample_weight=weight)
    coefficients = model.coef_
    bias = model.intercept_
    if len(model.classes_) == 2:
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    scale = np.abs(coefficients).max(axis=1) / 127
    quantised = np.round(coefficients / scale[:, None]).astype(np.int8).T
    return Head(
        tuple(model.classes_), np.ascontiguousarray(quantised), scale.astype(np.float32), bias.astype(np.float32), 1.0
    )


def calibrated(head: Head, scores: list[np.ndarray[Any, Any]], labels: list[str]) -> Head:
    """The head with the temperature under which its odds fit sentences it has not seen."""
    known = [(s, head.classes.index(label)) for s, label in zip(scores, labels, strict=True) if label in head.classes]

    def loss(temperature: float) -> float:
        losses = [-float(np.log(softmax((s / temperature).astype(np.float32))[truth] + 1e-9)) for s, truth in known]
        return sum(losses) / max(1, len(losses))

    best = min(np.geomspace(0.5, 4.0, 40).tolist(), key=loss)
    return Head(head.classes, head.weights, head.scale, head.bias, float(best))


def _draws() -> Random:
    return Random(SEED)  # noqa: S311 — reproducible, not secret


def train(home: Path = HOME, *, progress: bool = True) -> tuple[LinearModel, int, int]:
    """Train on `home/training`, calibrate on `home/dev`; returns the model and how many sentences it saw."""
    random = _draws()
    plain = sentences(home / "training", random)
    check_overlap(plain, home / "evaluation")
    seen = list(augmented(plain, random))
    heads: dict[tuple[str, str], Head] = {}
    tuning = [row for file in sorted((home / "dev").glob("*.jsonl")) for row in read_labelled(file)]
    for language in ("zh", "en"):
        own = [s for s in seen if s.language == language]
        matrix = _matrix([features(utterance(s.text), language) for s in own])
        for name in HEADS:
            heads[language, name] = fit(matrix, [getattr(s, name) for s in own])
            if progress:
                sys.stderr.write(
                    f"{language} {name}: {len(own)} sentences, {len(heads[language, name].classes)} classes\n"
                )
    model = LinearModel(heads)
    unseen = [(row, text) for row in tuning for text in (row.text, misheard(row.text, 0.2, random))]
    scored = [model.scores(utterance(text), "zh") for _, text in unseen]
    for name in HEADS:
        labels = [getattr(row, name) for row, _ in unseen]
        heads["zh", name] = calibrated(heads["zh", name], [s[name] for s in scored], labels)
        warm = heads["en", name]
        heads["en", name] = Head(warm.classes, warm.weights, warm.scale, warm.bias, heads["zh", name].temperature)
    return model, len(plain), len(seen)


def main() -> None:
    """Train, write `labels.npz` and `figures.json`, print figures; the last line is JSON."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.speech.train_understanding", description=__doc__)
    parser.add_argument("--home", type=Path, default=HOME, help="folder with training/, dev/ and evaluation/")
    parser.add_argument("--only-figures", action="store_true", help="measure the model that is there")
    arguments = parser.parse_args()
    home: Path = arguments.home
    begun = time.monotonic()
    try:
        if not arguments.only_figures:
            model, plain, seen = train(home)
            model.save(home / "labels.npz")
            sys.stderr.write(f"{plain} sentences, {seen} with variations, {time.monotonic() - begun:.0f} s\n")
        else:
            check_overlap(sentences(home / "training", _draws()), home / "evaluation")
        loaded = LinearModel.load(home / "labels.npz")
    except SpeechError as error:
        sys.stderr.write(f"{error}\n")
        raise SystemExit(1) from None
    groups: dict[str, Figures] = {}
    for folder in ("dev", "evaluation"):
        for file in sorted((home / folder).glob("*.jsonl")):
            groups[f"{folder}/{file.stem}"] = figures_of(loaded, [file])
    own, strangers = evaluation_files(home)
    total, unmet = figures_of(loaded, own), figures_of(loaded, strangers)
    for group, figures in groups.items():
        sys.stderr.write(f"{group:24} {figures}\n")
    (home / "figures.json").write_text(
        json.dumps(
            {
                "evaluation": total.as_dict(),
                "strangers": unmet.as_dict(),
                "groups": {g: f.as_dict() for g, f in groups.items()},
            },
            indent=1,
        )
        + "\n"
    )
    print(json.dumps(total.as_dict()))


if __name__ == "__main__":
    main()
