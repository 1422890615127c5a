"""What a leg tells before anybody listens to it is not lost."""

from __future__ import annotations

from callcenter.line.leg_events import EARLY_LEGS, LegEvents
from callcenter.telephony.events import Event, Gone, Progress, Registered


def gone(leg: int) -> Gone:
    return Gone(leg, 403, confirmed=False, at=1.0)


def test_an_end_that_came_before_its_listener_is_heard_first() -> None:
    legs, heard = LegEvents(), list[Event]()
    legs.take(Progress(7, 180, 0.5))
    legs.take(gone(7))
    legs.watch(7, heard.append)
    assert [type(event) for event in heard] == [Progress, Gone]
    legs.take(gone(8))
    assert len(heard) == 2, "another leg's"


def test_what_comes_after_is_heard_at_once_and_nothing_twice() -> None:
    legs, heard = LegEvents(), list[Event]()
    legs.watch(7, heard.append)
    legs.take(Progress(7, 180, 0.5))
    legs.watch(7, None)
    legs.take(gone(7))
    assert len(heard) == 1
    legs.take(Registered(200))


def test_legs_that_nobody_asks_for_are_forgotten() -> None:
    legs, heard = LegEvents(), list[Event]()
    for leg in range(EARLY_LEGS + 5):
        legs.take(gone(leg))
    for leg in range(EARLY_LEGS + 5):
        legs.watch(leg, heard.append)
    assert [event.leg for event in heard if isinstance(event, Gone)] == list(range(5, EARLY_LEGS + 5))
