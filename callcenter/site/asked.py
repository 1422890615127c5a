"""What people type when they ask what would happen: labels, places and moments, with the mend when it does not fit."""

from __future__ import annotations

import difflib
import re
from collections.abc import Collection
from datetime import UTC, datetime

from callcenter.domain.places import Gazetteer, Place
from callcenter.errors import ConfigError
from callcenter.site.load import Site

YEARS = range(2000, 2100)
"""What is asked about lies in one of these: calendars know no other."""
_PLACE = re.compile(r"(\d+)\D+(?:(\d+)\D+)?(\d{3,4})\D*|(\d+)\D*(?:(\d+)\D*)?")


def known(value: str, names: Collection[str], option: str) -> str:
    """`value` if it is one of `names`. Raises ConfigError `route.unknown` with the nearest name."""
    if value in names:
        return value
    near = difflib.get_close_matches(value, names, 1)
    raise ConfigError(
        "route.unknown", f"{value!r} is not known", where=option,
        mend=f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(names)}",
    )  # fmt: skip


def spoken_place(text: str | None, gazetteer: Gazetteer) -> Place:
    """3-2-1102, 3号楼2单元1102室, 5-801, 6号楼; nothing for nothing. Raises ConfigError."""
    if not text:
        return Place()
    match = _PLACE.fullmatch(text.strip())
    if match is None:
        raise ConfigError("route.place", f"{text!r} is not a place", where="--place", mend="write it as 3-2-1102")
    building, unit, room, lone, lone_unit = match.groups()
    place = Place(building or lone, unit or lone_unit, room)
    if not gazetteer.knows(place.building, place.unit, place.room):
        raise ConfigError(
            "route.unknown_place", f"{place} does not exist here", where="--place", mend="places.yaml has them all"
        )
    return gazetteer.complete(place)


def moment(text: str | None, site: Site, option: str = "--time", example: str = "2026-11-21 20:10") -> datetime:
    """A moment as written, on the site's own clock where no zone is given; now for None. Raises ConfigError.

    `option` is the one that was typed, named where it does not fit; `example` is how it is written.
    """
    if text is None:
        return datetime.now(UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(
            "route.time", f"{text!r} is not a date", where=option, mend=f'write it as "{example}"'
        ) from None
    if moment.year not in YEARS:
        raise ConfigError(
            "route.year", f"{text!r} is out of reach", where=option, mend="write a year between 2000 and 2099"
        )
    if moment.tzinfo is None:
        return site.rules.calendar.at(moment.date(), moment.time())
    return moment.astimezone(UTC)
