"""Ports a house needs: free, or held by whom."""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal

from callcenter.config import Settings
from callcenter.errors import ConfigError
from callcenter.serve.plan import EdgeMode, Role

Protocol = Literal["udp", "tcp"]
LAST_PORT = 65535


@dataclass(frozen=True)
class PortNeed:
    """One address that a role will listen on; `setting` is the key a person would change."""

    role: str
    host: str
    port: int
    protocol: Protocol
    setting: str


@dataclass(frozen=True)
class PortTrouble:
    """Why `need` cannot be had, and what to do."""

    need: PortNeed
    message: str
    mend: str


def ports_needed(settings: Settings, roles: Iterable[Role], mode: EdgeMode) -> list[PortNeed]:
    """Every fixed port of `roles`; port 0 (any free one) needs no check."""
    needs: list[PortNeed] = []
    wanted = set(roles)
    edge, line, speech, desk = settings.edge, settings.line, settings.speech, settings.desk
    if Role.SPEECH in wanted and speech.url is None:
        needs.append(PortNeed("speech", str(speech.bind_host), speech.port, "tcp", "speech.port"))
    if Role.DESK in wanted:
        needs.append(PortNeed("desk", str(desk.bind_host), desk.port, "tcp", "desk.port"))
    if mode == "direct":
        if Role.LINE in wanted:
            host = str(edge.bind_host) if edge.direct_bind_any or edge.bind_host.is_loopback else "127.0.0.1"
            needs.append(PortNeed("line-1", host, edge.sip_port, "udp", "edge.sip_port"))
    else:
        if Role.EDGE in wanted and mode == "kamailio":
            host = str(edge.bind_host)
            needs.append(PortNeed("edge", host, edge.sip_port, "udp", "edge.sip_port"))
            needs.append(PortNeed("edge", host, edge.sip_port, "tcp", "edge.sip_port"))
        if Role.LINE in wanted and line.sip_port_first:
            for n in range(line.count):
                port = line.sip_port_first + n
                needs.append(PortNeed(f"line-{n + 1}", str(line.bind_host), port, "udp", "line.sip_port_first"))
    if Role.LINE in wanted:
        for n in range(1 if mode == "direct" else line.count):
            port = line.rtp_port_first + 100 * n
            needs.append(PortNeed(f"line-{n + 1}", str(line.bind_host), port, "udp", "line.rtp_port_first"))
    return [need for need in needs if need.port]


def find_trouble(need: PortNeed) -> PortTrouble | None:
    """Try to bind the port for a moment; None when it can be had."""
    if need.port > LAST_PORT:
        return PortTrouble(
            need, f"port {need.port} does not exist, {LAST_PORT} is the last", f"lower {need.setting} or line.count"
        )
    kind = socket.SOCK_DGRAM if need.protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as probe:
        if need.protocol == "tcp":
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((need.host, need.port))
            if need.protocol == "tcp":
                probe.listen(1)
        except OSError as error:
            return _explain(need, error)
    return None


def _explain(need: PortNeed, error: OSError) -> PortTrouble:
    place = f"{need.host}:{need.port}/{need.protocol}"
    if error.errno == errno.EADDRINUSE:
        holder = port_holder(need.port, need.protocol)
        held = f"{place} is in use by {holder}" if holder else f"{place} is in use by another user's process"
        mend = f"stop that process, or choose another port with {need.setting}"
        if holder and holder.startswith("kamailio") and _of_debian(holder):
            mend = f"systemctl disable --now kamailio (Debian starts one of its own), or change {need.setting}"
        return PortTrouble(need, held, mend)
    if error.errno == errno.EADDRNOTAVAIL:
        section = need.setting.split(".")[0]
        return PortTrouble(
            need, f"this machine has no address {need.host}", f"set {section}.bind_host to one of its own (ip -4 addr)"
        )
    if error.errno == errno.EACCES:
        return PortTrouble(need, f"{place} may not be opened by this user", f"choose {need.setting} above 1023")
    return PortTrouble(need, f"{place}: {error.strerror}", f"change {need.setting}")


def _of_debian(holder: str) -> bool:
    """Whether this Kamailio is the one that Debian starts by itself, not that of another house."""
    pid = holder.rpartition(" ")[2].rstrip(")")
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace").split("\0")
    except OSError:
        return False
    configs = [after for word, after in pairwise(words) if word == "-f"]
    return all(config.startswith("/etc/") for config in configs)


def port_holder(port: int, protocol: Protocol) -> str | None:
    """`name (process 123)` of who listens on `port`; None when it cannot be seen (another user's)."""
    inodes = set()
    listening = "0A" if protocol == "tcp" else "07"
    for table in (f"/proc/net/{protocol}", f"/proc/net/{protocol}6"):
        try:
            rows = Path(table).read_text(encoding="ascii").splitlines()[1:]
        except OSError:
            continue
        for row in rows:
            columns = row.split()
            if int(columns[1].rsplit(":", 1)[1], 16) == port and columns[3] == listening:
                inodes.add(f"socket:[{columns[9]}]")
    if not inodes:
        return None
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        try:
            if any(str(link.readlink()) in inodes for link in (process / "fd").iterdir()):
                return f"{(process / 'comm').read_text(encoding='utf-8').strip()} (process {process.name})"
        except OSError:
            continue
    return None


def check_ports(settings: Settings, roles: Iterable[Role], mode: EdgeMode) -> None:
    """Raise ConfigError naming every port that cannot be had, by whom it is held, and the mend."""
    troubles = [trouble for need in ports_needed(settings, roles, mode) if (trouble := find_trouble(need))]
    if len(troubles) == 1:
        only = troubles[0]
        raise ConfigError(
            "serve.port_in_use", f"{only.need.role}: {only.message}", where=only.need.setting, mend=only.mend
        )
    if troubles:
        lines = "".join(f"\n  {t.need.setting}: {t.need.role}: {t.message} — {t.mend}" for t in troubles)
        raise ConfigError("serve.port_in_use", f"{len(troubles)} ports cannot be had:{lines}")
