"""What to start: which roles, in which order, with which command and environment."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, SecretStr

from callcenter.config import ENVIRONMENT_PREFIX, ROOT, Settings, load_settings
from callcenter.errors import ConfigError

EdgeMode = Literal["kamailio", "direct", "external"]


class Role(StrEnum):
    """A kind of process, in the order in which a house starts."""

    SPEECH = "speech"
    DESK = "desk"
    LINE = "line"
    EDGE = "edge"


MODULES = {
    Role.SPEECH: "callcenter.speech",
    Role.DESK: "callcenter.web",
    Role.LINE: "callcenter.line",
    Role.EDGE: "callcenter.edge",
}


@dataclass(frozen=True)
class RoleSpec:
    """One child process: `name` is unique in the house (`line-2`), `environment` is laid over our own."""

    name: str
    role: Role
    argv: tuple[str, ...]
    environment: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Plan:
    """Children by stage: a stage starts when the one before it is ready. `notices` are said loudly."""

    stages: tuple[tuple[RoleSpec, ...], ...]
    edge_mode: EdgeMode
    notices: tuple[str, ...]

    @property
    def specs(self) -> tuple[RoleSpec, ...]:
        return tuple(spec for stage in self.stages for spec in stage)


def find_kamailio(settings: Settings) -> Path | None:
    """Kamailio's binary: the one that is set, else from PATH or /usr/sbin; None when there is none."""
    if settings.edge.binary is not None:
        return settings.edge.binary if os.access(settings.edge.binary, os.X_OK) else None
    found = shutil.which("kamailio", path=os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"]))
    return Path(found) if found else None


def resolve_edge_mode(settings: Settings) -> EdgeMode:
    """`auto` becomes what this machine can do. Raises ConfigError when Kamailio is demanded and missing."""
    mode = settings.edge.mode
    if mode == "auto":
        return "kamailio" if find_kamailio(settings) else "direct"
    if mode == "kamailio" and not find_kamailio(settings):
        raise ConfigError(
            "edge.kamailio_missing", f"Kamailio is not installed ({settings.edge.binary or 'kamailio not on PATH'})",
            where="edge.mode", mend="apt-get install kamailio, or set edge.mode to direct",
        )  # fmt: skip
    return mode


DIRECT_WARNING = (
    "DIRECT MODE: no Kamailio in front. One line answers on the SIP port itself; one malformed packet can end it. "
    "For a try-out only: apt-get install kamailio for service."
)


def _direct_environment(settings: Settings) -> tuple[dict[str, str], list[str]]:
    """Line 1 on the SIP port itself: its environment, and what a person must be told."""
    host = settings.edge.bind_host
    notices = [DIRECT_WARNING]
    if not host.is_loopback:
        if settings.edge.direct_bind_any:
            notices.append(f"DIRECT MODE listens on {host}, beyond this machine, as edge.direct_bind_any asks.")
        else:
            notices.append(f"DIRECT MODE listens on 127.0.0.1 instead of {host}: edge.direct_bind_any is off.")
            host = type(host)("127.0.0.1")
    if settings.line.count > 1:
        notices.append(f"DIRECT MODE uses 1 line instead of {settings.line.count}: nothing shares calls out.")
    environment = {
        "CALLCENTER_LINE__BIND_HOST": str(host),
        "CALLCENTER_LINE__SIP_PORT_FIRST": str(settings.edge.sip_port),
        "CALLCENTER_LINE__COUNT": "1",
    }
    return environment, notices


def make_plan(settings: Settings, roles: Iterable[Role] | None = None, config: Path | None = None) -> Plan:
    """Lay out the children for `roles` (default: all). Raises ConfigError for what cannot work on this machine."""
    wanted = set(roles) if roles is not None else set(Role)
    mode = resolve_edge_mode(settings) if wanted & {Role.EDGE, Role.LINE} else "direct"
    if wanted == {Role.LINE} and settings.edge.mode == "auto":
        mode = "kamailio"  # lines alone on a machine: their edge is elsewhere
    notices: list[str] = []
    line_environment: dict[str, str] = {}
    count = settings.line.count
    if mode == "direct":
        if Role.LINE in wanted:
            line_environment, notices = _direct_environment(settings)
            count = 1
        elif Role.EDGE in wanted:
            raise ConfigError(
                "edge.direct_alone", "in direct mode there is no edge to start alone", where="edge.mode",
                mend="start the role line, or install Kamailio and set edge.mode to kamailio",
            )  # fmt: skip
    base = {**settings_environment(settings, config), "CALLCENTER_EDGE__MODE": mode}
    common = ("--config", str(config)) if config else ()

    def spec(role: Role, name: str, *arguments: str, environment: dict[str, str] | None = None) -> RoleSpec:
        argv = (sys.executable, "-m", MODULES[role], *arguments, *common)
        return RoleSpec(name, role, argv, {**base, **(environment or {})})

    stages: list[tuple[RoleSpec, ...]] = []
    behind = tuple(spec(role, str(role)) for role in (Role.SPEECH, Role.DESK) if role in wanted)
    if behind:  # neither needs the other
        stages.append(behind)
    if Role.LINE in wanted:
        stages.append(
            tuple(
                spec(Role.LINE, f"line-{n}", "--number", str(n), environment=line_environment)
                for n in range(1, count + 1)
            )
        )
    if Role.EDGE in wanted and mode != "direct":
        stages.append((spec(Role.EDGE, "edge"),))
    return Plan(tuple(stages), mode, tuple(notices))


def _leaves(model: BaseModel, path: tuple[str, ...] = ()) -> Iterable[tuple[tuple[str, ...], Any]]:
    for name in type(model).model_fields:
        value = getattr(model, name)
        if isinstance(value, BaseModel):
            yield from _leaves(value, (*path, name))
        else:
            yield (*path, name), value


def _toml(value: Any) -> str:
    """A TOML value on one line."""
    if isinstance(value, SecretStr):
        return _toml(value.get_secret_value())
    if isinstance(value, BaseModel):
        return _toml({k: getattr(value, k) for k in type(value).model_fields if getattr(value, k) is not None})
    if isinstance(value, dict):
        return "{" + ", ".join(f"{json.dumps(str(k))} = {_toml(v)}" for k, v in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, (bool, int, float)):
        return json.dumps(value)
    return json.dumps(str(value), ensure_ascii=False)


def settings_environment(settings: Settings, config: Path | None) -> dict[str, str]:
    """Environment that makes `load_settings(config)` in a child yield exactly `settings`.

    Only what differs from the file is passed. A value of None cannot be passed over one that the file sets.
    """
    plain = {} if config else {k: v for k, v in os.environ.items() if k == "CALLCENTER_CONFIG"}
    if config or plain or (ROOT / "config" / "callcenter.toml").is_file():
        base = load_settings(config, plain)
    else:
        base = Settings()
    before = dict(_leaves(base))
    return {
        ENVIRONMENT_PREFIX + "__".join(path).upper(): _toml(value)
        for path, value in _leaves(settings)
        if value != before[path] and value is not None
    }
