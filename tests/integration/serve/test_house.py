"""A whole house of real roles: up, answered, hurt, healed, ended."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import AsyncIterator, Callable

import psutil  # type: ignore[import-untyped]
import pytest
import pytest_asyncio

from tests.harness.house import House
from tests.harness.sip import Invite, Peer


@pytest_asyncio.fixture
async def peer() -> AsyncIterator[Peer]:
    made = await Peer.open()
    yield made
    made.close()


async def answered(peer: Peer, house: House) -> Invite:
    """A call that was answered and acknowledged."""
    call = Invite(peer, house.sip, user="4001000")
    call.send()
    assert (await call.wait_final(20)).status == 200, house.last_words()
    call.within("ACK")
    return call


async def hang_up(call: Invite) -> None:
    call.within("BYE")
    assert (await call.wait_final()).status == 200


async def test_a_house_answers_heals_and_ends(house: House, peer: Peer) -> None:
    assert house.process is not None
    await hang_up(await answered(peer, house))

    # A line is killed in the middle of a call: the caller is not left in silence, and the line returns.
    first, second = await answered(peer, house), await answered(peer, house)
    mark = house.kill("line-1")
    async with asyncio.timeout(20):
        bye = await peer.got.get()
    assert bye.method == "BYE"
    assert bye.header("call-id") in {first.call_id, second.call_id}
    peer.answer(bye, 200, "OK")
    await hang_up(second if bye.header("call-id") == first.call_id else first)
    await house.wait("line-1", "ready", after=mark)
    assert not [h for h in house.happened[mark:] if h["event"] == "exited" and h["role"] != "line-1"]

    # Each other role is killed in turn; a call goes through with it away, and after it is back.
    for role in ("speech", "desk"):
        mark = house.kill(role)
        await hang_up(await answered(peer, house))
        await house.wait(role, "ready", after=mark)
    port = house.sip[1]
    await house.kill_and_wait("edge")
    assert house.sip[1] == port
    await hang_up(await answered(peer, house))

    everyone = psutil.Process(house.process.pid).children(recursive=True)
    assert await house.stop() == 0
    _, alive = await asyncio.to_thread(psutil.wait_procs, everyone, 10)
    assert not alive, "a process was left behind"


async def test_a_call_in_progress_ends_in_peace(house: House, peer: Peer) -> None:
    call = await answered(peer, house)
    assert house.process is not None
    house.process.terminate()
    await house.wait("edge", "draining")
    late = Invite(peer, house.sip)
    late.send()
    assert (await late.wait_final()).status == 503
    assert house.process.returncode is None
    await hang_up(call)
    async with asyncio.timeout(30):
        assert await house.process.wait() == 0


async def test_a_second_signal_ends_everything_soon(house: House, peer: Peer) -> None:
    call = await answered(peer, house)
    assert house.process is not None
    house.process.send_signal(signal.SIGINT)
    await house.wait("edge", "draining")
    house.process.send_signal(signal.SIGINT)
    async with asyncio.timeout(20):
        await house.process.wait()
        bye = await peer.got.get()
    assert (bye.method, bye.header("call-id")) == ("BYE", call.call_id)
    assert house.process.returncode == 0


async def test_direct_mode_answers_without_kamailio(make_house: Callable[..., House], peer: Peer) -> None:
    house = make_house(mode="direct", lines=2)
    await house.start()
    assert "DIRECT MODE" in await house.wait_log("serve.notice", "DIRECT MODE")
    assert not (house.run_dir / "edge.json").exists()
    await hang_up(await answered(peer, house))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"speech": {"model": "no-such-model"}}, "no-such-model"),
        ({"edge": {"trunks": [{"name": "t", "address": "nonsense"}]}}, "not an IPv4 address or network: 'nonsense'"),
        ({"edge": {"overflow_uri": "tel:1"}}, "not a SIP URI"),
    ],
    ids=["model", "trunk", "overflow"],
)
async def test_what_a_person_must_mend_ends_the_start(
    make_house: Callable[..., House], settings: dict[str, dict[str, object]], words: str
) -> None:
    house = make_house(settings=settings)
    await house.start(wait=False)
    line = await house.wait_log("callcenter serve:", words, timeout_s=90)
    assert " — " in line, "it says what to do"
    assert house.process is not None
    async with asyncio.timeout(20):
        assert await house.process.wait() == 1
    assert not [h for h in house.happened if h["event"] == "ready"], "nothing had listened yet"
