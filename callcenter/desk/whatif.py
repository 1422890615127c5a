"""What would happen to a matter at a moment: the line's own pure function on the roster as it stands (R11–R21)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from callcenter.desk import matters
from callcenter.domain.matters import SOURCES, Matter
from callcenter.domain.responsibility import Decision, decide
from callcenter.site.asked import known, moment, spoken_place

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.site.load import Site

IN_ROSTER = timedelta(days=55)
"""The roster in the database reaches so far ahead and begins a day back; beyond, the site's pattern answers."""


@dataclass(frozen=True)
class Question:
    """A matter and a moment. Labels are the taxonomy's keys; `place` as people write it; `at` None: now."""

    category: str
    kind: str = "repair"
    urgency: str = "normal"
    place: str = ""
    at: str | None = None
    number: str | None = None
    taken_by: str | None = None
    department: str | None = None
    households: int = 1
    source: str = "resident"


def _matter(question: Question, site: Site) -> Matter:
    labels = site.taxonomy
    known(question.category, labels.categories, "category")
    known(question.kind, labels.kinds, "kind")
    known(question.urgency, labels.urgencies, "urgency")
    known(question.source, SOURCES, "source")
    department = question.department or labels.categories[question.category].department
    known(department, [d.id for d in site.organisation.departments], "department")
    place = spoken_place(question.place, site.gazetteer)
    return Matter(
        question.kind, question.category, question.urgency, department, place, households=question.households,
        source=question.source,
    )  # fmt: skip


async def ask(desk: Desk, site: str, question: Question) -> Decision:
    """The decision of the rule. Raises ConfigError for what does not exist, saying which field and the mend."""
    here = desk.site(site)
    matter, at = _matter(question, here), moment(question.at, here)
    if question.taken_by is not None:
        known(question.taken_by, [p.id for p in here.organisation.staff], "taken_by")
    now = moment(None, here)
    async with desk.pool.acquire() as connection:
        around = await matters.situation(desk, connection, site, at)
    roster = around.roster if _written_down(at, now) else here.roster(at - timedelta(days=3), at + timedelta(days=3))
    snapshot = here.snapshot(at)
    return decide(
        snapshot.call(question.number), matter, here.organisation, roster, around.rules, at, (), question.taken_by
    )


def _written_down(at: datetime, now: datetime) -> bool:
    return now - timedelta(hours=12) < at < now + IN_ROSTER
