"""Trunks that want to be registered with: user and password go to Kamailio's memory, into no file."""

from __future__ import annotations

import contextlib
import os

from callcenter.config import Settings
from callcenter.edge.render import EdgeFiles, split_host
from callcenter.edge.rpc import Rpc
from callcenter.errors import ConfigError, TelephonyError
from callcenter.log import get_logger

log = get_logger("edge.trunks")

EXPIRES_S = 300


def _password(settings: Settings, number: int) -> str:
    trunk = settings.edge.trunks[number]
    if not trunk.user or not trunk.password_env:
        raise ConfigError(
            "edge.trunk_incomplete", f"trunk {trunk.name} registers, but has no user or no password_env",
            where=f"edge.trunks[{number}]", mend="give both, or leave registrar out",
        )  # fmt: skip
    password = os.environ.get(trunk.password_env)
    if not password:
        raise ConfigError(
            "edge.trunk_password", f"trunk {trunk.name}: the environment has no {trunk.password_env}",
            where=f"edge.trunks[{number}].password_env", mend=f"export {trunk.password_env}=… before starting",
        )  # fmt: skip
    return password


def check_trunks(settings: Settings) -> None:
    """Raise ConfigError for a trunk that cannot register."""
    for number, trunk in enumerate(settings.edge.trunks):
        if trunk.registrar:
            _password(settings, number)


async def register_trunks(rpc: Rpc, settings: Settings, files: EdgeFiles) -> None:
    """Tell Kamailio to register each trunk, and to answer the outbound trunk's questions for the password."""
    for number, trunk in enumerate(settings.edge.trunks):
        if trunk.registrar:
            host, port = split_host(trunk.registrar, f"edge.trunks[{number}].registrar")
            password = _password(settings, number)
            proxy = f"sip:{host}:{port}"
            with contextlib.suppress(TelephonyError):  # one that an edge before us told of
                await rpc.call("uac.reg_remove", trunk.user or "")
            await rpc.call(
                "uac.reg_add", trunk.user or "", trunk.user or "", host, trunk.user or "", host, "",
                trunk.user or "", password, ".", proxy, EXPIRES_S, 0, 0,
                f"udp:{files.host}:{files.sip_port}", files.advertised,
            )  # fmt: skip
            log.info("trunk.registering", trunk=trunk.name)
        if trunk.outbound and trunk.user and trunk.password_env:
            await rpc.call("htable.sets", "trunk", "user", trunk.user)
            await rpc.call("htable.sets", "trunk", "password", _password(settings, number))
