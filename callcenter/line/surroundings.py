"""What a call is answered with: the site that was dialled, who is on duty, who calls, what is already open.

Everything comes from the last snapshot; without one the call is answered all the same (R5).
"""

from __future__ import annotations

import asyncio
import sys
from datetime import datetime
from pathlib import Path

from callcenter.dialplan.context import CALLBACK_WITHIN_MIN, CallContext, Incident, OpenMatter
from callcenter.domain.matters import OpenMatter as KnownMatter
from callcenter.domain.responsibility import ChainPlace, on_duty
from callcenter.domain.roster import OPERATOR
from callcenter.domain.snapshot import SiteSnapshot, Snapshot, from_json
from callcenter.errors import CallCenterError, DomainError
from callcenter.log import get_logger

log = get_logger("line.surroundings")

SITE_NAMELESS = {"zh": "物业服务中心", "en": "the property service centre"}
STATES = {
    "recorded": ("正在等待接单", "is waiting to be taken up"),
    "to_confirm": ("正在核实", "is being checked"),
    "assigned": ("正在等待接单", "is waiting to be taken up"),
    "handed_over": ("正在等待接单", "is waiting to be taken up"),
    "accepted": ("已经接单", "has been taken up"),
    "in_progress": ("正在处理", "is being worked on"),
    "done": ("已经处理完，等待回访", "is done and waits for our follow-up call"),
    "follow_up_due": ("已经处理完，等待回访", "is done and waits for our follow-up call"),
}
"""State of a ticket → what a repeat caller hears (R17)."""
POSTS = {
    ChainPlace.DUTY: ("值班人员", "person on duty"),
    ChainPlace.DEPUTY: ("副经理", "deputy manager"),
    ChainPlace.MANAGER: ("经理", "manager"),
    ChainPlace.ABOVE: ("经理", "manager"),
    ChainPlace.LAST_RESORT: ("值班人员", "person on duty"),
}
FIRST_RESPONDER = ("值班员", "operator on duty")


def site_of(snapshot: Snapshot | None, site: str) -> SiteSnapshot | None:
    """The site's part of the snapshot, None when it knows nothing of it."""
    if snapshot is None:
        return None
    try:
        return snapshot.site(site)
    except DomainError:
        return None


async def sites_from_files(config: Path | None) -> dict[str, SiteSnapshot]:
    """Sites as their files describe them; nobody's open matters are known. {} when the files cannot be read.

    A child process reads them: what it needs for that (YAML, holidays) would stay in the line's memory.
    """
    argv = [sys.executable, "-m", "callcenter.line.site_files", *((str(config),) if config else ())]
    child = await asyncio.create_subprocess_exec(*argv, stdout=asyncio.subprocess.PIPE)
    text, _ = await child.communicate()
    try:
        return dict(from_json(text).sites) if child.returncode == 0 else {}
    except CallCenterError as error:
        log.warning("site_files_unusable", error=error.code)
        return {}


def operator_extension(site: SiteSnapshot, at: datetime) -> str | None:
    """The phone of the operator on duty; None in a gap of the roster or when that person has none."""
    operator = on_duty(OPERATOR, site.organisation, site.roster, site.rules, at)
    return site.organisation.person(operator).extension if operator else None


def context_of(
    site: SiteSnapshot | None, number: str | None, language: str, at: datetime, *, phones: bool = True
) -> CallContext:
    """What the script knows before the caller says a word. `phones`: people's phones can be reached at all."""
    if site is None:
        return CallContext(
            now=at, site_name=SITE_NAMELESS[language], language=language, caller_number=number,
            callback_within_min=CALLBACK_WITHIN_MIN,
        )  # fmt: skip
    calendar = site.rules.calendar
    call = site.call(number)
    known = site.caller(number)
    english = language == "en"
    return CallContext(
        now=at,
        site_name=site.organisation.name_en if english else site.organisation.name,
        language=language,
        zone=calendar.zone,
        is_holiday=calendar.is_holiday(calendar.day(at)),
        is_office_hours=calendar.is_open(at),
        operator_extension=operator_extension(site, at) if phones else None,
        caller_number=call.number,
        caller_name=known.name if known else None,
        caller_place=known.place if known else None,
        open_matters=tuple(_matter(site, m, english=english) for m in site.open_for(call) if not m.empty),
        incidents=tuple(
            Incident(i.category, building, i.opened_at) for i in site.incidents for building in (i.buildings or (None,))
        ),
        callback_within_min=site.rules.call_back_within_min,
        gazetteer=site.gazetteer,
        phrases=site.phrases,
    )


def _matter(site: SiteSnapshot, matter: KnownMatter, *, english: bool) -> OpenMatter:
    department = site.organisation.once_department(matter.department)
    state = STATES.get(matter.state, STATES["in_progress"])[english]
    responsible = site.organisation.person_or_manager(matter.responsible, matter.department)
    theirs = site.organisation.department(responsible.department)
    of_all = responsible.id == site.organisation.general_manager
    if english:
        title = responsible.title_en
        named = of_all or theirs.en.lower() in title.lower()
        return OpenMatter(matter.ticket, matter.category, state, title if named else f"{theirs.en} {title}")
    title = responsible.title
    named = of_all or theirs.zh.removesuffix("部") in title
    return OpenMatter(matter.ticket, matter.category, department.zh + state, title if named else theirs.zh + title)
