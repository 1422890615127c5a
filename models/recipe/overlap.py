"""The build fails when what is trained on touches what is tested with: text, voices or noises."""

from __future__ import annotations

from collections.abc import Iterable

from models.evaluation import sets
from models.recipe import channel, voices

GROUPS = ("open", "digits", "addresses")  # `domain` is drawn from the grammar on purpose


class OverlapError(RuntimeError):
    """Training and test share something; the message says what."""


def _spans(text: str, length: int) -> Iterable[str]:
    return (text[start : start + length] for start in range(len(text) - length + 1))


def shared_spans(training: Iterable[str], tests: Iterable[str], held_out: sets.HeldOut) -> dict[str, str]:
    """Runs of `span_characters` that a training and a test sentence share -> the training sentence.

    Runs inside a courtesy of the list, and runs of number and address characters alone, do not count.
    """
    length = held_out.span_characters
    forbidden = {span for text in tests for span in _spans(text, length)}
    forbidden = {
        span
        for span in forbidden
        if not set(span) <= held_out.number_characters and not any(span in c for c in held_out.courtesies)
    }
    return {span: text for text in training for span in _spans(text, length) if span in forbidden}


def check(training: Iterable[str]) -> None:
    """Raise OverlapError when the training text, voices or noises touch the test sets."""
    held_out = sets.held_out()
    tests = [s.text for s in sets.sentences(*GROUPS)]
    tests += [part for turn in sets.paused_turns() for part in (*turn.parts, "".join(turn.parts))]
    found = shared_spans(training, tests, held_out)
    if found:
        shown = "; ".join(f"{span!r} in {text!r}" for span, text in sorted(found.items())[:10])
        raise OverlapError(f"{len(found)} spans of test sentences are in the training text: {shown}")
    common = set(held_out.voices) & {*voices.NAMED, *voices.INVENTED, *voices.WILD, *voices.OWN, *voices.DEVELOPMENT}
    if common:
        raise OverlapError(f"test voices are used in training: {', '.join(sorted(common))}")
    noises = set(held_out.noises) & {*channel.TRAINING_NOISES, *channel.HARD_NOISES, *channel.SHARP_NOISES}
    if noises:
        raise OverlapError(f"test noises are used in training: {', '.join(sorted(noises))}")
