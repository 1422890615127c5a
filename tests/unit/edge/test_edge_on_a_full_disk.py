"""A full disk takes nothing from an edge that runs: the lines, trunks and phones it knows stay, newer ones wait."""

from __future__ import annotations

import errno
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.config import Settings
from callcenter.edge import phones, registrars
from callcenter.edge import role as edge_role
from callcenter.edge.lines import LineAddress
from callcenter.edge.render import render
from callcenter.edge.role import EdgeRole
from callcenter.node.link import Phone


class Kamailio:
    """Takes every command, and keeps which."""

    def __init__(self) -> None:
        self.told: list[str] = []

    async def call(self, method: str, *_: str | int) -> None:
        self.told.append(method)


@pytest.fixture
def here(tmp_path: Path) -> Settings:
    return Settings.model_validate({"node": {"var_dir": str(tmp_path)}})


@pytest.fixture
def role(here: Settings) -> Iterator[EdgeRole]:
    role = EdgeRole(here)
    yield role
    role.journal.close()


def fill_the_disk(monkeypatch: pytest.MonkeyPatch, *modules: object) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for module in modules:
        for name in ("replace_file", "write_lines", "write_addresses"):
            if hasattr(module, name):
                monkeypatch.setattr(module, name, full)


async def test_a_line_that_came_is_told_when_there_is_room(
    here: Settings, role: EdgeRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    files, kamailio = render(here, 5060, None, ()), Kamailio()
    await role._look(files, kamailio)  # type: ignore[arg-type]
    kamailio.told.clear()
    lines = [LineAddress("127.0.0.1", 5071)]
    monkeypatch.setattr(role, "_see_lines", lambda: lines)
    with monkeypatch.context() as disk:
        fill_the_disk(disk, edge_role)
        await role._look(files, kamailio)  # type: ignore[arg-type]
        assert await role._tell_trunks(files, kamailio) is False  # type: ignore[arg-type]
    assert "dispatcher.reload" not in kamailio.told
    await role._look(files, kamailio)  # type: ignore[arg-type]
    assert await role._tell_trunks(files, kamailio) is True  # type: ignore[arg-type]
    assert {"dispatcher.reload", "permissions.addressReload"} <= set(kamailio.told)
    assert "5071" in files.lines.read_text(encoding="utf-8")


def test_phones_that_cannot_be_written_down_are_known_all_the_same(
    here: Settings, role: EdgeRole, monkeypatch: pytest.MonkeyPatch
) -> None:
    fill_the_disk(monkeypatch, phones)
    role._take_phones(7, [Phone("8001", "0" * 32)])
    assert (role._phones.version, role._phones.ha1) == (7, {"8001": "0" * 32})


def test_addresses_that_cannot_be_written_down_are_known_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    trunk = {"name": "t", "registrar": "localhost", "user": "u", "password_env": "P"}
    settings = Settings.model_validate({"node": {"var_dir": str(tmp_path)}, "edge": {"trunks": [trunk]}})
    found = registrars.Registrars(settings)
    fill_the_disk(monkeypatch, registrars)
    found.look_up()
    assert found.networks == ["127.0.0.1/32"]
