"""Scripted callers and scripted phones, each in its own process (pjsua2 allows one endpoint per process).

`place_call` dials as a resident would; `running_phone` is a person's phone registered at the edge. The demo, the
tests and `callcenter call` use them.
"""

from __future__ import annotations

import asyncio
import contextlib
import dataclasses
import json
import sys
from collections.abc import AsyncIterator, Callable
from typing import Any

from callcenter.errors import TelephonyError
from callcenter.telephony.plan import CallPlan, CallReport, PhonePlan

Progress = Callable[[dict[str, Any]], None]
END_TIMEOUT_S = 8.0


class Child:
    """The process that holds the endpoint: a plan in, events out as JSON lines."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self.process = process
        self.events: list[dict[str, Any]] = []
        self._arrived = asyncio.Condition()
        self._reader: asyncio.Task[None] | None = None
        self.on_event: Progress | None = None

    @classmethod
    async def start(cls, kind: str, plan: CallPlan | PhonePlan, on_event: Progress | None = None) -> Child:
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callcenter.telephony.caller_child", kind,
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=1 << 22,
        )  # fmt: skip
        child = cls(process)
        child.on_event = on_event
        assert process.stdin is not None
        process.stdin.write(json.dumps(dataclasses.asdict(plan)).encode() + b"\n")
        await process.stdin.drain()
        child._reader = asyncio.create_task(child._read())
        return child

    async def _read(self) -> None:
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            event = json.loads(line)
            async with self._arrived:
                self.events.append(event)
                self._arrived.notify_all()
            if self.on_event is not None:
                self.on_event(event)
        async with self._arrived:
            self.events.append({"event": "exit"})
            self._arrived.notify_all()

    async def wait_for(self, name: str, timeout_s: float = 30.0, count: int = 1) -> dict[str, Any]:
        """The `count`-th event called `name`, waiting for it. Raises TelephonyError on timeout, error or exit."""

        def found() -> list[dict[str, Any]]:
            return [e for e in self.events if e["event"] == name]

        def over() -> list[dict[str, Any]]:
            return [e for e in self.events if e["event"] in ("error", "exit")]

        try:
            async with asyncio.timeout(timeout_s), self._arrived:
                await self._arrived.wait_for(lambda: len(found()) >= count or bool(over()))
        except TimeoutError as error:
            raise TelephonyError("caller.timeout", f"no `{name}` within {timeout_s} s") from error
        if len(found()) >= count:
            return found()[count - 1]
        reason = over()[0].get("reason", "its process ended")
        raise TelephonyError("caller.failed", str(reason))

    async def tell(self, command: str) -> None:
        """Send a command: `hangup`, `press 12`, `say …`, `stop`."""
        if self.process.stdin is not None and not self.process.stdin.is_closing():
            self.process.stdin.write(command.encode() + b"\n")
            with contextlib.suppress(ConnectionError):
                await self.process.stdin.drain()

    async def end(self) -> None:
        """Stop the process, by force when it does not go by itself. May be called twice."""
        if self.process.returncode is None:
            with contextlib.suppress(ConnectionError, ProcessLookupError):
                await self.tell("stop")
            try:
                async with asyncio.timeout(END_TIMEOUT_S):
                    await self.process.wait()
            except TimeoutError:
                with contextlib.suppress(ProcessLookupError):
                    self.process.kill()
                await self.process.wait()
        if self._reader is not None:
            await self._reader


async def place_call(plan: CallPlan, on_progress: Progress | None = None) -> CallReport:
    """Make the call and wait for its end. `on_progress` gets each event (`ringing`, `answered`, `said`, …).

    Raises TelephonyError when the call could not even be tried (bad address, unreadable WAV, no synthesis).
    """
    child = await Child.start("call", plan, on_progress)
    try:
        report = await child.wait_for("report", plan.max_s + 60)
    finally:
        await child.end()
    fields = {f.name for f in dataclasses.fields(CallReport)} - {"events"}
    return CallReport(
        **{k: v for k, v in report.items() if k in fields},
        events=tuple(e for e in child.events if e["event"] not in ("report", "exit")),
    )


class RunningPhone:
    """A registered phone; events: `registered`, `ringing`, `answered`, `heard`, `gone`."""

    def __init__(self, child: Child) -> None:
        self._child = child

    @property
    def events(self) -> list[dict[str, Any]]:
        return self._child.events

    async def wait_for(self, name: str, timeout_s: float = 30.0, count: int = 1) -> dict[str, Any]:
        """The `count`-th event `name`."""
        return await self._child.wait_for(name, timeout_s, count)

    async def press(self, keys: str) -> None:
        """Press keys in the call it is in."""
        await self._child.tell(f"press {keys}")

    async def say(self, text: str) -> None:
        """Say a text in the call it is in; then there is an event `said`."""
        await self._child.tell(f"say {text}")

    async def hangup(self) -> None:
        """Hang up the call it is in."""
        await self._child.tell("hangup")


@contextlib.asynccontextmanager
async def running_phone(plan: PhonePlan) -> AsyncIterator[RunningPhone]:
    """A phone that is registered when the block is entered and gone when it is left."""
    child = await Child.start("phone", plan)
    try:
        await child.wait_for("registered", 15)
        yield RunningPhone(child)
    finally:
        await child.end()
