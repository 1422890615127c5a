"""A running edge role (real Kamailio) for tests, heard over its launcher protocol."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError
from tests.harness.ticks import ticks
from tests.harness.toml import write_toml


@dataclass
class Edge:
    """`python -m callcenter.edge` as a child, in a folder of its own."""

    var_dir: Path
    settings: dict[str, Any]
    process: asyncio.subprocess.Process | None = None
    sip: tuple[str, int] = ("127.0.0.1", 0)
    said: list[dict[str, Any]] = field(default_factory=list)
    log: list[str] = field(default_factory=list)
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    @property
    def run_dir(self) -> Path:
        return self.var_dir / "run"

    def write_config(self) -> Path:
        """The settings as a file."""
        sections = {**self.settings, "node": {"var_dir": self.var_dir, **self.settings.get("node", {})}}
        return write_toml(self.var_dir / "callcenter.toml", sections)

    async def start(self, *, until: str = "ready", environment: dict[str, str] | None = None) -> None:
        config = self.write_config()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callcenter.edge", "--config", str(config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **(environment or {})},
        )  # fmt: skip
        assert self.process.stdout is not None
        assert self.process.stderr is not None
        self._readers = [
            asyncio.create_task(self._hear(self.process.stdout)),
            asyncio.create_task(self._read_log(self.process.stderr)),
        ]
        event = await self.wait_event(until)
        if until == "ready":
            self.sip = ("127.0.0.1", event["ports"]["sip"])

    async def _hear(self, stream: asyncio.StreamReader) -> None:
        while raw := await stream.readline():
            async with self._news:
                self.said.append(json.loads(raw))
                self._news.notify_all()
        asyncio.get_running_loop().call_soon(asyncio.ensure_future, self._wake())

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def _read_log(self, stream: asyncio.StreamReader) -> None:
        while raw := await stream.readline():
            async with self._news:
                self.log.append(raw.decode("utf-8", "replace").rstrip())
                self._news.notify_all()

    async def wait_event(self, kind: str, timeout_s: float = 30.0) -> dict[str, Any]:
        """The first message of this kind; the log is in the error when it does not come."""
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while True:
                    for message in self.said:
                        if message["event"] == kind:
                            return message
                    if kind != "fatal" and self._readers[0].done():
                        raise TimeoutError
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"the edge never said {kind}; its log:\n" + "\n".join(self.log[-30:])) from None

    async def wait_log(self, words: str, timeout_s: float = 15.0) -> str:
        try:
            async with asyncio.timeout(timeout_s), self._news:
                while True:
                    for line in self.log:
                        if words in line:
                            return line
                    await self._news.wait()
        except TimeoutError:
            raise AssertionError(f"the edge never logged {words!r}:\n" + "\n".join(self.log[-30:])) from None

    def rpc(self) -> Rpc:
        return Rpc(self.run_dir / "kamailio.sock")

    def records(self) -> list[dict[str, Any]]:
        """What its journals hold."""
        found = []
        for path in (self.var_dir / "node" / "journals").glob("*.jsonl"):
            found += [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
        return found

    async def wait_unserved(self, count: int = 1, timeout_s: float = 10.0, **where: Any) -> list[dict[str, Any]]:
        """Bodies of `edge.unserved` records that match `where`, once there are `count`."""
        async with asyncio.timeout(timeout_s):
            async for _ in ticks():
                found = [r["body"] for r in self.records() if r["kind"] == "edge.unserved"]
                found = [body for body in found if where.items() <= body.items()]
                if len(found) >= count:
                    return found
        raise AssertionError("unreachable")

    async def wait_lines(self, ports: Sequence[int], timeout_s: float = 15.0) -> None:
        """Until Kamailio holds exactly these lines for up."""
        rpc = self.rpc()
        try:
            async with asyncio.timeout(timeout_s):
                async for _ in ticks():
                    try:
                        listed = await rpc.call("dispatcher.list")
                    except TelephonyError:  # it has no words for an empty list
                        listed = {}
                    targets = [t["DEST"] for g in listed.get("RECORDS", []) for t in g["SET"]["TARGETS"]]
                    up = sorted(int(t["URI"].rsplit(":", 1)[1]) for t in targets if t["FLAGS"].startswith("A"))
                    if up == sorted(ports):
                        return
        finally:
            rpc.close()

    async def callers(self, port: int) -> int:
        """Callers that Kamailio counts for the line at `port`."""
        rpc = self.rpc()
        try:
            return len(await rpc.call("dlg.profile_list", "line", f"sip:127.0.0.1:{port}") or ())
        finally:
            rpc.close()

    async def stop(self) -> None:
        """SIGTERM twice: the first drains, the second ends."""
        if self.process is None:
            return
        if self.process.returncode is None:
            self.process.terminate()
            with contextlib.suppress(AssertionError):  # it may end at once, with no call in progress
                await self.wait_event("draining")
            with contextlib.suppress(ProcessLookupError):
                self.process.terminate()
            await asyncio.wait_for(self.process.wait(), 15)
        for reader in self._readers:
            await reader
