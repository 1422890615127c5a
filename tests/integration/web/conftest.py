"""One running house for this folder's tests: real desk process, real PostgreSQL, calls told through the link."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.browser.running import Client, House, running_house


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The house, with every story told."""
    with running_house() as running:
        yield running


@pytest.fixture(scope="session")
def admin(house: House) -> Client:
    """The administrator."""
    return house.client("admin")


@pytest.fixture(scope="session")
def agent(house: House) -> Client:
    """An operator."""
    return house.client("agent")


@pytest.fixture(scope="session")
def supervisor(house: House) -> Client:
    """A supervisor."""
    return house.client("supervisor")


@pytest.fixture(scope="session")
def dispatcher(house: House) -> Client:
    """The dispatcher of engineering."""
    return house.client("dispatcher")
