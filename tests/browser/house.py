"""A real desk process with its own database, and a real line's journal and link to feed it as a line would."""

from __future__ import annotations

import asyncio
import json
import os
import queue
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar
from uuid import UUID

from callcenter.config import Settings, load_settings
from callcenter.domain.records import RecordKind
from callcenter.errors import StoreError
from callcenter.node.journal import Journal
from callcenter.node.link import LinkClient
from callcenter.node.numbers import NumberPool

T = TypeVar("T")
READY_WITHIN_S = 90
ROOT = Path(__file__).resolve().parents[2]
SITE = "xingfu"


@dataclass
class Desk:
    """The desk's process: address, first password, and everything it said on standard output."""

    process: subprocess.Popen[str]
    settings: Settings
    base: str
    password: str
    said: list[dict[str, Any]] = field(default_factory=list)

    def stop(self) -> int:
        """SIGTERM, and its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(timeout=60)


def start_desk(var_dir: Path, config_text: str = "", port: int = 0) -> Desk:
    """Start `python -m callcenter.web` in `var_dir` and wait until it says that it is ready."""
    config = var_dir / "desk.toml"
    config.write_text(f'[node]\nvar_dir = "{var_dir}"\n[desk]\nport = {port}\n{config_text}', encoding="utf-8")
    with (var_dir / "desk.log").open("ab") as log:
        process = subprocess.Popen(
            [sys.executable, "-m", "callcenter.web", "--config", str(config)],
            stdout=subprocess.PIPE, stderr=log, text=True, cwd=ROOT, env=os.environ | {"PYTHONWARNINGS": "default"},
        )  # fmt: skip
    lines: queue.Queue[str | None] = queue.Queue()
    assert process.stdout is not None
    out = process.stdout

    def read() -> None:
        for line in out:
            lines.put(line)
        lines.put(None)

    threading.Thread(target=read, daemon=True).start()
    said: list[dict[str, Any]] = []
    while True:
        line = lines.get(timeout=READY_WITHIN_S)
        if line is None:
            raise AssertionError(f"the desk ended: {(var_dir / 'desk.log').read_text()[-3000:]}")
        said.append(json.loads(line))
        if said[-1]["event"] == "ready":
            break
    notices = " ".join(s["message"] for s in said if s["event"] == "notice")
    shown = re.search(r"password: (\S+)", notices)
    base = f"https://127.0.0.1:{said[-1]['ports']['https']}"
    return Desk(process, load_settings(config), base, shown.group(1) if shown else "", said)


@contextmanager
def var_folder() -> Iterator[Path]:
    """A folder that the database's unprivileged user may reach."""
    folder = Path(tempfile.mkdtemp(prefix="callcenter-web-"))
    folder.chmod(0o755)
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Line:
    """A line's journal, numbers and link in a thread of their own; every method waits until it is done."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._linked = threading.Event()
        self._numbers = threading.Event()
        self._run(self._open())
        assert self._linked.wait(30), "no snapshot came over the link"

    def _run(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(60)

    async def _open(self) -> None:
        node = self.settings.var_dir / "node"
        self.journal = Journal.create(node / "journals")
        self.link = LinkClient(
            self.settings, role="line", number=1, journal=self.journal,
            numbers=NumberPool(node, 1), on_snapshot=lambda _: self._linked.set(),
        )  # fmt: skip
        self._task = self._loop.create_task(self.link.run())

    def write(self, kind: RecordKind, call: UUID | None, body: dict[str, Any], at: datetime | None = None) -> None:
        """Append one record; the link ships it."""

        async def append() -> None:
            self.journal.append(kind, site=SITE, call=call, body=body, at=at)

        self._run(append())

    def settle(self) -> None:
        """Wait until the desk has stored every record."""
        self._run(asyncio.wait_for(self.link.shipped(), 30))

    def partial(self, call: UUID, leg: str, start_ms: int, text: str) -> None:
        """Words being spoken."""

        async def show() -> None:
            self.link.partial(call, leg, start_ms, text)

        self._run(show())

    def number(self) -> int:
        """The next leased ticket number."""

        async def take() -> int:
            async with asyncio.timeout(20):
                while True:
                    try:
                        return self.link.take_number()
                    except StoreError:  # the block is on its way
                        await asyncio.sleep(0.02)

        return self._run(take())

    def upload(self, call: UUID, file: Path) -> None:
        """Put a finished recording into the outbox and wait until the desk has it."""

        async def hand_over() -> None:
            self.link.outbox.add(call, file)
            async with asyncio.timeout(30):
                while self.link.outbox.waiting:  # noqa: ASYNC110 - the outbox tells nobody
                    await asyncio.sleep(0.02)

        self._run(hand_over())

    def ask(self, question: Callable[[], T]) -> T:
        """Ask something in the line's own thread."""

        async def answer() -> T:
            return question()

        return self._run(answer())

    def close(self) -> None:
        """Stop the link and the thread."""

        async def stop() -> None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
            self.journal.close()

        self._run(stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(10)
