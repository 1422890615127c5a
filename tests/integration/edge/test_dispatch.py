"""Which line a call reaches, and what happens when none takes it."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

import psutil  # type: ignore[import-untyped]
import pytest

from tests.harness.edge_bench import Bench
from tests.harness.sip import Invite


async def test_calls_are_spread_over_the_lines(bench: Bench) -> None:
    edge = await bench.start(lines=3)
    peer = await bench.peer()
    calls = [Invite(peer, edge.sip) for _ in range(6)]
    for call in calls:
        call.send()
    answers = [await call.wait_final() for call in calls]
    assert [a.status for a in answers] == [200] * 6
    assert Counter(len(line.calls) for line in bench.lines) == {2: 3}


async def test_a_line_that_does_not_answer_is_passed_over(bench: Bench) -> None:
    edge = await bench.start(lines=2)
    bench.lines[0].manner = bench.lines[1].manner = "deaf"
    bench.lines[1].manner = "answer"
    peer = await bench.peer()
    for _ in range(2):
        call = Invite(peer, edge.sip)
        call.send()
        assert (await call.wait_final()).status == 200
    assert len(bench.lines[1].calls) == 2


async def test_a_line_that_went_away_gets_no_calls(bench: Bench) -> None:
    edge = await bench.start(lines=2)
    bench.lines[0].close()
    await edge.wait_lines([bench.lines[1].peer.port])
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    assert (await call.wait_final()).status == 200
    assert len(bench.lines[1].calls) == 1


async def test_a_line_that_comes_later_is_used(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    bench.lines[0].manner = "busy"
    second = await bench.line()
    await edge.wait_lines([line.peer.port for line in bench.lines])
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    assert (await call.wait_final()).status == 200
    assert len(second.calls) == 1


@pytest.mark.parametrize("status", ["486", "503", "500"])
async def test_a_refusal_tries_the_next_line(bench: Bench, status: str) -> None:
    edge = await bench.start(lines=2)
    bench.lines[0].manner = status
    peer = await bench.peer()
    for _ in range(2):
        call = Invite(peer, edge.sip)
        call.send()
        assert (await call.wait_final()).status == 200
    assert len(bench.lines[1].calls) == 2


async def test_a_caller_counts_for_the_line_that_took_the_call(bench: Bench) -> None:
    edge = await bench.start(lines=2)
    bench.lines[0].manner = "500"
    peer = await bench.peer()
    for _ in range(2):  # whichever is tried first
        call = Invite(peer, edge.sip)
        call.send()
        assert (await call.wait_final()).status == 200
    assert [await edge.callers(line.peer.port) for line in bench.lines] == [0, 2]


async def test_a_call_that_a_line_itself_declines_is_reported(bench: Bench) -> None:
    edge = await bench.start(lines=2, manner="488")
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    assert (await call.wait_final()).status == 488
    (body,) = await edge.wait_unserved()
    assert (body["reason"], body["status"]) == ("refused", 488)
    assert sum(len(line.calls) for line in bench.lines) == 1, "another line would decline it as well"


async def test_a_call_over_tcp(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    reader, writer = await asyncio.open_connection(*edge.sip)
    call = Invite(await bench.peer(), edge.sip)
    port = writer.get_extra_info("sockname")[1]
    via = f"SIP/2.0/TCP 127.0.0.1:{port};branch={call.branch}"
    writer.write(call.text(via=via, contact=f"<sip:1@127.0.0.1:{port};transport=tcp>").encode())
    async with asyncio.timeout(10):
        while b"SIP/2.0 200 " not in await reader.readuntil(b"\r\n\r\n"):
            pass
    writer.close()


async def test_all_busy_is_busy_and_reported(bench: Bench) -> None:
    edge = await bench.start(lines=2, manner="busy")
    peer = await bench.peer()
    call = Invite(peer, edge.sip, caller="13912345678", user="4001234")
    call.send()
    assert (await call.wait_final()).status == 486
    (body,) = await edge.wait_unserved()
    assert body == {
        "from_number": "13912345678", "to_number": "4001234", "sip_call_id": call.call_id, "status": 486,
        "reason": "all_busy", "count": 1,
    }  # fmt: skip
    assert [len(line.calls) for line in bench.lines] == [1, 1]


async def test_a_full_line_is_not_even_tried(bench: Bench) -> None:
    edge = await bench.start(lines=1, line={"callers_per_line": 1})
    peer = await bench.peer()
    first, second = Invite(peer, edge.sip), Invite(peer, edge.sip)
    first.send()
    assert (await first.wait_final()).status == 200
    second.send()
    assert (await second.wait_final()).status == 486
    assert len(bench.lines[0].calls) == 1
    first.within("ACK")
    first.within("BYE")
    assert (await first.wait_final()).status == 200
    third = Invite(peer, edge.sip)
    third.send()
    assert (await third.wait_final()).status == 200


async def test_without_any_line_the_caller_hears_so_and_is_reported(bench: Bench) -> None:
    edge = await bench.start(lines=1, wait_for_line_s=1)
    bench.lines[0].close()
    await edge.wait_lines([])
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    assert (await call.wait_final()).status == 503
    assert 180 in call.seen
    (body,) = await edge.wait_unserved()
    assert (body["reason"], body["status"]) == ("no_line", 503)


async def test_one_of_several_edges_may_refuse_at_once(bench: Bench) -> None:
    edge = await bench.start(lines=1, wait_for_line_s=0)
    bench.lines[0].close()
    await edge.wait_lines([])
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    assert (await call.wait_final()).status == 503
    assert 180 not in call.seen


async def test_while_all_lines_start_again_the_caller_rings_and_is_answered(bench: Bench) -> None:
    edge = await bench.start(lines=2)
    for line in bench.lines:
        line.close()
    await edge.wait_lines([])
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    await call.wait_status(180)
    back = await bench.line()
    assert (await call.wait_final(12)).status == 200
    (invite,) = back.calls
    assert int(invite.header("x-callcenter-ringing")) > 0, "the three rings of R1 count from the caller's first"
    assert edge.records() == []
    call.within("ACK")
    call.within("BYE")
    assert (await call.wait_final()).status == 200


async def test_a_call_whose_lines_all_died_rings_on_until_one_is_back(bench: Bench) -> None:
    edge = await bench.start(lines=2, manner="ring")
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    await call.wait_status(180)
    for line in bench.lines:
        line.close()
    await edge.wait_lines([])
    back = await bench.line()
    assert (await call.wait_final(12)).status == 200
    (invite,) = back.calls
    assert int(invite.header("x-callcenter-ringing")) > 0
    assert edge.records() == []


async def test_lines_that_are_unwell_are_asked_again(bench: Bench) -> None:
    edge = await bench.start(lines=1, manner="500")
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    await call.wait_status(180)
    bench.lines[0].manner = "answer"
    assert (await call.wait_final(12)).status == 200
    assert edge.records() == []


async def test_given_up_while_all_lines_start_again_is_reported_once(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    bench.lines[0].close()
    await edge.wait_lines([])
    call = Invite(await bench.peer(), edge.sip, caller="13912345678")
    call.send()
    await call.wait_status(180)
    call.cancel()
    assert (await call.wait_final()).status == 487
    await edge.wait_unserved()
    back = await bench.line()
    await edge.wait_lines([back.peer.port])
    after = Invite(await bench.peer(), edge.sip)
    after.send()
    assert (await after.wait_final()).status == 200
    assert [request.header("call-id") for request in back.calls] == [after.call_id]
    (body,) = await edge.wait_unserved()
    assert (body["reason"], body["from_number"]) == ("cancelled_ringing", "13912345678")


async def test_nobody_outside_says_how_long_it_rang(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    call = Invite(await bench.peer(), edge.sip, extra=("X-Callcenter-Ringing: 10900",))
    call.send()
    assert (await call.wait_final()).status == 200
    assert bench.lines[0].calls[0].header("x-callcenter-ringing") == ""


async def test_pacing_makes_a_burst_wait_for_the_next_second(bench: Bench) -> None:
    edge = await bench.start(lines=1, calls_per_line_per_s=1, line={"callers_per_line": 4})
    peer = await bench.peer()
    calls = [Invite(peer, edge.sip) for _ in range(3)]
    for call in calls:
        call.send()
    assert [(await call.wait_final()).status for call in calls] == [200] * 3
    assert len(bench.lines[0].calls) == 3
    assert edge.records() == []
    assert await edge.callers(bench.lines[0].peer.port) == 3


async def test_overflow_number_gets_what_no_line_takes(bench: Bench) -> None:
    other = await bench.peer()
    edge = await bench.start(lines=1, manner="busy", overflow_uri=f"sip:4000@127.0.0.1:{other.port}")
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    async with asyncio.timeout(5):
        request = await other.got.get()
    assert request.uri == f"sip:4000@127.0.0.1:{other.port}"
    other.answer(request, 200, "OK", tag="o")
    assert (await call.wait_final()).status == 200
    refused = Invite(peer, edge.sip)
    refused.send()
    async with asyncio.timeout(5):
        while (request := await other.got.get()).header("call-id") != refused.call_id or request.method != "INVITE":
            pass
    other.answer(request, 404, "Nobody", tag="o")
    assert (await refused.wait_final()).status >= 400
    (body,) = await edge.wait_unserved()
    assert body["sip_call_id"] == refused.call_id
    assert body["reason"] == "all_busy"


async def test_cancel_reaches_the_line(bench: Bench) -> None:
    edge = await bench.start(lines=1, manner="ring")
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    await call.wait_status(180)
    call.cancel()
    assert (await call.wait_final()).status == 487
    async with asyncio.timeout(5):
        assert (await bench.lines[0].ended.get()).method == "CANCEL"
    assert edge.records() == []  # the line heard of it, and writes it down


async def test_given_up_before_any_line_rang_is_reported(bench: Bench) -> None:
    edge = await bench.start(lines=1, manner="deaf")
    peer = await bench.peer()
    call = Invite(peer, edge.sip, caller="13912345678")
    call.send()
    await call.wait_status(100)
    call.cancel()
    assert (await call.wait_final()).status == 487
    (body,) = await edge.wait_unserved()
    assert (body["reason"], body["from_number"]) == ("cancelled_ringing", "13912345678")


async def test_given_up_while_waiting_for_the_next_second_is_reported(bench: Bench) -> None:
    edge = await bench.start(lines=1, calls_per_line_per_s=1, line={"callers_per_line": 4})
    peer = await bench.peer()
    calls = [Invite(peer, edge.sip) for _ in range(3)]
    for call in calls:
        call.send()
    await calls[2].wait_status(100)
    calls[2].cancel()
    final = await calls[2].wait_final()
    taken = [request.header("call-id") for request in bench.lines[0].calls]
    if calls[2].call_id not in taken:
        assert final.status == 487
        (body,) = await edge.wait_unserved(sip_call_id=calls[2].call_id)
        assert body["reason"] == "cancelled_ringing"


async def test_a_killed_kamailio_ends_the_role_and_nothing_is_left(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    assert edge.process is not None
    (main,) = [p for p in psutil.Process(edge.process.pid).children() if "kamailio" in p.name()]
    workers = main.children(recursive=True)
    main.kill()
    async with asyncio.timeout(15):
        assert await edge.process.wait() == 1
    _, alive = await asyncio.to_thread(psutil.wait_procs, workers, 5)
    assert not alive


async def test_edge_and_lines_on_addresses_of_their_own(bench: Bench) -> None:
    edge = await bench.start(lines=2, bind_host="127.0.0.20")
    call = Invite(await bench.peer("127.0.0.30"), ("127.0.0.20", edge.sip[1]))
    call.send()
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    call.within("BYE")
    assert (await call.wait_final()).status == 200


async def test_calls_of_a_line_that_died_are_hung_up(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    bench.lines[0].close()
    async with asyncio.timeout(10):
        bye = await peer.got.get()
    assert bye.method == "BYE"
    assert bye.header("call-id") == call.call_id
    peer.answer(bye, 200, "OK")


async def test_a_call_that_rings_at_a_line_that_dies_gets_another_line(bench: Bench) -> None:
    edge = await bench.start(lines=2, manner="ring")
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    await call.wait_status(180)
    dead = next(line for line in bench.lines if line.calls)
    other = next(line for line in bench.lines if line is not dead)
    other.manner = "answer"
    dead.close()
    assert (await call.wait_final(8)).status == 200
    assert len(other.calls) == 1
    assert edge.records() == []


async def test_hanging_up_on_a_line_that_died_is_answered(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    bench.lines[0].close()
    await edge.wait_log("line.gone")
    call.within("BYE")
    assert (await call.wait_final()).status in {200, 481}


async def test_draining_refuses_new_calls_and_waits_for_old_ones(bench: Bench) -> None:
    edge = await bench.start(lines=1)
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    assert edge.process is not None
    edge.process.terminate()
    await edge.wait_event("draining")
    late = Invite(peer, edge.sip)
    late.send()
    assert (await late.wait_final()).status == 503
    assert edge.process.returncode is None
    call.within("BYE")
    assert (await call.wait_final()).status == 200
    async with asyncio.timeout(10):
        assert await edge.process.wait() == 0
    (body,) = [r["body"] for r in edge.records()]
    assert body["sip_call_id"] == late.call_id


async def test_records_left_by_a_killed_edge_are_kept_for_the_next(bench: Bench) -> None:
    edge = await bench.start(lines=1, manner="busy")
    peer = await bench.peer()
    call = Invite(peer, edge.sip)
    call.send()
    await call.wait_final()
    await edge.wait_unserved()
    assert edge.process is not None
    edge.process.kill()
    await edge.process.wait()
    port = edge.sip[1]
    edge.said.clear()
    await edge.start()
    assert edge.sip[1] == port, "phones and trunks find it where it was"
    assert [r["body"]["sip_call_id"] for r in edge.records()] == [call.call_id]
    kept = (edge.var_dir / "node" / "edge-journals").read_text(encoding="ascii").split()
    assert len(kept) == 2
    told = json.loads((edge.run_dir / "edge.json").read_text(encoding="utf-8"))
    assert told == {"pid": edge.process.pid, "ports": {"sip": port}}
