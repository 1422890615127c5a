"""What the first-responder rule costs: one decision, from the example site's snapshot, with many open matters."""

from __future__ import annotations

import itertools
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from callcenter.domain import codec
from callcenter.domain.matters import Matter, OpenMatter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import decide
from callcenter.domain.snapshot import SiteSnapshot
from callcenter.site.load import load_site

LIMITS = {"route_ms": ("<=", 1.0)}
SITE = Path(__file__).resolve().parent.parent / "config" / "sites" / "xingfu"
OPEN_MATTERS = 2_000
DECISIONS = 5_000


def _snapshot(at: datetime) -> SiteSnapshot:
    """The example site, with open matters all over it, as a line would read it from its disk."""
    site = load_site(SITE, at=at)
    buildings = site.gazetteer.buildings
    doors = itertools.cycle((b.name, u.name, r) for b in buildings for u in b.units for r in u.rooms())
    categories = itertools.cycle(site.taxonomy.categories.items())
    matters = []
    for number, (building, unit, room), (key, category) in zip(range(OPEN_MATTERS), doors, categories, strict=False):
        matters.append(
            OpenMatter(
                ticket=str(100001 + number),
                kind="repair",
                category=key,
                urgency="normal",
                department=category.department,
                place=Place(building, unit, room),
                first_responder="wang_fang",
                responsible="wang_fang",
                state="assigned",
                opened_at=at - timedelta(minutes=number),
                numbers=(f"+8614{number:09d}",),
                household=f"{building}-{unit}-{room}",
            )
        )
    return codec.from_json(SiteSnapshot, codec.to_json(site.snapshot(at, matters)))


def run() -> dict[str, Any]:
    """p99, p50 and the worst of a decision, in ms of CPU, with what is needed to find the caller's open matters.

    `route_wall_p99_ms` is by the clock on the wall, with whatever else the machine does meanwhile.
    """
    at = datetime.now(UTC)
    snapshot = _snapshot(at)
    site, categories = snapshot, list(snapshot.taxonomy.categories.items())
    urgencies = ("normal", "important", "emergency")
    took: list[float] = []
    waited: list[float] = []
    for number in range(DECISIONS):
        key, category = categories[number % len(categories)]
        place = Place("3", "2", f"{number % 18 + 1}02")
        matter = Matter("repair", key, urgencies[number % 3], category.department, place)
        moment = at + timedelta(minutes=number % 4_000)
        started, began = time.thread_time(), time.perf_counter()
        call = site.call(f"014{number:09d}" if number % 2 else None)
        decide(call, matter, site.organisation, site.roster, site.rules, moment, site.open_for(call, place))
        took.append((time.thread_time() - started) * 1000)
        waited.append((time.perf_counter() - began) * 1000)
    took.sort()
    waited.sort()
    return {
        "route_ms": round(took[int(len(took) * 0.99)], 3),
        "route_p50_ms": round(took[len(took) // 2], 3),
        "route_worst_ms": round(took[-1], 3),
        "route_wall_p99_ms": round(waited[int(len(waited) * 0.99)], 3),
        "open_matters": OPEN_MATTERS,
    }


if __name__ == "__main__":
    print(run())
