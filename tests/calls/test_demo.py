"""`make demo`: what a stranger sees first."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Self

import aiohttp
import pytest

from tests.calls.hotline import PATIENCE_S

pytestmark = pytest.mark.asyncio(loop_scope="session")
NAMES = [
    "rings", "answer_ms", "heard", "kind", "category", "urgency", "place", "ticket", "first_responder", "responsible",
    "reasons", "recording_s", "hangup_to_ticket_ms",
]  # fmt: skip


class Demo:
    """`callcenter demo` over a folder of its own, away from the ports of other tests."""

    def __init__(self, folder: Path, *options: str) -> None:
        self.folder, self.options = folder, options
        self.process: asyncio.subprocess.Process | None = None

    async def __aenter__(self) -> Self:
        own = {"CALLCENTER_NODE__VAR_DIR": str(self.folder), "CALLCENTER_EDGE__SIP_PORT": "0"}
        own |= {"CALLCENTER_DESK__PORT": "0", "CALLCENTER_SPEECH__PORT": "0"}
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "callcenter", "demo", *self.options,
            stdout=asyncio.subprocess.PIPE, env=os.environ | own,
        )  # fmt: skip
        return self

    async def __aexit__(self, *_: object) -> None:
        assert self.process is not None
        for number in (signal.SIGTERM, signal.SIGTERM, signal.SIGKILL):
            if self.process.returncode is None:
                self.process.send_signal(number)
                await asyncio.wait({asyncio.create_task(self.process.wait())}, timeout=10)

    async def lines(self) -> list[str]:
        """What it prints up to the result, the JSON on the last line."""
        assert self.process is not None
        assert self.process.stdout is not None
        found: list[str] = []
        async with asyncio.timeout(2 * PATIENCE_S):
            async for raw in self.process.stdout:
                found.append(raw.decode().rstrip("\n"))
                if found[-1].startswith("{"):
                    return found
        raise AssertionError("the demo ended without a result")

    async def ended(self) -> int:
        """Its exit status."""
        assert self.process is not None
        async with asyncio.timeout(PATIENCE_S):
            return await self.process.wait()


def expect(result: dict[str, Any]) -> None:
    """The resident of the demo was served as the rules say."""
    assert list(result) == NAMES
    assert (result["kind"], result["category"], result["urgency"]) == ("repair", "water_leak", "emergency")
    assert result["place"] == {"building": "3", "unit": "2", "room": "1102"}
    assert 1 <= result["rings"] <= 3, "R1"
    assert "水管" in result["heard"]
    assert result["recording_s"] > 5
    assert {"R11", "R13", "R14", "R15"} <= {reason.split(" ")[0] for reason in result["reasons"]}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder of a short name: sockets' paths have 107 bytes."""
    with tempfile.TemporaryDirectory(prefix="demo-", ignore_cleanup_errors=True) as made:
        Path(made).chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        yield Path(made)


async def test_one_call_and_then_a_second_run_that_stays_up(folder: Path) -> None:
    async with Demo(folder, "--once") as once:
        printed = await once.lines()
        assert len(printed) == 1, "nothing but the result goes to standard output"
        first = json.loads(printed[0])
        expect(first)
        assert await once.ended() == 0
    async with Demo(folder) as demo:
        *shown, last = await demo.lines()
        second = json.loads(last)
        expect(second)
        assert int(second["ticket"]) >= int(first["ticket"]), "the second house goes on where the first ended"
        (page,) = [word for line in shown for word in line.split() if word.startswith("https://") and "tickets" in word]
        async with aiohttp.ClientSession() as http, http.get(page, ssl=False) as answer:
            assert answer.status == 200
            assert "/login" in str(answer.url), "whoever visits logs in first"
        assert demo.process is not None
        demo.process.terminate()
        assert await demo.ended() == 0
