"""Live news within one desk: what its own links and, by NOTIFY, all other desks tell."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from callcenter.desk.models import News

QUEUED_AT_MOST = 1000
"""News waiting for one reader; of a reader that falls further behind the oldest is dropped: pages read again."""


class Hub:
    """Gives news to every subscriber. `publish` never waits."""

    def __init__(self) -> None:
        self._queues: set[asyncio.Queue[News]] = set()

    def publish(self, news: News) -> None:
        """Give `news` to everyone who subscribed."""
        for queue in self._queues:
            if queue.full():
                queue.get_nowait()
            queue.put_nowait(news)

    async def subscribe(self) -> AsyncIterator[News]:
        """News from now on, until the reader stops."""
        queue: asyncio.Queue[News] = asyncio.Queue(QUEUED_AT_MOST)
        self._queues.add(queue)
        try:
            while True:
                yield await queue.get()
        finally:
            self._queues.discard(queue)
