"""首问责任制 (R11–R17): who received a matter first, who is responsible, who takes it over, who is told, and why.

`decide` is pure: the same values give the same decision on a line (from its snapshot) and on a desk.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum

from callcenter.domain import explain
from callcenter.domain.deadlines import Clock, Deadline, opening_deadlines
from callcenter.domain.explain import Reason
from callcenter.domain.matters import WATCHED_SOURCES, Call, Matter, OpenMatter, joined_matter
from callcenter.domain.roster import OPERATOR, Roster
from callcenter.domain.rules import EMERGENCY, AcceptanceLimit, Rules, more_urgent
from callcenter.domain.situation import Situation
from callcenter.domain.staff import Organisation
from callcenter.domain.tickets import UNTAKEN, Status
from callcenter.errors import DomainError


class ChainPlace(StrEnum):
    """Why somebody stands in the chain (R13)."""

    DUTY = "duty"
    DEPUTY = "deputy"
    MANAGER = "manager"
    ABOVE = "above"
    LAST_RESORT = "last_resort"


@dataclass(frozen=True)
class HandOver:
    """One person asked to take the matter, and until when; the next is asked at `due_at`."""

    staff: str
    place: ChainPlace
    limit: AcceptanceLimit
    asked_at: datetime
    due_at: datetime


@dataclass(frozen=True)
class Tell:
    """One person told at once, besides the handling, and why."""

    staff: str
    rule: str
    zh: str
    en: str


@dataclass(frozen=True)
class Decision:
    """What the rule says of one call. `responsible` is exactly one person (R14)."""

    at: datetime
    first_responder: str
    responsible: str
    within_duty: bool
    department: str
    handed_to: tuple[HandOver, ...]
    tell: tuple[Tell, ...]
    joins: str | None
    major: bool
    outside_body: str | None
    work_order: bool
    deadlines: tuple[Deadline, ...]
    reasons: tuple[Reason, ...]

    def explained(self, language: str = "zh") -> str:
        """The reasons as sentences with their rule numbers, one a line."""
        return explain.in_text(self.reasons, language)

    @property
    def answer_by(self) -> datetime | None:
        """When the caller hears from us: the promised call-back, else the first answer (R18, R22)."""
        due = {d.clock: d.due_at for d in self.deadlines}
        return due.get(Clock.CALL_BACK) or due.get(Clock.ANSWER)

    @property
    def next_asked(self) -> str | None:
        """Who is asked first to take it; None when the first responder keeps it."""
        return self.handed_to[0].staff if self.handed_to else None


def on_duty(role: str, organisation: Organisation, roster: Roster, rules: Rules, at: datetime) -> str | None:
    """Who holds `role` at `at` and still works for the company; None in a gap."""
    return Situation(organisation, roster, rules, at).on_duty(role)


def operator_or_last_resort(organisation: Organisation, roster: Roster, rules: Rules, at: datetime) -> str:
    """The operator on duty, or the last resort where the roster has a gap (R11, R14)."""
    return Situation(organisation, roster, rules, at).operator_or_last_resort


def chain(
    department: str,
    organisation: Organisation,
    roster: Roster,
    rules: Rules,
    at: datetime,
    *,
    urgency: str,
    without: Iterable[str] = (),
) -> tuple[tuple[HandOver, ...], tuple[Reason, ...]]:
    """Who is asked to take the matter, in order, each with limit and due time; and why anybody is passed over (R13).

    Person on duty → deputies → manager → up to the general manager → last resort. Whoever is away, has left the
    company or is in `without` (the first responder, those who refused) is passed over. The last resort is asked
    whatever the roster says, unless in `without`.
    """
    site = Situation(organisation, roster, rules, at)
    ours = organisation.once_department(department)
    places: list[tuple[str, ChainPlace]] = [(p, ChainPlace.DUTY) for p in roster.all_on_duty(department, at)]
    reasons: list[Reason] = []
    if not places:
        reasons.append(explain.nobody_on_duty(ours))
    places += [(p, ChainPlace.DEPUTY) for p in ours.deputies]
    places.append((ours.manager, ChainPlace.MANAGER))
    places += [(p, ChainPlace.ABOVE) for p in organisation.above(ours.manager)]
    places.append((organisation.general_manager, ChainPlace.ABOVE))
    seen = set(without) | {site.backstop}
    asked: list[tuple[str, ChainPlace]] = []
    for staff, place in places:
        if staff in seen or not organisation.knows(staff):
            continue
        seen.add(staff)
        if site.available(staff):
            asked.append((staff, place))
        else:
            reasons.append(explain.passed_over(organisation.person(staff), roster.absence(staff, at)))
    if site.backstop not in set(without):
        asked.append((site.backstop, ChainPlace.LAST_RESORT))
    limit = rules.acceptance(urgency)
    steps: list[HandOver] = []
    moment = at
    for staff, place in asked:
        due = rules.accept_by(urgency, moment)
        steps.append(HandOver(staff, place, limit, moment, due))
        moment = due
    return tuple(steps), tuple(reasons)


def _first_responder(site: Situation, taken_by: str | None) -> tuple[str, Reason]:
    """R11, with R14's last resort for a gap."""
    organisation, clock = site.organisation, site.rules.calendar.local(site.at)
    if taken_by is not None:
        person = organisation.person(taken_by)
        if not person.active(clock.date()):
            raise DomainError(
                "r11.not_active", "whoever took the call does not work here any more", mend="check the agent's login"
            )
        return taken_by, explain.taken_by(person)
    operator = site.on_duty(OPERATOR)
    if operator is not None:
        return operator, explain.operator_on_duty(organisation.person(operator), clock)
    last = site.backstop
    return last, explain.roster_gap(organisation.person(last), clock)


def area_manager_of(organisation: Organisation, matter: Matter) -> str | None:
    """片区管理员 who hears of the matter's work order; None where it is no work, or nowhere in an area (R9)."""
    area = organisation.area_manager(matter.place.building)
    return area.staff if area is not None and matter.needs_work else None


def _told(
    site: Situation, matter: Matter, major: bool, *, first: str | None = None, again: OpenMatter | None = None
) -> tuple[Tell, ...]:
    """Who is told besides the chain: R11 (`first`, who did not pick up), R15, R9 (area manager), R17."""
    organisation = site.organisation
    tell: list[Tell] = []
    if first is not None:
        tell.append(Tell(first, "R11", *explain.TELL_FIRST))
    if major:
        leader = site.leader
        if leader is None:
            tell.append(Tell(site.backstop, "R15", *explain.LEADER_GAP))
        else:
            tell.append(Tell(leader, "R15", *explain.TELL_LEADER))
        tell.append(Tell(organisation.general_manager, "R15", *explain.TELL_GENERAL_MANAGER))
    manager = area_manager_of(organisation, matter)
    if manager is not None and again is None:
        tell.append(Tell(manager, "R9", *explain.TELL_AREA_MANAGER))
    if again is not None:
        tell.append(Tell(again.first_responder, "R17", *explain.TELL_REPEAT))
        tell.append(Tell(again.responsible, "R17", *explain.TELL_REPEAT))
    once: dict[tuple[str, str], Tell] = {}
    for one in tell:
        once.setdefault((one.staff, one.rule), one)
    return tuple(once.values())


def decide(
    call: Call,
    matter: Matter,
    organisation: Organisation,
    roster: Roster,
    rules: Rules,
    at: datetime,
    open_matters: Iterable[OpenMatter] = (),
    taken_by: str | None = None,
) -> Decision:
    """Apply the first-responder rule to one call received at `at` (aware).

    `taken_by` is the id of the person who picked up; None: nobody did, the operator on duty is first responder.
    Raises DomainError for an unknown department or person.
    """
    site = Situation(organisation, roster, rules, at)
    again = joined_matter(call, matter, open_matters)
    if again is not None:
        return _decide_again(site, matter, again)
    first, why_first = _first_responder(site, taken_by)
    reasons = [why_first]
    department = organisation.department(matter.department)
    first_person = organisation.person(first)
    major = matter.major(rules.major_households)
    within = matter.empty or first_person.department == department.id
    handed_to: tuple[HandOver, ...] = ()
    if matter.empty:
        reasons.append(explain.nothing_said(matter.call_back_at or _call_back(rules, call, at), rules.calendar))
    elif within:
        reasons.append(explain.within_duty(first_person, department))
        if matter.urgency == EMERGENCY and taken_by is None:
            handed_to, _ = chain(department.id, organisation, roster, rules, at, urgency=EMERGENCY, without=(first,))
            reasons.append(explain.emergency_within_duty(department))
    else:
        handed_to, passed = chain(
            department.id, organisation, roster, rules, at, urgency=matter.urgency, without=(first,)
        )
        reasons += passed
        reasons.append(explain.outside_duty(department, matter.urgency, handed_to, organisation))
        reasons.append(explain.until_taken(first_person))
    reasons += _besides(site, matter, major)
    return Decision(
        at=at,
        first_responder=first,
        responsible=first,
        within_duty=within,
        department=department.id,
        handed_to=handed_to,
        tell=_told(site, matter, major, first=first if taken_by is None else None),
        joins=None,
        major=major,
        outside_body=matter.outside_body,
        work_order=matter.needs_work,
        deadlines=_deadlines(rules, call, matter, at, bool(handed_to), major),
        reasons=tuple(reasons),
    )


def _decide_again(site: Situation, matter: Matter, again: OpenMatter) -> Decision:
    """R17: the call joins its open matter. A risen urgency starts the chain anew while nobody has taken it."""
    organisation, rules, at = site.organisation, site.rules, site.at
    first = organisation.once_here(again.first_responder)
    responsible = organisation.once_here(again.responsible)
    reasons = [explain.joins(again.ticket, first, responsible)]
    if matter.says_undone(again.state):
        reasons.append(explain.undone(first))
    rises = more_urgent(matter.urgency, again.urgency)
    major = matter.major(rules.major_households)
    handed_to: tuple[HandOver, ...] = ()
    if rises:
        reasons.append(explain.risen(matter.urgency))
        handed_to, asked = _asked_anew(site, matter, again)
        reasons += asked
    reasons += _besides(site, matter, major)
    due = opening_deadlines(rules, at, handed_over=False, needs_investigation=False, major=major and rises)
    return Decision(
        at=at,
        first_responder=again.first_responder,
        responsible=again.responsible,
        within_duty=first.department == again.department,
        department=again.department,
        handed_to=handed_to,
        tell=_told(site, matter, major, again=again),
        joins=again.ticket,
        major=major,
        outside_body=matter.outside_body,
        work_order=False,
        deadlines=tuple(d for d in due if d.clock is Clock.REPORT),
        reasons=tuple(reasons),
    )


def _asked_anew(
    site: Situation, matter: Matter, again: OpenMatter
) -> tuple[tuple[HandOver, ...], tuple[Reason, ...]]:
    """The chain of a matter that this call makes more urgent, as the desk will ask it (`again.called_again`): nobody
    where somebody works on it, or it is to be confirmed first, or is the responsible person's own and no danger."""
    danger = matter.urgency == EMERGENCY
    undone = danger and matter.says_undone(again.state)
    if not undone and (again.state not in UNTAKEN or (again.state == Status.TO_CONFIRM and not danger)):
        return (), ()
    organisation = site.organisation
    responsible = again.first_responder if undone else again.responsible
    own = organisation.once_here(responsible).department == again.department
    if own and not danger:
        return (), ()
    handed_to, passed = chain(
        again.department, organisation, site.roster, site.rules, site.at,
        urgency=matter.urgency, without=(again.first_responder, responsible),
    )  # fmt: skip
    department = organisation.once_department(again.department)
    if own:
        return handed_to, (explain.emergency_within_duty(department),)
    return handed_to, (*passed, explain.outside_duty(department, matter.urgency, handed_to, organisation))


def _besides(site: Situation, matter: Matter, major: bool) -> list[Reason]:
    """Reasons that do not depend on who is responsible."""
    organisation, at = site.organisation, site.at
    reasons: list[Reason] = []
    if matter.asks_resident_data:
        reasons.append(explain.CONFIDENTIAL)
    if major:
        leader = site.leader
        why = "source" if matter.source in WATCHED_SOURCES else "households"
        reasons.append(
            explain.major(
                EMERGENCY if matter.urgency == EMERGENCY else why,
                organisation.person(leader) if leader else None,
                organisation.person(organisation.general_manager),
                organisation.person(site.backstop),
                site.rules.calendar.local(site.rules.calendar.next_day_at_close(at)),
            )
        )
    if matter.urgency == EMERGENCY and (number := explain.EMERGENCY_SERVICE.get(matter.category)):
        reasons.append(explain.emergency_service(*number))
    area = organisation.area_manager(matter.place.building)
    if matter.needs_work and area is not None:
        reasons.append(explain.work_order(organisation.department(matter.department), organisation.person(area.staff)))
    if matter.outside_body is not None:
        body = organisation.outside_body(matter.outside_body)
        reasons.append(explain.outside_body(body.zh, body.en))
    if matter.to_confirm:
        reasons.append(explain.to_confirm(site.rules.confirm_within_min))
    return reasons


def _call_back(rules: Rules, call: Call, at: datetime) -> datetime | None:
    """When a caller who said nothing is rung back; None where the number is not known (R5, R22)."""
    return at + timedelta(minutes=rules.call_back_within_min) if call.number else None


def _deadlines(
    rules: Rules, call: Call, matter: Matter, at: datetime, handed_over: bool, major: bool
) -> tuple[Deadline, ...]:
    if matter.empty:
        back = matter.call_back_at or _call_back(rules, call, at)
        return () if back is None else (Deadline(Clock.CALL_BACK, at, back),)
    return opening_deadlines(
        rules,
        at,
        handed_over=handed_over,
        needs_investigation=matter.needs_investigation,
        major=major,
        to_confirm=matter.to_confirm,
        call_back_at=matter.call_back_at,
    )
