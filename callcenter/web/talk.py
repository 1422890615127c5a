"""A call's talk as it is read: who said what at which second, with the words that were evidence marked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from callcenter.desk.models import CallDetail, Turn
from callcenter.domain.labels import Understanding
from callcenter.web.i18n import translate
from callcenter.web.names import Names

PARTS_WORTH_MARKING = 2
"""Evidence shorter than this would mark every 水 of a talk."""


@dataclass(frozen=True)
class Word:
    """A word with its stretch in ms. `sure` 0..1; `why`: it is evidence of a label."""

    text: str
    start_ms: int
    end_ms: int
    sure: float = 1.0
    why: bool = False
    space: bool = False
    """A space follows (languages that write them)."""


@dataclass(frozen=True)
class Line:
    """One line of the talk. `side`: caller, ours, event. `partial`: still being spoken."""

    leg: str
    side: str
    start_ms: int
    text: str
    words: tuple[Word, ...] = field(default=())
    interrupted: bool = False
    partial: bool = False


def evidence_of(labels: Understanding | None) -> tuple[str, ...]:
    """The caller's words that labels came from."""
    if labels is None:
        return ()
    found = (labels.category, labels.urgency, labels.kind, labels.place.building, labels.place.room, labels.name)
    return tuple({e.evidence for e in found if e.evidence and len(e.evidence) >= PARTS_WORTH_MARKING})


def _marked(text: str, evidence: tuple[str, ...]) -> set[int]:
    """Places of the characters of `text` that are evidence."""
    places: set[int] = set()
    for words in evidence:
        start = text.find(words)
        while start >= 0:
            places |= set(range(start, start + len(words)))
            start = text.find(words, start + 1)
    return places


def _latin(text: str) -> bool:
    return text[-1:].isascii()


def words_of(turn: Turn, evidence: tuple[str, ...]) -> tuple[Word, ...]:
    """The words of a turn; one word for the whole of a prompt."""
    if not turn.words:
        return (Word(turn.text, turn.start_ms, turn.end_ms),)
    marked, position, made = _marked("".join(w[0] for w in turn.words), evidence), 0, []
    for text, start, end, sure in turn.words:
        why = turn.leg == "caller" and any(place in marked for place in range(position, position + len(text)))
        made.append(Word(text, start, end, sure, why, space=_latin(text)))
        position += len(text)
    return tuple(made)


def _events(detail: CallDetail, names: Names) -> Iterator[Line]:
    """What happened besides talk, worth a line of its own."""
    started = detail.call.answered_at or detail.call.ringing_at
    for step in detail.steps:
        at_ms = int((step.at - started).total_seconds() * 1000)
        text = ""
        if step.kind == "call.transfer":
            text = translate(
                names.locale, f"transfer:{step.body.get('state', '')}", name=names.staff(step.body.get("to"))
            )
            at_ms = int(step.body.get("at_ms", at_ms))
        elif step.kind == "call.hold":
            waits, on = translate(names.locale, "The caller waits."), translate(names.locale, "The talk goes on.")
            text = waits if step.body.get("on") else on
            at_ms = int(step.body.get("at_ms", at_ms))
        elif step.kind == "ticket.opened":
            text = translate(names.locale, "Ticket %(n)s opened", n=step.body.get("ticket", ""))
        elif step.kind == "call.gap":
            text = translate(names.locale, "Transcription was away from here on; the rest was decoded afterwards.")
            at_ms = int(step.body.get("from_ms", at_ms))
        if text:
            yield Line("event", "event", max(0, at_ms), text)
    for key, at_ms in detail.keys:
        yield Line("event", "event", at_ms, translate(names.locale, "Key %(key)s pressed", key=key))


def talk_of(detail: CallDetail, names: Names) -> tuple[Line, ...]:
    """Every line of a call in order of time, words still being spoken last."""
    evidence = evidence_of(detail.call.labels)
    lines = [
        Line(
            turn.leg, "caller" if turn.leg == "caller" else "ours", turn.start_ms, turn.text, words_of(turn, evidence),
            turn.interrupted,
        )
        for turn in detail.turns
    ]  # fmt: skip
    lines += _events(detail, names)
    lines.sort(key=lambda line: line.start_ms)
    return (
        *lines,
        *(
            Line(live.leg, "caller" if live.leg == "caller" else "ours", live.start_ms, live.text, partial=True)
            for live in detail.call.live
        ),
    )
