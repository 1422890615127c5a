"""The embedded PostgreSQL: private, quick the second time, gone with its parent, whole after a kill."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path

import asyncpg
import pytest

from callcenter.errors import StoreError
from callcenter.store.embedded import EmbeddedPostgres
from callcenter.store.migrate import migrate, newest_version

PARENT = """
import asyncio, os, signal, sys
from pathlib import Path
import asyncpg
from callcenter.store.embedded import EmbeddedPostgres

async def main():
    server = EmbeddedPostgres(Path(sys.argv[1]))
    await server.start()
    await server.make_database("kept")
    connection = await asyncpg.connect(server.dsn("kept"))
    await connection.execute("create table if not exists t (n int)")
    await connection.execute("insert into t values (1)")
    print(server.pid, flush=True)
    os.kill(os.getpid(), signal.SIGKILL)

asyncio.run(main())
"""


async def test_it_is_private_and_keeps_what_was_written(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "pg")
    await server.start()
    try:
        assert (var_dir / "pg" / "data").stat().st_mode & 0o777 == 0o700
        assert (var_dir / "pg" / "socket").stat().st_mode & 0o777 == 0o700
        await server.make_database("callcenter")
        await server.make_database("callcenter")
        await migrate(server.dsn())
        with pytest.raises(StoreError, match="another process runs the database"):
            await EmbeddedPostgres(var_dir / "pg").start()
        connection = await asyncpg.connect(server.dsn())
        assert await connection.fetchval("show listen_addresses") == ""
        await connection.close()
    finally:
        await server.stop()
    await server.stop()
    await server.start()
    try:
        connection = await asyncpg.connect(server.dsn())
        assert await connection.fetchval("select version_num from schema_version") == newest_version()
        await connection.close()
    finally:
        await server.stop()


def killed_parent(folder: Path) -> int:
    parent = subprocess.run([sys.executable, "-c", PARENT, str(folder)], stdout=subprocess.PIPE, text=True, check=False)
    assert parent.returncode == -signal.SIGKILL, "see the error above"
    return int(parent.stdout.split()[-1])


async def test_it_dies_with_a_killed_parent_and_loses_nothing(var_dir: Path) -> None:
    folder = var_dir / "pg"
    pids = [killed_parent(folder), killed_parent(folder)]
    server = EmbeddedPostgres(folder)
    await server.start()  # waits for the one before, which was told to end when its parent died
    try:
        assert server.pid not in pids
        connection = await asyncpg.connect(server.dsn("kept"))
        assert await connection.fetchval("select count(*) from t") == 2
        await connection.close()
    finally:
        await server.stop()


async def test_a_killed_server_recovers(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "pg")
    await server.start()
    await server.make_database("callcenter")
    assert server.pid is not None
    os.kill(server.pid, signal.SIGKILL)
    assert await server.wait() == -signal.SIGKILL
    await server.stop()
    await server.start()
    await server.stop()


async def test_only_the_main_thread_may_start_it(var_dir: Path) -> None:
    server = EmbeddedPostgres(var_dir / "pg")
    seen: list[BaseException] = []

    def start() -> None:
        try:
            server.start().send(None)
        except BaseException as error:  # noqa: BLE001 - handed to the test
            seen.append(error)

    thread = threading.Thread(target=start)
    thread.start()
    thread.join()
    assert isinstance(seen[0], AssertionError)


async def test_what_cannot_work_is_said_with_its_mend(var_dir: Path) -> None:
    with pytest.raises(StoreError) as too_long:
        await EmbeddedPostgres(var_dir / ("x" * 100)).start()
    assert "shorter" in str(too_long.value)
    (var_dir / "pg" / "data").mkdir(parents=True)
    (var_dir / "pg" / "data" / "PG_VERSION").write_text("9\n")
    with pytest.raises(StoreError, match="PostgreSQL 9"):
        await EmbeddedPostgres(var_dir / "pg").start()


async def test_a_newer_schema_is_refused(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    await connection.execute("update schema_version set version_num = '9999'")
    await connection.close()
    with pytest.raises(StoreError, match="newer than this program"):
        await migrate(dsn)


async def test_events_and_first_responders_stand(dsn: str) -> None:
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(
            "insert into event (journal, seq, site, at, kind, body)"
            " values (gen_random_uuid(), 1, 's', now(), 'call.step', '{}')"
        )
        for statement in ("update event set body = '[]'", "delete from event"):
            with pytest.raises(asyncpg.RaiseError, match="events stand"):
                await connection.execute(statement)
    finally:
        await connection.close()


async def test_it_runs_where_no_other_user_may_pass(var_dir: Path) -> None:
    """A checkout in /root: PostgreSQL refuses root, and the folder refuses everybody else."""
    closed = var_dir / "closed"
    closed.mkdir(mode=0o700)
    server = EmbeddedPostgres(closed / "pg")
    await server.start()
    try:
        assert closed.stat().st_mode & 0o777 == 0o700, "nobody's rights were widened"
        await server.make_database("here")
        connection = await asyncpg.connect(server.dsn("here"))
        assert await connection.fetchval("select 1") == 1
        await connection.close()
        if os.geteuid() == 0:
            inside = Path(f"/proc/{server.pid}/uid_map").read_text().split()  # noqa: ASYNC240
            assert inside[1:] == ["0", "1"], "in a namespace of its own, root is nobody special"
            assert inside[0] != "0"
    finally:
        await server.stop()
