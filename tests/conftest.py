"""Fixtures for every test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest_asyncio

from tests.harness.house import House


@pytest_asyncio.fixture
async def make_house() -> AsyncIterator[Callable[..., House]]:
    """Makes houses in folders of their own; they are ended with the test."""
    made: list[House] = []

    def make(**shape: Any) -> House:
        folder = Path(tempfile.mkdtemp(prefix="house-"))  # short: sockets' paths have 107 bytes
        folder.chmod(0o755)  # PostgreSQL runs as another user when the tests run as root
        house = House(folder, **shape)
        made.append(house)
        return house

    yield make
    for house in made:
        await house.stop(timeout_s=15)
        shutil.rmtree(house.folder, ignore_errors=True)


@pytest_asyncio.fixture
async def house(make_house: Callable[..., House]) -> House:
    """A whole house with two lines, ready."""
    made = make_house()
    await made.start()
    return made
