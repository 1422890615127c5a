"""Who may call, and people's phones."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.harness.edge_bench import Bench
from tests.harness.sip import Invite, Peer, md5

PASSWORD = "correct horse 7"


def keep_phones(folder: Path, *users: str) -> None:
    """What an edge that once heard a desk has on its disk."""
    (folder / "node").mkdir(parents=True, exist_ok=True)
    ha1 = {user: md5(f"{user}:callcenter:{PASSWORD}") for user in users}
    (folder / "node" / "phones.json").write_text(json.dumps({"version": 3, "ha1": ha1}), encoding="utf-8")


async def register(bench: Bench, user: str, password: str = PASSWORD, account: str | None = None) -> Invite:
    """Register a phone; its peer goes on answering as the phone."""
    peer = await bench.peer()
    phone = Invite(peer, bench.edge.sip, user=user, caller=user, method="REGISTER", extra=("Expires: 60",))
    phone.send()
    challenge = await phone.wait_final()
    assert challenge.status == 401
    phone.with_digest(challenge, account or user, password)
    phone.send()
    await phone.wait_final()
    return phone


async def test_an_unlisted_address_is_refused_and_reported(bench: Bench) -> None:
    edge = await bench.start(loopback_trunk=False, trunks=[{"name": "carrier", "address": "203.0.113.0/24"}])
    call = Invite(await bench.peer(), edge.sip, caller="13900001111")
    call.send()
    assert (await call.wait_final()).status == 403
    (body,) = await edge.wait_unserved()
    assert (body["reason"], body["from_number"]) == ("refused", "13900001111")
    assert bench.lines[0].calls == []


async def test_a_listed_trunk_is_accepted_by_address(bench: Bench) -> None:
    edge = await bench.start(loopback_trunk=False, trunks=[{"name": "carrier", "address": "127.0.0.9"}])
    good = Invite(await bench.peer("127.0.0.9"), edge.sip)
    good.send()
    assert (await good.wait_final()).status == 200
    bad = Invite(await bench.peer("127.0.0.8"), edge.sip)
    bad.send()
    assert (await bad.wait_final()).status == 403


async def test_a_phone_registers_with_the_desk_away(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    await bench.start(loopback_trunk=False)
    phone = await register(bench, "201")
    assert phone.final is not None
    assert phone.final.status == 200
    assert phone.final.header("contact").startswith(f"<sip:201@127.0.0.1:{phone.peer.port}>")


@pytest.mark.parametrize(
    ("user", "password", "account", "status"),
    [("201", "wrong", None, 401), ("999", PASSWORD, None, 401), ("202", PASSWORD, "201", 403)],
    ids=["wrong password", "unknown phone", "another's number"],
)
async def test_a_phone_that_is_not_one_does_not_register(
    bench: Bench, user: str, password: str, account: str | None, status: int
) -> None:
    keep_phones(bench.folder, "201", "202")
    await bench.start(loopback_trunk=False)
    phone = await register(bench, user, password, account)
    assert phone.final is not None
    assert phone.final.status == status


async def test_a_line_reaches_a_registered_phone(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    phone = await register(bench, "201")
    call = bench.lines[0].dial(edge.sip, "201")
    async with asyncio.timeout(5):
        invite = await phone.peer.got.get()
    assert invite.method == "INVITE"
    assert invite.header("record-route")
    phone.peer.answer(invite, 200, "OK", body=bench.lines[0].sdp, tag="phone")
    assert (await call.wait_final()).status == 200
    call.within("ACK")
    call.within("BYE")
    async with asyncio.timeout(5):
        while (request := await phone.peer.got.get()).method != "BYE":
            pass
    phone.peer.answer(request, 200, "OK")
    assert (await call.wait_final()).status == 200


@pytest.mark.parametrize(("user", "status"), [("201", 480), ("299", 404)], ids=["not registered", "no such phone"])
async def test_a_line_hears_when_a_phone_is_not_there(bench: Bench, user: str, status: int) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    call = bench.lines[0].dial(edge.sip, user)
    assert (await call.wait_final()).status == status


async def test_a_phone_calls_the_hotline_and_a_colleague_with_digest(bench: Bench) -> None:
    keep_phones(bench.folder, "201", "202")
    edge = await bench.start(loopback_trunk=False)
    colleague = await register(bench, "202")
    peer = await bench.peer()
    for user, status in (("hotline", 200), ("202", 486)):
        call = Invite(peer, edge.sip, user=user, caller="201")
        call.send()
        challenge = await call.wait_final()
        assert challenge.status == 407
        call.with_digest(challenge, "201", PASSWORD)
        call.send()
        if user == "202":
            async with asyncio.timeout(5):
                invite = await colleague.peer.got.get()
            colleague.peer.answer(invite, 486, "Busy", tag="c")
        assert (await call.wait_final()).status == status
    assert "authorization" not in {name for name, _ in bench.lines[0].calls[0].headers}


async def test_a_phone_with_a_wrong_password_cannot_call(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    call = Invite(await bench.peer(), edge.sip, caller="201")
    call.send()
    while (answer := await call.wait_final()).status == 407:
        call.with_digest(answer, "201", "guess")
        call.send()
    assert call.final is not None
    assert call.final.status == 403
    assert bench.lines[0].calls == []


async def test_guessing_passwords_ends_in_silence(bench: Bench) -> None:
    keep_phones(bench.folder, "201")
    edge = await bench.start(loopback_trunk=False)
    peer = await bench.peer()
    for _ in range(21):
        guess = Invite(peer, edge.sip, user="201", caller="201", method="REGISTER")
        guess.send()
        guess.with_digest(await guess.wait_final(), "201", "guess")
        guess.send()
        assert (await guess.wait_final()).status == 401
    last = Invite(peer, edge.sip, user="201", caller="201", method="REGISTER")
    last.send()
    trunk_free = Invite(await bench.peer("127.0.0.7"), edge.sip, user="201", caller="201", method="REGISTER")
    trunk_free.send()
    assert (await trunk_free.wait_final()).status == 401  # answered after `last` was dropped
    assert peer.replies(last.call_id).empty()


async def test_a_stranger_who_sends_too_much_is_not_answered(bench: Bench) -> None:
    edge = await bench.start(loopback_trunk=False)
    stranger = await bench.peer("127.0.0.5")
    asked = [Invite(stranger, edge.sip, method="OPTIONS") for _ in range(400)]
    for one in asked:
        one.send()
    other = Invite(await bench.peer("127.0.0.6"), edge.sip, method="OPTIONS")
    other.send()
    assert (await other.wait_final()).status == 200, "others are not affected"
    answered = sum(not stranger.replies(one.call_id).empty() for one in asked)
    assert 0 < answered < 300


async def test_too_many_calls_at_once_from_one_address(bench: Bench) -> None:
    edge = await bench.start(lines=2, new_calls_per_s=4, line={"callers_per_line": 4})
    peer = await bench.peer()
    calls = [Invite(peer, edge.sip) for _ in range(16)]
    for call in calls:
        call.send()
    answers = [(await call.wait_final()).status for call in calls]
    assert set(answers) == {200, 503}
    refused = answers.count(503)
    await edge.stop()
    bodies = [r["body"] for r in edge.records()]
    assert {b["reason"] for b in bodies} == {"flood"}
    assert sum(b["count"] for b in bodies) == refused
    assert len(bodies) <= 2, "one caller's refusals are counted, not listed"


async def test_outbound_calls_only_to_listed_prefixes(bench: Bench) -> None:
    carrier = await bench.peer()
    trunks = [{"name": "carrier", "address": "127.0.0.9", "outbound": f"127.0.0.1:{carrier.port}"}]
    edge = await bench.start(loopback_trunk=False, trunks=trunks, outbound_prefixes=["139"], outbound_calls_per_min=1)
    line = bench.lines[0]
    call = line.dial(edge.sip, "13900001111")
    async with asyncio.timeout(5):
        invite = await carrier.got.get()
    assert invite.uri == f"sip:13900001111@127.0.0.1:{carrier.port}"
    carrier.answer(invite, 486, "Busy", tag="c")
    assert (await call.wait_final()).status == 486
    premium = line.dial(edge.sip, "00881600000")
    assert (await premium.wait_final()).status == 403
    busy = asyncio.create_task(_engaged(carrier))
    answers = [(await line.dial(edge.sip, f"1390000{n}").wait_final()).status for n in (2222, 3333)]
    busy.cancel()
    assert 503 in answers, "one a minute, which may turn between two of them"


async def _engaged(carrier: Peer) -> None:
    """Whoever is called by the trunk is."""
    while True:
        if (invite := await carrier.got.get()).method == "INVITE":
            carrier.answer(invite, 486, "Busy", tag="c")


async def test_an_outbound_call_answers_the_carriers_question_for_the_password(bench: Bench) -> None:
    carrier = await bench.peer()
    trunk = {"name": "c", "outbound": f"127.0.0.1:{carrier.port}", "user": "4001234", "password_env": "TRUNK_PASSWORD"}
    edge = await bench.start(
        loopback_trunk=False, trunks=[trunk], outbound_prefixes=["1"], environment={"TRUNK_PASSWORD": PASSWORD}
    )
    call = bench.lines[0].dial(edge.sip, "13900001111")
    async with asyncio.timeout(10):
        first = await carrier.got.get()
        asked = 'Proxy-Authenticate: Digest realm="carrier", nonce="n2", algorithm=MD5'
        carrier.answer(first, 407, "Proxy Authentication Required", extra=(asked,), tag="r")
        while not (second := await carrier.got.get()).header("proxy-authorization"):
            pass
    answer = md5(f"{md5(f'4001234:carrier:{PASSWORD}')}:n2:{md5(f'INVITE:{second.uri}')}")
    assert f'response="{answer}"' in second.header("proxy-authorization")
    carrier.answer(second, 200, "OK", body=bench.lines[0].sdp, tag="s")
    assert (await call.wait_final()).status == 200


async def test_a_trunk_is_registered_with_user_and_password(bench: Bench) -> None:
    carrier = await bench.peer()
    trunks = [
        {"name": "c", "registrar": f"127.0.0.1:{carrier.port}", "user": "4001234", "password_env": "TRUNK_PASSWORD"}
    ]
    edge = await bench.start(loopback_trunk=False, trunks=trunks, environment={"TRUNK_PASSWORD": PASSWORD})
    async with asyncio.timeout(40):
        first = await carrier.got.get()
        assert first.method == "REGISTER"
        asked = 'WWW-Authenticate: Digest realm="carrier", nonce="n1", algorithm=MD5'
        carrier.answer(first, 401, "Unauthorized", extra=(asked,), tag="r")
        while not (second := await carrier.got.get()).header("authorization"):
            carrier.answer(second, 401, "Unauthorized", extra=(asked,), tag="r")
    answer = md5(f"{md5(f'4001234:carrier:{PASSWORD}')}:n1:{md5(f'REGISTER:{second.uri}')}")
    assert f'response="{answer}"' in second.header("authorization")
    assert second.header("contact").startswith(f"<sip:4001234@127.0.0.1:{edge.sip[1]}")
    carrier.answer(second, 200, "OK", tag="r")
    for path in edge.var_dir.rglob("*"):
        assert path.is_socket() or path.is_dir() or PASSWORD not in path.read_text(encoding="utf-8", errors="replace")
    call = Invite(carrier, edge.sip, user="4001234")  # from the registrar's address
    call.send()
    assert (await call.wait_final()).status == 200


async def test_a_trunk_without_its_password_stops_the_start(bench: Bench) -> None:
    trunks = [{"name": "c", "registrar": "127.0.0.1:5999", "user": "u", "password_env": "NO_SUCH_PASSWORD"}]
    edge = await bench.start(trunks=trunks, until="fatal")
    assert edge.process is not None
    assert await edge.process.wait() == 78
    assert "export NO_SUCH_PASSWORD=" in edge.said[-1]["message"]
