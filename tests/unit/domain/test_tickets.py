"""The life of a ticket: the table, the record, and what the rule forbids."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from domain_house import BURST, EVENING, FEES_QUESTION, LAMP, RESIDENT, at, decision, situation

from callcenter.domain import codec, handover, work
from callcenter.domain.again import called_again
from callcenter.domain.deadlines import Clock
from callcenter.domain.effects import EffectKind, Outcome
from callcenter.domain.matters import Matter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import decide
from callcenter.domain.ticket_life import apply, replay
from callcenter.domain.tickets import (
    RULE,
    STATUS_ZH,
    TRANSITIONS,
    Act,
    CallRecord,
    Status,
    TicketEvent,
    TicketState,
    WaitFor,
)
from callcenter.errors import DomainError

LATER = EVENING + timedelta(minutes=1)


def _open(matter: Matter = LAMP, ticket: str = "100001", taken_by: str | None = None) -> Outcome:
    record = CallRecord(EVENING, number="+861", kind=matter.kind, content="路灯不亮")
    return handover.open_ticket(
        situation(EVENING), ticket, RESIDENT, matter, decision(matter, taken_by=taken_by), record, taken_by
    )


def _event(act: Act, **more: object) -> TicketEvent:
    return TicketEvent(act, LATER, "B", "R13", "理由", "reason", **more)  # type: ignore[arg-type]


def test_every_act_stands_in_the_table_and_every_status_has_a_name() -> None:
    assert set(TRANSITIONS) == set(Act) - {Act.OPEN}
    assert set(STATUS_ZH) == set(Status)


def test_every_status_can_be_reached_and_every_open_one_left() -> None:
    reached = {Status.RECORDED}
    while more := {after for moves in TRANSITIONS.values() for b, after in moves.items() if b in reached} - reached:
        reached |= more
    assert reached == set(Status)
    for status in Status:
        leaves = any(moves.get(status, status) is not status for moves in TRANSITIONS.values())
        assert leaves is (status is not Status.JOINED)


@pytest.mark.parametrize("act", [a for a in Act if a is not Act.OPEN])
def test_what_the_table_does_not_allow_is_refused(act: Act) -> None:
    state = _open().state
    for status in set(Status) - set(TRANSITIONS[act]):
        with pytest.raises(DomainError) as caught:
            apply(replace(state, status=status), _event(act))
        assert caught.value.code == "ticket.not_allowed"


def test_an_event_names_who_why_and_the_rule() -> None:
    state = _open().state
    blanks: tuple[dict[str, Any], ...] = ({"actor": ""}, {"rule": ""}, {"zh": ""}, {"en": ""})
    for blank in blanks:
        with pytest.raises(DomainError) as caught:
            apply(state, replace(_event(Act.NOTE), **blank))
        assert caught.value.code == "ticket.incomplete"


def test_the_history_begins_with_open_and_only_once() -> None:
    opened = _open()
    assert replay(opened.events) == opened.state
    with pytest.raises(DomainError, match="before it is opened"):
        replay(opened.events[1:])
    with pytest.raises(DomainError, match="exists already"):
        replay((opened.events[0], opened.events[0]))
    with pytest.raises(DomainError):
        replay(())


def test_state_and_events_survive_the_store() -> None:
    outcome = work.done(situation(LATER), _open(BURST).state, "B", "已修复")
    assert codec.from_json(TicketState, codec.to_json(outcome.state)) == outcome.state
    for event in outcome.events:
        assert codec.from_plain(TicketEvent, codec.to_plain(event)) == event


def test_the_record_knows_what_is_missing() -> None:
    """R6."""
    record = CallRecord(EVENING)
    assert record.missing_fields() == ("name", "number", "building", "room", "kind", "content", "received_by")
    assert record.completeness == 0
    full = CallRecord(EVENING, "李女士", "+861", "3", "2", "1102", "repair", "漏水", "A")
    assert full.missing_fields() == ()
    assert full.completeness == 1
    assert full.missing_fields(finished=True) == ("done",)
    state = _open().state
    assert state.record.received_by == "A"
    assert state.missing_fields() == ("name", "building", "room")


def test_a_life_from_the_call_to_the_archive() -> None:
    opened = _open()
    assert opened.state.status is Status.HANDED_OVER
    taken = handover.accept(situation(LATER), opened.state, "B")
    begun = work.start(situation(LATER), taken.state, "B")
    contacted = work.contacted(situation(LATER), begun.state, "B")
    answered = work.answered(situation(LATER), contacted.state, "B")
    finished = work.done(situation(LATER), answered.state, "B", "更换灯泡")
    happy = work.satisfied(situation(LATER), finished.state)
    assert [s.state.status for s in (taken, begun, contacted, answered, finished, happy)] == [
        Status.ACCEPTED, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.IN_PROGRESS, Status.FOLLOW_UP_DUE,
        Status.ARCHIVED,
    ]  # fmt: skip
    assert all(not t.running for t in happy.state.timers)
    assert happy.state.record.done == "更换灯泡"
    assert happy.state.closed_at == LATER


def test_not_satisfied_goes_back_to_the_first_responder() -> None:
    """R23."""
    taken = handover.accept(situation(LATER), _open().state, "B")
    finished = work.done(situation(LATER), taken.state, "B", "更换灯泡")
    again = work.unsatisfied(situation(LATER), finished.state, note="还是不亮")
    assert (again.state.status, again.state.responsible, again.state.reopened) == (Status.REOPENED, "A", 1)
    assert {"A", "B", "K"} <= {e.staff for e in again.effects if e.rule == "R23"}
    assert again.state.timer(Clock.ANSWER) is not None
    assert again.state.timer(Clock.FOLLOW_UP) is None


def test_who_calls_again_about_what_was_thought_done_is_not_satisfied() -> None:
    """R17, R23: it is open again at once, not only when the follow-up call asks; asking, praise and silence change
    nothing, and neither do words that are not sure."""
    taken = handover.accept(situation(LATER), _open().state, "B")
    finished = work.done(situation(LATER), taken.state, "B", "更换灯泡").state
    here = situation(at(20, 9))
    made = decide(RESIDENT, LAMP, here.organisation, here.roster, here.rules, here.at, (finished.open_matter(),))
    assert (made.joins, {"R17", "R23"} <= {r.rule for r in made.reasons}) == ("100001", True)
    undone = called_again(here, finished, RESIDENT, LAMP)
    assert (undone.state.status, undone.state.responsible, undone.state.reopened) == (Status.REOPENED, "A", 1)
    assert {"A", "B", "K"} <= {e.staff for e in undone.effects if e.rule == "R23"}
    assert undone.state.timer(Clock.FOLLOW_UP) is None
    for said in (replace(LAMP, kind="enquiry"), replace(LAMP, kind="praise"), replace(LAMP, to_confirm=True)):
        assert called_again(here, finished, RESIDENT, said).state.status is Status.FOLLOW_UP_DUE
    other = _open(ticket="100002").state
    assert work.absorb(here, finished, other).state.status is Status.REOPENED, "open work does not vanish by joining"


def test_of_two_that_are_done_and_turn_out_to_be_one_neither_is_undone() -> None:
    """R17, R23: the caller has said nothing new."""
    one = work.done(situation(LATER), _open().state, "B", "更换灯泡").state
    other = work.done(situation(LATER), _open(ticket="100002").state, "B", "更换灯泡").state
    joined = work.absorb(situation(LATER), one, other).state
    assert (joined.status, joined.calls, joined.reopened) == (Status.FOLLOW_UP_DUE, 2, 0)


def test_danger_in_what_was_opened_again_is_asked_of_its_department() -> None:
    """R13, R23: nobody has taken it since, so the chain begins with the shorter limit, as the line said."""
    finished = work.done(situation(LATER), _open().state, "B", "更换灯泡").state
    again = work.unsatisfied(situation(LATER), finished, note="又不亮").state
    danger = replace(LAMP, urgency="emergency")
    here = situation(LATER)
    made = decide(RESIDENT, danger, here.organisation, here.roster, here.rules, LATER, (again.open_matter(),))
    worse = called_again(here, again, RESIDENT, danger).state
    assert (worse.status, worse.responsible, worse.asked) == (Status.HANDED_OVER, "A", made.next_asked)
    elsewhere = handover.relabel(here, again, "A", replace(LAMP, department="environment")).state
    assert elsewhere.asked == "W", "and what is corrected goes to the right department"


def test_danger_in_what_was_thought_done_is_asked_of_its_department_at_once() -> None:
    """R8, R15, R23."""
    finished = work.done(situation(LATER), _open().state, "B", "更换灯泡").state
    for danger in (replace(LAMP, urgency="emergency"), replace(LAMP, urgency="emergency", to_confirm=True)):
        worse = called_again(situation(LATER), finished, RESIDENT, danger)
        assert (worse.state.status, worse.state.responsible, worse.state.asked) == (Status.HANDED_OVER, "A", "B")
        assert {"B", "L", "G"} <= {e.staff for e in worse.effects if e.ring}
        assert worse.state.confirmed is not danger.to_confirm
        assert (worse.state.timer(Clock.CONFIRM) is None) is not danger.to_confirm


def test_what_the_office_settled_before_it_was_opened_again_holds_up_no_danger() -> None:
    """R16, R23: opened again it is the first responder's, whatever the office had settled."""
    settled = handover.settle(situation(LATER), _open(BURST).state, "O", "K", "归工程部").state
    finished = work.done(situation(LATER), settled, "K", "已修复").state
    again = work.unsatisfied(situation(LATER), finished, note="又漏了").state
    assert (again.responsible, again.status, again.asked) == ("A", Status.HANDED_OVER, "B")


def test_the_report_stays_due_after_the_archive() -> None:
    """R15: the caller may be satisfied before the next day's report is written."""
    finished = work.done(situation(LATER), _open(BURST).state, "B", "已修复")
    happy = work.satisfied(situation(LATER), finished.state)
    assert happy.state.status is Status.ARCHIVED
    assert happy.state.timer(Clock.REPORT) is not None
    reported = work.reported(situation(at(20, 10)), happy.state, "L", "报告")
    assert reported.state.timer(Clock.REPORT) is None


def test_a_wait_has_a_listed_reason_and_an_end_and_holds_only_its_clocks() -> None:
    begun = work.start(situation(LATER), _open(replace(LAMP, needs_investigation=True)).state, "B")
    with pytest.raises(DomainError) as caught:
        work.wait(situation(LATER), begun.state, "B", WaitFor.MATERIAL, LATER, "等灯具")
    assert caught.value.code == "ticket.wait_end"
    before = begun.state.timer(Clock.CLOSE)
    assert before is not None
    waiting = work.wait(situation(LATER), begun.state, "B", WaitFor.MATERIAL, LATER + timedelta(days=2), "等灯具")
    held = {t.clock for t in waiting.state.timers if waiting.state.paused(t)}
    assert held == {Clock.CLOSE, Clock.INVESTIGATION}
    on = work.go_on(situation(LATER + timedelta(days=1)), waiting.state, "B")
    after = on.state.timer(Clock.CLOSE)
    assert after is not None
    assert after.due_at - before.due_at == timedelta(days=1)
    assert on.state.wait is None


def test_an_investigation_goes_on_in_working_time() -> None:
    """R20 counts working days: a wait over the weekend costs none of them."""
    friday = at(20, 18)
    begun = work.start(situation(LATER), _open(replace(LAMP, needs_investigation=True)).state, "B")
    waiting = work.wait(situation(friday), begun.state, "B", WaitFor.RESIDENT, at(27, 9), "等住户")
    on = work.go_on(situation(at(23, 8)), waiting.state, "B")
    timers = [s.timer(Clock.INVESTIGATION) for s in (begun.state, on.state)]
    assert [t.due_at for t in timers if t] == [at(24, 20, 10), at(24, 20, 10)]
    longer = work.go_on(situation(at(25, 9)), waiting.state, "B").state.timer(Clock.INVESTIGATION)
    assert longer is not None
    assert longer.due_at > at(25, 17)


def test_an_investigation_that_turns_out_to_be_needed_during_a_wait_is_held_from_then() -> None:
    """R20: a week's wait, an investigation from the sixth day on, an hour later work goes on."""
    begun = work.start(situation(LATER), _open().state, "B").state
    waiting = work.wait(situation(LATER), begun, "B", WaitFor.MATERIAL, at(26, 9), "等配件").state
    asked = handover.relabel(situation(at(25, 9)), waiting, "B", replace(LAMP, needs_investigation=True)).state
    timer = work.go_on(situation(at(25, 10)), asked, "B").state.timer(Clock.INVESTIGATION)
    assert timer is not None
    assert timer.due_at == at(30, 10), "three working days and the hour it was held"


def test_whoever_begins_what_is_to_be_accepted_has_accepted_it_and_the_first_responder_hears_so() -> None:
    """R14"""
    for deed in (
        work.start(situation(LATER), _open().state, "C"),
        work.wait(situation(LATER), _open().state, "C", WaitFor.MATERIAL, at(26, 9), "等配件"),
        work.done(situation(LATER), _open().state, "C", "已修复"),
    ):
        assert deed.state.accepted_by == "C"
        assert ("A", "R14") in [(e.staff, e.rule) for e in deed.effects if e.kind is EffectKind.TELL]
        assert [e.staff for e in deed.effects if e.kind is EffectKind.RELEASE] == ["B"]


def test_done_says_what_was_done() -> None:
    with pytest.raises(DomainError) as caught:
        work.done(situation(LATER), _open().state, "B", "  ")
    assert caught.value.code == "r6.done_missing"


def test_a_call_back_is_promised_for_a_time_that_lies_ahead() -> None:
    """R22."""
    state = _open(FEES_QUESTION).state
    with pytest.raises(DomainError) as caught:
        work.promise_call_back(situation(LATER), state, "A", EVENING)
    assert caught.value.code == "r22.no_time"
    withheld = replace(state, call=replace(state.call, number=None), record=replace(state.record, number=None))
    with pytest.raises(DomainError) as caught:
        work.promise_call_back(situation(LATER), withheld, "A", EVENING + timedelta(hours=1))
    assert caught.value.code == "r22.no_number"
    with pytest.raises(DomainError) as caught:
        work.promise_call_back(situation(LATER), state, "V", EVENING + timedelta(hours=1))
    assert caught.value.code == "r14.not_concerned"
    promised = work.promise_call_back(situation(LATER), state, "A", EVENING + timedelta(hours=1), "告知发票办法")
    assert "告知发票办法" in promised.events[0].zh
    assert "告知发票办法" in promised.events[0].en
    assert [e.staff for e in promised.effects if e.kind is EffectKind.CALL_BACK] == ["A"]
    kept = work.called_back(situation(LATER), promised.state, "A")
    assert kept.state.timer(Clock.CALL_BACK) is None
    other = EVENING + timedelta(hours=2)
    one = work.called_back(situation(LATER), promised.state, "A", number="+8614000001101", other_due=other).state
    assert [t.due_at for t in one.timers if t.clock is Clock.CALL_BACK and t.running] == [other], "to another number"
    later = work.promise_call_back(situation(LATER), promised.state, "A", EVENING + timedelta(hours=3)).state
    assert [t.due_at for t in later.timers if t.clock is Clock.CALL_BACK] == [EVENING + timedelta(hours=3)]


def test_what_the_line_promised_is_kept_however_late_it_is_heard_of() -> None:
    """R22: the desk was away; the promise stands, and is overdue."""
    promised = work.promise_call_back(situation(LATER), _open(FEES_QUESTION).state, RULE, EVENING).state
    assert [t.clock for t in promised.overdue(LATER) if t.clock is Clock.CALL_BACK] == [Clock.CALL_BACK]


def test_the_area_manager_hears_of_work_whose_place_becomes_known_later() -> None:
    """R9: once, by whoever corrects the record."""
    state = _open(replace(LAMP, place=Place())).state
    known = handover.relabel(situation(LATER), state, "A", LAMP)
    assert [(e.staff, e.rule) for e in known.effects if e.rule == "R9"] == [("P", "R9")]
    again = handover.relabel(situation(LATER), known.state, "A", replace(LAMP, urgency="important"))
    assert [e for e in again.effects if e.rule == "R9"] == []
    here = replace(FEES_QUESTION, place=LAMP.place)
    question = handover.relabel(situation(LATER), _open(FEES_QUESTION).state, "A", here)
    assert [e for e in question.effects if e.rule == "R9"] == [], "no work, no work order"


def test_a_matter_joins_one_of_its_own_site_only() -> None:
    state = _open(FEES_QUESTION).state
    with pytest.raises(DomainError) as caught:
        work.join(situation(LATER), state, "A", replace(state, ticket="100999", site="other"))
    assert caught.value.code == "r17.other_site"


def test_a_stranger_cannot_move_a_ticket() -> None:
    state = _open(BURST).state
    steps: tuple[Callable[[], Outcome], ...] = (
        lambda: work.done(situation(LATER), state, "W", "已修复"),
        lambda: handover.accept(situation(LATER), state, "V"),
        lambda: handover.hand_over(situation(LATER), state, "W", note="不归我"),
    )
    for step in steps:
        with pytest.raises(DomainError) as caught:
            step()
        assert caught.value.code == "r14.not_concerned"


def test_two_tickets_become_one() -> None:
    one, other = _open().state, _open(ticket="100002").state
    joined = work.join(situation(LATER), other, "A", one)
    assert (joined.state.status, joined.state.joined_to) == (Status.JOINED, "100001")
    assert [e.staff for e in joined.effects if e.kind is EffectKind.RELEASE] == ["B"]
    assert work.absorb(situation(LATER), one, other).state.calls == 2
    with pytest.raises(DomainError) as caught:
        work.join(situation(LATER), one, "A", one)
    assert caught.value.code == "r17.joins_itself"


def test_a_joined_or_archived_matter_cannot_be_joined() -> None:
    one = _open().state
    gone = work.satisfied(situation(LATER), work.done(situation(LATER), one, "B", "好了").state).state
    with pytest.raises(DomainError) as caught:
        work.join(situation(LATER), _open(ticket="100002").state, "A", gone)
    assert caught.value.code == "r17.not_open"


def test_outside_body_and_notes_are_in_the_history() -> None:
    outside = work.pass_outside(situation(LATER), _open().state, "A", "power_company", "已报修")
    assert outside.state.outside_body == "power_company"
    assert outside.events[-1].rule == "R5"
    noted = work.note(situation(LATER), outside.state, "W", "路过看到")
    assert noted.events[-1].zh == "环境部经理W备注：路过看到"
    with pytest.raises(DomainError):
        work.note(situation(LATER), outside.state, "W", " ")
