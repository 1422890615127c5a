"""The worked examples of docs/rules.md, by number."""

from __future__ import annotations

from datetime import timedelta

from domain_house import (
    BURST,
    CLEANING,
    EVENING,
    MORNING,
    ORGANISATION,
    RESIDENT,
    ROSTER,
    RULES,
    SITE,
    at,
    decision,
    situation,
)

from callcenter.domain import handover, work
from callcenter.domain.again import called_again
from callcenter.domain.clockwork import tick
from callcenter.domain.deadlines import Clock
from callcenter.domain.effects import EffectKind, Outcome
from callcenter.domain.incidents import Incident, group
from callcenter.domain.matters import Call, Matter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import ChainPlace, decide
from callcenter.domain.snapshot import KnownIncident
from callcenter.domain.tickets import CallRecord, Status


def _open(matter: Matter, call: Call = RESIDENT) -> Outcome:
    return handover.open_ticket(
        situation(EVENING), "100001", call, matter, decision(matter, call=call), CallRecord(EVENING)
    )


def test_example_1_burst_pipe_at_ten_past_eight() -> None:
    """A is first responder; B, then C are asked; C takes it; A follows up."""
    made = decision(BURST)
    assert made.first_responder == made.responsible == "A"
    assert not made.within_duty
    assert [(s.staff, s.place) for s in made.handed_to] == [
        ("B", ChainPlace.DUTY), ("C", ChainPlace.DEPUTY), ("K", ChainPlace.MANAGER), ("G", ChainPlace.ABOVE),
        ("R", ChainPlace.LAST_RESORT),
    ]  # fmt: skip
    assert [s.due_at - EVENING for s in made.handed_to[:3]] == [timedelta(minutes=m) for m in (3, 6, 9)]
    assert {t.staff for t in made.tell if t.rule == "R15"} == {"L", "G"}
    assert {t.staff for t in made.tell if t.rule == "R9"} == {"P"}
    assert {"R11", "R13", "R14", "R15", "R9"} <= {r.rule for r in made.reasons}

    opened = _open(BURST)
    assert opened.state.status is Status.HANDED_OVER
    assert (opened.state.responsible, opened.state.asked) == ("A", "B")
    rung = {e.staff for e in opened.effects if e.ring}
    assert {"B", "L", "G"} <= rung

    early = tick(situation(EVENING + timedelta(minutes=2)), opened.state)
    assert early.events == ()
    late = tick(situation(EVENING + timedelta(minutes=3)), opened.state)
    assert (late.state.responsible, late.state.asked) == ("A", "C")
    assert [e.staff for e in late.effects if e.kind is EffectKind.ASK] == ["C"]

    taken = handover.accept(situation(EVENING + timedelta(minutes=5)), late.state, "C")
    assert (taken.state.first_responder, taken.state.responsible) == ("A", "C")
    finished = work.done(situation(EVENING + timedelta(hours=1)), taken.state, "C", "更换爆裂水管")
    assert finished.state.status is Status.FOLLOW_UP_DUE
    assert [e.staff for e in finished.effects if e.kind is EffectKind.FOLLOW_UP] == ["A"]
    follow_up = finished.state.timer(Clock.FOLLOW_UP)
    assert follow_up is not None
    assert follow_up.due_at == at(20, 0)


def test_example_2_same_resident_calls_again_next_morning() -> None:
    """D is on duty, but the call joins the open matter of A, and counts as a repeat."""
    state = _open(BURST).state
    again = decide(RESIDENT, BURST, ORGANISATION, ROSTER, RULES, MORNING, (state.open_matter(),))
    assert ROSTER.on_duty("operator", MORNING) == "D"
    assert (again.joins, again.first_responder) == ("100001", "A")
    assert "R17" in {r.rule for r in again.reasons}
    assert {t.staff for t in again.tell if t.rule == "R17"} == {"A"}
    repeated = called_again(situation(MORNING), state, RESIDENT, BURST)
    assert repeated.state.calls == 2
    assert repeated.state.first_responder == "A"
    alias = handover.open_ticket(situation(MORNING), "100002", RESIDENT, BURST, again, CallRecord(MORNING))
    assert (alias.state.status, alias.state.joined_to) == (Status.JOINED, "100001")


def test_example_2_recognises_the_household_and_the_door_by_any_number() -> None:
    """The wife's number and an unknown number from the same door join as well; a neighbour does not."""
    matter = _open(BURST).state.open_matter()

    def joins(call: Call, place: Place) -> str | None:
        said = Matter("repair", "water_leak", "emergency", "engineering", place)
        return decide(call, said, ORGANISATION, ROSTER, RULES, MORNING, (matter,)).joins

    assert joins(Call(SITE, "+8614000001102", "3-2-1102"), Place()) == "100001"
    assert joins(Call(SITE, "+8614000009999"), Place("3", None, "1102")) == "100001"
    assert joins(Call(SITE, "+8614000001002", "3-2-1002"), Place("3", "2", "1002")) is None
    assert joins(Call(SITE, None), Place()) is None


def test_example_3_a_tenants_number_is_not_told() -> None:
    """A message is recorded; the operator, whose own duty it is, calls the tenant."""
    message = Matter("message", "message", "normal", "service", Place("5", None, "801"), asks_resident_data=True)
    made = decision(message)
    assert made.within_duty
    assert made.handed_to == ()
    assert made.responsible == "A"
    assert {"R10", "R12"} <= {r.rule for r in made.reasons}
    assert all("801" not in r.zh for r in made.reasons)


def test_example_4_an_agent_with_a_headset_is_first_responder() -> None:
    """E picked up, so E is first responder, though A is on duty."""
    made = decision(CLEANING, taken_by="E")
    assert ROSTER.on_duty("operator", EVENING) == "A"
    assert made.first_responder == made.responsible == "E"
    assert made.handed_to[0].staff == "W"
    assert "R11" not in {t.rule for t in made.tell}


def test_example_5_twenty_calls_become_one_incident() -> None:
    """停电 in building 6: one incident with all calls; later callers hear that it is known and are still recorded."""
    incidents: tuple[Incident, ...] = ()
    for n in range(20):
        place = Place("6", "1", f"{n + 1}01", "east")
        power = Matter("repair", "power", "important", "engineering", place)
        moment = EVENING + timedelta(seconds=30 * n)
        call = Call(SITE, f"+861400000{n:04d}")
        made = decision(power, moment, call)
        state = handover.open_ticket(situation(moment), str(100001 + n), call, power, made, CallRecord(moment)).state
        incidents = group(incidents, state.open_matter(), RULES, moment).incidents
    (incident,) = incidents
    assert len(incident.tickets) == 20
    assert incident.recognised_at == EVENING + timedelta(seconds=30 * (RULES.incident_calls - 1))
    known = incident.known("6号楼停电已知悉，正在抢修。", "The power cut in building 6 is known.")
    assert isinstance(known, KnownIncident)
    assert known.touches("power", Place("6", "2", "301"))
    assert not known.touches("power", Place("2", "1", "301"))


def test_example_6_silence_is_recorded_and_called_back() -> None:
    """Known number: a call-back is planned; unknown number: recorded; never lost."""
    silence = Matter("none", "other", "normal", "service")
    known = decision(silence)
    assert [d.clock for d in known.deadlines] == [Clock.CALL_BACK]
    opened = _open(silence)
    assert opened.state.status is Status.ASSIGNED
    assert [e.staff for e in opened.effects if e.kind is EffectKind.CALL_BACK] == ["A"]

    withheld = Call(SITE, None)
    made = decision(silence, call=withheld)
    assert made.deadlines == ()
    kept = handover.open_ticket(situation(EVENING), "100002", withheld, silence, made, CallRecord(EVENING))
    assert kept.state.status is Status.ARCHIVED
    assert kept.state.record.received_by == "A"
