"""Snapshots for the nodes: made from the database, pushed when something in them changed."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from callcenter.domain import codec
from callcenter.domain.matters import OpenMatter
from callcenter.domain.places import Place
from callcenter.domain.snapshot import ROSTER_AHEAD, ROSTER_BEHIND, KnownCaller, KnownIncident, SiteSnapshot, Snapshot
from callcenter.log import get_logger
from callcenter.site.load import Site
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.snapshot")
_house = statements("house")
_tickets = statements("ticket")

MAKE_EVERY_S = 30.0
"""Made this often even when nothing was told: the roster moves on, and a NOTIFY may be lost."""

GATHER_S = 0.3
"""Changes that come together make one snapshot."""


async def make_site(connection: Connection, site: Site, at: datetime) -> SiteSnapshot:
    """What a line needs of one site now."""
    roster_rows = [
        row
        async for row in _house.shifts(
            connection, site=site.id, starts_at=at - ROSTER_BEHIND, ends_at=at + ROSTER_AHEAD
        )
    ]
    from callcenter.desk.seed import roster

    callers = {
        row["e164"]: KnownCaller(row["key"], row["name"], Place(row["building"], row["unit"], row["room"]))
        async for row in _house.callers(connection, site=site.id)
    }
    matters = tuple([open_matter(row) async for row in _tickets.open_matters(connection, site=site.id)])
    incidents = tuple([
        KnownIncident(
            id=str(row["id"]), category=row["category"], buildings=tuple(row["buildings"]), opened_at=row["opened_at"],
            calls=row["calls"], zh=row["zh"], en=row["en"],
        )
        async for row in _tickets.open_incidents(connection, site=site.id)
    ])  # fmt: skip
    made = site.snapshot(at, matters, incidents)
    if roster_rows:
        made = replace(made, roster=await roster(connection, site.id, at - ROSTER_BEHIND, at + ROSTER_AHEAD))
    return replace(made, callers=callers)


def open_matter(row: Any) -> OpenMatter:
    """A ticket's row as the rule sees it; from its columns, since a site may have thousands."""
    return OpenMatter(
        ticket=str(row["number"]), kind=row["kind"], category=row["category"], urgency=row["urgency"],
        department=row["department"], place=Place(row["building"], row["unit"], row["room"]),
        first_responder=row["first_responder"], responsible=row["responsible"], state=row["status"],
        opened_at=row["opened_at"], numbers=tuple(row["numbers"]), household=row["household"],
        incident=str(row["incident"]) if row["incident"] else None,
    )  # fmt: skip


REST_SHARE = 9
"""A desk with thousands of open matters rests so many times as long as a snapshot took: pages and clocks go on."""


class SnapshotMaker:
    """Makes snapshots for all links of one desk."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._look = asyncio.Event()
        self._made = asyncio.Condition()
        self._content = b""
        self.version = 0
        self.text = ""
        """The newest snapshot as JSON; "" before the first."""

    def look(self) -> None:
        """Something may have changed."""
        self._look.set()

    async def make(self) -> Snapshot:
        """A snapshot of all sites as of now, with a version greater than any before."""
        at = datetime.now(UTC)
        async with self._desk.pool.acquire() as connection, connection.transaction(readonly=False):
            sites = {site.id: await make_site(connection, site, at) for site in self._desk.sites.values()}
            version = await connection.fetchval("select nextval('snapshot_version')")
        return Snapshot(version=version, made_at=at, sites=sites)

    async def work(self) -> None:
        """Make a snapshot whenever something changed, for good."""
        while True:
            self._look.clear()
            begun = time.monotonic()
            made = await self.make()
            content = await asyncio.to_thread(codec.to_json, dict(made.sites))
            if content != self._content:
                text = await asyncio.to_thread(codec.to_json, made)
                async with self._made:
                    self._content, self.version, self.text = content, made.version, text.decode()
                    self._made.notify_all()
                log.debug("snapshot_made", version=made.version, bytes=len(text))
            took_s = time.monotonic() - begun
            try:
                async with asyncio.timeout(MAKE_EVERY_S):
                    await self._look.wait()
            except TimeoutError:
                continue
            await asyncio.sleep(max(GATHER_S, REST_SHARE * took_s))

    async def versions(self) -> AsyncIterator[tuple[int, str]]:
        """The newest snapshot now, and each one after it; a slow reader misses those between."""
        sent = 0
        while True:
            async with self._made:
                await self._made.wait_for(lambda: self.version != sent and bool(self.text))  # noqa: B023
                sent, text = self.version, self.text
            yield sent, text

    async def phone_versions(self) -> AsyncIterator[None]:
        """Once now, and whenever phones may have changed."""
        from callcenter.desk.models import NewsKind

        yield None
        async for news in self._desk.hub.subscribe():
            if news.kind is NewsKind.DUTY:
                yield None
