"""A Kamailio of somebody else outlives us and is started again without us: it is always told everything anew."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from callcenter.config import Settings
from callcenter.edge.lines import LineAddress
from callcenter.edge.render import EdgeFiles, render
from callcenter.edge.role import EdgeRole
from callcenter.errors import TelephonyError
from callcenter.node.link import Phone


class Kamailio:
    """Its tables and its registrations, as far as an edge can change them; `start` makes it forget."""

    def __init__(self) -> None:
        self.start()

    def start(self) -> None:
        self.closing = 0
        self.edge: int | None = None
        self.phones: dict[str, str] = {}
        self.trunks: list[str] = []
        self.reloads = 0

    async def call(self, method: str, *said: Any) -> Any:
        match method:
            case "htable.get":
                if self.edge is None:
                    raise TelephonyError("edge.rpc_refused", "Key name doesn't exist in htable.")
                return {"item": {"name": said[1], "value": self.edge}}
            case "htable.seti":
                setattr(self, said[1], said[2])
            case "htable.flush":
                assert said == ("ha1",)
                self.phones.clear()
            case "htable.sets":
                self.phones[said[1]] = said[2]
            case "dispatcher.reload":
                self.reloads += 1
            case "uac.reg_remove":
                if said[0] not in self.trunks:
                    raise TelephonyError("edge.rpc_refused", "no such registration")
                self.trunks.remove(said[0])
            case "uac.reg_add":
                if said[0] in self.trunks:
                    raise TelephonyError("edge.rpc_refused", "registered already")
                self.trunks.append(said[0])
        return {}


@pytest.fixture
def kamailio() -> Kamailio:
    return Kamailio()


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("P", "password")
    trunk = {"name": "t", "registrar": "127.0.0.1:5080", "user": "4001", "password_env": "P"}
    return Settings.model_validate({"node": {"var_dir": str(tmp_path)}, "edge": {"trunks": [trunk]}})


@pytest.fixture
def role(here: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[EdgeRole]:
    role = EdgeRole(here)
    monkeypatch.setattr(role, "_see_lines", lambda: [LineAddress("127.0.0.1", 5071)])
    role._lines = role._see_lines()
    role._take_phones(1, [Phone("8001", "1" * 32)])
    yield role
    role.journal.close()


async def keep(role: EdgeRole, files: EdgeFiles, kamailio: Any) -> None:
    """What the role does again and again, twice."""
    for _ in range(2):
        await role._look(files, kamailio)
        await role._tell_trunks(files, kamailio)
        assert await role._well(kamailio)


async def test_what_an_edge_before_us_said_does_not_stay(here: Settings, role: EdgeRole, kamailio: Kamailio) -> None:
    kamailio.closing, kamailio.phones, kamailio.trunks = 1, {"8009": "9" * 32}, ["4001"]
    await keep(role, render(here, 5060, None, role._lines), kamailio)
    assert kamailio.closing == 0, "it takes calls again"
    assert kamailio.phones == {"8001": "1" * 32}, "a phone that was taken away meanwhile is gone"
    assert kamailio.trunks == ["4001"]
    assert kamailio.reloads == 1, "the lines of today, not those of yesterday"


async def test_a_kamailio_that_was_started_again_is_told_everything(
    here: Settings, role: EdgeRole, kamailio: Kamailio
) -> None:
    files = render(here, 5060, None, role._lines)
    await keep(role, files, kamailio)
    kamailio.start()
    assert await role._well(kamailio)  # type: ignore[arg-type]
    assert role._anew.is_set(), "trunks are registered at once, not after a minute"
    await keep(role, files, kamailio)
    assert (kamailio.phones, kamailio.trunks, kamailio.reloads) == ({"8001": "1" * 32}, ["4001"], 1)


async def test_while_draining_it_stays_closed(here: Settings, role: EdgeRole, kamailio: Kamailio) -> None:
    files = render(here, 5060, None, role._lines)
    await keep(role, files, kamailio)
    role.signal()
    kamailio.start()
    await keep(role, files, kamailio)
    await keep(role, files, kamailio)
    assert kamailio.closing == 1


async def test_the_trunks_task_is_woken(here: Settings, role: EdgeRole, kamailio: Kamailio) -> None:
    files = render(here, 5060, None, role._lines)
    task = asyncio.create_task(role._keep_trunks(files, kamailio))  # type: ignore[arg-type]
    await keep(role, files, kamailio)
    await asyncio.sleep(0.05)
    kamailio.start()
    assert await role._well(kamailio)  # type: ignore[arg-type]
    await asyncio.sleep(0.1)
    assert kamailio.trunks == ["4001"]
    task.cancel()
