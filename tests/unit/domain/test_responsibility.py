"""The decision of one call (R11–R17): whom it names, and why."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from domain_house import (
    BURST,
    CLEANING,
    EVENING,
    FEES_QUESTION,
    LAMP,
    ORGANISATION,
    RESIDENT,
    ROSTER,
    RULES,
    SITE,
    at,
    decision,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from callcenter.domain import codec
from callcenter.domain.deadlines import Clock
from callcenter.domain.matters import Call, Matter, OpenMatter
from callcenter.domain.places import Place
from callcenter.domain.responsibility import ChainPlace, Decision, chain, decide
from callcenter.domain.roster import Absence, Roster
from callcenter.errors import DomainError

PEOPLE = tuple(s.id for s in ORGANISATION.staff)
NIGHT = at(20, 3)


def _without(*people: str, hours: float = 24) -> Roster:
    away = tuple(Absence(p, EVENING - timedelta(hours=1), EVENING + timedelta(hours=hours)) for p in people)
    return replace(ROSTER, absences=away)


def test_gap_in_the_roster_is_the_last_resorts() -> None:
    """R14: nobody is operator at three in the morning."""
    made = decision(LAMP, NIGHT)
    assert made.first_responder == made.responsible == "R"
    assert made.reasons[0].rule == "R14"


def test_last_resort_who_left_is_replaced_by_the_general_manager() -> None:
    staff = tuple(replace(s, active_until=at(10, 1).date()) if s.id == "R" else s for s in ORGANISATION.staff)
    made = decide(RESIDENT, LAMP, replace(ORGANISATION, staff=staff), ROSTER, RULES, NIGHT)
    assert made.first_responder == "G"


def test_stand_in_is_first_responder() -> None:
    absence = Absence("A", EVENING - timedelta(hours=1), EVENING + timedelta(hours=1), "病假", "E")
    assert decision(LAMP, roster=replace(ROSTER, absences=(absence,))).first_responder == "E"


def test_within_duty_is_kept() -> None:
    """R12: a question to 客服部 is answered by the operator."""
    made = decision(FEES_QUESTION)
    assert made.within_duty
    assert made.handed_to == ()
    assert made.next_asked is None
    assert "R12" in {r.rule for r in made.reasons}


def test_emergency_within_duty_does_not_wait_for_one_person() -> None:
    made = decision(replace(FEES_QUESTION, urgency="emergency"))
    assert made.within_duty
    assert made.responsible == "A"
    assert [s.staff for s in made.handed_to] == ["S", "M", "G", "R"]


def test_absent_people_are_passed_over_and_the_explanation_says_so() -> None:
    made = decision(BURST, roster=_without("B", "C"))
    assert [s.staff for s in made.handed_to] == ["K", "G", "R"]
    assert any("C" in r.zh and "不在岗" in r.zh for r in made.reasons)


def test_everybody_away_leaves_the_last_resort() -> None:
    made = decision(BURST, roster=_without(*(p for p in PEOPLE if p != "R")))
    assert [s.staff for s in made.handed_to] == []
    assert made.responsible == "R"
    assert {t.staff for t in made.tell if t.rule == "R15"} == {"R", "G"}


def test_normal_matters_wait_in_working_hours() -> None:
    """R13: asked on Thursday evening, four working hours are over on Friday at 12:30."""
    made = decision(LAMP)
    assert made.handed_to[0].due_at == at(20, 12, 30)
    assert made.handed_to[1].due_at == at(20, 16, 30)
    assert made.handed_to[2].due_at == at(23, 11, 30)


@pytest.mark.parametrize(
    ("matter", "major"),
    [
        (BURST, True),
        (LAMP, False),
        (replace(LAMP, source="press"), True),
        (replace(LAMP, source="authority"), True),
        (replace(LAMP, source="mayor_hotline"), True),
        (replace(LAMP, households=RULES.major_households), False),
        (replace(LAMP, households=RULES.major_households + 1), True),
    ],
)
def test_major_matters_go_to_leader_and_general_manager(matter: Matter, major: bool) -> None:
    """R15, with the written report due the next day."""
    made = decision(matter)
    assert made.major is major
    assert ({"L", "G"} <= {t.staff for t in made.tell}) is major
    assert (Clock.REPORT in {d.clock for d in made.deadlines}) is major
    if major:
        report = next(d for d in made.deadlines if d.clock is Clock.REPORT)
        assert report.due_at == at(20, 17, 30)


def test_deadlines_are_those_of_the_rules() -> None:
    """R18, R19, R21 in calendar time, R20 in working days, R22 as promised."""
    made = decision(replace(CLEANING, needs_investigation=True, call_back_at=EVENING + timedelta(hours=2)))
    due = {d.clock: d.due_at - EVENING for d in made.deadlines}
    assert due == {
        Clock.CALL_BACK: timedelta(hours=2),
        Clock.ANSWER: timedelta(hours=24),
        Clock.CONTACT: timedelta(hours=24),
        Clock.INVESTIGATION: timedelta(days=5),
        Clock.CLOSE: timedelta(days=7),
    }
    assert made.answer_by == EVENING + timedelta(hours=2)


def test_outside_body_is_followed_by_us() -> None:
    made = decision(replace(LAMP, outside_body="power_company"))
    assert made.outside_body == "power_company"
    assert any(r.rule == "R5" and "供电公司" in r.zh for r in made.reasons)
    assert made.responsible == "A"
    with pytest.raises(DomainError, match="no outside body"):
        decision(replace(LAMP, outside_body="moon_company"))


def test_somebody_unknown_cannot_have_picked_up() -> None:
    with pytest.raises(DomainError, match="nobody has the id"):
        decision(LAMP, taken_by="nobody")
    with pytest.raises(DomainError, match="no department"):
        decision(replace(LAMP, department="kitchen"))


def _open_lamp(**changes: object) -> OpenMatter:
    matter = OpenMatter(
        "100001", "repair", "facility", "normal", "engineering", Place("3", "2", "1102"), "A", "B", "accepted",
        EVENING - timedelta(days=1), ("+861",), "h1",
    )  # fmt: skip
    return replace(matter, **changes)  # type: ignore[arg-type]


def test_repeat_caller_needs_the_same_matter() -> None:
    """R17: another category is another matter, unless the caller names the ticket."""
    call = Call(SITE, "+861", "h1")
    there = (_open_lamp(),)

    def joins(matter: Matter, open_matters: tuple[OpenMatter, ...] = there) -> str | None:
        return decide(call, matter, ORGANISATION, ROSTER, RULES, EVENING, open_matters).joins

    assert joins(LAMP) == "100001"
    assert joins(CLEANING) is None
    assert joins(replace(CLEANING, about="100001")) == "100001"
    silence = Matter("none", "other", "normal", "service")
    assert joins(silence) == "100001"
    assert joins(silence, (*there, _open_lamp(ticket="100002", category="noise"))) is None
    pressing = Matter("complaint", "other", "normal", "service")
    assert joins(pressing) == "100001"
    assert joins(replace(pressing, kind="praise")) is None
    other_flat = replace(LAMP, place=Place("5", "1", "801"))
    assert joins(other_flat) is None
    newer = _open_lamp(ticket="100003", opened_at=EVENING)
    assert joins(LAMP, (*there, newer)) == "100003"


def test_who_says_nothing_again_joins_the_matter_that_waits_for_words() -> None:
    """R17: whatever else of theirs is open; but what is told joins no silence."""
    call = Call(SITE, "+861", "h1")
    waits = _open_lamp(ticket="100004", kind="none", category="other", place=Place())
    lamp, noise = _open_lamp(), _open_lamp(ticket="100002", category="noise")

    def joins(kind: str, category: str, *open_matters: OpenMatter) -> str | None:
        matter = Matter(kind, category, "normal", "service")
        return decide(call, matter, ORGANISATION, ROSTER, RULES, EVENING, open_matters).joins

    assert joins("none", "other", waits) == "100004"
    assert joins("none", "other", lamp, waits) == "100004"
    assert joins("none", "other", lamp, noise, waits) == "100004"
    assert joins("complaint", "other", lamp, waits) == "100001", "the only one that can be asked about"
    assert joins("complaint", "other", waits) is None
    assert joins("suggestion", "other", waits) is None


def test_repeat_caller_in_danger_starts_the_chain_with_the_short_limit() -> None:
    worse = replace(LAMP, urgency="emergency")
    call = Call(SITE, "+861", "h1")
    asked = _open_lamp(responsible="A", state="handed_over")
    untaken = decide(call, worse, ORGANISATION, ROSTER, RULES, EVENING, (asked,))
    assert untaken.responsible == "A"
    assert untaken.handed_to[0].staff == "B"
    assert untaken.handed_to[0].limit.minutes == RULES.emergency_accept_min
    assert {"L", "G"} <= {t.staff for t in untaken.tell}
    taken = decide(call, worse, ORGANISATION, ROSTER, RULES, EVENING, (_open_lamp(),))
    assert taken.responsible == "B"
    assert taken.handed_to == ()
    assert "B" in {t.staff for t in taken.tell}


def test_explanation_reads_in_both_languages_and_survives_the_journal() -> None:
    made = decision(BURST)
    assert made.explained().splitlines()[0].startswith("R11 20:10的来电")
    assert made.explained("en").splitlines()[0].startswith("R11 The system answered the call at 20:10")
    assert codec.from_plain(Decision, codec.to_plain(made)) == made
    with pytest.raises(DomainError) as caught:
        codec.from_plain(Decision, {"at": "今天下午王芳"})
    assert "王芳" not in str(caught.value)


MATTERS = st.builds(
    Matter,
    kind=st.sampled_from(["repair", "complaint", "enquiry", "message", "praise", "none"]),
    category=st.sampled_from(["water_leak", "cleaning", "staff", "other"]),
    urgency=st.sampled_from(["normal", "important", "emergency"]),
    department=st.sampled_from([d.id for d in ORGANISATION.departments]),
    place=st.sampled_from([Place(), Place("3", "2", "1102"), Place("99")]),
    households=st.integers(1, 40),
    source=st.sampled_from(["resident", "press", "authority"]),
    to_confirm=st.booleans(),
)
ABSENCES = st.lists(
    st.builds(
        lambda staff, start, hours, instead: Absence(
            staff, EVENING + timedelta(hours=start), EVENING + timedelta(hours=start + hours), "", instead
        ),
        st.sampled_from(PEOPLE),
        st.integers(-50, 50),
        st.integers(1, 60),
        st.sampled_from([None, *PEOPLE]),
    ),
    max_size=12,
).map(tuple)


@settings(deadline=None)
@given(
    matter=MATTERS,
    absences=ABSENCES,
    minutes=st.integers(-7_000, 7_000),
    taken_by=st.sampled_from([None, *PEOPLE]),
    gone=st.sets(st.sampled_from([p for p in PEOPLE if p != "G"]), max_size=8),
)
def test_whatever_the_roster_says_one_person_is_responsible_and_emergencies_are_told(
    matter: Matter, absences: tuple[Absence, ...], minutes: int, taken_by: str | None, gone: set[str]
) -> None:
    moment = EVENING + timedelta(minutes=minutes)
    left = (moment - timedelta(days=2)).date()
    staff = tuple(replace(s, active_until=left) if s.id in gone else s for s in ORGANISATION.staff)
    organisation = replace(ORGANISATION, staff=staff)
    roster = replace(ROSTER, absences=absences)
    if taken_by in gone:
        taken_by = None
    made = decide(RESIDENT, matter, organisation, roster, RULES, moment, (), taken_by)
    assert made.responsible == made.first_responder
    assert organisation.knows(made.responsible)
    assert made.responsible not in gone
    asked = [s.staff for s in made.handed_to]
    assert len(asked) == len(set(asked))
    assert not set(asked) & gone
    assert made.first_responder not in asked
    assert all(not roster.absent(s.staff, moment) for s in made.handed_to if s.place is not ChainPlace.LAST_RESORT)
    assert all(a.due_at == b.asked_at for a, b in zip(made.handed_to, made.handed_to[1:], strict=False))
    if matter.urgency == "emergency":
        leaders = [p for p in roster.all_on_duty("leader", moment) if p not in gone]
        expected = leaders[0] if leaders else ("G" if "R" in gone else "R")
        assert {expected, "G"} <= {t.staff for t in made.tell if t.rule == "R15"}
    assert made.reasons
    assert all(r.zh and r.en and r.rule.startswith("R") for r in made.reasons)


@settings(deadline=None)
@given(refused=st.sets(st.sampled_from(PEOPLE)), urgency=st.sampled_from(["normal", "important", "emergency"]))
def test_nobody_who_refused_is_asked_again(refused: set[str], urgency: str) -> None:
    steps, _ = chain("engineering", ORGANISATION, ROSTER, RULES, EVENING, urgency=urgency, without=refused)
    assert not {s.staff for s in steps} & refused
