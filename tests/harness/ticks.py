"""Looking again and again at what nobody announces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator


async def ticks(every_s: float = 0.05) -> AsyncIterator[None]:
    """A turn every `every_s` seconds, for what only looking tells (a file, a table of Kamailio's)."""
    while True:
        yield
        await asyncio.sleep(every_s)
