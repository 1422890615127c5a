"""What may break between a node and the desks: nothing is lost, nothing happens twice."""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import os
import signal
import socket
import sys
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import pytest
from desk_node import FakeSpeech, K, Linked, labels, linked, served, settings_of, until

from callcenter.config import Settings
from callcenter.desk import calls, recordings
from callcenter.desk.house import Desk, open_desk
from callcenter.node.journal import Journal, close_open_calls
from callcenter.node.link import LinkClient
from callcenter.store.embedded import EmbeddedPostgres
from tests.harness.ports import free_port
from tests.harness.ticks import ticks

DESK = """
import asyncio, os, signal, sys
from pathlib import Path
from aiohttp import web
from pydantic import SecretStr
from callcenter.config import DatabaseSettings, DeskSettings, NodeSettings, Settings
from callcenter.desk import link
from callcenter.desk.house import open_desk

async def main(var_dir, dsn, port, die_after):
    if die_after:
        send = link.NodeLink.send
        async def dies(self, message):
            if message["type"] == "ack" and message["seq"] >= die_after:
                os.kill(os.getpid(), signal.SIGKILL)  # committed, and not acknowledged
            await send(self, message)
        link.NodeLink.send = dies
    settings = Settings(node=NodeSettings(var_dir=Path(var_dir), secret=SecretStr("test-secret")),
        desk=DeskSettings(tls="off"), database=DatabaseSettings(dsn=SecretStr(dsn)))
    async with open_desk(settings) as desk:
        app = web.Application()
        app.add_routes(link.routes(desk))
        runner = web.AppRunner(app)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        sys.stderr.write("serving\\n")
        await asyncio.Event().wait()

asyncio.run(main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])))
"""


async def completed(pool: Any, call: object) -> Any:
    return await until(lambda: pool.fetchrow("select * from call where id = $1 and completed_at is not null", call))


async def test_a_link_that_breaks_in_the_moment_it_is_ended_is_ended(
    desk: Desk, node: Linked, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a role that is told to end, while its desk goes, would stay for ever."""

    async def breaks(_: LinkClient, __: object) -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise ConnectionResetError from None

    monkeypatch.setattr(LinkClient, "_send_all", breaks)
    journal = Journal.create(node.settings.var_dir / "another")
    other = LinkClient(node.settings, role="line", number=2, journal=journal)
    running = asyncio.create_task(other.run())
    async with asyncio.timeout(20):
        async for _ in ticks():
            if other.linked:
                break
    running.cancel()
    done, _ = await asyncio.wait([running], timeout=20)
    running.cancel()
    journal.close()
    assert done == {running}
    assert running.cancelled()


async def test_a_desk_killed_between_commit_and_ack_stores_everything_once(
    var_dir: Path, dsn: str, pool: Any, speech: object
) -> None:
    port = free_port(socket.SOCK_STREAM)
    own = settings_of(var_dir, dsn, [f"http://127.0.0.1:{port}"])
    async with linked(own) as node:
        call = node.line.whole_call("厨房水管漏水了", 100777)
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DESK, str(var_dir), dsn, str(port), "1", stdout=asyncio.subprocess.DEVNULL
        )
        assert await process.wait() == -signal.SIGKILL
        journal = node.line.journal.id
        stored = await pool.fetchval("select count(*) from event where journal = $1", journal)
        assert 1 <= stored <= 5, "as many as had arrived when the first of them were committed"
        assert node.link.waiting == 5, "nothing was acknowledged"
        process = await asyncio.create_subprocess_exec(
            sys.executable, "-c", DESK, str(var_dir), dsn, str(port), "0", stdout=asyncio.subprocess.DEVNULL
        )
        try:
            async with asyncio.timeout(30):
                await node.link.shipped()
            row = await completed(pool, call)
        finally:
            process.terminate()
            await process.wait()
    assert row["ticket"] == 100777
    assert await pool.fetchval("select count(*) from event where journal = $1", node.line.journal.id) == 5
    assert await pool.fetchval("select count(*) from utterance") == 1
    assert await pool.fetchval("select count(*) from ticket") == 1
    assert await pool.fetchval("select count(*) from event where kind = 'ticket.open'") == 1


async def test_the_database_goes_in_mid_call_and_the_journal_ships_later(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "pg", options=("fsync=off",))
    await server.start()
    await server.make_database("callcenter")
    settings = settings_of(var_dir, server.dsn())
    try:
        async with AsyncExitStack() as stack:
            desk = await stack.enter_async_context(open_desk(settings))
            address = await stack.enter_async_context(served(desk))
            node = await stack.enter_async_context(linked(settings_of(var_dir, server.dsn(), [address])))
            call = node.line.ring()
            node.line.answer(call)
            await node.link.shipped()
            number = await _number(node)
            await server.stop()
            node.line.hear(call, "厨房水管漏水了")
            node.line.open(call, number, labels())
            node.line.end(call)
            await node.line.journal.settle()
            await until(lambda: _is(not desk.healthy))
            assert node.link.waiting == 3
            await server.start()
            row = await completed(desk.pool, call)
            assert row["ticket"] == number
            assert await desk.pool.fetchval("select count(*) from ticket") == 1
            await until(lambda: _is(desk.healthy))
    finally:
        await server.stop()


def there(path: str | None) -> bool:
    return path is not None and Path(path).exists()


def content_of(path: str) -> bytes:
    return Path(path).read_bytes()


async def _is(value: bool) -> bool:
    return value


async def _number(node: Linked) -> int:
    numbers = node.line.numbers
    assert numbers is not None
    await until(lambda: _is(numbers.left > 0))
    return node.link.take_number()


async def test_two_desks_share_the_work_and_each_call_is_one_matter(
    settings: Settings, speech: FakeSpeech, tmp_path: Path
) -> None:
    for n in range(10):
        speech.answers[f"路灯坏了{n}"] = labels("facility", room=f"{n + 1}01")
    async with AsyncExitStack() as stack:
        desks = [await stack.enter_async_context(open_desk(settings)) for _ in range(2)]
        addresses = [await stack.enter_async_context(served(desk)) for desk in desks]
        dsn = desks[0].dsn
        nodes = [
            await stack.enter_async_context(linked(settings_of(tmp_path / f"node{n}", dsn, [addresses[n]])))
            for n in range(2)
        ]
        numbers = [await _number(node) for node in nodes for _ in range(3)]
        assert len(set(numbers)) == 6
        called = []
        for n in range(10):
            line = nodes[n % 2].line
            call = line.ring(number=f"1391234000{n}")
            line.answer(call)
            line.hear(call, f"路灯坏了{n}")
            line.end(call)
            called.append(call)
        for call in called:
            await completed(desks[0].pool, call)
        assert await desks[0].pool.fetchval("select count(*) from ticket") == 10
        opened = await desks[0].pool.fetchval("select count(*) from event where kind = 'ticket.open'")
        assert opened == 10
        journals = await desks[0].pool.fetch("select distinct journal from event where kind = 'ticket.open'")
        assert {r["journal"] for r in journals} <= {desk.journal for desk in desks}
        # What one desk is told shows on the other, with the words.
        live = nodes[0].line.ring()
        await until(lambda: desks[1].pool.fetchrow("select 1 from call where id = $1", live))
        nodes[0].link.partial(live, "caller", 1000, "喂")

        async def words_on_the_other_desk() -> bool:
            return any(row.last_text == "喂" for row in await calls.now(desks[1], "xingfu"))

        await until(words_on_the_other_desk)


async def test_a_node_moves_to_another_desk_when_one_goes(settings: Settings, speech: object, tmp_path: Path) -> None:
    async with AsyncExitStack() as stack:
        desk = await stack.enter_async_context(open_desk(settings))
        second = await stack.enter_async_context(served(desk))
        async with AsyncExitStack() as first_life:
            first = await first_life.enter_async_context(served(desk))
            own = settings_of(tmp_path, desk.dsn, [first, second])
            node = await stack.enter_async_context(linked(own))
            node.line.ring()
            await node.link.shipped()
        call = node.line.whole_call("路灯坏了")
        await completed(desk.pool, call)


async def test_the_same_records_again_change_nothing(desk: Desk, node: Linked) -> None:
    call = node.line.whole_call("厨房水管漏水了", 100777)
    await completed(desk.pool, call)
    before = await desk.pool.fetchrow("select count(*), max(id) from event")
    async with desk.pool.acquire() as connection, connection.transaction():
        for record in node.line.journal.tail(0).more():
            from callcenter.desk.projection import store_record

            assert not await store_record(desk, connection, record, "node1")
    assert await desk.pool.fetchrow("select count(*), max(id) from event") == before


async def test_a_dead_lines_call_is_closed_by_the_next_and_becomes_a_matter(
    desk: Desk, node: Linked, tmp_path: Path
) -> None:
    folder = tmp_path / "journals"
    dead = Journal.create(folder)
    line = type(node.line)(dead)
    call = line.ring()
    line.answer(call)
    line.hear(call, "我家水管")
    dead.close()
    (adopted,) = Journal.adopt_dead(folder)
    assert [c.call for c in close_open_calls(adopted)] == [call]
    node.link.adopt(adopted)
    row = await completed(desk.pool, call)
    assert (row["end_reason"], row["state"]) == ("line_died", "ended")
    assert row["ticket"] is not None
    await until(lambda: _is(not list(folder.glob("*.jsonl"))))


async def test_a_wrong_secret_is_refused(desk: Desk, settings: Settings, tmp_path: Path) -> None:
    from pydantic import SecretStr

    async with served(desk) as address:
        own = settings_of(tmp_path, desk.dsn, [address])
        wrong = own.model_copy(update={"node": own.node.model_copy(update={"secret": SecretStr("other")})})
        async with linked(wrong) as stranger:
            stranger.line.ring()
            await until(lambda: desk.pool.fetchval("select true"))
            assert not await stranger.link._link_once(desk_addresses(address))
            assert stranger.link.waiting == 1


def desk_addresses(address: str) -> Any:
    from callcenter.node.desks import DeskAddress

    host, port = address.removeprefix("http://").split(":")
    return DeskAddress(host, int(port), tls=False)


async def test_blocks_of_numbers_never_overlap(desk: Desk) -> None:
    from callcenter.desk.intake import take_number
    from callcenter.store.pool import statements

    events = statements("event")
    blocks = await asyncio.gather(*(events.lease_block(desk.pool, node=f"n{n}", line=1) for n in range(8)))
    spans = sorted((b["first"], b["last"]) for b in blocks)
    assert all(a[1] < b[0] for a, b in itertools.pairwise(spans))
    assert spans[0][0] >= 100001

    async def own() -> int:
        async with desk.pool.acquire() as connection, connection.transaction():
            return await take_number(connection)

    taken = await asyncio.gather(*(own() for _ in range(20)))
    assert len(set(taken)) == 20
    assert not any(first <= n <= last for n in taken for first, last in spans)


def flac(tmp_path: Path, content: bytes = b"fLaC" + os.urandom(300_000)) -> tuple[Path, str]:
    path = tmp_path / f"{os.urandom(4).hex()}.flac"
    path.write_bytes(content)
    return path, hashlib.sha256(content).hexdigest()


async def test_a_recording_reaches_the_store_whole_and_leaves_the_node(
    desk: Desk, node: Linked, tmp_path: Path
) -> None:
    path, digest = flac(tmp_path)
    call = node.line.ring()
    node.link.outbox.add(call, path)  # before the desk knows the call: asked again
    node.line.answer(call)
    node.line.write(
        K.CALL_RECORDING, call,
        {"file": path.name, "sha256": digest, "bytes": 300_004, "duration_ms": 8000, "channels": ["caller", "ours"],
         "sample_rate_hz": 8000, "delete_after": "2027-11-21T00:00:00+00:00", "notice_given": True, "objected": False},
    )  # fmt: skip
    node.line.end(call)

    async def stored() -> Any:
        found = await calls.recording(desk, call)
        return found if found is not None and found.state == "stored" else None

    kept = await until(stored)
    assert kept.path is not None
    assert hashlib.sha256(content_of(kept.path)).hexdigest() == digest == kept.sha256
    assert Path(kept.path).is_relative_to(desk.settings.store_dir / "xingfu")
    assert kept.notice_given
    assert kept.delete_after is not None
    await until(lambda: _is(node.link.outbox.waiting == 0))

    async def blocks(content: bytes) -> Any:
        yield content

    content = content_of(kept.path)
    assert await recordings.take(desk, call, digest, blocks(content)) == recordings.HAD_IT
    await calls.listened(desk, call, (await desk.pool.fetchval("select id from account")), 1500)
    assert [(from_ms) for _, _, from_ms in await calls.listenings(desk, call)] == [1500]
    await calls.forget_audio(desk, call, "wang_fang", "来电人不同意录音")
    assert not there(kept.path)
    gone = await calls.recording(desk, call)
    assert gone is not None
    assert (gone.state, gone.objected, gone.path) == ("deleted", True, None)
    kinds = [s.kind for s in (await calls.one(desk, call)).steps]
    assert kinds.count("recording.objected") == kinds.count("recording.deleted") == 1
    assert await recordings.take(desk, call, digest, blocks(content)) == recordings.HAD_IT
    assert not there(kept.path), "what was objected to does not come back"


async def test_a_call_whose_caller_objected_has_no_audio_and_says_so(desk: Desk, node: Linked) -> None:
    call = node.line.ring()
    node.line.answer(call)
    node.line.write(
        K.CALL_RECORDING, call,
        {"file": None, "sha256": None, "bytes": 0, "duration_ms": 0, "channels": ["caller", "ours"],
         "sample_rate_hz": 8000, "delete_after": "2027-11-21T00:00:00+00:00", "notice_given": True, "objected": True},
    )  # fmt: skip
    node.line.end(call)

    async def objected() -> Any:
        return await desk.pool.fetchval("select objected and ended_at is not null from call where id = $1", call)

    await until(objected)
    assert await calls.recording(desk, call) is None
    assert await desk.pool.fetchval("select count(*) from job where kind = 'reproject'") == 0, "applied at once"


async def test_a_damaged_recording_is_refused_and_leaves_nothing(desk: Desk, node: Linked) -> None:
    call = node.line.ring()
    await node.link.shipped()

    async def blocks() -> Any:
        yield b"half"

    with pytest.raises(Exception, match="damaged"):
        await recordings.take(desk, call, "0" * 64, blocks())
    assert list(desk.settings.store_dir.rglob("*")) == [p for p in desk.settings.store_dir.rglob("*") if p.is_dir()]


async def test_recordings_past_their_time_are_deleted_and_logged(desk: Desk, node: Linked, tmp_path: Path) -> None:
    path, digest = flac(tmp_path)
    call = node.line.ring()
    await node.link.shipped()
    node.link.outbox.add(call, path)
    await until(lambda: desk.pool.fetchval("select count(*) from recording where state = 'stored'"))
    stored = await calls.recording(desk, call)
    assert stored is not None
    await desk.pool.execute("update recording set delete_after = now() - interval '1 day'")
    task = asyncio.create_task(recordings.keep_retention(desk))
    await until(lambda: desk.pool.fetchval("select count(*) from recording where state = 'deleted'"))
    task.cancel()
    assert not there(stored.path)
    assert digest == stored.sha256
    body = await desk.pool.fetchrow("select body, rules from event where kind = 'recording.deleted'")
    assert (body["body"], body["rules"]) == ({"why": "retention"}, ["R35"])
