"""Behind NAT: a configured public address in Contact, Record-Route and SDP; phones behind a NAT of their own."""

from __future__ import annotations

import asyncio

from tests.harness.edge_bench import Bench
from tests.harness.sip import Invite
from tests.integration.edge.test_access import keep_phones, register

PUBLIC = "203.0.113.5"


async def test_the_outside_sees_the_public_address_alone(bench: Bench) -> None:
    edge = await bench.start(public_address=f"{PUBLIC}:5070")
    line = bench.lines[0]
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    answer = await call.wait_final()
    assert answer.status == 200
    assert answer.header("contact").endswith(f"@{PUBLIC}:5070>")
    assert f"c=IN IP4 {PUBLIC}" in answer.body
    assert "127.0.0.1" not in answer.body
    routes = ",".join(answer.all("record-route"))
    assert f"<sip:{PUBLIC}:5070;" in routes
    # The line is spoken to from the inside port, by an address that it can reach.
    told = line.calls[0]
    inside = edge.said[0]["ports"]["inside"]
    assert told.source == ("127.0.0.1", inside)
    assert told.header("record-route").startswith(f"<sip:127.0.0.1:{inside};")
    # Requests inside the call find their way through the hidden Contact, both ways.
    call.within("ACK")
    line.hang_up(told)
    async with asyncio.timeout(5):
        bye = await call.peer.got.get()
    assert bye.method == "BYE"
    call.peer.answer(bye, 200, "OK")


async def test_the_caller_hangs_up_through_the_hidden_contact(bench: Bench) -> None:
    edge = await bench.start(public_address=PUBLIC)
    call = Invite(await bench.peer(), edge.sip)
    call.send()
    await call.wait_final()
    call.within("ACK")
    call.within("BYE")
    assert (await call.wait_final()).status == 200
    async with asyncio.timeout(5):
        bye = await bench.lines[0].ended.get()
    assert bye.uri == f"sip:line@127.0.0.1:{bench.lines[0].peer.port}"


async def test_a_line_calls_a_phone_by_the_inside_port(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False, public_address=PUBLIC)
    inside = ("127.0.0.1", int(edge.said[0]["ports"]["inside"]))
    phone = await register(bench, "201")
    call = bench.lines[0].dial(inside, "201")
    async with asyncio.timeout(5):
        invite = await phone.peer.got.get()
    assert f"c=IN IP4 {PUBLIC}" in invite.body
    assert f"@{PUBLIC}:" in invite.header("contact")
    phone.peer.answer(invite, 200, "OK", body=bench.lines[0].sdp, tag="p")
    answer = await call.wait_final()
    assert answer.status == 200
    nearest = answer.all("record-route")[-1]
    assert nearest.startswith(f"<sip:127.0.0.1:{inside[1]};"), "the line never needs the public address"
    call.within("ACK")
    call.within("BYE")
    async with asyncio.timeout(5):
        while (request := await phone.peer.got.get()).method != "BYE":
            pass
    phone.peer.answer(request, 200, "OK")
    assert (await call.wait_final()).status == 200


async def test_a_phone_behind_its_own_nat_is_reached_where_it_came_from(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    phone = Invite(await bench.peer(), edge.sip, user="201", caller="201", method="REGISTER", extra=("Expires: 60",))
    private = "<sip:201@192.168.7.7:5099>"
    via = "SIP/2.0/UDP 192.168.7.7:5099;rport;branch={}"
    phone.send(contact=private, via=via.format(phone.branch))
    challenge = await phone.wait_final()
    phone.with_digest(challenge, "201", "correct horse 7")
    phone.send(contact=private, via=via.format(phone.branch))
    assert (await phone.wait_final()).status == 200
    call = bench.lines[0].dial(edge.sip, "201")
    async with asyncio.timeout(5):
        while (invite := await phone.peer.got.get()).method != "INVITE":
            pass
    assert invite.uri.startswith("sip:201@192.168.7.7:5099")
    phone.peer.answer(invite, 486, "Busy", tag="p")
    assert (await call.wait_final()).status == 486


async def test_two_phones_of_one_person_ring_together(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    desk, mobile = await register(bench, "201"), await register(bench, "201")
    call = bench.lines[0].dial(edge.sip, "201")
    async with asyncio.timeout(5):
        first, second = await desk.peer.got.get(), await mobile.peer.got.get()
    assert first.method == second.method == "INVITE"
    desk.peer.answer(first, 180, "Ringing", tag="d")
    await call.wait_status(180)
    mobile.peer.answer(second, 200, "OK", body=bench.lines[0].sdp, tag="m")
    assert (await call.wait_final()).status == 200
    async with asyncio.timeout(5):
        while (request := await desk.peer.got.get()).method != "CANCEL":
            pass
    desk.peer.answer(request, 200, "OK")
    desk.peer.answer(first, 487, "Cancelled", tag="d")


async def test_a_phones_sdp_that_would_end_a_line_is_taken_away(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    phone = await register(bench, "201")
    call = bench.lines[0].dial(edge.sip, "201")
    async with asyncio.timeout(5):
        invite = await phone.peer.got.get()
    phone.peer.answer(invite, 200, "OK", body=bench.lines[0].sdp.replace("c=IN IP4 127.0.0.1", f"c=IN IP4 {'h' * 300}"))
    answer = await call.wait_final()
    assert (answer.status, answer.body) == (200, "")
