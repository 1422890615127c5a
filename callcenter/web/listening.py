"""When a listening begins: a player asks for a recording in many pieces, and one play is one listening (R35)."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from uuid import UUID

from aiohttp import web

AGAIN_AFTER_S = 60.0
"""A piece asked for this long after the last one is another listening."""
REMEMBERED = 5_000


class Heard:
    """Who is listening to what just now. `now` is monotonic seconds."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._last: OrderedDict[tuple[int, UUID], float] = OrderedDict()

    def begins(self, account: int, call: UUID, first_byte: int) -> bool:
        """Whether this request begins a listening: from the start, or after a pause."""
        last = self._last.pop((account, call), None)
        self._last[account, call] = self._now()
        while len(self._last) > REMEMBERED:
            self._last.popitem(last=False)
        return first_byte == 0 or last is None or self._now() - last > AGAIN_AFTER_S


HEARD = web.AppKey("heard", Heard)
