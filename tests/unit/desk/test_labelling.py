"""The final labels of a call: from the line and from the whole text, the surer of each."""

from __future__ import annotations

from dataclasses import replace

from callcenter.desk.labelling import merge
from callcenter.domain.labels import Label, Understanding

LINE = Understanding(Label("repair", 0.7), Label("noise", 0.7), Label("normal", 0.7), Label("security", 0.7))
WHOLE = Understanding(Label("help", 0.8), Label("power", 0.6), Label("normal", 0.9), Label("engineering", 0.6))


def test_each_label_is_the_surer_one_and_the_department_goes_with_its_category() -> None:
    merged = merge(WHOLE, LINE)
    assert (merged.kind.value, merged.category.value, merged.department.value) == ("help", "noise", "security")


def test_a_machine_takes_no_emergency_back_and_keeps_the_surer_one() -> None:
    """R8."""
    sure, unsure = Label("emergency", 0.9), Label("emergency", 0.5)
    assert merge(WHOLE, replace(LINE, urgency=unsure)).urgency == unsure
    assert merge(replace(WHOLE, urgency=unsure), replace(LINE, urgency=sure)).urgency == sure
    assert merge(replace(WHOLE, urgency=sure), replace(LINE, urgency=unsure)).urgency == sure


def test_that_the_press_called_is_not_taken_back_either() -> None:
    """R15."""
    press, perhaps, resident = Label("press", 0.85), Label("authority", 0.5), Label("resident", 0.9)
    assert merge(replace(WHOLE, source=resident), replace(LINE, source=perhaps)).source == perhaps
    assert merge(replace(WHOLE, source=press), replace(LINE, source=perhaps)).source == press
