"""A Kamailio that somebody else runs: the role renders, feeds and listens, and starts nothing."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
from collections.abc import AsyncIterator

import psutil  # type: ignore[import-untyped]

from tests.harness.edge_bench import Bench
from tests.harness.sip import Invite
from tests.harness.ticks import ticks


@contextlib.asynccontextmanager
async def kamailio_of_somebody_else(bench: Bench) -> AsyncIterator[None]:
    """Runs while the block does, on the configuration that the role has rendered."""
    config = bench.edge.run_dir / "kamailio.cfg"
    async with asyncio.timeout(20):
        async for _ in ticks():
            if config.is_file():
                break
    binary = shutil.which("kamailio", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert binary
    with (bench.edge.run_dir / "kamailio.log").open("ab") as log:
        kamailio = await asyncio.create_subprocess_exec(
            binary, "-f", str(config), "-DD", "-E", "-P", str(bench.folder / "k.pid"), stderr=log
        )
    try:
        yield
    finally:
        kamailio.terminate()
        await kamailio.wait()


def external(bench: Bench) -> None:
    bench.edge.settings = {"edge": {"mode": "external", "sip_port": 0, "loopback_trunk": True}, "line": {}, "node": {}}


async def answer_of(bench: Bench) -> tuple[int, str]:
    """Status of a call from the trunk, and its Call-ID."""
    call = Invite(await bench.peer(), bench.edge.sip)
    call.send()
    return (await call.wait_final()).status, call.call_id


async def test_a_kamailio_of_somebody_else_is_fed_and_heard(bench: Bench) -> None:
    external(bench)
    await bench.line("busy")
    starting = asyncio.create_task(bench.edge.start())
    async with kamailio_of_somebody_else(bench):
        await starting
        assert bench.edge.process is not None
        assert psutil.Process(bench.edge.process.pid).children() == []
        status, call_id = await answer_of(bench)
        assert status == 486
        (body,) = await bench.edge.wait_unserved()
        assert body["sip_call_id"] == call_id
        await bench.edge.stop()


async def test_it_takes_calls_again_when_the_role_comes_back(bench: Bench) -> None:
    """The role told it to close before it ended, and the lines of today are others."""
    external(bench)
    before = await bench.line("busy")
    starting = asyncio.create_task(bench.edge.start())
    async with kamailio_of_somebody_else(bench):
        await starting
        await bench.edge.stop()
        before.close()
        today = await bench.line("answer")
        bench.edge.said.clear()
        await bench.edge.start()
        await bench.edge.wait_lines([today.peer.port])
        assert (await answer_of(bench))[0] == 200
        await bench.edge.stop()


async def test_started_again_it_is_told_everything_anew(bench: Bench) -> None:
    external(bench)
    line = await bench.line("answer")
    starting = asyncio.create_task(bench.edge.start())
    async with kamailio_of_somebody_else(bench):
        await starting
    async with kamailio_of_somebody_else(bench):
        await bench.edge.wait_log("kamailio.started_again")
        await bench.edge.wait_lines([line.peer.port])
        assert (await answer_of(bench))[0] == 200
        await bench.edge.stop()


async def test_a_call_refused_while_the_role_is_away_is_reported_when_it_is_back(bench: Bench) -> None:
    """Kamailio, told to close, refuses on; who was refused is called back (R5)."""
    external(bench)
    await bench.line("answer")
    starting = asyncio.create_task(bench.edge.start())
    async with kamailio_of_somebody_else(bench):
        await starting
        await bench.edge.stop()
        status, call_id = await answer_of(bench)
        assert status == 503
        bench.edge.said.clear()
        await bench.edge.start()
        (body,) = await bench.edge.wait_unserved()
        assert (body["sip_call_id"], body["reason"]) == (call_id, "no_line")
        await bench.edge.stop()
        assert len(await bench.edge.wait_unserved()) == 1
