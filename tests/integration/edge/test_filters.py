"""What would hurt a line does not pass the edge (docs/edge.md), and honest calls do."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from tests.harness.edge_bench import Bench
from tests.harness.killers import BAD_INFO, BAD_INVITES, BAD_SDP, INFO_RELAY
from tests.harness.mutate import mutations
from tests.harness.sip import GOOD_SDP, Invite

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def bench(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Bench]:
    made = Bench(tmp_path_factory.mktemp("filters") / "v")
    await made.start(lines=1, new_calls_per_s=100_000, calls_per_line_per_s=100_000, line={"callers_per_line": 4})
    yield made
    await made.close()


async def call_up(bench: Bench) -> Invite:
    call = Invite(await bench.peer(), bench.edge.sip)
    call.send()
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    return call


async def hang_up(call: Invite) -> None:
    call.within("BYE")
    assert (await call.wait_final()).status == 200


async def still_well(bench: Bench) -> None:
    """The next honest call is answered."""
    await hang_up(await call_up(bench))


def reached(bench: Bench, call: Invite) -> bool:
    return any(request.header("call-id") == call.call_id for request in bench.lines[0].calls)


@pytest.mark.parametrize("name", sorted(BAD_SDP))
async def test_a_bad_sdp_is_not_acceptable(bench: Bench, name: str) -> None:
    call = Invite(await bench.peer(), bench.edge.sip, sdp=BAD_SDP[name], caller=f"139{sorted(BAD_SDP).index(name):08d}")
    call.send()
    assert (await call.wait_final()).status == 488
    assert not reached(bench, call)
    (body,) = await bench.edge.wait_unserved(sip_call_id=call.call_id)
    assert (body["reason"], body["status"]) == ("refused", 488)


@pytest.mark.parametrize("name", sorted(BAD_INVITES))
async def test_a_bad_invite_does_not_pass(bench: Bench, name: str) -> None:
    change = BAD_INVITES[name]
    call = Invite(await bench.peer(), bench.edge.sip)
    raw = change(call.text())
    call.peer.send(raw, call.to)
    await still_well(bench)  # Kamailio's workers take turns; a later call that is answered shows that it lives
    assert not reached(bench, call)


async def test_no_sdp_is_an_honest_call(bench: Bench) -> None:
    call = Invite(await bench.peer(), bench.edge.sip, sdp="")
    call.send()
    assert (await call.wait_final()).status == 200
    call.within("ACK", body=GOOD_SDP)
    await hang_up(call)


@pytest.mark.parametrize("body", ["Signal=5\r\nDuration=160\r\n", "Signal= *\r\nDuration= 250\r\n", "Signal=#\r\n"])
async def test_whole_digits_pass(bench: Bench, body: str) -> None:
    call = await call_up(bench)
    call.within("INFO", body=body, kind=INFO_RELAY)
    assert (await call.wait_final()).status == 200
    await hang_up(call)


@pytest.mark.parametrize("name", sorted(BAD_INFO))
async def test_a_bad_info_is_dropped(bench: Bench, name: str) -> None:
    kind, body, status = BAD_INFO[name]
    call = await call_up(bench)
    call.within("INFO", body=body, kind=kind)
    assert (await call.wait_final()).status == status
    await hang_up(call)
    line = bench.lines[0]
    while not line.requests.empty():
        request = line.requests.get_nowait()
        assert not (request.method == "INFO" and request.header("call-id") == call.call_id)


@pytest.mark.parametrize("refer_to", ["", "<sip:other@example.com>", "<>"])
async def test_refer_is_declined(bench: Bench, refer_to: str) -> None:
    call = await call_up(bench)
    call.extra = (f"Refer-To: {refer_to}",)
    call.within("REFER")
    assert (await call.wait_final()).status in {400, 603}
    call.extra = ()
    await hang_up(call)


async def test_a_reinvite_with_a_bad_sdp_leaves_the_call_alone(bench: Bench) -> None:
    call = await call_up(bench)
    call.within("INVITE", body=BAD_SDP["host of 300 bytes in c="], kind="application/sdp")
    assert (await call.wait_final()).status == 488
    call.within("INVITE", body=GOOD_SDP)
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    await hang_up(call)


async def test_a_request_of_no_call_is_not_relayed(bench: Bench) -> None:
    stranger = await bench.peer("127.0.0.3")
    target = await bench.peer()
    call = Invite(stranger, bench.edge.sip, method="BYE")
    route = f"Route: <sip:{bench.edge.sip[0]}:{bench.edge.sip[1]};lr>"
    call.send(routes=route, uri=f"sip:x@127.0.0.1:{target.port}", target="<sip:x@127.0.0.1>;tag=abc")
    # The try-out trunk may: its calls outlive a restart. So this looks at what nobody may do.
    odd = Invite(stranger, bench.edge.sip, method="MESSAGE")
    odd.send(routes=route, uri=f"sip:x@127.0.0.1:{target.port}", target="<sip:x@127.0.0.1>;tag=abc")
    assert (await odd.wait_final()).status == 405


@pytest.mark.parametrize("method", ["SUBSCRIBE", "MESSAGE", "PUBLISH", "NOTIFY"])
async def test_other_methods_are_not_for_us(bench: Bench, method: str) -> None:
    call = Invite(await bench.peer(), bench.edge.sip, method=method)
    call.send()
    assert (await call.wait_final()).status == 405


async def test_headers_that_a_line_does_not_need_stay_outside(bench: Bench) -> None:
    call = Invite(
        await bench.peer(), bench.edge.sip, extra=("X-Junk: " + "j" * 900, "P-Asserted-Identity: <sip:1@x.cn>")
    )
    call.send()
    assert (await call.wait_final()).status == 200
    names = {name for name, _ in bench.lines[0].calls[-1].headers}
    assert "x-junk" not in names
    assert "p-asserted-identity" in names
    call.within("ACK")
    await hang_up(call)


async def test_hundreds_of_mutated_messages_are_survived(bench: Bench) -> None:
    peer = await bench.peer()
    source = random.Random(20240607)
    good = Invite(peer, bench.edge.sip).text()
    for count, raw in enumerate(mutations(good.encode(), source, 600)):
        peer.send(raw, bench.edge.sip)
        if count % 50 == 49:
            alive = Invite(peer, bench.edge.sip, method="OPTIONS")
            alive.send()
            assert (await alive.wait_final()).status == 200
    rpc = bench.edge.rpc()
    for call in await rpc.call("dlg.list"):  # those that were good enough to be answered
        await rpc.call("dlg.end_dlg", int(call["h_entry"]), int(call["h_id"]))
    rpc.close()
    assert bench.edge.process is not None
    assert bench.edge.process.returncode is None
    for request in bench.lines[0].calls:
        assert max(len(line) for line in request.body.splitlines() or [""]) <= 240
        assert all(len(value) <= 512 for _, value in request.headers)
    async with asyncio.timeout(30):
        while True:
            call = Invite(await bench.peer(), bench.edge.sip)
            call.send()
            if (await call.wait_final()).status == 200:
                break
