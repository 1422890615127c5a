"""One role as a child process: started, heard, watched, restarted with back-off, drained."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import json
import os
import signal
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from callcenter.config import ENVIRONMENT_PREFIX
from callcenter.edge.process import exited
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.serve.plan import Role, RoleSpec

log = get_logger("serve.child")

EXIT_CANNOT_HEAL = 78
"""A role's exit status (EX_CONFIG of sysexits.h) for what a person must mend: it is not started again."""
ALIVE_TIMEOUT_S = 15.0
"""A role that was heard of before and is silent for this long is taken for hung, and killed."""
START_TIMEOUT_S = {Role.SPEECH: 120.0, Role.DESK: 120.0, Role.LINE: 60.0, Role.EDGE: 60.0}
"""Until a role's first word: loading a large model or making a database cluster takes its time on a slow disk."""
BACK_OFF_FIRST_S = 0.1
BACK_OFF_MOST_S = 30.0
STEADY_S = 60.0
"""A role that stayed ready this long starts again without delay when it dies."""
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
_LINE_LIMIT = 1 << 20


class ChildState(StrEnum):
    """Where a child stands; TRANSITIONS says what may follow."""

    WAITING = "waiting"
    """Not started yet, or waiting for its back-off to end."""
    STARTING = "starting"
    READY = "ready"
    DRAINING = "draining"
    STOPPED = "stopped"
    FAILED = "failed"
    """It said that a person must mend something; it is not started again."""


TRANSITIONS: dict[ChildState, frozenset[ChildState]] = {
    ChildState.WAITING: frozenset({ChildState.STARTING, ChildState.STOPPED, ChildState.FAILED}),
    ChildState.STARTING: frozenset(
        {ChildState.READY, ChildState.WAITING, ChildState.DRAINING, ChildState.STOPPED, ChildState.FAILED}
    ),
    ChildState.READY: frozenset({ChildState.WAITING, ChildState.DRAINING, ChildState.STOPPED, ChildState.FAILED}),
    ChildState.DRAINING: frozenset({ChildState.STOPPED}),
    ChildState.STOPPED: frozenset(),
    ChildState.FAILED: frozenset(),
}


@dataclass(frozen=True)
class Event:
    """What a child did: `kind` is a message of its own (`ready`, `notice`, `draining`, …) or `started`, `exited`."""

    role: str
    kind: str
    body: dict[str, Any]


def die_with_parent(number: int = signal.SIGKILL) -> Callable[[], None]:
    """A pre-exec hook: the kernel sends `number` to the child when we die, however we die."""

    def hook() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, number, 0, 0, 0)

    return hook


def _inherited() -> dict[str, str]:
    """Our environment without settings: the plan passes those on, as they are now."""
    return {k: v for k, v in os.environ.items() if not (k.startswith(ENVIRONMENT_PREFIX) and "__" in k)}


class Child:
    """Keeps one role running until told to stop. `on_event` is called in the event loop and must not block."""

    def __init__(self, spec: RoleSpec, on_event: Callable[[Event], None], pass_log: Callable[[str, str], None]) -> None:
        self.spec = spec
        self.state = ChildState.WAITING
        self.pid: int | None = None
        self.ports: dict[str, int] = {}
        self.restarts = 0
        self.failures = 0
        """Ends in a row before it was steadily ready."""
        self.last_words: deque[str] = deque(maxlen=8)
        self.trouble: str | None = None
        self._on_event = on_event
        self._pass_log = pass_log
        self._process: asyncio.subprocess.Process | None = None
        self._heard_at = time.monotonic()
        self._ready_at: float | None = None
        self._spoke = False
        self._ending = asyncio.Event()
        self.settled = asyncio.Event()
        """Set when it is ready, has failed for good, or keeps dying: its stage need not wait for it."""

    def _change(self, new: ChildState) -> None:
        if new is self.state:
            return
        if new not in TRANSITIONS[self.state]:
            raise CallCenterError("serve.transition", f"{self.spec.name}: {self.state} may not become {new}")
        log.debug("child.state", child=self.spec.name, before=str(self.state), after=str(new))
        self.state = new

    def _tell(self, kind: str, **body: Any) -> None:
        self._on_event(Event(self.spec.name, kind, body))

    async def run(self) -> None:
        """Start it again whenever it ends, until `drain` or `kill`, or until it says that it cannot heal."""
        try:
            while not self._ending.is_set():
                status = await self._once()
                if self._ending.is_set():
                    break
                if status == EXIT_CANNOT_HEAL:
                    self._change(ChildState.FAILED)
                    self.trouble = self.trouble or self._said()
                    self._tell("failed", message=self.trouble)
                    break
                await self._back_off(status)
            if self.state is not ChildState.FAILED:
                self._change(ChildState.STOPPED)
        finally:
            self.settled.set()

    def _said(self) -> str:
        return " / ".join(list(self.last_words)[-3:]) or "it said nothing"

    async def _back_off(self, status: int) -> None:
        steady = self._ready_at is not None and time.monotonic() - self._ready_at > STEADY_S
        self.failures = 1 if steady else self.failures + 1
        self.restarts += 1
        delay_s = min(BACK_OFF_FIRST_S * 2 ** (self.failures - 1), BACK_OFF_MOST_S)
        self._change(ChildState.WAITING)
        if self.failures >= 3:
            self.settled.set()
        self._tell("exited", status=status, again_in_s=round(delay_s, 1), failures=self.failures, said=self._said())
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), delay_s)

    async def _once(self) -> int:
        """Start the process, listen until it ends; its exit status (negative: killed by that signal)."""
        self._change(ChildState.STARTING)
        self._heard_at, self._ready_at, self._spoke = time.monotonic(), None, False
        try:
            self._process = process = await asyncio.create_subprocess_exec(
                *self.spec.argv,
                env={**_inherited(), **self.spec.environment, "PYTHONUNBUFFERED": "1"},
                stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
                process_group=0, preexec_fn=die_with_parent(), limit=_LINE_LIMIT,
            )  # fmt: skip
        except OSError as error:  # no memory, no process, no file left just now: tried again like one that died
            self._log(f"could not be started: {error}")
            return os.EX_OSERR
        self.pid = process.pid
        self._tell("started", pid=process.pid)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            async with asyncio.TaskGroup() as group:
                readers = [
                    group.create_task(self._lines(process.stdout, self._hear)),
                    group.create_task(self._lines(process.stderr, self._log)),
                ]
                watch = group.create_task(self._watch(process))
                status = await exited(process)
                watch.cancel()
                # A grandchild that kept our pipes open must not keep us waiting.
                _, late = await asyncio.wait(readers, timeout=1.0)
                for reader in late:
                    reader.cancel()
        finally:
            self._sweep()
            self.pid = None
        return status

    @staticmethod
    async def _lines(stream: asyncio.StreamReader, use: Callable[[str], None]) -> None:
        while True:
            try:
                raw = await stream.readline()
            except ValueError:  # a line over the limit is dropped, not fatal
                continue
            if not raw:
                return
            use(raw.decode("utf-8", "replace").rstrip("\n"))

    def _log(self, line: str) -> None:
        if line.strip():
            self.last_words.append(line.strip())
            self._pass_log(self.spec.name, line)

    def _hear(self, line: str) -> None:
        """One message of the role on its standard output."""
        try:
            message = json.loads(line)
            kind = str(message.pop("event"))
        except (ValueError, KeyError, AttributeError, TypeError):
            self._log(line)
            return
        self._heard_at, self._spoke = time.monotonic(), True
        if kind == "alive":
            return
        if kind == "ready" and self.state is ChildState.STARTING:
            self._ready_at = time.monotonic()
            self.ports = {str(k): int(v) for k, v in dict(message.get("ports") or {}).items()}
            self._change(ChildState.READY)
            self.settled.set()
        if kind == "fatal":
            self.trouble = str(message.get("message"))
        self._tell(kind, **message)

    async def _watch(self, process: asyncio.subprocess.Process) -> None:
        """Kill the process when it is silent for too long; a launcher that was itself stopped forgives that time."""
        looked_at = time.monotonic()
        while True:
            await asyncio.sleep(1.0)
            now = time.monotonic()
            if now - looked_at > 3.0:
                self._heard_at += now - looked_at
            looked_at = now
            limit_s = ALIVE_TIMEOUT_S if self._spoke else START_TIMEOUT_S[self.spec.role]
            if now - self._heard_at > limit_s and process.returncode is None:
                self._tell("hung", silent_s=round(now - self._heard_at, 1))
                self._signal(signal.SIGKILL)
                return

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.send_signal(number)

    def _sweep(self) -> None:
        """End the process and what it left behind (its own children share its process group).

        A desk's children are left to themselves: its PostgreSQL notices that the desk died, and ends in good order.
        """
        if self._process is None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            if self.spec.role is not Role.DESK:
                os.killpg(self._process.pid, signal.SIGKILL)
            elif self._process.returncode is None:
                self._process.kill()

    def drain(self) -> None:
        """SIGTERM: no new calls, calls in progress end in peace. Called again: ends within 5 s."""
        self._ending.set()
        if self.state in (ChildState.STARTING, ChildState.READY):
            self._change(ChildState.DRAINING)
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL, and not started again."""
        self._ending.set()
        self._signal(signal.SIGKILL)
