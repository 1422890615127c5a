"""Names of trunks: what counts while no name server answers (R5)."""

from __future__ import annotations

import asyncio
import socket
import stat
import time
from pathlib import Path
from typing import Any

import pytest

from callcenter.config import Settings
from callcenter.edge import role as edge_role
from callcenter.edge.registrars import Registrars
from callcenter.edge.render import render
from callcenter.edge.role import EdgeRole


class NameServer:
    """Answers look-ups of `getaddrinfo`, until it is away."""

    def __init__(self, *addresses: str) -> None:
        self.addresses: tuple[str, ...] | None = addresses
        self.slow_s = 0.0

    def __call__(self, host: str, port: object, family: int) -> list[Any]:
        assert (host, port, family) == ("sip.example.com", None, socket.AF_INET)
        time.sleep(self.slow_s)
        if self.addresses is None:
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        return [(family, socket.SOCK_DGRAM, 17, "", (address, 0)) for address in self.addresses]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> NameServer:
    server = NameServer("203.0.113.8", "203.0.113.7")
    monkeypatch.setattr(socket, "getaddrinfo", server)
    return server


def settings(var_dir: Path, registrar: str = "sip.example.com:5080") -> Settings:
    trunks = [
        {"name": "listed", "address": "198.51.100.0/24"},
        {"name": "named", "registrar": registrar, "user": "u", "password_env": "P"},
    ]
    return Settings.model_validate({"node": {"var_dir": str(var_dir)}, "edge": {"trunks": trunks}})


def test_a_name_that_cannot_be_looked_up_keeps_its_addresses(tmp_path: Path, names: NameServer) -> None:
    registrars = Registrars(settings(tmp_path))
    assert registrars.networks == [], "nobody was asked yet"
    registrars.look_up()
    both = ["203.0.113.7/32", "203.0.113.8/32"]
    assert registrars.networks == both
    names.addresses = None
    registrars.look_up()
    assert registrars.networks == both
    assert Registrars(settings(tmp_path)).networks == both, "over a restart as well"
    names.addresses = ("203.0.113.9",)
    registrars.look_up()
    assert registrars.networks == ["203.0.113.9/32"]


def test_an_address_needs_no_look_up(tmp_path: Path) -> None:
    assert Registrars(settings(tmp_path, "203.0.113.5:5080")).networks == ["203.0.113.5/32"]


def test_what_is_no_name_has_no_address(tmp_path: Path) -> None:
    registrars = Registrars(settings(tmp_path, "sip..example.com"))
    registrars.look_up()
    assert registrars.networks == []


@pytest.mark.parametrize("kept", [b"", b"[]", b'{"sip.example.com": ["x", 5]}', b'{"sip.example.com": 5}', b"\xff"])
def test_what_was_kept_may_be_broken(tmp_path: Path, names: NameServer, kept: bytes) -> None:
    (tmp_path / "node").mkdir(mode=0o700)
    (tmp_path / "node" / "trunk-addresses.json").write_bytes(kept)
    registrars = Registrars(settings(tmp_path))
    assert registrars.networks == []
    registrars.look_up()
    assert len(registrars.networks) == 2
    assert stat.S_IMODE((tmp_path / "node" / "trunk-addresses.json").stat().st_mode) == 0o600


async def test_a_slow_name_server_holds_up_nothing_and_shuts_no_trunk_out(
    tmp_path: Path, names: NameServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing but the trunks' own task waits for it: the edge goes on saying that it is alive."""
    here = settings(tmp_path)
    Registrars(here).look_up()
    names.addresses, names.slow_s = None, 0.4
    told: list[tuple[str, ...]] = []

    class Kamailio:
        async def call(self, method: str, *parameters: str | int) -> None:
            told.append((method, *map(str, parameters)))

    monkeypatch.setenv("P", "password")
    monkeypatch.setattr(edge_role, "TRUNKS_S", 0.01)
    role = EdgeRole(here)
    try:
        files = render(here, 5060, None, (), role._registrars.networks)
        before = files.addresses.read_text(encoding="utf-8")
        task = asyncio.create_task(role._keep_trunks(files, Kamailio()))  # type: ignore[arg-type]
        longest, last, until = 0.0, time.monotonic(), time.monotonic() + 1.0
        while time.monotonic() < until:
            await asyncio.sleep(0.01)
            longest, last = max(longest, time.monotonic() - last), time.monotonic()
        assert not task.done()
        task.cancel()
        assert longest < 0.4, "the loop waited for the name server"
        assert [method for method, *_ in told] == ["permissions.addressReload", "uac.reg_remove", "uac.reg_add"]
        assert files.addresses.read_text(encoding="utf-8") == before
        for network in ("1 198.51.100.0 24 0 trunk", "1 203.0.113.7 32 0 trunk", "1 203.0.113.8 32 0 trunk"):
            assert network in before.splitlines()
    finally:
        role.journal.close()
