"""The final labels of a call: what the speech service reads from the whole text, with what was settled on the phone."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from callcenter.domain.labels import RESIDENT, Label, SpokenPlace, Understanding
from callcenter.domain.rules import EMERGENCY
from callcenter.errors import SpeechError, StoreError
from callcenter.log import get_logger

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.labelling")
T = TypeVar("T")

WITHIN_S = 0.6
"""The completed ticket is due 1 s after the call; a slower answer is asked for again by the next try."""

TRIES = 6
"""Where the line has no labels, or those of its rules alone, the speech service is asked this often."""

UNREAD = "other"


def nothing_said(department: str) -> Understanding:
    """Labels of a call in which nothing was said."""
    return Understanding(
        Label("none", 1.0), Label(UNREAD, 1.0), Label("normal", 1.0), Label(department, 1.0), by="rules"
    )


def unread(department: str) -> Understanding:
    """Labels of a text that nobody could read: a person confirms (待核实)."""
    return Understanding(
        Label("enquiry", 0.0), Label(UNREAD, 0.0), Label("normal", 0.0), Label(department, 0.0), by="rules"
    )


async def final_labels(desk: Desk, site: str, text: str, on_line: Understanding | None, attempts: int) -> Understanding:
    """Labels of the whole text, merged with those of the line. Raises StoreError (retryable) while speech is away and
    the line has none but by its rules."""
    department = desk.site(site).taxonomy.categories[UNREAD].department
    if not text.strip():
        return on_line or nothing_said(department)
    try:
        whole = await desk.speech.understand(text, site=site, within_s=WITHIN_S)
    except SpeechError as error:
        read = on_line is not None and on_line.by != "rules"
        if attempts < TRIES and not read:
            raise StoreError("intake.speech_away", str(error), retryable=True) from error
        if on_line is not None:
            return on_line
        log.warning("text_unread", error=error.code)
        return unread(department)
    return merge(whole, on_line) if on_line is not None else whole


def merge(whole: Understanding, on_line: Understanding) -> Understanding:
    """Each label from whichever is surer of it; what the caller settled on the phone wins a tie, silence does not.

    An emergency is never taken back by a machine (R8), nor that the press or an authority called (R15): a person
    confirms or corrects it. Category and department go together.
    """
    silent = (on_line.kind.value, on_line.category.value) == ("none", UNREAD)
    surer = on_line.category.confidence >= whole.category.confidence
    category_of = on_line if surer and not silent else whole
    urgency = whole.urgency if silent else _surer(on_line.urgency, whole.urgency)
    if emergencies := [one for one in (on_line.urgency, whole.urgency) if one.value == EMERGENCY]:
        urgency = max(emergencies, key=lambda one: one.confidence)
    intents = {i.value: i for i in (*whole.intents, *on_line.intents)}
    return replace(
        whole,
        kind=_surer(on_line.kind, whole.kind) if on_line.kind.value != "none" else whole.kind,
        category=category_of.category,
        department=category_of.department,
        urgency=urgency,
        place=SpokenPlace(
            _surer(on_line.place.building, whole.place.building),
            _surer(on_line.place.unit, whole.place.unit),
            _surer(on_line.place.room, whole.place.room),
        ),
        name=_surer(on_line.name, whole.name),
        phone=_surer(on_line.phone, whole.phone),
        intents=tuple(intents.values()),
        source=max(on_line.source, whole.source, key=lambda source: (source.value != RESIDENT, source.confidence)),
    )


def _surer(first: Label[T], second: Label[T]) -> Label[T]:
    if first.value is None or second.value is None:
        return second if first.value is None else first
    return first if first.confidence >= second.confidence else second
