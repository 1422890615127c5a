"""A Kamailio that somebody else runs: the role renders, feeds and listens, and starts nothing."""

from __future__ import annotations

import asyncio
import shutil

import psutil  # type: ignore[import-untyped]

from tests.harness.edge_bench import Bench
from tests.harness.sip import Invite
from tests.harness.ticks import ticks


async def test_a_kamailio_of_somebody_else_is_fed_and_heard(bench: Bench) -> None:
    bench.edge.settings = {"edge": {"mode": "external", "sip_port": 0, "loopback_trunk": True}, "line": {}, "node": {}}
    await bench.line("busy")
    starting = asyncio.create_task(bench.edge.start())
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
        await starting
        assert bench.edge.process is not None
        assert psutil.Process(bench.edge.process.pid).children() == []
        call = Invite(await bench.peer(), bench.edge.sip)
        call.send()
        assert (await call.wait_final()).status == 486
        (body,) = await bench.edge.wait_unserved()
        assert body["sip_call_id"] == call.call_id
    finally:
        await bench.edge.stop()
        kamailio.terminate()
        await kamailio.wait()
