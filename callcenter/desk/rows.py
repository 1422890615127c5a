"""From rows of the database to the values of `desk.models`."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from callcenter.desk.models import CallbackRow, CallRow, LiveText, Recording, Step, TaskRow, TicketRow, ToldRow, Turn
from callcenter.desk.recordings import path_of
from callcenter.domain import codec
from callcenter.domain.labels import Understanding
from callcenter.domain.places import Place

if TYPE_CHECKING:
    from callcenter.desk.house import Desk


def understanding(plain: Any) -> Understanding | None:
    """Labels of a column; None where there are none."""
    return codec.from_plain(Understanding, plain) if plain else None


def call(row: Any) -> CallRow:
    """A call in a list."""
    return CallRow(
        id=row["id"], site=row["site"], state=row["state"], from_number=row["from_number"], to_number=row["to_number"],
        ringing_at=row["ringing_at"], answered_at=row["answered_at"], ended_at=row["ended_at"],
        duration_ms=row["duration_ms"], rings=row["rings"], answered=row["answered"], end_reason=row["end_reason"],
        unserved=row["unserved"], step=row["step"], household=row["household_key"], caller_name=row["caller_name"],
        labels=understanding(row["labels"]), ticket=row["ticket"], urgency=row["urgency"],
        last_text=row["last_text"] or "",
    )  # fmt: skip


def with_live(found: CallRow, live: tuple[LiveText, ...]) -> CallRow:
    """With the words being spoken now."""
    return replace(found, live=live, last_text=live[-1].text) if live and live[-1].text else found


def turn(row: Any) -> Turn:
    """One thing said."""
    words = tuple((str(w[0]), int(w[1]), int(w[2]), float(w[3])) for w in row["words"])
    return Turn(
        row["leg"], row["start_ms"], row["end_ms"], row["text"], words, row["prompt"], row["interrupted"],
        row["afterwards"],
    )  # fmt: skip


def step(row: Any) -> Step:
    """One event."""
    return Step(row["at"], row["kind"], row["body"], row["actor"], tuple(row["rules"]))


def recording(desk: Desk, row: Any) -> Recording:
    """A recording, with its path when it is in the store."""
    stored = row["state"] == "stored" and row["file"]
    return Recording(
        call=row["call"], state=row["state"], duration_ms=row["duration_ms"], bytes=row["bytes"],
        channels=tuple(row["channels"]), sample_rate_hz=row["sample_rate_hz"], sha256=row["sha256"],
        delete_after=row["delete_after"], notice_given=row["notice_given"], objected=row["objected"],
        deleted_at=row["deleted_at"], deleted_why=row["deleted_why"],
        path=str(path_of(desk, row["file"])) if stored else None, peaks=row["peaks"],
    )  # fmt: skip


def ticket(row: Any) -> TicketRow:
    """A matter in a list."""
    due_at: datetime | None = row["due_at"]
    return TicketRow(
        number=row["number"], site=row["site"], state=row["status"], opened_at=row["opened_at"], kind=row["kind"],
        category=row["category"], urgency=row["urgency"], department=row["department"],
        place=str(Place(row["building"], row["unit"], row["room"])), caller_name=row["caller_name"],
        caller_number=row["caller_number"], content=row["content"], first_responder=row["first_responder"],
        responsible=row["responsible"], asked=row["asked"], asked_until=row["accept_by"], to_confirm=row["to_confirm"],
        complete=row["complete"], major=row["major"], repeats=row["calls"] - 1, incident=row["incident"],
        joined_to=row["joined_to"], due_at=due_at, due_clock=row["due_clock"],
        overdue=row["closed_at"] is None and due_at is not None and due_at < datetime.now(UTC), revision=row["version"],
    )  # fmt: skip


def told(row: Any) -> ToldRow:
    """Somebody who was told."""
    return ToldRow(row["staff"], row["rule"], row["at"], row["seen_at"], row["zh"], row["en"])


def task(row: Any) -> TaskRow:
    """Something to do."""
    return TaskRow(**{name: row[name] for name in TaskRow.__dataclass_fields__})


def callback(row: Any) -> CallbackRow:
    """A call-back to make."""
    plain = {name: row[name] for name in CallbackRow.__dataclass_fields__ if name != "household"}
    return CallbackRow(**plain, household=row["household_key"])
