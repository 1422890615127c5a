"""A house: `callcenter serve` as a child, in a shape of the test's choosing, in a folder of its own.

    house = House(tmp_path, lines=2)
    await house.start()                      # every role is ready
    host, port = house.sip                   # where a call goes in
    house.kill("line-1")                     # SIGKILL
    await house.wait("line-1", "ready")      # … and it is back
    await house.stop()

Everything listens on loopback, on free ports; INVITEs from loopback count as from a trunk.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callcenter.config import Settings, load_settings
from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError
from tests.harness.ports import free_rtp_first
from tests.harness.ticks import ticks
from tests.harness.toml import write_toml

Happening = dict[str, Any]
"""A launcher event: `role`, `event` (started, ready, exited, notice, draining, up, …) and its fields."""


@dataclass
class House:
    """See the module's words. `settings` lays values over the defaults: `{"line": {"callers_per_line": 1}}`."""

    folder: Path
    lines: int = 2
    roles: Sequence[str] = ()
    mode: str = "kamailio"
    settings: dict[str, dict[str, Any]] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    process: asyncio.subprocess.Process | None = None
    happened: list[Happening] = field(default_factory=list)
    log: deque[str] = field(default_factory=lambda: deque(maxlen=4000))
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)
    _rtp_first: int = 0

    @property
    def var_dir(self) -> Path:
        return self.folder / "var"

    @property
    def run_dir(self) -> Path:
        return self.var_dir / "run"

    @property
    def config(self) -> Path:
        return self.folder / "callcenter.toml"

    def write_config(self) -> Path:
        self._rtp_first = self._rtp_first or free_rtp_first(self.lines)
        sections: dict[str, dict[str, Any]] = {
            "node": {"var_dir": self.var_dir},
            "edge": {"mode": self.mode, "sip_port": 0, "loopback_trunk": True, "new_calls_per_s": 200},
            "line": {"count": self.lines, "rtp_port_first": self._rtp_first},
            "speech": {"port": 0},
            "desk": {"port": 0},
        }
        for section, values in self.settings.items():
            sections.setdefault(section, {}).update(values)
        return write_toml(self.config, sections)

    @property
    def loaded(self) -> Settings:
        """The settings as the roles read them (without what the launcher adds)."""
        return load_settings(self.config, {})

    async def start(self, timeout_s: float = 120.0, *, wait: bool = True) -> Happening:
        """Start, and wait until everything was started; the launcher's `up` event. Fails if a role is not ready."""
        arguments = [sys.executable, "-m", "callcenter.serve", "--json", "--config", str(self.write_config())]
        for role in self.roles:
            arguments += ["--role", role]
        self.process = await asyncio.create_subprocess_exec(
            *arguments, stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE, env={**os.environ, **self.environment}, limit=1 << 20,
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            asyncio.create_task(self._hear(self.process.stdout)),
            asyncio.create_task(self._read_log(self.process.stderr)),
        ]
        if not wait:
            return {}
        up = await self.wait("serve", "up", timeout_s=timeout_s)
        assert up["ready"], "not every role became ready:\n" + self.last_words()
        return up

    async def _hear(self, stream: asyncio.StreamReader) -> None:
        while raw := await stream.readline():
            async with self._news:
                self.happened.append(json.loads(raw))
                self._news.notify_all()
        async with self._news:
            self._news.notify_all()

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        while raw := await stream.readline():
            async with self._news:
                self.log.append(raw.decode("utf-8", "replace").rstrip())
                self._news.notify_all()

    def last_words(self, count: int = 60) -> str:
        """The end of everybody's log, for a failing test."""
        return "\n".join(list(self.log)[-count:])

    @property
    def mark(self) -> int:
        """Now, for `wait(after=…)`: take it before the act whose event is waited for."""
        return len(self.happened)

    async def wait(self, role: str, event: str, *, after: int = 0, timeout_s: float = 60.0, **where: Any) -> Happening:
        """The first event of `role` behind `after` whose fields match `where`."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while True:
                    for seen in self.happened[after:]:
                        if seen["role"] == role and seen["event"] == event and where.items() <= seen.items():
                            return seen
                    if self._readers[0].done():
                        raise TimeoutError
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"{role} never said {event} {where or ''}:\n{self.last_words()}") from None

    async def wait_log(self, *words: str, timeout_s: float = 30.0) -> str:
        """The first line of anybody's log that holds all `words`."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while True:
                    for line in self.log:
                        if all(word in line for word in words):
                            return line
                    if self._readers[1].done():
                        raise TimeoutError
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"nobody logged {words}:\n{self.last_words()}") from None

    # -- where things are ---------------------------------------------------------------------------------------

    def pid(self, role: str) -> int:
        """Process id of the role's present incarnation."""
        return int(next(h["pid"] for h in reversed(self.happened) if h["role"] == role and h["event"] == "started"))

    def ports(self, role: str) -> dict[str, int]:
        """Ports of the role's last `ready`."""
        ready = next(h for h in reversed(self.happened) if h["role"] == role and h["event"] == "ready")
        return {str(k): int(v) for k, v in ready["ports"].items()}

    @property
    def sip(self) -> tuple[str, int]:
        """Where a call goes in: the edge, or line 1 in direct mode."""
        return ("127.0.0.1", self.ports("line-1" if self.mode == "direct" else "edge")["sip"])

    def line_sip(self, number: int) -> tuple[str, int]:
        """A line's own address, for what goes straight at it."""
        return ("127.0.0.1", self.ports(f"line-{number}")["sip"])

    @property
    def url(self) -> str:
        return f"https://127.0.0.1:{self.ports('desk')['https']}"

    @property
    def notices(self) -> list[str]:
        """What roles wanted shown to a person, the first password among them."""
        return [str(h["message"]) for h in self.happened if h["event"] == "notice"]

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Records in the node's journals now. A desk that has stored a dead process's journal removes it."""
        found: list[dict[str, Any]] = []
        for path in (self.var_dir / "node" / "journals").glob("*.jsonl"):
            with contextlib.suppress(FileNotFoundError):
                lines = path.read_text(encoding="utf-8").splitlines()
                found += [json.loads(line) for line in lines if line.endswith("}")]
        return [record for record in found if kind in (None, record["kind"])]

    # -- what a test does to it ---------------------------------------------------------------------------------

    def kill(self, role: str, number: signal.Signals = signal.SIGKILL) -> int:
        """Send a signal to the role's process; returns a mark to wait behind."""
        mark = self.mark
        os.kill(self.pid(role), number)
        return mark

    async def kill_and_wait(self, role: str, timeout_s: float = 60.0) -> None:
        """SIGKILL, and wait until the launcher has it ready again."""
        mark = self.kill(role)
        await self.wait(role, "ready", after=mark, timeout_s=timeout_s)

    async def wait_in_service(self, lines: int, timeout_s: float = 30.0) -> None:
        """Until the edge gives calls to so many lines (a line is ready a moment before the edge has seen it)."""
        rpc = Rpc(self.run_dir / "kamailio.sock")
        try:
            async with asyncio.timeout(timeout_s):
                async for _ in ticks():
                    if await self._in_service(rpc) == lines:
                        return
        finally:
            rpc.close()

    @staticmethod
    async def _in_service(rpc: Rpc) -> int:
        try:
            listed = await rpc.call("dispatcher.list")
        except TelephonyError:  # it has no words for an empty list
            return 0
        targets = [target["DEST"] for group in listed.get("RECORDS", []) for target in group["SET"]["TARGETS"]]
        return sum(str(target["FLAGS"]).startswith("A") for target in targets)

    async def stop(self, timeout_s: float = 60.0) -> int:
        """Drain (SIGTERM), after `timeout_s` hurry and then kill; the launcher's exit status."""
        if self.process is None:
            return 0
        for number, patience_s in ((signal.SIGTERM, timeout_s), (signal.SIGTERM, 10), (signal.SIGKILL, 10)):
            if self.process.returncode is not None:
                break
            with contextlib.suppress(ProcessLookupError):
                self.process.send_signal(number)
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self.process.wait(), patience_s)
        for reader in self._readers:
            await reader
        assert self.process.returncode is not None
        return self.process.returncode
