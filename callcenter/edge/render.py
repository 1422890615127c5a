"""Fills in config/kamailio.cfg and writes what Kamailio reads: its configuration, the lines, the trunks' addresses."""

from __future__ import annotations

import ipaddress
import re
import secrets
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from callcenter.config import ROOT, Settings, Trunk
from callcenter.edge.lines import LineAddress
from callcenter.errors import ConfigError
from callcenter.node.files import private_folder, replace_file

TEMPLATE = ROOT / "config" / "kamailio.cfg"
ANSWER_MS = 11_500
"""A line that rings longer is deaf, and the call goes to another: its own watchdog answers before 11 s (R1)."""
_SOCKET_PATH_MOST = 100  # sockaddr_un takes 107 bytes
TABLES = "kamailio-tables"
DBTEXT = Path("/usr/share/kamailio/dbtext/kamailio")
_HOST = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]{0,120}[A-Za-z0-9])?")


@dataclass(frozen=True)
class EdgeFiles:
    """Where the rendered files are, and which ports were chosen."""

    config: Path
    lines: Path
    addresses: Path
    rpc_socket: Path
    host: str
    sip_port: int
    advertised: str
    """host:port that the outside is told: the public address, or where we listen."""
    inside_port: int | None
    """Second port for lines, when a public address is advertised on the first."""


def split_host(text: str, where: str, port: int = 5060) -> tuple[str, int]:
    """`host[:port]` of a setting. Raises ConfigError."""
    host, _, given = text.removeprefix("sip:").partition(":")
    if not _HOST.fullmatch(host) or (given and not (given.isdigit() and 0 < int(given) < 65536)):
        raise ConfigError(
            "edge.bad_host", f"not host[:port]: {text!r}", where=where, mend='write "sip.example.com:5060"'
        )
    return host, int(given) if given else port


def nonce_secret(settings: Settings) -> str:
    """Seed of digest nonces, made once per node (`var/secrets/edge-nonce`, 0600)."""
    path = private_folder(settings.var_dir / "secrets") / "edge-nonce"
    try:
        return path.read_text(encoding="ascii").strip()
    except FileNotFoundError:
        secret = secrets.token_hex(24)
        replace_file(path, secret.encode())
        return secret


def _rpc_folder(run_dir: Path) -> Path:
    """Where Kamailio's socket goes: `run_dir`, or a folder with a short name when that is deep."""
    if len(str(run_dir / "kamailio.sock")) <= _SOCKET_PATH_MOST:
        return run_dir
    return Path(tempfile.mkdtemp(prefix="callcenter-edge-"))


def _outbound(trunks: Iterable[Trunk]) -> tuple[str, int] | None:
    for number, trunk in enumerate(trunks):
        if trunk.outbound:
            return split_host(trunk.outbound, f"edge.trunks[{number}].outbound")
    return None


def _write_registrar_table(run_dir: Path) -> None:
    """An empty table of registrations, in the form that this Kamailio was installed with."""
    folder = private_folder(run_dir / TABLES)
    for name in ("version", "uacreg"):
        installed = DBTEXT / name
        if not installed.is_file():
            raise ConfigError(
                "edge.no_dbtext", f"Kamailio's table form is missing: {installed}", where="edge.trunks",
                mend="install the distribution's kamailio package whole, or list the trunk by address",
            )  # fmt: skip
        replace_file(folder / name, installed.read_bytes())


def render_config(settings: Settings, files: EdgeFiles, *, nonce: str) -> str:
    """Kamailio's configuration as text. Raises ConfigError for a setting that cannot be put into it."""
    edge = settings.edge
    defines = []
    listen = []
    here = f"{files.host}:{files.sip_port}"
    for protocol in ("udp", "tcp"):
        advertise = f" advertise {files.advertised}" if edge.public_address else ""
        listen.append(f"listen={protocol}:{here}{advertise}")
    inside = ""
    if files.inside_port is not None:
        defines.append("#!define WITH_PUBLIC")
        inside = f"udp:{files.host}:{files.inside_port}"
        listen.append(f"listen={inside}")
    if edge.loopback_trunk:
        defines.append("#!define WITH_LOOPBACK_TRUNK")
    values = {
        "REALM": edge.realm, "HOST": files.host, "ADVERTISED": files.advertised,
        "PUBLIC_HOST": files.advertised.rpartition(":")[0], "INSIDE_SOCKET": inside, "LOG_STDERR": "yes",
        "DISPATCHER_LIST": str(files.lines), "ADDRESS_LIST": str(files.addresses), "RPC_SOCKET": str(files.rpc_socket),
        "DISPATCHER_SOCKET": f'modparam("dispatcher", "ds_default_socket", "{inside}")' if inside else "",
        "NONCE_SECRET": nonce, "NEW_CALLS_PER_S": str(edge.new_calls_per_s),
        "CALLERS_PER_LINE": str(settings.line.callers_per_line),
        "ANSWER_MS": str(ANSWER_MS),
        "CALLS_PER_LINE_PER_S": str(edge.calls_per_line_per_s), "WAIT_FOR_LINE_S": str(edge.wait_for_line_s),
    }  # fmt: skip
    if edge.overflow_uri:
        if not re.fullmatch(r"sips?:[A-Za-z0-9+._~*#-]{1,60}@[A-Za-z0-9.-]{1,120}(:\d{1,5})?", edge.overflow_uri):
            raise ConfigError(
                "edge.bad_overflow", f"not a SIP URI: {edge.overflow_uri!r}", where="edge.overflow_uri",
                mend='write "sip:4000000@sip.example.com"',
            )  # fmt: skip
        defines.append("#!define WITH_OVERFLOW")
        values["OVERFLOW_URI"] = edge.overflow_uri
    if any(trunk.registrar for trunk in edge.trunks):
        defines.append("#!define WITH_REGISTRAR")
        values["REGISTRAR_TABLE"] = str(files.config.parent / TABLES)
    outbound = _outbound(edge.trunks)
    if outbound and edge.outbound_prefixes:
        for number, prefix in enumerate(edge.outbound_prefixes):
            if not re.fullmatch(r"\+?\d{1,15}", prefix):
                raise ConfigError(
                    "edge.bad_prefix", f"not digits: {prefix!r}", where=f"edge.outbound_prefixes[{number}]",
                    mend='write "1" for mobile numbers, "010" for a city',
                )  # fmt: skip
        defines.append("#!define WITH_OUTBOUND")
        listed = "|".join(prefix.replace("+", "\\+") for prefix in edge.outbound_prefixes)
        values |= {
            "OUTBOUND_PREFIXES": f"^({listed})", "OUTBOUND_HOST": outbound[0], "OUTBOUND_PORT": str(outbound[1]),
            "OUTBOUND_PER_MIN": str(edge.outbound_calls_per_min),
        }  # fmt: skip
    if not re.fullmatch(r"[A-Za-z0-9._-]{1,60}", edge.realm):
        raise ConfigError(
            "edge.bad_realm", f"not a realm: {edge.realm!r}", where="edge.realm", mend="letters, digits, . _ -"
        )
    values |= {"DEFINES": "\n".join(defines), "LISTEN": "\n".join(listen)}
    text = TEMPLATE.read_text(encoding="utf-8")
    return re.sub(r"@@([A-Z_]+)@@", lambda match: values.get(match[1], ""), text)


def _listed_network(trunk: Trunk, number: int) -> str | None:
    """The trunk's address as a network. Raises ConfigError."""
    if trunk.address is None:
        return None
    try:
        return str(ipaddress.IPv4Network(trunk.address, strict=False))
    except ValueError as error:
        raise ConfigError(
            "edge.bad_trunk", f"trunk {trunk.name}: not an IPv4 address or network: {trunk.address!r}",
            where=f"edge.trunks[{number}].address", mend='write "203.0.113.7" or "203.0.113.0/24"',
        ) from error  # fmt: skip


def listed_networks(settings: Settings) -> list[str]:
    """Networks of the settings whose INVITEs need no digest. Raises ConfigError."""
    listed = (_listed_network(trunk, number) for number, trunk in enumerate(settings.edge.trunks))
    return [*(["127.0.0.0/8"] if settings.edge.loopback_trunk else []), *(network for network in listed if network)]


def write_lines(path: Path, lines: Iterable[LineAddress]) -> None:
    """The dispatcher's list: set 1 is the lines."""
    replace_file(path, "".join(f"1 {line.uri} 0 0\n" for line in lines).encode())


def write_addresses(path: Path, networks: Iterable[str]) -> None:
    """Kamailio's address list: group 1 is the trunks; columns are group, address, mask, port (0: any), tag."""
    rows = [f"1 {network.replace('/', ' ')} 0 trunk\n" for network in networks]
    replace_file(path, "".join(rows).encode())


def check_settings(settings: Settings) -> None:
    """Raise ConfigError for anything in the section `edge` that would keep the edge from starting; writes nothing."""
    for number, trunk in enumerate(settings.edge.trunks):
        _listed_network(trunk, number)
    files = _files(settings, settings.edge.sip_port or 5060, 5061 if settings.edge.public_address else None, Path("/"))
    render_config(settings, files, nonce="")


def _files(settings: Settings, sip_port: int, inside_port: int | None, rpc_folder: Path) -> EdgeFiles:
    run_dir = settings.run_dir
    host = str(settings.edge.bind_host)
    if settings.edge.bind_host.is_unspecified:
        raise ConfigError(
            "edge.bind_any", f"Kamailio writes its address into messages, and {host} is none", where="edge.bind_host",
            mend="name the address that trunks and phones reach (ip -4 addr)",
        )  # fmt: skip
    public = settings.edge.public_address
    told_host, told_port = split_host(public, "edge.public_address", sip_port) if public else (host, sip_port)
    return EdgeFiles(
        config=run_dir / "kamailio.cfg", lines=run_dir / "kamailio-lines.list",
        addresses=run_dir / "kamailio-trunks.list", rpc_socket=rpc_folder / "kamailio.sock", host=host,
        sip_port=sip_port, advertised=f"{told_host}:{told_port}", inside_port=inside_port,
    )  # fmt: skip


def render(
    settings: Settings,
    sip_port: int,
    inside_port: int | None,
    lines: Iterable[LineAddress],
    registrars: Iterable[str] = (),
) -> EdgeFiles:
    """Write every file into `run_dir`, each readable by the service alone. `registrars`: networks of trunks that we
    register with."""
    run_dir = private_folder(settings.run_dir)
    files = _files(settings, sip_port, inside_port, _rpc_folder(run_dir))
    if any(trunk.registrar for trunk in settings.edge.trunks):
        _write_registrar_table(run_dir)
    replace_file(files.config, render_config(settings, files, nonce=nonce_secret(settings)).encode())
    write_lines(files.lines, lines)
    write_addresses(files.addresses, [*listed_networks(settings), *registrars])
    return files
