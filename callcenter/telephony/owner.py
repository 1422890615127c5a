"""The one thread that owns every pj object.

pjsua2 objects must be made, used and dropped by one thread, or a stale one hangs up somebody else's call. The
owner pumps pjsip's events and, between two rounds, runs closures handed to it; asyncio gets plain values back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import queue
import sys
import threading
import time
import traceback
from collections.abc import Callable
from typing import Any, TypeVar

from callcenter.errors import TelephonyError
from callcenter.telephony.events import Fault

T = TypeVar("T")
POLL_MS = 5
"""Longest wait for network events before the queue and the timers are looked at."""
IDLE_POLL_MS = 20
"""The same while there is no call: packets still wake it at once."""
REAL_TIME_PRIORITY = 1
"""Lowest of the real-time priorities: it is above everything else on the machine."""
SWITCH_INTERVAL_S = 0.0005
"""GIL hand-over: the clock thread must get the interpreter well within its 20 ms."""


class Owner:
    """Runs `setup`, then pumps with `poll` and calls `tick(now)` each round, until `stop`; then `teardown`.

    `report` receives a Fault for every exception of a posted closure.
    """

    def __init__(
        self,
        *,
        setup: Callable[[], None],
        poll: Callable[[int], None],
        tick: Callable[[float], None],
        teardown: Callable[[], None],
        report: Callable[[Fault], None],
        busy: Callable[[], bool],
    ) -> None:
        self._setup, self._poll, self._tick, self._teardown, self._report = setup, poll, tick, teardown, report
        self._busy = busy
        self._work: queue.SimpleQueue[Callable[[], None]] = queue.SimpleQueue()
        self._stopping = threading.Event()
        self._ready = threading.Event()
        self._failed: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="pj", daemon=True)
        self.polled_at = time.monotonic()
        """When the current round of network events began: nothing handled in it came earlier by more than this."""

    def start(self) -> None:
        """Start the thread; blocks until set up. Raises what `setup` raised."""
        sys.setswitchinterval(SWITCH_INTERVAL_S)
        self._thread.start()
        self._ready.wait()
        if self._failed is not None:
            raise self._failed

    def post(self, work: Callable[[], None]) -> None:
        """Have `work` run soon on the owner thread."""
        self._work.put(work)

    async def run(self, work: Callable[[], T]) -> T:
        """Run `work` on the owner thread and wait for its result or its exception."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(result: T | None, error: BaseException | None) -> None:
            if future.done():
                return
            if error is not None:
                future.set_exception(error)
            else:
                future.set_result(result)  # type: ignore[arg-type]

        def job() -> None:
            try:
                result = work()
            except Exception as error:  # noqa: BLE001 — carried over to the asker
                loop.call_soon_threadsafe(settle, None, as_telephony_error(error))
            else:
                loop.call_soon_threadsafe(settle, result, None)

        self.post(job)
        return await future

    def stop(self, timeout_s: float) -> bool:
        """Ask the thread to end and wait; False when it did not come back in time. Blocks."""
        self._stopping.set()
        self._thread.join(timeout_s)
        return not self._thread.is_alive()

    def _run(self) -> None:
        _before_all_others()
        try:
            self._setup()
        except BaseException as error:  # noqa: BLE001 — raised again in start()
            self._failed = as_telephony_error(error) if isinstance(error, Exception) else error
            return
        finally:
            self._ready.set()
        while not self._stopping.is_set():
            self._round()
        self._guard("teardown", self._teardown)

    def _round(self) -> None:
        self.polled_at = time.monotonic()
        self._guard("poll", lambda: self._poll(POLL_MS if self._busy() else IDLE_POLL_MS))
        while True:
            try:
                work = self._work.get_nowait()
            except queue.Empty:
                break
            self._guard("command", work)
        self._guard("tick", lambda: self._tick(time.monotonic()))

    def _guard(self, where: str, work: Callable[[], None]) -> None:
        try:
            work()
        except Exception as error:  # noqa: BLE001 — the thread must outlive every fault
            self._report(fault_of(where, error))


def _before_all_others() -> None:
    """Real time for this thread and for pjmedia's clock, which it starts; only a privileged user may (CAP_SYS_NICE).

    On two busy cores 99 of 100 RTP packets then leave within 21 ms of the one before, where it was 38 ms.
    """
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_RR, os.sched_param(REAL_TIME_PRIORITY))


def as_telephony_error(error: Exception) -> Exception:
    """A pj.Error as our own error; anything else unchanged."""
    reason = getattr(error, "reason", None)
    if type(error).__name__ == "Error" and reason is not None:
        status, title = getattr(error, "status", 0), getattr(error, "title", "pjsip")
        return TelephonyError("telephony.pjsip", f"{title}: {reason} ({status})", retryable=True)
    return error


def fault_of(where: str, error: Exception) -> Fault:
    """A short description of `error` with the place it came from, without any message content."""
    frames = traceback.extract_tb(error.__traceback__)
    place = f"{frames[-1].name}:{frames[-1].lineno}" if frames else "?"
    reason: Any = getattr(error, "reason", None) or error
    return Fault(where, f"{type(error).__name__} at {place}: {str(reason)[:160]}")
