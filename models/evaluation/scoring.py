"""Character error rate, and whether confidence means what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from rapidfuzz.distance import Levenshtein


@dataclass(frozen=True)
class Word:
    """A recognised word and the confidence 0..1 libvosk gave it."""

    text: str
    confidence: float


@dataclass
class ErrorRate:
    """Character errors over characters spoken."""

    errors: int = 0
    characters: int = 0
    sentences: int = 0
    wrong_sentences: int = 0

    def add(self, reference: str, heard: str) -> int:
        """Count one sentence; returns its errors."""
        errors = Levenshtein.distance(reference, heard)
        self.errors += errors
        self.characters += len(reference)
        self.sentences += 1
        self.wrong_sentences += errors > 0
        return errors

    @property
    def rate(self) -> float:
        """Character error rate, 0 when nothing was counted."""
        return self.errors / self.characters if self.characters else 0.0


def right_words(reference: str, words: Sequence[Word]) -> list[tuple[float, bool]]:
    """(confidence, right) of every word: right when all its characters align with equal ones of the reference."""
    heard = "".join(word.text for word in words)
    matched = [False] * len(heard)
    for operation in Levenshtein.opcodes(reference, heard):
        if operation.tag == "equal":
            for position in range(operation.dest_start, operation.dest_end):
                matched[position] = True
    out, position = [], 0
    for word in words:
        out.append((word.confidence, all(matched[position : position + len(word.text)])))
        position += len(word.text)
    return out


def expected_calibration_error(judged: Sequence[tuple[float, bool]], bins: int = 10) -> float:
    """Mean gap between confidence and share right over equal bins of confidence, weighted by their words."""
    if not judged:
        return 0.0
    total = 0.0
    for index in range(bins):
        inside = [
            (c, right)
            for c, right in judged
            if index / bins <= c < (index + 1) / bins or (index == bins - 1 and c >= 1)
        ]
        if inside:
            confidence = sum(c for c, _ in inside) / len(inside)
            share = sum(right for _, right in inside) / len(inside)
            total += len(inside) / len(judged) * abs(confidence - share)
    return total
