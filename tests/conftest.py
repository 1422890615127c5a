"""Fixtures for every test."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from xdist.scheduler.loadscope import LoadScopeScheduling

from tests.harness.house import House

ORDER = ("calls", "integration", "model", "contract", "unit", "browser")
"""Folders as workers take them: what takes longest first, and what leaves Playwright's event loop behind last."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shared out among workers (`-n`), the tests come in ORDER, so that none works long alone at the end."""
    if hasattr(config, "workerinput"):
        items.sort(key=lambda item: ORDER.index(item.nodeid.split("/")[1]))


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of one file stay together, since they share a house; those in the browser are all one."""

    def _split_scope(self, nodeid: str) -> str:
        return "tests/browser" if nodeid.startswith("tests/browser/") else nodeid.partition("::")[0]


def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> ByFile:
    """How tests are shared out among workers: in their order, file by file."""
    config.option.loadscopereorder = False
    return ByFile(config, log)


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
