"""Whatever happens: one responsible person, one first responder, no emergency unheard, nothing overdue in silence."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, time, timedelta

import pytest
from domain_house import ORGANISATION, ROSTER, RULES, SITE, at
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from callcenter.domain import clockwork, handover, work
from callcenter.domain.again import called_again
from callcenter.domain.deadlines import Clock
from callcenter.domain.effects import EffectKind, Outcome
from callcenter.domain.matters import Call, Matter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import decide
from callcenter.domain.roster import OPERATOR, Absence
from callcenter.domain.rules import EMERGENCY
from callcenter.domain.situation import Situation
from callcenter.domain.staff import Organisation
from callcenter.domain.ticket_life import replay
from callcenter.domain.tickets import Act, CallRecord, Status, TicketEvent, TicketState, WaitFor
from callcenter.errors import DomainError

PEOPLE = tuple(s.id for s in ORGANISATION.staff)
LEAVERS = tuple(p for p in PEOPLE if p != "G")
"""The general manager cannot leave: an organisation without one is not loaded."""
UNNAMED = ("A", "D", "E", "B", "V")
"""Who may be taken out of the site's files: no other line names them."""
MATTERS = st.builds(
    Matter,
    kind=st.sampled_from(["repair", "complaint", "enquiry", "message", "none"]),
    category=st.sampled_from(["water_leak", "cleaning", "staff", "safety"]),
    urgency=st.sampled_from(["normal", "important", "emergency"]),
    department=st.sampled_from(["engineering", "environment", "service", "security"]),
    place=st.sampled_from([Place("3", "2", "1102"), Place("2"), Place()]),
    households=st.sampled_from([1, 30]),
    source=st.sampled_from(["resident", "press"]),
    needs_investigation=st.booleans(),
    to_confirm=st.booleans(),
)
CALLERS = st.sampled_from(
    [Call(SITE, "+861", "h1"), Call(SITE, "+862", "h1"), Call(SITE, "+863", "h2"), Call(SITE, None)]
)
SPANS = st.one_of(
    st.integers(1, 10).map(lambda m: timedelta(minutes=m)),
    st.integers(1, 30).map(lambda h: timedelta(hours=h)),
)


class Hotline(RuleBasedStateMachine):
    """Calls, people, roster and clock in any order; the desks may be down while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.now: datetime = at(5, 9)
        self.organisation: Organisation = ORGANISATION
        self.absences: tuple[Absence, ...] = ()
        self.tickets: dict[str, TicketState] = {}
        self.events: dict[str, list[TicketEvent]] = {}
        self.first: dict[str, str] = {}
        self.leader_told: set[str] = set()
        self.emergencies: set[str] = set()
        self.keys: set[str] = set()
        self.ticked_at: datetime | None = None

    @property
    def situation(self) -> Situation:
        return Situation(self.organisation, replace(ROSTER, absences=self.absences), RULES, self.now)

    def _keep(self, outcome: Outcome, ticket: str) -> None:
        self.tickets[ticket] = outcome.state
        self.events.setdefault(ticket, []).extend(outcome.events)
        leader = self.situation.leader or self.situation.backstop
        for effect in outcome.effects:
            assert effect.key not in self.keys, "an effect would be sent twice"
            self.keys.add(effect.key)
            if effect.kind is EffectKind.TELL and effect.rule == "R15" and effect.staff == leader:
                self.leader_told.add(ticket)
        if outcome.state.urgency == EMERGENCY and outcome.state.status is not Status.JOINED:
            self.emergencies.add(ticket)
        self.ticked_at = None

    def _try(self, ticket: str, step: Callable[[Situation, TicketState], Outcome]) -> None:
        """A step that the rule may forbid; then nothing has changed."""
        try:
            outcome = step(self.situation, self.tickets[ticket])
        except DomainError:
            return
        self._keep(outcome, ticket)

    def _tick(self) -> None:
        for ticket, state in tuple(self.tickets.items()):
            self._keep(clockwork.tick(self.situation, state), ticket)
        self.ticked_at = self.now

    def _any(self, pick: int) -> str:
        return list(self.tickets)[pick % len(self.tickets)]

    def _as_the_files_have_it(self, matter: Matter) -> Matter:
        """A category is of a department that there is."""
        here = self.organisation.has_department(matter.department)
        return matter if here else replace(matter, department="service")

    @initialize(hours=st.integers(0, 200))
    def begin(self, hours: int) -> None:
        self.now = at(5, 9) + timedelta(hours=hours)

    @rule(call=CALLERS, matter=MATTERS, taken_by=st.sampled_from([None, None, None, "E", "A"]))
    def somebody_calls(self, call: Call, matter: Matter, taken_by: str | None) -> None:
        here = self.situation
        if taken_by is not None and not here.available(taken_by):
            taken_by = None
        matter = self._as_the_files_have_it(matter)
        matters = tuple(s.open_matter() for s in self.tickets.values() if s.status.open)
        made = decide(call, matter, self.organisation, here.roster, RULES, self.now, matters, taken_by)
        ticket = str(100001 + len(self.tickets))
        self.first[ticket] = made.first_responder
        self._keep(handover.open_ticket(here, ticket, call, matter, made, CallRecord(self.now), taken_by), ticket)
        if made.joins is not None:
            assert self.tickets[ticket].status is Status.JOINED
            self._keep(called_again(here, self.tickets[made.joins], call, matter), made.joins)

    @rule(span=SPANS)
    def time_goes_on_and_desks_work(self, span: timedelta) -> None:
        self.now += span
        self._tick()

    @rule(span=SPANS)
    def time_goes_on_with_desks_down(self, span: timedelta) -> None:
        self.now += span
        self.ticked_at = None

    @rule(minutes=st.integers(1, 180))
    def the_clock_is_set_back(self, minutes: int) -> None:
        self.now -= timedelta(minutes=minutes)
        self.ticked_at = None

    @rule(person=st.sampled_from(PEOPLE), hours=st.integers(1, 72), instead=st.sampled_from([None, *PEOPLE]))
    def somebody_is_away(self, person: str, hours: int, instead: str | None) -> None:
        self.absences = (*self.absences, Absence(person, self.now, self.now + timedelta(hours=hours), "", instead))
        self.ticked_at = None

    @rule(person=st.sampled_from(LEAVERS), days=st.integers(-1, 2))
    def somebody_leaves_the_company(self, person: str, days: int) -> None:
        last = RULES.calendar.day(self.now) + timedelta(days=days)
        staff = tuple(replace(s, active_until=last) if s.id == person else s for s in self.organisation.staff)
        self.organisation = replace(self.organisation, staff=staff)
        self.ticked_at = None

    @rule(person=st.sampled_from(UNNAMED))
    def somebody_is_taken_out_of_the_files(self, person: str) -> None:
        staff = tuple(s for s in self.organisation.staff if s.id != person)
        self.organisation = replace(self.organisation, staff=staff)
        self.ticked_at = None

    @rule()
    def a_department_is_taken_out_of_the_files(self) -> None:
        left = tuple(d for d in self.organisation.departments if d.id != "environment")
        staff = self.organisation.staff
        moved = tuple(replace(s, department="service") if s.department == "environment" else s for s in staff)
        self.organisation = replace(self.organisation, departments=left, staff=moved)
        self.ticked_at = None

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), person=st.sampled_from(PEOPLE))
    def somebody_accepts(self, pick: int, person: str) -> None:
        ticket = self._any(pick)
        self._try(ticket, lambda s, t: handover.accept(s, t, person))
        self._try(ticket, lambda s, t: handover.accept(s, t, t.asked or person))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), reason=st.sampled_from(["", "不是我们的"]))
    def somebody_refuses(self, pick: int, reason: str) -> None:
        ticket = self._any(pick)
        before = self.tickets[ticket]
        self._try(ticket, lambda s, t: handover.refuse(s, t, t.asked or "B", reason))
        if not reason:
            assert self.tickets[ticket] == before

    @precondition(lambda self: self.tickets)
    @rule(
        pick=st.integers(0, 50),
        by=st.sampled_from(PEOPLE),
        to=st.sampled_from([None, *PEOPLE]),
        department=st.sampled_from([None, "environment", "engineering"]),
    )
    def somebody_hands_it_on(self, pick: int, by: str, to: str | None, department: str | None) -> None:
        ticket = self._any(pick)
        before = self.tickets[ticket]
        self._try(ticket, lambda s, t: handover.hand_over(s, t, by, note="转交", to=to, department=department))
        after = self.tickets[ticket]
        if to is None and after.matter.department == before.matter.department and after is not before:
            assert after.asked not in (before.asked, *before.asked_before) or after.asked is None

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), to=st.sampled_from(PEOPLE))
    def the_office_settles_a_dispute(self, pick: int, to: str) -> None:
        ticket = self._any(pick)
        self._try(ticket, lambda s, t: handover.dispute(s, t, t.responsible, "归属不清"))
        self._try(ticket, lambda s, t: handover.settle(s, t, "O", to, "裁定"))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), hours=st.integers(1, 100), reason=st.sampled_from(list(WaitFor)))
    def work_waits(self, pick: int, hours: int, reason: WaitFor) -> None:
        until = self.now + timedelta(hours=hours)
        self._try(self._any(pick), lambda s, t: work.wait(s, t, t.responsible, reason, until, "等"))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), act=st.sampled_from([work.start, work.go_on, work.answered, work.contacted]))
    def work_goes_on(self, pick: int, act: Callable[..., Outcome]) -> None:
        self._try(self._any(pick), lambda s, t: act(s, t, t.responsible))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), person=st.sampled_from(PEOPLE))
    def a_colleague_begins(self, pick: int, person: str) -> None:
        ticket = self._any(pick)
        before = self.tickets[ticket]
        self._try(ticket, lambda s, t: work.start(s, t, person))
        after = self.tickets[ticket]
        if before.by_duty and after.responsible == before.responsible != person:
            assert after.by_duty, "who has not begun it themselves leaves it with their shift"

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), hours=st.integers(-1, 48))
    def a_call_back_is_promised(self, pick: int, hours: int) -> None:
        by = self.now + timedelta(hours=hours)
        self._try(self._any(pick), lambda s, t: work.promise_call_back(s, t, t.responsible, by))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50))
    def work_is_done(self, pick: int) -> None:
        self._try(self._any(pick), lambda s, t: work.done(s, t, t.responsible, "已修复"))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), happy=st.sampled_from([work.satisfied, work.unsatisfied]))
    def the_caller_is_followed_up(self, pick: int, happy: Callable[..., Outcome]) -> None:
        self._try(self._any(pick), lambda s, t: happy(s, t))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50))
    def it_is_reopened(self, pick: int) -> None:
        self._try(self._any(pick), lambda s, t: work.reopen(s, t, t.first_responder, "又坏了"))

    @precondition(lambda self: self.tickets)
    @rule(pick=st.integers(0, 50), matter=MATTERS)
    def it_is_confirmed_or_corrected(self, pick: int, matter: Matter) -> None:
        right = replace(self._as_the_files_have_it(matter), to_confirm=False)
        self._try(self._any(pick), lambda s, t: handover.relabel(s, t, t.responsible, right))

    @precondition(lambda self: len(self.tickets) > 1)
    @rule(pick=st.integers(0, 50), into=st.integers(0, 50))
    def two_turn_out_to_be_one(self, pick: int, into: int) -> None:
        one, other = self._any(pick), self._any(into)
        joined, reopened = self.tickets[one], self.tickets[other].reopened
        self._try(one, lambda s, t: work.join(s, t, t.responsible, self.tickets[other]))
        if self.tickets[one].status is Status.JOINED and joined.status is not Status.JOINED:
            self._keep(work.absorb(self.situation, self.tickets[other], joined), other)
            promised, kept = joined.timer(Clock.CALL_BACK), self.tickets[other].timer(Clock.CALL_BACK)
            if promised is not None and not joined.matter.empty:
                assert kept is not None
                assert kept.due_at <= promised.due_at
            assert joined.timer(Clock.REPORT) is None or self.tickets[other].major, "a report is hidden by joining"
            if joined.status is Status.FOLLOW_UP_DUE:
                assert self.tickets[other].reopened == reopened, "the caller has not said that it is not done"

    @invariant()
    def first_responder_never_changes(self) -> None:
        assert {n: s.first_responder for n, s in self.tickets.items()} == self.first

    @invariant()
    def exactly_one_person_is_responsible(self) -> None:
        for state in self.tickets.values():
            asked = [e for e in self.events[state.ticket] if e.act is Act.ASK]
            assert state.asked is None or asked
            if self.ticked_at == self.now and state.status.open:
                assert self.situation.answers_for(state.responsible) or state.responsible == "G"
                operators = (*self.situation.all_on_duty(OPERATOR), self.situation.operator_or_last_resort)
                assert not state.by_duty or state.responsible in operators

    @invariant()
    def an_emergency_is_asked_with_its_own_limit(self) -> None:
        """Whatever it was before: settled, reopened, asked with a longer limit."""
        for state in self.tickets.values():
            if state.urgency == EMERGENCY:
                assert state.status is not Status.REOPENED, "nobody of its department is asked"
                if state.asked is not None:
                    assert state.asked_at is not None
                    assert state.accept_by is not None
                    assert state.accept_by - state.asked_at <= timedelta(minutes=RULES.emergency_accept_min)

    @invariant()
    def every_emergency_reaches_the_duty_leader(self) -> None:
        assert self.emergencies <= self.leader_told

    @invariant()
    def the_history_makes_the_ticket(self) -> None:
        for ticket, events in self.events.items():
            assert replay(events) == self.tickets[ticket]

    @invariant()
    def nothing_is_overdue_without_someone_above_knowing(self) -> None:
        if self.ticked_at != self.now:
            return
        for state in self.tickets.values():
            for timer in state.overdue(self.now):
                assert set(timer.told) & set(clockwork.rungs_above(self.situation, state.responsible))

    @invariant()
    def whatever_somebody_wants_has_a_time_limit(self) -> None:
        for state in self.tickets.values():
            if state.status.open and not state.matter.empty:
                assert any(timer.clock is Clock.CLOSE for timer in state.timers)

    @invariant()
    def a_follow_up_and_a_report_are_of_somebody_who_is_there(self) -> None:
        for state in self.tickets.values():
            theirs = {Clock.FOLLOW_UP: state.follow_up_by, Clock.REPORT: state.report_by}
            for person in (person for clock, person in theirs.items() if state.timer(clock) is not None):
                assert person is not None
                if self.ticked_at == self.now:
                    assert self.situation.answers_for(person) or person == "G"
            assert state.major or state.timer(Clock.REPORT) is None

    @invariant()
    def a_department_that_is_asked_has_a_day_for_the_first_contact(self) -> None:
        for state in self.tickets.values():
            known = self.organisation.knows(state.responsible)  # else their own is what it was, until the clock looks
            person = (self.organisation if known else ORGANISATION).person(state.responsible)
            own = person.department == state.matter.department
            if state.status is Status.HANDED_OVER and not own and not state.matter.empty:
                assert any(timer.clock is Clock.CONTACT for timer in state.timers)

    @invariant()
    def somebody_is_asked_and_has_time(self) -> None:
        if self.ticked_at != self.now:
            return
        for state in self.tickets.values():
            if state.status is Status.HANDED_OVER:
                assert state.asked is not None
                assert state.accept_by is not None
                assert state.accept_by > self.now

    @invariant()
    def ticking_again_does_nothing_until_the_next_moment(self) -> None:
        if self.ticked_at != self.now:
            return
        for state in self.tickets.values():
            assert clockwork.tick(self.situation, state).events == ()
            following = clockwork.next_tick_at(self.situation, state)
            quiet = (following or self.now + timedelta(days=3)) - timedelta(seconds=1)
            leave = [s.active_until for s in self.organisation.staff if s.active_until is not None]
            gone = [RULES.calendar.at(day + timedelta(days=1), time(0)) for day in leave]
            moments = [*gone, *(m for a in self.absences for m in (a.starts_at, a.ends_at))]
            people_change = [m for m in moments if self.now < m <= quiet]
            if quiet > self.now and not people_change:
                assert clockwork.tick(self.situation.later(quiet), state).events == ()

    @invariant()
    def over_means_over(self) -> None:
        for state in self.tickets.values():
            if not state.status.open:
                assert [t.clock for t in state.timers if t.running] in ([], [Clock.REPORT])
                assert state.asked is None


TestHotline = pytest.mark.filterwarnings("ignore::hypothesis.errors.NonInteractiveExampleWarning")(Hotline.TestCase)
TestHotline.settings = settings(
    max_examples=60, stateful_step_count=40, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
