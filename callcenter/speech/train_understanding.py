"""Train the labels' model from `models/understanding/training` and say how it does (`python -m …`, a minute or two).

Fails when a training sentence shares a span of eight characters with an evaluation sentence.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import warnings
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
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
    read_spoken,
    read_templates,
    read_words,
    shared_spans,
    spoken_variations,
)
from callcenter.speech.understanding_figures import (
    Figures,
    Labelled,
    evaluation_files,
    figures_of,
    figures_over,
    read_labelled,
)

HOME = ROOT / "models" / "understanding"
SEED = 20261
STRENGTH = 10.0
"""Inverse regularisation of the logistic regressions."""
ROUNDS = 80
FAINTEST = 1
"""Weights of at most so much of 127 are left out."""
FOLDS = 5
PRIOR = {"emergency": 0.5}
"""The training text has far more emergencies than the telephone."""


def sentences(folder: Path, random: Random) -> list[Sentence]:
    """Every expansion of every template, a quarter of the lexicon's things in their carriers, and what was spoken."""
    words = read_words(folder / "words.txt")
    lexicon = read_lexicon(folder)
    expanded = random.sample(lexicon, len(lexicon) // 4) + [
        Sentence(text, t.kind, t.category, t.urgency, t.language)
        for t in read_templates(folder)
        for text in expand(t, words, random)
    ]
    return expanded + read_spoken(folder)


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


def fit(matrix: Any, seen: Sequence[Sentence], name: str) -> Head:
    """One head: logistic regression, weighted towards rare classes, quantised to eight bits."""
    from sklearn.linear_model import LogisticRegression

    labels = [getattr(sentence, name) for sentence in seen]
    counts: Counter[str] = Counter()
    for label, sentence in zip(labels, seen, strict=True):
        counts[label] += sentence.weight  # type: ignore[assignment]  # a Counter adds up any number
    total = sum(counts.values())
    share = {label: (total / len(counts) / count) ** 0.5 * PRIOR.get(label, 1.0) for label, count in counts.items()}
    weight = np.array([share[label] * s.weight for label, s in zip(labels, seen, strict=True)])
    model = LogisticRegression(C=STRENGTH, max_iter=ROUNDS, tol=2e-3)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # stopping early is meant
        model.fit(matrix, labels, sample_weight=weight)
    coefficients = model.coef_
    bias = model.intercept_
    if len(model.classes_) == 2:
        coefficients, bias = np.vstack([-coefficients, coefficients]) / 2, np.concatenate([-bias, bias]) / 2
    scale = np.abs(coefficients).max(axis=1) / 127
    quantised = np.round(coefficients / scale[:, None]).astype(np.int8).T
    quantised[np.abs(quantised) <= FAINTEST] = 0
    return Head(
        tuple(model.classes_), np.ascontiguousarray(quantised), scale.astype(np.float32), bias.astype(np.float32), 1.0
    )


def temperature_of(head: Head, scores: Sequence[np.ndarray[Any, Any]], labels: Sequence[str]) -> float:
    """The temperature under which the head's odds fit sentences it has not seen."""
    known = [(s, head.classes.index(label)) for s, label in zip(scores, labels, strict=True) if label in head.classes]

    def loss(temperature: float) -> float:
        losses = [-float(np.log(softmax((s / temperature).astype(np.float32))[truth] + 1e-9)) for s, truth in known]
        return sum(losses) / max(1, len(losses))

    return float(min(np.geomspace(0.7, 4.0, 50).tolist(), key=loss))


def _draws() -> Random:
    return Random(SEED)  # noqa: S311 — reproducible, not secret


@dataclass(frozen=True)
class Material:
    """Sentences of one language with their variations; `origin[i]` says which sentence variation i comes from."""

    plain: list[Sentence]
    seen: list[Sentence]
    origin: list[int]
    matrix: Any

    def fitted(self, language: str, without: frozenset[int] = frozenset()) -> dict[tuple[str, str], Head]:
        """The heads from all sentences but some."""
        rows = [i for i, origin in enumerate(self.origin) if origin not in without]
        return {(language, name): fit(self.matrix[rows], [self.seen[i] for i in rows], name) for name in HEADS}


def material(plain: list[Sentence], language: str, random: Random) -> Material:
    """Training material of a language."""
    own = [s for s in plain if s.language == language]
    expanded = [s for s in own if s.weight == 1.0]
    pairs = [(sentence, -1) for sentence in augmented(expanded, random)]
    for index, sentence in enumerate(own):
        if sentence.weight != 1.0:
            pairs += [(variation, index) for variation in spoken_variations(sentence, random)]
    seen = [sentence for sentence, _ in pairs]
    matrix = _matrix([features(utterance(s.text), language) for s in seen])
    return Material(own, seen, [index for _, index in pairs], matrix)


def folds(stock: Material, count: int = FOLDS) -> list[frozenset[int]]:
    """The one-by-one sentences in `count` parts."""
    spoken = sorted({index for index in stock.origin if index >= 0})
    _draws().shuffle(spoken)
    return [frozenset(spoken[start::count]) for start in range(count)]


def train(home: Path = HOME, *, progress: bool = True) -> tuple[LinearModel, int, int]:
    """Train on `home/training`, calibrate on a fold of it held back and on `home/dev`.

    Returns the model, how many sentences there are, and how many with their variations.
    """
    random = _draws()
    plain = sentences(home / "training", random)
    check_overlap(plain, home / "evaluation")
    stocks = {language: material(plain, language, random) for language in ("zh", "en")}
    heads: dict[tuple[str, str], Head] = {}
    for language, stock in stocks.items():
        held = folds(stock)[0]
        final = stock.fitted(language)
        trial = LinearModel(stock.fitted(language, held) if held else final)
        unseen = [stock.plain[index] for index in sorted(held)] + _tuning(home, language)
        heard = [(row, text) for row in unseen for text in (row.text, misheard(row.text, 0.2, random))]
        scored = [trial.scores(utterance(text), language) for _, text in heard]
        for name in HEADS:
            labels = [getattr(row, name) for row, _ in heard]
            temperature = temperature_of(trial.heads[language, name], [s[name] for s in scored], labels)
            heads[language, name] = replace(final[language, name], temperature=temperature)
        if progress:
            sys.stderr.write(f"{language}: {len(stock.plain)} sentences, {len(stock.seen)} with variations\n")
    return LinearModel(heads), len(plain), sum(len(stock.seen) for stock in stocks.values())


def _tuning(home: Path, language: str) -> list[Sentence]:
    """The sentences of `home/dev` in a language."""
    return [
        Sentence(row.text, row.kind, row.category, row.urgency)
        for file in sorted((home / "dev").glob("*.jsonl"))
        if file.stem.startswith("english") == (language == "en")
        for row in read_labelled(file)
    ]


def cross_validated(home: Path = HOME) -> Iterator[Figures]:
    """Figures on each fold of the one-by-one sentences by a model that has not seen it; every other one is misheard."""
    random = _draws()
    stock = material(sentences(home / "training", random), "zh", random)
    for held in folds(stock):
        rows = []
        for nth, index in enumerate(sorted(held)):
            told = stock.plain[index]
            text = misheard(told.text, 0.12, random) if nth % 2 else told.text
            rows.append((Labelled(text, told.kind, told.category, told.urgency, {}), "zh"))
        yield figures_over(LinearModel(stock.fitted("zh", held)), rows)


def main() -> None:
    """Train, write `labels.npz` and `figures.json`, print figures; the last line is JSON."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.speech.train_understanding", description=__doc__)
    parser.add_argument("--home", type=Path, default=HOME, help="folder with training/, dev/ and evaluation/")
    parser.add_argument("--only-figures", action="store_true", help="measure the model that is there")
    parser.add_argument("--cross-validate", action="store_true", help="write nothing; to choose features by")
    arguments = parser.parse_args()
    home: Path = arguments.home
    begun = time.monotonic()
    try:
        if arguments.cross_validate:
            for figures in cross_validated(home):
                print(json.dumps(figures.as_dict()), flush=True)
            return
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
