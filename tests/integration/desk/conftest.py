"""A desk on a real database, with a node that is linked to it by the real client."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path

import pytest
import pytest_asyncio
from desk_node import FakeSpeech, Linked, linked, served, settings_of, speech_at

from callcenter.config import Settings
from callcenter.desk.house import Desk, open_desk


@pytest.fixture
def dsn(seeded_dsn: str) -> str:
    """The desk's tests begin with the example site loaded."""
    return seeded_dsn


@pytest.fixture
def settings(var_dir: Path, dsn: str) -> Settings:
    return settings_of(var_dir, dsn)


@pytest_asyncio.fixture
async def speech(settings: Settings) -> AsyncIterator[FakeSpeech]:
    async with speech_at(settings) as fake:
        yield fake


@pytest_asyncio.fixture
async def desk(settings: Settings, speech: FakeSpeech) -> AsyncIterator[Desk]:
    """One desk with all its background work."""
    async with open_desk(settings) as desk:
        yield desk


@pytest_asyncio.fixture
async def node(desk: Desk, settings: Settings) -> AsyncIterator[Linked]:
    """A line linked to the desk."""
    async with AsyncExitStack() as stack:
        address = await stack.enter_async_context(served(desk))
        own = settings_of(settings.var_dir, str(desk.dsn), [address])
        yield await stack.enter_async_context(linked(own))
