"""From the desk's news to the pages' news: which lists changed, which words are being spoken, which emergency waits."""

from __future__ import annotations

import asyncio
from typing import Any

from aiohttp import web

from callcenter.desk import tickets
from callcenter.desk.models import News as DeskNews
from callcenter.desk.models import NewsKind
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY
from callcenter.web.access import Right
from callcenter.web.i18n import LOCALES
from callcenter.web.live import HUB, Hub, News
from callcenter.web.metrics import METRICS
from callcenter.web.names import Names
from callcenter.web.page import alarm_of, bar_counts, environment
from callcenter.web.state import DESK

log = get_logger("web.news")
COUNTS_AT_MOST_EVERY_S = 1.0
"""Counting costs a query; a burst of news is counted once."""
ALARMS_TOLD = 50
"""Emergencies waiting at once that pages are told of; each page shows the newest of them."""


def page_news(news: DeskNews) -> News | None:
    """The pages' form of one piece of the desk's news."""
    body = news.body
    match news.kind:
        case NewsKind.PARTIAL:
            shown: dict[str, Any] = {k: body[k] for k in ("leg", "start_ms", "text") if k in body}
            shown["call"] = str(body["call"])
            return News("text", shown, news.site, Right.SEE_CALLS)
        case NewsKind.CALL:
            return News(
                "calls", {"id": str(body.get("call", "")), "kind": body.get("kind", "")}, news.site, Right.SEE_CALLS
            )
        case NewsKind.TICKET | NewsKind.TASK | NewsKind.CALLBACK:
            return News("tickets", {"id": str(body.get("ticket") or ""), "kind": body.get("kind", "")}, news.site)
        case NewsKind.DUTY:
            return News("duty", {}, news.site)
    return None


def alarm_html(locale: str, alarm: dict[str, Any], names: Names) -> str:
    """The line about an emergency, in one language."""
    module = environment(locale).get_template("parts.html").make_module({"names": names, "locale": locale})
    return str(module.alarm(alarm))  # type: ignore[attr-defined]


class Counter:
    """Counts for the bar and the emergencies that wait, at most once a second per site."""

    def __init__(self, app: web.Application) -> None:
        self._app = app
        self._wanted: set[str] = set()
        self._wake = asyncio.Event()
        self._alarms: dict[str, set[int]] = {}

    def want(self, site: str) -> None:
        """Something changed."""
        self._wanted.add(site)
        self._wake.set()

    async def run(self) -> None:
        """Count whenever something changed, for good."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            wanted, self._wanted = self._wanted, set()
            for site in wanted:
                try:
                    await self._count(site)
                except (*AWAY, CallCenterError) as error:
                    log.info("web.counting_failed", error=type(error).__name__)
            await asyncio.sleep(COUNTS_AT_MOST_EVERY_S)

    async def _count(self, site: str) -> None:
        desk, hub = self._app[DESK], self._app[HUB]
        everybody = bar_counts(await tickets.counts(desk, site))
        for kind, n in everybody.items():
            self._app[METRICS].waiting.labels(kind).set(n)
        # what waits for oneself differs by person: pages of people count for themselves
        for staff in {reader.account.staff for reader in hub.readers() if reader.account.site in (None, site)}:
            counts = bar_counts(await tickets.counts(desk, site, staff))
            hub.publish(News("counts", dict(counts), site, staff=staff or ""))
        await self._tell_alarms(desk, hub, site)

    async def _tell_alarms(self, desk: Any, hub: Hub, site: str) -> None:
        waiting = {row.number: row for row in await tickets.alarms(desk, site, ALARMS_TOLD)}
        before = self._alarms.get(site, set())
        for number in before - waiting.keys():
            hub.publish(News("alarm", {"ticket": number, "taken": True}, site, Right.HEAR_ALARMS))
        for number, row in waiting.items():
            if number not in before:
                for locale in LOCALES:
                    names = Names(desk.sites[site], locale)
                    html = alarm_html(locale, alarm_of(row, names), names)
                    body = {"ticket": number, "html": html}
                    hub.publish(News("alarm", body, site, Right.HEAR_ALARMS, locale=locale))
        self._alarms[site] = set(waiting)


async def follow_desk(app: web.Application) -> None:
    """Pass the desk's news on to the pages, for good."""
    desk, hub, counter = app[DESK], app[HUB], Counter(app)
    for site in desk.sites:
        counter.want(site)
    async with asyncio.TaskGroup() as group:
        group.create_task(counter.run())
        async for news in desk.hub.subscribe():
            if (told := page_news(news)) is not None:
                hub.publish(told)
            if news.kind is not NewsKind.PARTIAL:
                counter.want(news.site)
