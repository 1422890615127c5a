"""Responsibility over time (R12–R17), step by step."""

from __future__ import annotations

import itertools
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from domain_house import (
    BURST,
    CLEANING,
    EVENING,
    LAMP,
    ORGANISATION,
    RESIDENT,
    ROSTER,
    RULES,
    at,
    decision,
    situation,
)

from callcenter.domain import handover, work
from callcenter.domain.again import called_again
from callcenter.domain.clockwork import next_tick_at, not_answering, rungs_above, tick, warn_at
from callcenter.domain.deadlines import Clock
from callcenter.domain.effects import EffectKind, Outcome
from callcenter.domain.matters import Matter
from callcenter.domain.responsibility import decide
from callcenter.domain.roster import Absence
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import RULE, Act, CallRecord, Status, TicketState, WaitFor
from callcenter.errors import DomainError

LATER = EVENING + timedelta(minutes=1)
BURST_OF_SECURITY = replace(BURST, department="security")
"""The same matter once the site's files give the category to another department."""


def _open(matter: Matter = BURST, moment: datetime = EVENING, taken_by: str | None = None) -> TicketState:
    made = decision(matter, moment, taken_by=taken_by)
    record = CallRecord(moment)
    return handover.open_ticket(situation(moment), "100001", RESIDENT, matter, made, record, taken_by).state


def _staff(outcome: Outcome, kind: EffectKind) -> list[str]:
    return [e.staff for e in outcome.effects if e.kind is kind]


def _away(*absences: Absence) -> Situation:
    return replace(situation(LATER), roster=replace(ROSTER, absences=absences))


def test_the_second_to_accept_is_told_so() -> None:
    """Two accept at once: the first is responsible, the other is told."""
    taken = handover.accept(situation(LATER), _open(), "B").state
    with pytest.raises(DomainError) as caught:
        handover.accept(situation(LATER), taken, "C")
    assert caught.value.code == "r14.already_taken"
    assert taken.responsible == "B"


def test_who_let_the_limit_pass_may_still_take_it() -> None:
    """B accepts late, while C is asked: B has it, C is released."""
    late = tick(situation(EVENING + timedelta(minutes=3)), _open()).state
    taken = handover.accept(situation(EVENING + timedelta(minutes=4)), late, "B")
    assert taken.state.responsible == "B"
    assert _staff(taken, EffectKind.RELEASE) == ["C"]
    assert _staff(taken, EffectKind.TELL) == ["A"]


def test_a_refusal_needs_a_reason_is_counted_and_seen() -> None:
    """R16."""
    state = _open()
    with pytest.raises(DomainError) as caught:
        handover.refuse(situation(LATER), state, "B", " ")
    assert caught.value.code == "r16.reason_missing"
    refused = handover.refuse(situation(LATER), state, "B", "正在另一处抢修")
    assert [(r.staff, r.reason) for r in refused.state.refusals] == [("B", "正在另一处抢修")]
    assert refused.state.asked == "C"
    assert refused.state.responsible == "A"
    assert "K" in _staff(refused, EffectKind.TELL)
    with pytest.raises(DomainError) as caught:
        handover.refuse(situation(LATER), refused.state, "B", "还是不行")
    assert caught.value.code == "r13.not_asked"


def test_two_refusals_bring_it_before_the_office_which_settles_it() -> None:
    once = handover.refuse(situation(LATER), _open(), "B", "不归我").state
    twice = handover.refuse(situation(LATER), once, "C", "不归我")
    assert twice.state.disputed
    assert {"O", "G"} <= set(_staff(twice, EffectKind.TELL))
    assert _staff(twice, EffectKind.SETTLE) == ["O"], "it stands on the office's list"
    (disputed,) = (e for e in twice.events if e.act is Act.DISPUTE)
    assert "2次拒绝" in disputed.zh
    assert disputed.en.endswith("It was refused 2 times.")
    assert twice.state.asked == "K", "the chain goes on meanwhile"
    with pytest.raises(DomainError) as caught:
        handover.settle(situation(LATER), twice.state, "K", "W", "归环境部")
    assert caught.value.code == "r16.not_the_office"
    settled = handover.settle(situation(LATER), twice.state, "O", "W", "归环境部", department="environment")
    assert (settled.state.status, settled.state.responsible) == (Status.ASSIGNED, "W")
    assert settled.state.matter.department == "environment"
    assert settled.state.settled
    assert not settled.state.disputed
    assert _staff(settled, EffectKind.RELEASE) == ["K"]


def test_what_the_office_settles_is_the_department_of_whom_it_names() -> None:
    """R16: the disputed department has no more to do with it; within a chain, or above it, it stays where it is."""
    disputed = handover.dispute(situation(LATER), _open(LAMP), "B", "是保洁的事").state
    elsewhere = handover.settle(situation(LATER), disputed, "O", "W", "归环境部").state
    assert elsewhere.matter.department == "environment"
    assert not handover.concerned(situation(LATER), elsewhere, "B")
    for within in ("B", "C", "K", "G"):
        ours = handover.settle(situation(LATER), disputed, "O", within, "归工程部").state
        assert ours.matter.department == "engineering"
    own = handover.settle(situation(LATER), disputed, "O", "A", "客服部答复").state
    assert (own.responsible, own.matter.department) == ("A", "service")


def test_giving_on_what_the_office_settled_is_a_refusal_and_comes_before_the_office_again() -> None:
    """R16: no ping-pong after the settlement either."""
    refused = handover.refuse(situation(LATER), _open(LAMP), "B", "不归我").state
    settled = handover.settle(situation(LATER), refused, "O", "W", "归环境部").state
    with pytest.raises(DomainError) as caught:
        handover.hand_over(situation(LATER), settled, "W", department="engineering")
    assert caught.value.code == "r16.reason_missing"
    given = handover.hand_over(situation(LATER), settled, "W", department="engineering", note="不归我们")
    assert [r.staff for r in given.state.refusals] == ["B", "W"]
    assert given.state.disputed
    assert (given.state.responsible, given.state.asked) == ("W", "B"), "W has it until somebody takes it (R14)"


def _contact(state: TicketState) -> datetime | None:
    timer = state.timer(Clock.CONTACT)
    return timer.due_at if timer else None


def test_a_department_that_is_named_later_contacts_the_caller_within_a_day() -> None:
    """R19: however it came to be named; being passed on wins nobody a new day (R16)."""
    own = _open(Matter("complaint", "staff", "normal", "service", place=LAMP.place))
    assert _contact(own) is None
    day = timedelta(days=1)
    given = handover.hand_over(situation(LATER), own, "A", department="engineering", note="是灯坏了").state
    assert _contact(given) == LATER + day
    on = handover.hand_over(situation(LATER + day / 2), given, "B", department="environment", note="不归我").state
    assert _contact(on) == LATER + day
    corrected = handover.relabel(situation(LATER), own, "A", LAMP).state
    assert (corrected.asked, _contact(corrected)) == ("B", LATER + day)
    settled = handover.settle(situation(LATER), own, "O", "W", "归环境部").state
    assert _contact(settled) == LATER + day
    colleague = handover.hand_over(situation(LATER), own, "A", to="S", note="请协助").state
    assert _contact(colleague) is None, "no other department is named"


def test_giving_on_what_one_accepted_counts_as_a_refusal() -> None:
    taken = handover.accept(situation(LATER), _open(LAMP), "B").state
    with pytest.raises(DomainError) as caught:
        handover.hand_over(situation(LATER), taken, "B", department="environment")
    assert caught.value.code == "r16.reason_missing"
    given = handover.hand_over(situation(LATER), taken, "B", department="environment", note="是保洁的事").state
    assert [r.staff for r in given.refusals] == ["B"]
    assert (given.responsible, given.asked) == ("B", "W")


def test_who_is_asked_and_hands_it_on_has_refused_and_the_chain_does_not_begin_anew() -> None:
    """R13, R16: handing on wins nobody a new limit, and bouncing is seen."""
    state = _open(LAMP)
    with pytest.raises(DomainError) as caught:
        handover.hand_over(situation(LATER), state, "B")
    assert caught.value.code == "r16.reason_missing"
    given = handover.hand_over(situation(LATER), state, "B", note="没空")
    assert [(r.staff, r.reason) for r in given.state.refusals] == [("B", "没空")]
    assert (given.state.responsible, given.state.asked) == ("A", "C"), "B is not asked again"
    assert "K" in _staff(given, EffectKind.TELL)
    again = handover.hand_over(situation(LATER), given.state, "B", note="还是没空").state
    assert again.asked == "K", "nor does it come round to C"
    bounced = handover.hand_over(situation(LATER), given.state, "C", to="B", note="也没空")
    assert [r.staff for r in bounced.state.refusals] == ["B", "C"]
    assert bounced.state.disputed
    assert {"O", "G"} <= set(_staff(bounced, EffectKind.TELL))


def test_a_colleague_who_was_never_asked_hands_on_and_the_chain_does_not_begin_anew() -> None:
    """R13: whoever hands it on, nobody of the department is asked twice; another department begins its own chain."""
    late = tick(situation(at(20, 13)), _open(LAMP)).state
    assert (late.asked, late.asked_before) == ("C", ("B",))
    for by in ("K", "A", "O"):
        given = handover.hand_over(situation(at(20, 13)), late, by, note="请尽快").state
        assert (given.asked, given.refusals) == ("K", ()), by
        assert {"B", "C"} <= set(given.asked_before), by
    elsewhere = handover.hand_over(situation(at(20, 13)), late, "K", department="environment", note="是保洁的事").state
    assert elsewhere.asked == "V"
    back = handover.hand_over(situation(at(20, 13)), elsewhere, "W", department="engineering", note="不是").state
    assert back.asked == "B", "a department that gets it anew begins with its person on duty"


def test_who_is_asked_gets_no_new_limit_by_being_named_again() -> None:
    """R13, R16: nobody wins time for a friend; who is asked cannot ask themselves either."""
    state = _open(LAMP)
    for by in ("A", "K"):
        with pytest.raises(DomainError) as caught:
            handover.hand_over(situation(LATER), state, by, to="B", note="请尽快")
        assert caught.value.code == "r13.already_asked"
    with pytest.raises(DomainError) as caught:
        handover.hand_over(situation(LATER), state, "B", to="B")
    assert caught.value.code == "r16.reason_missing"
    itself = handover.hand_over(situation(LATER), state, "B", to="B", note="再等等").state
    assert (itself.asked, [r.staff for r in itself.refusals]) == ("C", ["B"])


def test_what_the_office_has_settled_is_disputed_again_only_by_another_refusal() -> None:
    """R16."""
    once = handover.refuse(situation(LATER), _open(LAMP), "B", "不归我").state
    twice = handover.refuse(situation(LATER), once, "C", "不归我").state
    settled = handover.settle(situation(LATER), twice, "O", "A", "客服部答复").state
    given = handover.hand_over(situation(LATER), settled, "A", to="S", note="请协助").state
    assert (given.asked, given.disputed) == ("S", False)
    assert handover.refuse(situation(LATER), given, "S", "不归我").state.disputed


def test_danger_in_what_the_office_settled_and_was_given_on_since_is_asked_with_its_own_limit() -> None:
    """R13, R16, R17: what is given on is not settled any more."""
    settled = handover.settle(situation(LATER), _open(LAMP), "O", "K", "归工程部").state
    given = handover.hand_over(situation(LATER), settled, "K", note="请处理").state
    assert (given.asked, given.settled) == ("B", False)
    worse = called_again(situation(LATER), given, RESIDENT, replace(LAMP, urgency="emergency"))
    assert worse.state.accept_by == LATER + timedelta(minutes=3)
    assert "B" in [e.staff for e in worse.effects if e.kind is EffectKind.ASK and e.ring]


def test_a_manager_gives_it_to_one_of_the_department() -> None:
    taken = handover.accept(situation(LATER), _open(LAMP), "K").state
    given = handover.hand_over(situation(LATER), taken, "K", to="C", note="请处理")
    assert (given.state.responsible, given.state.asked) == ("K", "C")
    late = tick(situation(at(20, 13)), given.state)
    assert late.state.asked == "B"
    with pytest.raises(DomainError) as caught:
        handover.hand_over(_away(Absence("C", EVENING, at(22, 0))), taken, "K", to="C", note="请处理")
    assert caught.value.code == "r14.not_available"


def test_neither_the_last_resort_nor_the_general_manager_refuses() -> None:
    """R14: the chain ends, and then the last resort has it without being asked."""
    state = _open()
    asked = []
    moment = EVENING
    while state.status is Status.HANDED_OVER:
        asked.append(state.asked)
        for backstop in ("R", "G"):
            with pytest.raises(DomainError) as caught:
                handover.refuse(situation(moment), state, backstop, "不行")
            assert caught.value.code == "r14.last_resort"
        moment += timedelta(minutes=3)
        outcome = tick(situation(moment), state)
        state = outcome.state
    assert asked == ["B", "C", "K", "G", "R"]
    assert (state.status, state.responsible) == (Status.ASSIGNED, "R")
    assert {"R", "G"} <= set(_staff(outcome, EffectKind.TELL))


def test_shift_ends_in_mid_hand_over_and_the_gap_is_the_last_resorts() -> None:
    """R14, R27: A's shift ends at 23:30, nobody follows until D at 8:30."""
    state = _open(LAMP, at(19, 23, 20))
    assert state.responsible == "A"
    night = tick(situation(at(19, 23, 30)), state)
    assert (night.state.responsible, night.state.first_responder) == ("R", "A")
    assert night.events[0].rule == "R27"
    assert night.state.asked == state.asked, "who is asked is still asked"
    morning = tick(situation(at(20, 8, 30)), night.state)
    assert (morning.state.responsible, morning.state.first_responder) == ("D", "A")


def test_what_was_begun_or_accepted_is_kept_over_the_end_of_a_shift() -> None:
    own = _open(Matter("enquiry", "staff", "normal", "service"))
    begun = work.start(situation(LATER), own, "A").state
    assert tick(situation(at(20, 9)), begun).state.responsible == "A"
    untouched = tick(situation(at(20, 9)), own).state
    assert untouched.responsible == "D"
    by_another = work.start(situation(LATER), own, "S").state
    assert tick(situation(at(20, 9)), by_another).state.responsible == "D", "A has not begun it"
    waiting = work.wait(situation(LATER), own, "S", WaitFor.RESIDENT, at(25, 9), "不在家").state
    assert tick(situation(at(20, 9)), waiting).state.responsible == "D"


def test_a_matter_that_a_person_picked_up_goes_on_with_the_shift_only_if_they_had_one() -> None:
    e_took_it = _open(CLEANING, taken_by="E")
    assert tick(situation(at(20, 9)), e_took_it).state.responsible == "E"
    a_took_it = _open(CLEANING, taken_by="A")
    assert tick(situation(at(20, 9)), a_took_it).state.responsible == "D"


def test_leave_and_leaving_the_company_relieve_whoever_is_responsible() -> None:
    taken = handover.accept(situation(LATER), _open(LAMP), "B").state
    stand_in = tick(_away(Absence("B", EVENING, at(22, 0), "病假", "C")), taken)
    assert stand_in.state.responsible == "C"
    superior = tick(_away(Absence("B", EVENING, at(22, 0))), taken)
    assert superior.state.responsible == "C", "B reports to C"
    gone = tuple(replace(s, active_until=at(10, 1).date()) if s.id in ("B", "C") else s for s in ORGANISATION.staff)
    left = tick(replace(situation(LATER), organisation=replace(ORGANISATION, staff=gone)), taken)
    assert (left.state.responsible, left.state.status) == ("K", Status.ASSIGNED)
    assert left.events[0].act is Act.RELIEVE


def test_what_was_given_to_whoever_is_there_goes_to_the_right_department_and_in_danger_to_its_chain() -> None:
    """R13, R17: B had accepted it and is ill, C has it and has not accepted anything."""
    away = _away(Absence("B", EVENING, at(22, 0), "病假", "C"))
    given = tick(away, handover.accept(situation(LATER), _open(LAMP), "B").state).state
    assert (given.responsible, given.accepted_by) == ("C", None)
    elsewhere = handover.relabel(away, given, "C", replace(LAMP, department="environment")).state
    assert (elsewhere.responsible, elsewhere.asked) == ("C", "W")
    worse = called_again(away, given, RESIDENT, replace(LAMP, urgency="emergency"))
    assert (worse.state.responsible, worse.state.asked) == ("C", "K")
    done = work.done(situation(LATER), handover.accept(situation(LATER), _open(LAMP), "B").state, "B", "已修复").state
    assert tick(away, done).state.accepted_by == "B", "who did the work is known as long as the matter is"


def test_whom_the_sites_files_name_no_more_has_left_and_no_call_is_lost() -> None:
    """R14, R17: A and B were taken out of the file while A's matter was open with B."""
    taken = handover.accept(situation(LATER), _open(LAMP), "B").state
    left = replace(ORGANISATION, staff=tuple(s for s in ORGANISATION.staff if s.id not in ("A", "B")))
    here = replace(situation(LATER), organisation=left)
    made = decide(RESIDENT, LAMP, left, ROSTER, RULES, LATER, (taken.open_matter(),))
    assert (made.joins, made.first_responder) == ("100001", "A")
    assert "former member of staff A" in made.explained("en")
    assert called_again(here, taken, RESIDENT, replace(LAMP, urgency="emergency")).state.calls == 2
    assert handover.hand_over(here, taken, "K", to="C", note="请处理").state.asked == "C"
    assert handover.relabel(here, _open(LAMP), "K", CLEANING).state.asked == "W"
    relieved = tick(here, taken).state
    assert (relieved.responsible, relieved.first_responder) == ("R", "A")
    finished = work.done(here, taken, "K", "换了灯泡").state
    assert finished.follow_up_by == "R", "no operator is left either"
    assert work.unsatisfied(here, finished).state.responsible == "R"
    rung = not_answering(here, _open(), "B")
    assert (rung.state.asked, "former member of staff B" in rung.events[0].en) == ("C", True)


def test_what_a_department_that_is_no_more_had_left_open_is_the_offices() -> None:
    """R13, R14, R16: engineering was taken out of the file, its people went to environment, while a burst pipe was with
    them."""
    opened = _open()
    moved = tuple(replace(s, department="environment") if s.id in "BCK" else s for s in ORGANISATION.staff)
    left = tuple(d for d in ORGANISATION.departments if d.id != "engineering")
    house = replace(ORGANISATION, staff=moved, departments=left)
    late = replace(situation(EVENING + timedelta(minutes=4)), organisation=house)
    passed = tick(late, opened).state
    assert (passed.asked, passed.responsible) == ("O", "A"), "the chain goes on with the office"
    made = decide(RESIDENT, BURST_OF_SECURITY, house, ROSTER, RULES, late.at, (passed.open_matter(),))
    assert (made.joins, made.department) == ("100001", "engineering")
    dull = replace(passed.open_matter(), urgency="normal")
    risen = decide(RESIDENT, BURST_OF_SECURITY, house, ROSTER, RULES, late.at, (dull,))
    assert "the former department" in risen.explained("en")
    assert [h.staff for h in risen.handed_to] == ["B", "O", "G", "R"], "whom the roster still names, then the office"
    assert called_again(late, passed, RESIDENT, BURST_OF_SECURITY).state.calls == 2
    assert handover.refuse(late, passed, "O", "秩序维护部的事").state.asked != "O"
    assert handover.accept(late, passed, "O").state.responsible == "O"
    theirs = handover.hand_over(late, passed, "O", department="security", note="改由秩序维护部负责").state
    assert (theirs.asked, theirs.matter.department) == ("L", "security")
    assert handover.settle(late, passed, "O", "W", "环境部接管").state.matter.department == "environment"
    with pytest.raises(DomainError) as caught:
        handover.hand_over(late, passed, "O", department="engineering")
    assert caught.value.code == "organisation.unknown_department"


def test_who_is_asked_and_goes_away_is_passed_over_at_once() -> None:
    passed = tick(_away(Absence("B", EVENING, at(22, 0))), _open())
    assert passed.state.asked == "C"
    assert passed.events[0].act is Act.PASS_OVER


def test_the_last_resort_holds_a_matter_even_on_leave() -> None:
    state = replace(_open(LAMP), status=Status.ASSIGNED, responsible="R", asked=None, accept_by=None, by_duty=False)
    away = _away(Absence("R", EVENING, at(22, 0)))
    assert all(e.act not in (Act.RELIEVE, Act.SHIFT) for e in tick(away, state).events)


def test_calling_again_in_danger_raises_the_matter() -> None:
    """R8, R15, R17: the lamp hangs by its wire now."""
    state = _open(LAMP)
    worse = called_again(situation(LATER), state, RESIDENT, replace(LAMP, urgency="emergency"))
    assert (worse.state.urgency, worse.state.major, worse.state.calls) == ("emergency", True, 2)
    assert worse.state.accept_by == LATER + timedelta(minutes=3)
    rung = {e.staff for e in worse.effects if e.ring}
    assert {"B", "L", "G"} <= rung
    assert worse.state.report_by == "L"
    taken = handover.accept(situation(LATER), state, "B").state
    again = called_again(situation(LATER), taken, RESIDENT, replace(LAMP, urgency="emergency"))
    assert (again.state.responsible, again.state.status) == ("B", Status.ACCEPTED)
    assert {"A", "B", "L", "G"} <= {e.staff for e in again.effects if e.ring}


def test_the_line_names_whom_the_desk_will_ask_when_a_matter_becomes_more_urgent() -> None:
    """R13, R17: wherever the matter stands, and whoever has it by then."""
    here, own = situation(LATER), replace(LAMP, department="service", category="staff")
    for matter in (LAMP, own, replace(LAMP, to_confirm=True)):
        opened = _open(matter)
        stands = [opened, tick(situation(at(20, 8, 31)), opened).state, not_answering(here, opened, "B").state]
        if not matter.to_confirm:
            done = work.done(here, opened, "A", "已修复").state
            wait = work.wait(here, opened, "A", WaitFor.RESIDENT, at(25, 9), "不在家").state
            stands += [done, wait, work.start(here, opened, "A").state, work.unsatisfied(here, done).state]
        for state, urgency in itertools.product(stands, ("important", "emergency")):
            said = replace(matter, urgency=urgency, to_confirm=False)
            now = situation(at(20, 9))
            made = decide(RESIDENT, said, ORGANISATION, ROSTER, RULES, now.at, (state.open_matter(),))
            asked = _staff(called_again(now, state, RESIDENT, said), EffectKind.ASK)
            assert asked == ([made.next_asked] if made.handed_to else []), (state.status, urgency)


def test_a_call_of_the_press_makes_a_matter_major_and_it_stays_theirs() -> None:
    """R15, R17: the press calls about a lamp that is no more urgent than before."""
    press = called_again(situation(LATER), _open(LAMP), RESIDENT, replace(LAMP, source="press"))
    assert (press.state.major, press.state.urgency, press.state.report_by) == (True, "normal", "L")
    assert {"L", "G"} <= {e.staff for e in press.effects if e.rule == "R15"}
    assert press.state.asked == "B", "nothing starts again"
    worse = called_again(situation(LATER), press.state, RESIDENT, replace(LAMP, urgency="important"))
    assert (worse.state.matter.source, worse.state.urgency) == ("press", "important")


def test_the_report_on_what_joins_another_matter_stays_due() -> None:
    """R15: nothing is hidden by joining."""
    one = _open(LAMP)
    call = replace(LAMP, source="authority")
    made = decision(call)
    other = handover.open_ticket(situation(EVENING), "100002", RESIDENT, call, made, CallRecord(EVENING)).state
    joined = work.absorb(situation(LATER), one, other).state
    assert joined.timer(Clock.REPORT) is not None
    assert joined.major


def test_what_was_corrected_to_no_danger_and_then_joined_keeps_its_report() -> None:
    """R15: a person had confirmed it as major; what it joins is a lamp."""
    taken = handover.accept(situation(LATER), _open(), "B").state
    calmer = handover.relabel(situation(LATER), taken, "B", replace(taken.matter, urgency="normal")).state
    report = calmer.timer(Clock.REPORT)
    assert report is not None
    outcome = work.absorb(situation(at(20, 9)), _open(LAMP), calmer)
    kept = outcome.state.timer(Clock.REPORT)
    assert kept is not None
    assert (kept.due_at, outcome.state.report_by, outcome.state.major) == (report.due_at, "L", True)
    assert _staff(outcome, EffectKind.REPORT) == ["L"]
    handed_in = work.reported(situation(LATER), calmer, "L", "报告").state
    assert not work.absorb(situation(at(20, 9)), _open(LAMP), handed_in).state.major, "it is written already"


def test_a_matter_not_understood_well_waits_for_confirmation_but_an_emergency_does_not() -> None:
    """R8."""
    unsure = replace(LAMP, to_confirm=True)
    made = handover.open_ticket(situation(EVENING), "1", RESIDENT, unsure, decision(unsure), CallRecord(EVENING))
    assert made.state.status is Status.TO_CONFIRM
    assert _staff(made, EffectKind.ASK) == []
    assert _staff(made, EffectKind.CONFIRM) == ["A"]
    confirmed = handover.relabel(situation(LATER), made.state, "A", replace(CLEANING, to_confirm=False))
    assert confirmed.state.confirmed
    assert confirmed.state.status is Status.HANDED_OVER
    assert confirmed.state.asked == "W"

    danger = replace(BURST, to_confirm=True)
    opened = handover.open_ticket(situation(EVENING), "2", RESIDENT, danger, decision(danger), CallRecord(EVENING))
    assert opened.state.status is Status.HANDED_OVER
    assert _staff(opened, EffectKind.ASK) == ["B"]
    assert _staff(opened, EffectKind.CONFIRM) == ["A"]
    assert opened.state.timer(Clock.CONFIRM) is not None


def test_a_correction_to_an_emergency_reaches_the_leader_and_the_right_department() -> None:
    state = _open(CLEANING)
    corrected = handover.relabel(situation(LATER), state, "A", BURST)
    assert corrected.state.asked == "B"
    assert {"L", "G"} <= {e.staff for e in corrected.effects if e.rule == "R15"}
    assert _staff(corrected, EffectKind.REPORT) == ["L"]


def test_what_a_silent_caller_wanted_has_its_time_limits_from_when_it_is_known() -> None:
    """R18, R19, R21: told in the call-back, or understood from the recording later on."""
    silent = replace(CLEANING, kind="none", urgency="normal", call_back_at=LATER)
    state = _open(silent)
    assert [timer.clock for timer in state.timers] == [Clock.CALL_BACK]
    known = handover.relabel(situation(LATER), state, RULE, CLEANING).state
    due = {timer.clock: timer.due_at - LATER for timer in known.timers if timer.clock is not Clock.CALL_BACK}
    assert due == {Clock.ANSWER: timedelta(days=1), Clock.CONTACT: timedelta(days=1), Clock.CLOSE: timedelta(days=7)}
    later = handover.relabel(situation(LATER + timedelta(hours=1)), known, RULE, replace(CLEANING, category="staff"))
    assert later.state.timers == known.timers, "a correction moves no limit"
    danger = called_again(situation(LATER), state, RESIDENT, BURST).state
    assert {timer.clock for timer in danger.timers} >= {Clock.ANSWER, Clock.CLOSE, Clock.REPORT}


def test_words_that_come_late_and_are_not_sure_wait_to_be_confirmed_as_in_a_call() -> None:
    """R8: what a silent caller had said after all."""
    state = _open(replace(CLEANING, kind="none", urgency="normal", call_back_at=LATER))
    unsure = replace(CLEANING, to_confirm=True)
    late = handover.relabel(situation(LATER), state, RULE, unsure)
    assert (late.state.status, late.state.confirmed) == (Status.TO_CONFIRM, False)
    assert _staff(late, EffectKind.CONFIRM) == ["A"]
    assert _staff(late, EffectKind.ASK) == []
    confirm = late.state.timer(Clock.CONFIRM)
    assert confirm is not None
    assert confirm.due_at - LATER == timedelta(minutes=5)
    again = handover.relabel(situation(LATER), late.state, RULE, replace(unsure, category="staff"))
    assert _staff(again, EffectKind.CONFIRM) == [], "asked once"
    confirmed = handover.relabel(situation(LATER), again.state, "A", replace(CLEANING, to_confirm=False)).state
    assert (confirmed.confirmed, confirmed.status) == (True, Status.HANDED_OVER)
    assert confirmed.timer(Clock.CONFIRM) is None


def test_doubt_that_comes_late_holds_up_no_emergency_and_nothing_under_way() -> None:
    """R8, R15."""
    silent = _open(Matter("none", "other", "normal", "service", call_back_at=LATER))
    danger = handover.relabel(situation(LATER), silent, RULE, replace(BURST, to_confirm=True))
    assert (danger.state.status, danger.state.asked, danger.state.confirmed) == (Status.HANDED_OVER, "B", False)
    assert _staff(danger, EffectKind.CONFIRM) == ["A"]
    asked = _open(LAMP)
    press = handover.relabel(situation(LATER), asked, RULE, replace(LAMP, source="press", to_confirm=True))
    assert (press.state.status, press.state.asked, press.state.major) == (Status.HANDED_OVER, "B", True)
    assert _staff(press, EffectKind.CONFIRM) == ["A"]
    sure = handover.relabel(situation(LATER), silent, RULE, CLEANING)
    assert (sure.state.status, sure.state.confirmed) == (Status.HANDED_OVER, True)


def test_what_raises_a_matter_in_another_call_and_is_not_sure_is_to_be_confirmed() -> None:
    """R8, R15, R17."""
    perhaps = replace(LAMP, source="authority", to_confirm=True)
    raised = called_again(situation(LATER), _open(LAMP), RESIDENT, perhaps)
    assert (raised.state.major, raised.state.confirmed, raised.state.asked) == (True, False, "B")
    assert _staff(raised, EffectKind.CONFIRM) == ["A"]
    same = called_again(situation(LATER), _open(LAMP), RESIDENT, replace(LAMP, to_confirm=True))
    assert same.state.confirmed
    assert _staff(same, EffectKind.CONFIRM) == []


def test_what_was_not_sure_and_is_no_major_matter_needs_no_report() -> None:
    """R8, R15: who was told hears so. What a person has confirmed as major, or many households made so, stays."""
    perhaps = _open(replace(LAMP, source="press", to_confirm=True))
    assert (perhaps.major, perhaps.report_by) == (True, "L")
    heard = handover.relabel(situation(LATER), perhaps, "A", LAMP)
    assert (heard.state.major, heard.state.report_by, heard.state.timer(Clock.REPORT)) == (False, None, None)
    assert {e.staff for e in heard.effects if e.rule == "R15"} == {"L", "G"}
    assert heard.state.asked == "B", "and goes its way"
    sure = handover.relabel(situation(LATER), perhaps, "A", replace(LAMP, source="press")).state
    assert sure.timer(Clock.REPORT) is not None
    later = handover.relabel(situation(LATER), sure, "A", LAMP).state
    assert (later.major, later.timer(Clock.REPORT) is None) == (True, False), "a person had confirmed it"
    for still in (replace(LAMP, households=11), replace(LAMP, urgency="emergency")):
        assert handover.relabel(situation(LATER), perhaps, "A", still).state.timer(Clock.REPORT) is not None
    by_rule = handover.relabel(situation(LATER), perhaps, RULE, replace(LAMP, to_confirm=True)).state
    assert by_rule.major, "only a person takes it back"


def test_a_dispute_is_for_the_general_manager_while_the_office_is_away() -> None:
    """R16."""
    away = handover.dispute(_away(Absence("O", EVENING, at(22, 0))), _open(LAMP), "B", "是保洁的事")
    assert _staff(away, EffectKind.SETTLE) == ["G"]


def test_a_follow_up_and_a_report_are_left_to_others_by_who_is_away_or_has_left() -> None:
    """R15, R23: a task is never that of nobody, and is looked at when people go."""
    finished = work.done(situation(LATER), _open(), "B", "已修复").state
    assert (finished.follow_up_by, finished.report_by) == ("A", "L")
    assert tick(situation(LATER), finished).events == ()
    absent = _away(Absence("A", LATER, at(22, 0)), Absence("L", LATER, at(22, 0)))
    left = tick(absent, finished)
    handed = (_staff(left, EffectKind.FOLLOW_UP), _staff(left, EffectKind.REPORT))
    assert handed == (["R"], ["R"]), "no operator, no leader"
    assert (left.state.follow_up_by, left.state.report_by) == ("R", "R")
    assert left.state.status is Status.FOLLOW_UP_DUE
    assert tick(absent, left.state).events == (), "once"
    timers = [(t.clock, t.due_at) for t in left.state.timers if t.running]
    assert timers == [(t.clock, t.due_at) for t in finished.timers if t.running], "no limit moves"
    soon = LATER + timedelta(minutes=20)
    assert next_tick_at(_away(Absence("A", soon, at(22, 0))), finished) == soon
    archived = work.satisfied(situation(LATER), finished).state
    gone = tuple(replace(s, active_until=at(19, 12).date()) if s.id == "L" else s for s in ORGANISATION.staff)
    next_day = replace(situation(at(20, 0)), organisation=replace(ORGANISATION, staff=gone))
    assert next_tick_at(next_day.later(LATER), archived) == at(20, 0)
    taken_over = tick(next_day, archived).state
    assert (taken_over.status, taken_over.report_by) == (Status.ARCHIVED, "R")
    assert work.reported(next_day, taken_over, "R", "报告").state.timer(Clock.REPORT) is None


def test_who_says_nothing_again_is_called_back_again() -> None:
    """R5, R17, R22."""
    silent = replace(CLEANING, kind="none", urgency="normal", call_back_at=LATER)
    rung = work.called_back(situation(LATER), _open(silent), "A").state
    assert rung.timer(Clock.CALL_BACK) is None
    nothing = replace(silent, call_back_at=None)
    again = called_again(situation(LATER), rung, RESIDENT, nothing).state
    due = again.timer(Clock.CALL_BACK)
    assert due is not None
    assert due.due_at > LATER
    assert called_again(situation(LATER), _open(LAMP), RESIDENT, nothing).state.timer(Clock.CALL_BACK) is None


def test_after_a_day_of_downtime_the_clock_catches_up_without_a_storm() -> None:
    """One message for each person, not one for each limit missed."""
    caught_up = tick(situation(EVENING + timedelta(days=2)), _open())
    people = [(e.kind, e.staff) for e in caught_up.effects]
    assert len(people) == len(set(people))
    assert _staff(caught_up, EffectKind.ASK) == ["C"]
    assert caught_up.state.accept_by == EVENING + timedelta(days=2, minutes=3)
    assert tick(situation(EVENING + timedelta(days=2)), caught_up.state).events == ()


def test_a_warning_comes_before_and_the_ladder_after() -> None:
    """R24: 物业助理 → 客服主任 → 客服部经理 → 总经理, a rung with every step."""
    state = handover.accept(situation(LATER), _open(LAMP), "B").state
    answer = state.timer(Clock.ANSWER)
    assert answer is not None
    early = situation(EVENING)
    warned = tick(early.later(warn_at(early, answer)), state)
    assert [(e.kind, e.staff) for e in warned.effects] == [(EffectKind.WARN, "B")]
    state, climbed = warned.state, []
    for hours in (0, 1, 4, 8, 12, 40):
        outcome = tick(early.later(answer.due_at + timedelta(hours=hours)), state)
        climbed.append(_staff(outcome, EffectKind.ESCALATE))
        state = outcome.state
    assert climbed == [["P"], [], ["S"], ["M"], ["G"], []]


def test_the_ladder_begins_above_whoever_is_responsible() -> None:
    here = situation(EVENING)
    assert rungs_above(here, "B") == ("P", "S", "M", "G")
    assert rungs_above(here, "S") == ("M", "G")
    assert rungs_above(here, "G") == ("G",)
    assert rungs_above(_away(Absence("P", EVENING, at(22, 0)), Absence("G", EVENING, at(22, 0))), "B") == (
        "S",
        "M",
        "G",
    )


def test_a_wait_ends_by_itself_and_holds_its_clocks() -> None:
    begun = work.start(situation(LATER), _open(LAMP), "B").state
    until = EVENING + timedelta(days=10)
    waiting = work.wait(situation(LATER), begun, "B", WaitFor.MATERIAL, until, "等配件").state
    waiting = work.answered(situation(LATER), work.contacted(situation(LATER), waiting, "B").state, "B").state
    assert tick(situation(EVENING + timedelta(days=8)), waiting).events == ()
    assert next_tick_at(situation(at(28, 12)), waiting) == until
    over = tick(situation(until), waiting)
    assert over.state.status is Status.IN_PROGRESS
    assert _staff(over, EffectKind.TELL) == ["B"]
    close = over.state.timer(Clock.CLOSE)
    assert close is not None
    assert close.due_at == EVENING + timedelta(days=7) + (until - LATER)


def test_the_clock_knows_when_to_look_again() -> None:
    state = _open()
    assert next_tick_at(situation(EVENING), state) == EVENING + timedelta(minutes=3)
    finished = work.done(situation(LATER), state, "B", "修好").state
    archived = work.satisfied(situation(LATER), work.reported(situation(LATER), finished, "L").state).state
    assert next_tick_at(situation(LATER), archived) is None


def test_a_last_day_at_the_end_of_time_is_none() -> None:
    """`active_until: 9999-12-31`, by whom a date was asked of."""
    staff = tuple(replace(s, active_until=date.max) for s in ORGANISATION.staff)
    here = replace(situation(LATER), organisation=replace(ORGANISATION, staff=staff))
    assert next_tick_at(here, _open(LAMP)) == next_tick_at(situation(LATER), _open(LAMP))


def test_a_last_day_in_the_company_is_looked_at() -> None:
    """R14: B leaves for good on the 23rd; the matter is looked at in that midnight, not when its next limit comes."""
    taken = handover.accept(situation(LATER), _open(LAMP), "B").state
    for mark in (work.answered, work.contacted):
        taken = mark(situation(LATER), taken, "B").state
    last = tuple(replace(s, active_until=at(23, 12).date()) if s.id == "B" else s for s in ORGANISATION.staff)
    here = replace(situation(at(23, 12)), organisation=replace(ORGANISATION, staff=last))
    assert tick(here, taken).events == ()
    assert next_tick_at(here, taken) == at(24, 0)
    assert tick(here.later(at(24, 0)), taken).state.responsible == "C"


def test_effects_have_keys_of_their_own() -> None:
    made = decision(BURST)
    opened = handover.open_ticket(situation(EVENING), "100001", RESIDENT, BURST, made, CallRecord(EVENING))
    again = handover.open_ticket(situation(EVENING), "100001", RESIDENT, BURST, made, CallRecord(EVENING))
    keys = [e.key for e in opened.effects]
    assert len(keys) == len(set(keys))
    assert keys == [e.key for e in again.effects], "computed again, it is the same thing to do"
