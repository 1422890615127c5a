"""A real PostgreSQL for the whole run, and a fresh copy of the migrated database for each test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from pydantic import SecretStr

from callcenter.config import DatabaseSettings, NodeSettings, Settings
from callcenter.desk.house import open_desk
from callcenter.store.embedded import EmbeddedPostgres
from callcenter.store.migrate import migrate
from callcenter.store.pool import open_pool

TEMPLATE = "template_house"
_numbers = count(1)


def _open_folder(prefix: str) -> Path:
    folder = Path(tempfile.mkdtemp(prefix=prefix))
    folder.chmod(0o755)  # the server runs as an unprivileged user when the tests run as root
    return folder


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def postgres() -> AsyncIterator[EmbeddedPostgres]:
    """The server, with a migrated template database."""
    folder = _open_folder("callcenter-test-")
    server = EmbeddedPostgres(folder / "pg", options=("fsync=off", "full_page_writes=off"))
    await server.start()
    await server.make_database(TEMPLATE)
    await migrate(server.dsn(TEMPLATE))
    yield server
    await server.stop()
    shutil.rmtree(folder)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def seeded(postgres: EmbeddedPostgres) -> str:
    """Name of a template database with the example site in it; its first administrator's password is nobody's."""
    name = "template_seeded"
    await postgres.make_database(name, template=TEMPLATE)
    folder = _open_folder("callcenter-seed-")
    settings = Settings(node=NodeSettings(var_dir=folder), database=DatabaseSettings(dsn=SecretStr(postgres.dsn(name))))
    async with open_desk(settings, background=False):
        pass
    shutil.rmtree(folder)
    return name


@pytest_asyncio.fixture
async def seeded_dsn(postgres: EmbeddedPostgres, seeded: str) -> AsyncIterator[str]:
    """Address of a database of this test alone, with the example site in it."""
    name = f"test_{next(_numbers)}"
    await postgres.make_database(name, template=seeded)
    yield postgres.dsn(name)
    await postgres.drop_database(name)


@pytest_asyncio.fixture
async def dsn(postgres: EmbeddedPostgres) -> AsyncIterator[str]:
    """Address of a database of this test alone."""
    name = f"test_{next(_numbers)}"
    await postgres.make_database(name, template=TEMPLATE)
    yield postgres.dsn(name)
    await postgres.drop_database(name)


@pytest_asyncio.fixture
async def pool(dsn: str) -> AsyncIterator[Any]:
    """A pool on this test's database."""
    pool = await open_pool(dsn)
    yield pool
    pool.terminate()


@pytest.fixture
def var_dir() -> Iterator[Path]:
    """A node's folder that an unprivileged user may pass, for tests that start processes."""
    folder = _open_folder("callcenter-var-")
    yield folder
    shutil.rmtree(folder, ignore_errors=True)
