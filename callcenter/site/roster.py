"""`roster.yaml`: shift hours, the turns of each role, exceptions and absences (R25, R26)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from callcenter.domain.calendar import zone_of
from callcenter.domain.roster import LEADER, OPERATOR, Absence
from callcenter.domain.roster_pattern import RosterException, RosterPattern, Rotation, ShiftTime
from callcenter.domain.staff import Organisation
from callcenter.site.organisation import person_at
from callcenter.site.source import Node, optional_text, read

_EVERY_SHIFT = "all"


def _rows(node: Node, shifts: set[str], known: set[str]) -> tuple[Mapping[str, tuple[str, ...]], ...]:
    rows: list[Mapping[str, tuple[str, ...]]] = []
    for row in node.elements():
        row.only(*shifts, _EVERY_SHIFT)
        people: dict[str, tuple[str, ...]] = {}
        for key, child in row.items():
            names = (child,) if isinstance(child.value, str) else tuple(child.elements())
            own = tuple(person_at(n, known) for n in names)
            people |= dict.fromkeys(shifts if key == _EVERY_SHIFT else (key,), own)
        rows.append(people)
    if not rows:
        raise node.error("no_rows", "a turn needs at least one day", "add `- {day: <id>, …}`")
    return tuple(rows)


def _rotation(role: str, node: Node, shifts: set[str], known: set[str]) -> Rotation:
    node.only("starts_on", "turn", "holidays", "workdays_only")
    holiday, only = node.find("holidays"), node.find("workdays_only")
    return Rotation(
        role=role,
        starts_on=node.get("starts_on").day(),
        rows=_rows(node.get("turn"), shifts, known),
        holiday_rows=_rows(holiday, shifts, known) if holiday is not None else (),
        workdays_only=only.flag() if only is not None else False,
    )


def _absence(node: Node, zone: str, known: set[str]) -> Absence:
    node.only("staff", "from", "until", "reason", "replaced_by")

    def moment(key: str) -> datetime:
        return node.get(key).moment().replace(tzinfo=zone_of(zone)).astimezone(UTC)

    starts, ends = moment("from"), moment("until")
    if starts >= ends:
        raise node.get("until").error("absence", "the absence ends before it starts", "write `until` later than `from`")
    instead = node.find("replaced_by")
    return Absence(
        person_at(node.get("staff"), known),
        starts,
        ends,
        optional_text(node, "reason"),
        person_at(instead, known) if instead is not None else None,
    )


def _exception(node: Node, shifts: set[str], roles: set[str], known: set[str]) -> RosterException:
    node.only("date", "role", "shift", "staff")
    shift, role = node.get("shift"), node.get("role")
    if shift.text() not in shifts:
        raise shift.error("unknown_shift", f"no shift {shift.text()!r}", f"use one of {', '.join(sorted(shifts))}")
    if role.text() not in roles:
        raise role.error("unknown_role", f"no role {role.text()!r}", f"use one of {', '.join(sorted(roles))}")
    people = node.get("staff")
    names = (people,) if isinstance(people.value, str) else tuple(people.elements())
    return RosterException(node.get("date").day(), role.text(), shift.text(), tuple(person_at(n, known) for n in names))


def load_roster(path: Path, organisation: Organisation, zone: str) -> RosterPattern:
    """Read `roster.yaml`. Operators and duty leaders must have a turn; departments may go without."""
    node = read(path).only("shifts", "turns", "exceptions", "absences")
    known = {p.id for p in organisation.staff}
    times: list[ShiftTime] = []
    for key, child in node.get("shifts").items():
        child.only("zh", "from", "until")
        if key == _EVERY_SHIFT:
            raise child.error("reserved", "`all` means every shift", "give the shift another name")
        times.append(
            ShiftTime(key, optional_text(child, "zh", key), child.get("from").clock(), child.get("until").clock())
        )
    shifts = {s.name for s in times}
    turns = node.get("turns")
    allowed = {OPERATOR, LEADER, *(d.id for d in organisation.departments)}
    rotations: list[Rotation] = []
    for role, child in turns.items():
        if role not in allowed:
            raise child.error("unknown_role", f"no role {role!r}", f"use one of {', '.join(sorted(allowed))}")
        rotations.append(_rotation(role, child, shifts, known))
    roles = {r.role for r in rotations}
    for needed in (OPERATOR, LEADER):
        if needed not in roles:
            raise turns.error("no_turn", f"nobody is ever on duty as {needed} (R25)", f"add `{needed}:` with its turn")
    exceptions, absences = node.find("exceptions"), node.find("absences")
    return RosterPattern(
        shift_times=tuple(times),
        rotations=tuple(rotations),
        exceptions=tuple(_exception(e, shifts, roles, known) for e in exceptions.elements()) if exceptions else (),
        absences=tuple(_absence(a, zone, known) for a in absences.elements()) if absences else (),
    )
