"""Who hears of which leg. What a leg of ours tells before anybody listens to it is kept for who will.

An edge may refuse a call within a millisecond of our dialling: its end can reach the loop before the task that dialled
has been given the leg's number. Lost, it would leave that task waiting until the call's time limit.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from callcenter.telephony.events import Event

LegHandler = Callable[[Event], None]
EARLY_LEGS = 32
"""So many legs' early events are kept; those of legs that are over are never asked for, and go in their turn."""


class LegEvents:
    """Events by leg, on the loop's thread."""

    def __init__(self) -> None:
        self._handlers: dict[int, LegHandler] = {}
        self._early: dict[int, list[Event]] = {}

    def watch(self, leg: int, handler: LegHandler | None) -> None:
        """Send a leg's events to `handler`, those that came before first; None: to nobody any more."""
        early = self._early.pop(leg, [])
        if handler is None:
            self._handlers.pop(leg, None)
            return
        self._handlers[leg] = handler
        for event in early:
            handler(event)

    def take(self, event: Any) -> None:
        """An event of the telephone; those of no leg are let go."""
        leg = getattr(event, "leg", None)
        if leg is None:
            return
        handler = self._handlers.get(leg)
        if handler is not None:
            handler(event)
            return
        self._early.setdefault(leg, []).append(event)
        while len(self._early) > EARLY_LEGS:
            del self._early[next(iter(self._early))]
