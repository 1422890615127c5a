"""The telephone as asyncio sees it: integer legs, plain values, events. pjsua2 stays behind it."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from typing import NoReturn

from callcenter.log import get_logger
from callcenter.telephony.events import Event, Fault
from callcenter.telephony.exchange import FEW_PORTS, Exchange, ExchangeSettings
from callcenter.telephony.leg import Leg
from callcenter.telephony.owner import Owner

log = get_logger("telephony")
CLOSE_TIMEOUT_S = 4.0
STANDS_STILL_S = 5.0


class Endpoint:
    """One per process: pjsua2 allows no second. `on_event` is called in the event loop, in order."""

    def __init__(self, settings: ExchangeSettings, on_event: Callable[[Event], None]) -> None:
        self._on_event = on_event
        self._loop = asyncio.get_running_loop()
        self._beats = 0
        self._exchange = Exchange(settings, self._emit, lambda: self._owner.polled_at)
        self._owner = Owner(
            setup=self._exchange.open,
            poll=self._exchange.poll,
            tick=self._exchange.tick,
            teardown=self._exchange.close,
            report=self._emit,
            busy=lambda: bool(self._exchange.legs),
        )

    @property
    def sip_port(self) -> int:
        return self._exchange.sip_port

    @property
    def leg_limit(self) -> int:
        """Legs this process can carry at once."""
        return self._exchange.leg_limit

    def works(self) -> bool:
        """Whether both of its threads have moved lately; one that hangs takes every call with it (pjproject #3125)."""
        beats, before = self._exchange.beats, self._beats
        self._beats = beats
        return beats != before and time.monotonic() - self._owner.polled_at < STANDS_STILL_S

    @property
    def worn_out(self) -> bool:
        """Conference ports have leaked: replace this process when it is idle."""
        return self._exchange.ports_free < FEW_PORTS

    def start(self) -> None:
        """Bring the telephone up (blocks some 100 ms). Raises TelephonyError, e.g. for a port in use."""
        self._owner.start()

    async def stop(self) -> None:
        """Hang up what is left and end the owner thread; only `leave` may follow."""
        if not await asyncio.to_thread(self._owner.stop, CLOSE_TIMEOUT_S):
            log.error("telephony.stop_timeout")

    @staticmethod
    def leave(code: int = 0) -> NoReturn:
        """End the process without interpreter teardown, which aborts on pj objects."""
        os._exit(code)

    async def settled(self) -> None:
        """Return when everything asked for so far has been done."""
        await self._owner.run(lambda: None)

    def accept(self, accepting: bool, *, refuse_status: int = 503) -> None:
        """Take new calls or refuse them with `refuse_status`."""

        def work() -> None:
            self._exchange.accepting = accepting
            self._exchange.refuse_status = refuse_status

        self._owner.post(work)

    def record_calls(self, recording: bool) -> None:
        """Whether incoming legs from now on are recorded."""

        def work() -> None:
            self._exchange.recording = recording

        self._owner.post(work)

    def answer(self, leg: int, at: float, by: str = "script") -> None:
        """Send 200 at monotonic time `at` (at once when that is past), within 5 ms of it."""

        def work(target: Leg) -> None:
            if target.answered_at is None:
                target.answer_due, target.answer_by = at, by

        self._with(leg, work)

    def hangup(self, leg: int, status: int = 603) -> None:
        """BYE, or `status` for an incoming leg that still rings. Harmless when the leg is gone."""
        self._with(leg, lambda target: target.end(status))

    async def dial(self, uri: str, headers: dict[str, str] | None = None, record_as: str | None = None) -> int:
        """Start an outgoing leg, recorded under `record_as` if given.

        Raises TelephonyError when no leg is free or the address is wrong.
        """
        return await self._owner.run(lambda: self._exchange.dial(uri, headers or {}, record_as))

    def bridge(self, one: int, other: int) -> None:
        """Let two legs hear each other."""
        self._owner.post(lambda: self._exchange.bridge(one, other))

    def unbridge(self, one: int, other: int) -> None:
        """Part them again."""
        self._owner.post(lambda: self._exchange.unbridge(one, other))

    def press(self, leg: int, keys: str) -> None:
        """Send keys by RFC 4733."""
        self._with(leg, lambda target: target.dialDtmf(keys))

    def hold(self, leg: int) -> None:
        """Put the far end on hold (re-INVITE)."""
        self._with(leg, lambda target: target.put_on_hold())

    def unhold(self, leg: int) -> None:
        """Take the far end back; on a leg that is not held this is a plain re-INVITE."""
        self._with(leg, lambda target: target.take_back())

    def send_info(self, leg: int, content_type: str, body: str) -> None:
        """Send a SIP INFO (keys the old way)."""
        self._with(leg, lambda target: target.send_info(content_type, body))

    def _with(self, leg: int, work: Callable[[Leg], None]) -> None:
        def job() -> None:
            target = self._exchange.legs.get(leg)
            if target is not None:
                work(target)

        self._owner.post(job)

    def _emit(self, event: Event) -> None:
        if isinstance(event, Fault):
            log.error("telephony.fault", where=event.where, error=event.error)
        try:
            self._loop.call_soon_threadsafe(self._on_event, event)
        except RuntimeError:  # the loop is closed: the process is on its way out
            return
