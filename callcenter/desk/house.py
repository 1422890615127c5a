"""One desk: its database, its sites, its background work, and what ties them. `open_desk` is the way in."""

from __future__ import annotations

import asyncio
import contextlib
import json
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any
from uuid import UUID, uuid4

import asyncpg

from callcenter.config import Settings
from callcenter.desk import clock, jobs, recordings, search, seed
from callcenter.desk.hub import Hub
from callcenter.desk.messages import Messages
from callcenter.desk.models import News, NewsKind, StaffName
from callcenter.desk.reach import Reach
from callcenter.desk.resident_calls import ResidentCalls
from callcenter.desk.snapshot import SnapshotMaker
from callcenter.domain.roster import Roster
from callcenter.errors import CallCenterError, StoreError
from callcenter.log import get_logger
from callcenter.site.load import Site, load_sites
from callcenter.speech.services import SpeechServices
from callcenter.store.embedded import EmbeddedPostgres
from callcenter.store.migrate import migrate
from callcenter.store.pool import AWAY, open_pool

if TYPE_CHECKING:
    from callcenter.desk.link import NodeLink

log = get_logger("desk.house")

DATABASE = "callcenter"
RETRY_S = 1.0
"""Pause of background work while the database is away."""

LOOK_S = 5.0
"""The database is asked whether it is there this often."""


class Desk:
    """Everything a use case of the desk needs. Made by `open_desk`."""

    def __init__(self, settings: Settings, pool: Any, dsn: str, sites: dict[str, Site]) -> None:
        self.settings = settings
        self.pool = pool
        self.dsn = dsn
        self.sites = sites
        self.outward = bool(settings.messages.mail_host or settings.messages.webhooks)
        """Whether there are ways to our people besides pages and telephones."""
        self.hub = Hub()
        self.journal: UUID = uuid4()
        """Journal of this desk's own events."""
        self.speech = SpeechServices(settings.run_dir / "speech.sock")
        self.snapshots = SnapshotMaker(self)
        self.reach = Reach(self)
        self.resident_calls = ResidentCalls(self)
        self.messages = Messages(self)
        self.jobs_wake = asyncio.Event()
        self.clock_wake = asyncio.Event()
        self.first_password: str | None = None
        """Login `admin` has this password when this start made it; shown once."""
        self.healthy = True
        self.links: set[NodeLink] = set()
        """Lines and edges linked to this desk."""
        self.linked_at = -math.inf
        """When the first of them came, of those that are here or of the last that were (monotonic)."""
        self._seq = 0

    def link_up(self, link: NodeLink) -> None:
        """A line or an edge has come; whoever waits for a line to be rung by is looked for."""
        if not self.links:
            self.linked_at = time.monotonic()
        self.links.add(link)
        self.reach.wake.set()

    def next_seq(self) -> int:
        """Sequence of this desk's next event."""
        self._seq += 1
        return self._seq

    def site(self, site: str) -> Site:
        """One site. Raises StoreError `site.unknown`."""
        try:
            return self.sites[site]
        except KeyError:
            raise StoreError("site.unknown", f"there is no site {site!r}", mend="check site.folder") from None

    def site_or_default(self, site: str) -> Site:
        """The site a record names; the default one when nobody knows it, so that no call is lost."""
        return self.sites.get(site) or self.site(self.settings.site.default)

    def staff(self, site: str) -> dict[str, StaffName]:
        """The people of a site by id, as pages name them."""
        return {
            s.id: StaffName(s.id, s.name, s.title, s.name_en, s.title_en, s.department, s.extension, s.mobile)
            for s in self.site(site).organisation.staff
        }

    async def roster(self, connection: Any, site: str, starts_at: datetime, ends_at: datetime) -> Roster:
        """The roster of a stretch, as the database has it: turns, swaps and absences."""
        return await seed.roster(connection, site, starts_at, ends_at)

    def wake(self) -> None:
        """Let background work look for something to do at once."""
        self.jobs_wake.set()
        self.clock_wake.set()


async def _forever(name: str, work: Callable[[], Awaitable[None]]) -> None:
    """Do `work` again and again; while the database is away, wait for it."""
    while True:
        try:
            await work()
        except AWAY as error:
            log.info("database_away", work=name, error=repr(error))
            await asyncio.sleep(RETRY_S)
        except CallCenterError as error:
            log.error("background_work_failed", work=name, error=str(error))
            await asyncio.sleep(RETRY_S)
        except Exception:  # the edge of a process loop: the others must go on
            log.exception("background_work_failed", work=name)
            await asyncio.sleep(RETRY_S)


async def _listen(desk: Desk) -> None:
    """Pass on what desks tell by NOTIFY, as long as the connection holds."""
    lost = asyncio.Event()
    connection = await asyncpg.connect(desk.dsn, timeout=10)

    def heard(_: Any, __: int, ___: str, payload: str) -> None:
        try:
            tree = json.loads(payload)
            news = News(NewsKind(tree["kind"]), tree["site"], tree["body"])
        except (ValueError, KeyError):
            return
        desk.hub.publish(news)
        desk.wake()
        if news.kind in {NewsKind.TICKET, NewsKind.DUTY}:
            desk.snapshots.look()
            desk.reach.wake.set()

    try:
        await connection.add_listener("callcenter", heard)
        connection.add_termination_listener(lambda _: lost.set())
        desk.healthy = True
        desk.snapshots.look()  # something may have been told while nobody listened
        desk.wake()
        while not lost.is_set():
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LOOK_S):
                    await lost.wait()
            if not lost.is_set():
                await connection.fetchval("select 1", timeout=LOOK_S)
    finally:
        desk.healthy = False
        connection.terminate()


@asynccontextmanager
async def _database(settings: Settings) -> AsyncIterator[str]:
    """Address of the database: the one set, or an embedded one for as long as the context lasts."""
    if settings.database.dsn is not None:
        yield settings.database.dsn.get_secret_value()
        return
    server = EmbeddedPostgres(settings.var_dir / "postgres")
    await server.start()
    try:
        await server.make_database(DATABASE)
        yield server.dsn(DATABASE)
    finally:
        await server.stop()


@asynccontextmanager
async def open_desk(settings: Settings, *, background: bool = True) -> AsyncIterator[Desk]:
    """A desk that works: database started and migrated, sites loaded, jobs, clocks and live news running.

    Call it from the main thread (it may start PostgreSQL). Raises ConfigError for a site's files and StoreError for the
    database; `background=False` is for commands that only read or write.
    """
    sites = load_sites(settings.sites_dir, settings.rules)
    if settings.site.default not in sites:
        raise StoreError(
            "site.no_default", f"the default site {settings.site.default!r} has no folder",
            where=str(settings.sites_dir), mend="name an existing one as site.default",
        )  # fmt: skip
    async with _database(settings) as dsn:
        try:
            await migrate(dsn)
        except AWAY as error:
            raise StoreError(
                "store.unreachable", f"the database cannot be reached: {type(error).__name__}", retryable=True,
                mend="check database.dsn and that PostgreSQL runs",
            ) from error  # fmt: skip
        pool = await open_pool(dsn, settings.database.pool_size)
        desk = Desk(settings, pool, dsn, sites)
        tasks: list[asyncio.Task[None]] = []
        try:
            await seed.first_start(desk)
            if background:
                await asyncio.to_thread(search.warm)
                works: dict[str, Callable[[], Awaitable[None]]] = {
                    "listen": partial(_listen, desk),
                    "jobs": partial(jobs.work, desk),
                    "clock": partial(clock.work, desk),
                    "snapshot": desk.snapshots.work,
                    "reach": desk.reach.work,
                    "residents": desk.resident_calls.work,
                    "messages": desk.messages.work,
                    "roster": partial(seed.keep_roster, desk),
                    "retention": partial(recordings.keep_retention, desk),
                }
                tasks = [asyncio.create_task(_forever(name, work), name=name) for name, work in works.items()]
            log.info("desk_open", sites=len(sites), at=datetime.now(UTC).isoformat())
            yield desk
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await desk.speech.close()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(5):
                    await pool.close()
            pool.terminate()
