"""One house for the calls of a module; what one test hurts must have healed for the next."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from tests.calls.calling import Calling, calling_house
from tests.calls.hotline import Hotline, running_hotline


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def hotline() -> AsyncIterator[Hotline]:
    """Two lines with three callers each, ready."""
    async with running_hotline(lines=2, settings={"line": {"callers_per_line": 3}}) as running:
        yield running


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calling() -> AsyncIterator[Calling]:
    """Two lines with two callers each, and a trunk by which residents are called."""
    async with calling_house() as running:
        yield running
