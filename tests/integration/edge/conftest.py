"""Edges with real Kamailio, and fake lines behind them."""

from __future__ import annotations

import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from tests.harness.edge_bench import Bench


@pytest.fixture(autouse=True, scope="session")
def _kamailio_installed() -> None:
    found = shutil.which("kamailio", path="/usr/sbin:/usr/bin:/usr/local/sbin")
    assert found, "these tests need Kamailio: apt-get install kamailio"


@pytest_asyncio.fixture
async def bench(tmp_path: Path) -> AsyncIterator[Bench]:
    made = Bench(tmp_path / "v")
    yield made
    await made.close()
