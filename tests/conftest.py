"""Fixtures for every test."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from hypothesis import HealthCheck, settings
from xdist.scheduler.loadscope import LoadScopeScheduling
from xdist.workermanage import WorkerController

from tests.harness.house import House

settings.register_profile("untimed", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("untimed")  # how fast an example is, is the machine's affair: times live in bench/

ORDER = ("calls", "integration", "browser", "model", "contract", "unit")
"""Folders as workers take them: what takes longest first."""
LONG = (
    "test_broken_parts", "test_reach_by_telephone", "test_what_residents_say", "test_called_back", "test_operator",
    "test_demo",
)  # fmt: skip
"""Files of calls that take minutes, the longest first."""
BROWSER = "tests/browser"


def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: calls wait more than they compute."""
    return len(os.sched_getaffinity(0)) + 1


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Shared out among workers (`-n`), the tests come in ORDER, so that none works long alone at the end."""

    def place(item: pytest.Item) -> tuple[int, int]:
        name = item.path.stem
        return ORDER.index(item.nodeid.split("/")[1]), LONG.index(name) if name in LONG else len(LONG)

    if hasattr(config, "workerinput"):
        items.sort(key=place)


class ByFile(LoadScopeScheduling):  # type: ignore[misc]
    """The tests of one file stay together, since they share a house; those in the browser are all one.

    Playwright leaves an event loop behind in its worker, so that worker gets nothing more if there is another.
    """

    def _split_scope(self, nodeid: str) -> str:
        return BROWSER if nodeid.startswith(BROWSER + "/") else nodeid.partition("::")[0]

    def _assign_work_unit(self, node: WorkerController) -> None:
        others = any(other is not node and not other.shutting_down for other in self.nodes)
        if not others and BROWSER in self.workqueue:
            self.workqueue.move_to_end(BROWSER)
        is_last = next(iter(self.workqueue)) == BROWSER
        super()._assign_work_unit(node)
        if is_last:
            node.shutdown()


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
