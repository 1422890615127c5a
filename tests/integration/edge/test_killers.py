"""What ends a real line: straight at it, only that line dies and comes back; through the edge, nobody dies."""

from __future__ import annotations

import asyncio
import random
import shutil
import tempfile
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from tests.harness.house import House
from tests.harness.killers import BAD_INVITES, BAD_SDP, INFO_RELAY
from tests.harness.mutate import CHANGES, mutations
from tests.harness.sip import GOOD_SDP, Invite, Peer

pytestmark = pytest.mark.asyncio(loop_scope="module")

HOST = BAD_SDP["host of 300 bytes in c="]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def house() -> AsyncIterator[House]:
    """Two lines and their edge; a call needs neither desk nor speech."""
    folder = Path(tempfile.mkdtemp(prefix="house-"))
    settings: dict[str, dict[str, Any]] = {
        "line": {"ack_timeout_s": 0.5, "callers_per_line": 4},
        "edge": {"calls_per_line_per_s": 1000},
    }
    made = House(folder, lines=2, roles=("line", "edge"), settings=settings)
    await made.start()
    yield made
    await made.stop(timeout_s=10)
    shutil.rmtree(folder, ignore_errors=True)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def peer() -> AsyncIterator[Peer]:
    made = await Peer.open()
    yield made
    made.close()


async def answered(peer: Peer, to: tuple[str, int]) -> Invite:
    call = Invite(peer, to)
    call.send()
    assert (await call.wait_final(20)).status == 200
    call.within("ACK")
    return call


async def hang_up(call: Invite) -> None:
    call.extra = ()
    call.within("BYE")
    assert (await call.wait_final()).status == 200


async def info_without_line_end(peer: Peer, to: tuple[str, int]) -> Invite:
    call = await answered(peer, to)
    call.within("INFO", body="Signal=5", kind=INFO_RELAY)
    return call


async def host_too_long(peer: Peer, to: tuple[str, int]) -> Invite:
    call = Invite(peer, to, sdp=HOST)
    call.send()
    return call


Killer = Callable[[Peer, tuple[str, int]], Awaitable[Invite]]


@pytest.mark.parametrize("killer", [info_without_line_end, host_too_long])
async def test_only_that_line_dies_and_it_returns(house: House, peer: Peer, killer: Killer) -> None:
    bystander = await answered(peer, house.line_sip(2))
    second = house.pid("line-2")
    mark = house.mark
    await killer(peer, house.line_sip(1))
    exited = await house.wait("line-1", "exited", after=mark)
    assert exited["status"] < 0, "a signal ended it"
    await house.wait("line-1", "ready", after=mark)
    assert house.pid("line-2") == second
    bystander.within("INFO", body="Signal=5\r\nDuration=160\r\n", kind=INFO_RELAY)
    assert (await bystander.wait_final()).status == 200, "the other line's call goes on"
    await hang_up(bystander)
    await hang_up(await answered(peer, house.line_sip(1)))
    ended = [r["body"]["reason"] for r in house.records("call.ended")]
    if killer is info_without_line_end:
        assert "line_died" in ended, "the caller it had is not lost"


@pytest.mark.parametrize("killer", [info_without_line_end, host_too_long])
async def test_the_edge_lets_no_killer_through(house: House, peer: Peer, killer: Killer) -> None:
    before = {role: house.pid(role) for role in ("line-1", "line-2", "edge")}
    for _ in range(2):  # both lines have their turn
        call = await killer(peer, house.sip)
        assert (await call.wait_final()).status in {400, 488}
        if call.answered is not None:
            await hang_up(call)
    await hang_up(await answered(peer, house.sip))
    assert {role: house.pid(role) for role in before} == before


@pytest.mark.parametrize("refer_to", ["", "<>", "<sip:x@example.com>"])
async def test_nobody_is_transferred_by_a_refer(house: House, peer: Peer, refer_to: str) -> None:
    before = house.pid("line-1")
    for to in (house.line_sip(1), house.sip):
        call = await answered(peer, to)
        call.extra = (f"Refer-To: {refer_to}",)
        call.within("REFER")
        assert (await call.wait_final()).status in {400, 603}
        await hang_up(call)
    assert house.pid("line-1") == before


async def test_bad_invites_straight_at_a_line_leave_it_alive(house: House, peer: Peer) -> None:
    """They stay outside at the edge; should one come in, the line must live."""
    before = house.pid("line-1")
    for name, change in BAD_INVITES.items():
        call = Invite(peer, house.line_sip(1))
        peer.send(change(call.text()), call.to)
        options = Invite(peer, house.line_sip(1), method="OPTIONS")
        options.send()
        assert (await options.wait_final()).status == 200, name
    assert house.pid("line-1") == before


async def test_mutated_calls_through_the_edge_end_no_line(house: House, peer: Peer) -> None:
    before = {role: house.pid(role) for role in ("line-1", "line-2", "edge")}
    good = Invite(peer, house.sip).text().encode()
    for count, raw in enumerate(mutations(good, random.Random(7), 240)):
        peer.send(raw, house.sip)
        if count % 4 == 3:  # as fast as both sides keep up
            options = Invite(peer, house.line_sip(1 + count // 4 % 2), method="OPTIONS")
            options.send()
            assert (await options.wait_final()).status == 200, raw
    assert {role: house.pid(role) for role in before} == before


async def test_mutated_requests_inside_a_call_end_no_line(house: House, peer: Peer) -> None:
    before = {role: house.pid(role) for role in ("line-1", "line-2", "edge")}
    source = random.Random(8)
    bodies = {
        "INVITE": GOOD_SDP,
        "ACK": GOOD_SDP,
        "INFO": "Signal=5\r\nDuration=160\r\n",
        "UPDATE": GOOD_SDP,
        "REFER": "",
    }
    async with asyncio.timeout(60):
        while True:  # lines may still be full of mutated calls
            call = Invite(peer, house.sip)
            call.send()
            if (await call.wait_final(20)).status == 200:
                break
    call.within("ACK")
    for count in range(120):
        method = source.choice(sorted(bodies))
        kind = INFO_RELAY if method == "INFO" else "application/sdp"
        raw = call.inside(method, body=bodies[method], kind=kind).encode()
        for _ in range(source.randint(1, 2)):
            raw = source.choice(CHANGES)(raw, source) or raw
        peer.send(raw, house.sip)
        if count % 4 == 3:
            options = Invite(peer, house.line_sip(1 + count // 4 % 2), method="OPTIONS")
            options.send()
            assert (await options.wait_final()).status == 200, raw
    assert {role: house.pid(role) for role in before} == before
    call.within("BYE")
