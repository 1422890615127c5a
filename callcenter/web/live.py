"""Live news for pages: one stream of server-sent events each, bounded, filtered by what the viewer may see."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from callcenter.desk.models import Account
from callcenter.web.i18n import locale_of
from callcenter.web.metrics import METRICS
from callcenter.web.viewer import Viewer, still_valid, viewer

PING_EVERY_S = 10
"""A page that hears nothing for 25 s says that the server is lost."""
QUEUED_AT_MOST = 300
"""News waiting for one page; a page that falls further behind is told to load again."""
RETRY_MS = 1500


@dataclass(frozen=True)
class News:
    """One piece of news: an event's `name` and JSON `body`. `site` None: for every site; `right` who may have it."""

    name: str
    body: dict[str, Any] = field(default_factory=dict)
    site: str | None = None
    right: str | None = None
    staff: str | None = None
    """Only for pages of this person ("": of accounts without one); None: for all."""
    locale: str | None = None


@dataclass(frozen=True)
class Reader:
    """One page that is open: who looks, in which language."""

    viewer: Viewer
    locale: str

    @property
    def account(self) -> Account:
        """The account that looks."""
        return self.viewer.account

    def wants(self, news: News) -> bool:
        """Whether `news` is for this page."""
        return (
            (news.site is None or self.account.site in (None, news.site))
            and (news.right is None or self.viewer.may(news.right))
            and (news.staff is None or news.staff == (self.account.staff or ""))
            and (news.locale is None or news.locale == self.locale)
        )


class Hub:
    """Gives news to every page that is open. `publish` never waits."""

    def __init__(self, dropped: Callable[[], None] = lambda: None) -> None:
        self._queues: dict[asyncio.Queue[News | None], Reader] = {}
        self._dropped = dropped
        self.closed = False

    def publish(self, news: News) -> None:
        """Give `news` to every page whose viewer may have it."""
        for queue, reader in list(self._queues.items()):
            if not reader.wants(news):
                continue
            try:
                queue.put_nowait(news)
            except asyncio.QueueFull:
                self._dropped()
                while not queue.empty():
                    queue.get_nowait()
                queue.put_nowait(News("calls"))
                queue.put_nowait(News("tickets"))

    def open(self, reader: Reader) -> asyncio.Queue[News | None]:
        """A queue for one page."""
        queue: asyncio.Queue[News | None] = asyncio.Queue(QUEUED_AT_MOST)
        self._queues[queue] = reader
        return queue

    def readers(self) -> list[Reader]:
        """Who looks now."""
        return list(self._queues.values())

    def close(self, queue: asyncio.Queue[News | None]) -> None:
        """The page has gone."""
        self._queues.pop(queue, None)

    def end(self) -> None:
        """Send every page away; they come back to another desk or to this one when it is up again."""
        self.closed = True
        for queue in list(self._queues):
            while queue.full():
                queue.get_nowait()
            queue.put_nowait(None)

    def __len__(self) -> int:
        return len(self._queues)


HUB = web.AppKey("hub", Hub)


def event_bytes(name: str, body: dict[str, Any]) -> bytes:
    """One server-sent event."""
    return f"event: {name}\ndata: {json.dumps(body, ensure_ascii=False)}\n\n".encode()


async def live(request: web.Request) -> web.StreamResponse:
    """GET /live: news as server-sent events for as long as the page is open."""
    hub, reader = request.app[HUB], Reader(viewer(request), locale_of(request))
    answer = web.StreamResponse(headers={"Content-Type": "text/event-stream", "X-Accel-Buffering": "no"})
    await answer.prepare(request)
    queue = hub.open(reader)
    readers = request.app[METRICS].readers
    readers.inc()
    try:
        await answer.write(f"retry: {RETRY_MS}\n".encode() + event_bytes("hello", {}))
        while not hub.closed:
            try:
                async with asyncio.timeout(PING_EVERY_S):
                    news = await queue.get()
            except TimeoutError:
                if not await still_valid(request, reader.viewer):
                    break
                await answer.write(event_bytes("ping", {}))
                continue
            if news is None:
                break
            await answer.write(event_bytes(news.name, news.body))
    except (ConnectionResetError, ConnectionError):
        pass
    finally:
        readers.dec()
        hub.close(queue)
    return answer
