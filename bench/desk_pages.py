"""Desk processes over a year of data: how long each list page takes the server, and how fast the clock is."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import ssl
import sys
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import aiohttp

from bench.desk_data import COMMON_WORD, DUE, FIRST_NUMBER
from callcenter.desk import accounts
from callcenter.desk.house import Desk
from callcenter.web.passwords import hash_password

LOGIN, PASSWORD = "bench", "a password of the bench"
ROUNDS = 40
"""Times each page is asked for, in turn with all the others: two of them may be slower than its p95."""
DEEP = (1, 40, 400)
"""How many pages of a list lie before the one that is timed."""
READY_S = 90
CLOCK_S = 120


@dataclass(frozen=True)
class Running:
    """One desk process: where it listens."""

    url: str
    process: asyncio.subprocess.Process


@asynccontextmanager
async def running_desk(folder: Path, dsn: str, n: int = 1) -> AsyncIterator[Running]:
    """A desk role on the database `dsn`, ready."""
    config = folder / f"desk-{n}.toml"
    config.write_text(
        f'[node]\nvar_dir = "{folder}"\nname = "desk{n}"\n[desk]\nport = 0\n[log]\nlevel = "warning"\n'
        f'[database]\ndsn = "{dsn}"\n', encoding="utf-8",
    )  # fmt: skip
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callcenter.web", "--config", str(config), stdout=asyncio.subprocess.PIPE, limit=1 << 20
    )
    assert process.stdout is not None
    try:
        async with asyncio.timeout(READY_S):
            while True:
                said = json.loads(await process.stdout.readline() or b'{"event": "fatal", "message": "it ended"}')
                if said["event"] == "fatal":
                    raise RuntimeError(said["message"])
                if said["event"] == "ready":
                    break
        listening = asyncio.create_task(_swallow(process.stdout))
        yield Running(f"https://127.0.0.1:{said['ports']['https']}", process)
        listening.cancel()
    finally:
        if process.returncode is None:
            process.terminate()
            await process.wait()


async def _swallow(stream: asyncio.StreamReader) -> None:
    while await stream.readline():
        pass


async def make_reader(desk: Desk) -> None:
    """The account that reads the pages: the supervisor of the example site, who sees everything."""
    argon2 = await hash_password(PASSWORD)
    await accounts.create(
        desk, login=LOGIN, name="", role="supervisor", argon2=argon2, staff="zheng_lan", must_change=False
    )


class Reader:
    """Somebody with the pages open."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.tls = ssl.create_default_context(cafile=str(certificate))
        self.http = aiohttp.ClientSession(headers={"Accept-Language": "zh-CN"})

    async def log_in(self) -> None:
        """Get a token; pages take it as well."""
        body = {"login": LOGIN, "password": PASSWORD}
        async with self.http.post(f"{self.url}/api/v1/tokens", json=body, ssl=self.tls) as answer:
            answer.raise_for_status()
            self.http.headers["Authorization"] = f"Bearer {(await answer.json())['token']}"

    async def ms(self, path: str) -> float:
        """How long one answer takes, to its last byte. Raises for any answer but 200."""
        begun = time.perf_counter()
        async with self.http.get(f"{self.url}{path}", ssl=self.tls, allow_redirects=False) as answer:
            text = await answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path}: {answer.status} {text[:200]!r}")
        return (time.perf_counter() - begun) * 1000

    async def cursor(self, path: str, pages: int, rows: int = 200) -> str:
        """The cursor `pages` × 60 rows into a list of the API."""
        left, before = pages * 60, ""
        join = "&" if "?" in path else "?"
        while left > 0:
            address = f"{self.url}/api/v1{path}{join}limit={min(rows, left)}"
            async with self.http.get(address, params={"before": before} if before else {}, ssl=self.tls) as answer:
                answer.raise_for_status()
                before = (await answer.json())["next"]
            if before is None:
                raise RuntimeError(f"{path} ends before page {pages}")
            left -= rows
        return str(before)


async def addresses(reader: Reader, desk: Desk) -> list[str]:
    """Every list page there is: its filters, words rare and common, numbers, names, and pages far back."""
    number = await desk.pool.fetchval("select caller_number from ticket where number = $1", FIRST_NUMBER + 777)
    pages = [f"/tickets?show={show}" for show in ("open", "mine", "late", "emergency", "closed", "all")]
    for words in (*WORDS, number[-11:], number[-4:]):
        pages += [f"/tickets?show={show}&q={words}" for show in ("open", "closed", "all")]
        pages += [f"/calls?q={words}", f"/search?q={words}"]
    pages += ["/calls", "/confirm", "/callbacks", "/duty", *OTHER]
    pages += [f"/api/v1/tickets?{query}" for query in FILTERS]
    for pages_before in DEEP:
        for show, query in (("all", ""), ("closed", "?state=archived"), ("all", f"?text={COMMON_WORD}")):
            if pages_before > 100 and "text" in query:
                continue
            before = await reader.cursor(f"/tickets{query}", pages_before)
            words = f"&q={COMMON_WORD}" if "text" in query else ""
            pages.append(f"/tickets?show={show}{words}&before={before.replace('+', '%2B')}")
        before = await reader.cursor("/calls", pages_before)
        pages.append(f"/calls?before={before.replace('+', '%2B')}")
    return pages


WORDS = (COMMON_WORD, "装修", "着火", "水管漏水了", "王先生", "没有这样的话", "3号楼", "漏")
FILTERS = (
    "urgency=emergency", "department=security", "category=lift", "state=archived", "responsible=wang_fang",
    "overdue=true", "to_confirm=true", "state=joined", "category=other", "department=finance&open_only=true",
    *(f"text={COMMON_WORD}&{more}" for more in (
        "urgency=important", "state=waiting", "category=parking", "responsible=ma_qiang", "open_only=true",
    )),
)  # fmt: skip
OTHER = (
    "/day", "/follow-ups", "/follow-ups?whose=all", "/incidents", "/what-if", "/api/v1/day",
    "/api/v1/follow-ups?whose=all",
    "/api/v1/incidents", "/api/v1/residents", "/api/v1/tasks", "/api/v1/confirmations",
)  # fmt: skip


def p95(values: list[float]) -> float:
    """The value below which 95 % lie."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(0.95 * len(ordered)) - 1)]


async def time_lists(reader: Reader, pages: list[str]) -> dict[str, Any]:
    """p95 of every page; `list_p95_ms` is the slowest page's."""
    took: dict[str, list[float]] = {path: [] for path in pages}
    for path in pages:
        await reader.ms(path)
    for _ in range(ROUNDS):
        for path in pages:
            took[path].append(await reader.ms(path))
    worst = sorted(((p95(ms), path) for path, ms in took.items()), reverse=True)
    every = [one for ms in took.values() for one in ms]
    return {
        "list_p95_ms": round(worst[0][0], 1), "list_pages": len(pages), "list_all_p95_ms": round(p95(every), 1),
        "list_slowest": [[round(ms, 1), path] for ms, path in worst[:12]],
    }  # fmt: skip


async def time_clock(desk: Desk, first: int) -> dict[str, Any]:
    """Seconds from the moment DUE matters are due until every one is handled, and whether each effect came once."""
    numbers = f"number between {first} and {first + DUE - 1}"
    begun = time.monotonic()
    due_at: datetime = await desk.pool.fetchval("select clock_timestamp()")
    await desk.pool.execute(f"update ticket set next_at = $1 where {numbers}", due_at)
    set_s = time.monotonic() - begun
    async with asyncio.timeout(CLOCK_S):
        while await desk.pool.fetchval("select exists (select from ticket where next_at <= $1)", due_at):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    took = time.monotonic() - begun
    handled, most = await desk.pool.fetchrow(
        "select count(distinct ticket), max(n) from (select ticket, count(*) n from event "
        f"where at >= $1 and kind in ('ticket.pass_over', 'ticket.overdue') and ticket between {first} "
        f"and {first + DUE - 1} group by ticket, kind, body->>'to', body->>'clock') e", due_at,
    )  # fmt: skip
    if handled != DUE or most != 1:
        raise RuntimeError(f"{handled} of {DUE} matters were handled, one of them {most} times")
    return {"clock_10k_s": round(took, 2), "clock_made_due_s": round(set_s, 2)}


@asynccontextmanager
async def two_desks(folder: Path, dsn: str) -> AsyncIterator[list[Running]]:
    """Two desk processes on one database."""
    async with contextlib.AsyncExitStack() as stack:
        yield [await stack.enter_async_context(running_desk(folder, dsn, n)) for n in (1, 2)]
