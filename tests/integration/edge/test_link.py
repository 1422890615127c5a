"""The edge and its desk: phones come down, what was not served goes up; a desk that is away costs nothing."""

from __future__ import annotations

import asyncio
import re
import stat
from collections.abc import AsyncIterator
from typing import Any

import pytest_asyncio

from tests.harness.edge_bench import Bench
from tests.harness.fake_desk import FakeDesk
from tests.harness.sip import Invite, md5
from tests.integration.edge.test_access import PASSWORD, register


@pytest_asyncio.fixture
async def desk() -> AsyncIterator[FakeDesk]:
    made = FakeDesk()
    await made.open()
    yield made
    await made.close()


async def start(bench: Bench, desk: FakeDesk, **settings: Any) -> None:
    node = {"desks": [desk.address], "secret": "a-secret-of-tests"}
    await bench.start(node=node, **{"loopback_trunk": False, **settings})


def ha1(user: str) -> str:
    return md5(f"{user}:callcenter:{PASSWORD}")


async def known(bench: Bench, version: int) -> None:
    await bench.edge.wait_log(f"version={version}")


async def test_phones_come_from_the_desk_and_outlive_it(bench: Bench, desk: FakeDesk) -> None:
    await desk.tell_phones(7, u201=ha1("201"), u202=ha1("202"))
    await start(bench, desk)
    async with asyncio.timeout(10):
        hello = await desk.hellos.get()
    assert (hello["role"], hello["node"]) == ("edge", "node1")
    assert desk.authorization == "Bearer a-secret-of-tests"
    await known(bench, 7)
    phone = await register(bench, "201")
    assert phone.final is not None
    assert phone.final.status == 200

    # The desk goes; the edge is started anew; phones still register.
    await desk.close()
    await bench.edge.stop()
    kept = bench.folder / "node" / "phones.json"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600
    bench.edge.said.clear()
    bench.edge.log.clear()
    await bench.edge.start()
    await known(bench, 7)
    phone = await register(bench, "202")
    assert phone.final is not None
    assert phone.final.status == 200


async def test_a_phone_that_is_taken_away_is_gone_at_once(bench: Bench, desk: FakeDesk) -> None:
    await desk.tell_phones(1, u201=ha1("201"))
    await start(bench, desk)
    await known(bench, 1)
    await register(bench, "201")
    await desk.tell_phones(2, u202=ha1("202"), ubad="not an HA1")
    await known(bench, 2)
    call = bench.lines[0].dial(bench.edge.sip, "201")
    assert (await call.wait_final()).status == 404
    again = await register(bench, "201")
    assert again.final is not None
    assert again.final.status == 401
    other = await register(bench, "202")
    assert other.final is not None
    assert other.final.status == 200


async def test_what_was_not_served_reaches_the_desk(bench: Bench, desk: FakeDesk) -> None:
    await start(bench, desk, manner="busy", trunks=[{"name": "carrier", "address": "127.0.0.1"}])
    call = Invite(await bench.peer(), bench.edge.sip, caller="13912345678")
    call.send()
    assert (await call.wait_final()).status == 486
    async with asyncio.timeout(10):
        record = await desk.records.get()
    assert (record["kind"], record["body"]["sip_call_id"]) == ("edge.unserved", call.call_id)
    assert record["call"]
    said = "\n".join(bench.edge.log)
    assert "13912345678" not in said, "no number in a log"
    assert not re.search(r"password|ha1=", said)


async def test_records_wait_for_a_desk_that_is_away(bench: Bench, desk: FakeDesk) -> None:
    port = int(desk.address.rsplit(":", 1)[1])
    await desk.close()
    await bench.start(manner="busy", node={"desks": [f"http://127.0.0.1:{port}"]})
    call = Invite(await bench.peer(), bench.edge.sip)
    call.send()
    await call.wait_final()
    await bench.edge.wait_unserved()
    assert bench.edge.process is not None
    bench.edge.process.kill()
    await bench.edge.process.wait()
    await desk.open(port)
    bench.edge.said.clear()
    await bench.edge.start()
    async with asyncio.timeout(15):
        record = await desk.records.get()
    assert record["body"]["sip_call_id"] == call.call_id
