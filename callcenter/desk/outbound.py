"""Queues of calls of ours: whom there is to ring is claimed, a line rings them, whom no line rings is free again.

Any number of desks look. A claim holds for a while, so what a desk or a line that died left behind is rung again.
What comes of a call arrives as the line's records: see `callcenter.desk.rung` and `callcenter.desk.residents_rung`.
"""

from __future__ import annotations

import asyncio
import contextlib
import time
from abc import ABC, abstractmethod
from collections.abc import Coroutine
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk
    from callcenter.desk.link import NodeLink

log = get_logger("desk.outbound")
_sql = statements("reach")

CLAIM_S = 40
"""What is claimed is another desk's after this long, unless the line says that the call is under way."""

LINE_RESTS_S = 10
"""A line that does not ring anybody (it drains, it has no leg) is not asked again for so long."""


TOLD_WITHIN_S = 10
"""Lines that had no desk are all back by then, and have told what came of their calls (`node.link.RETRY_LAST_S`)."""


@dataclass(frozen=True)
class Order:
    """One call to make, claimed by this desk."""

    id: int
    key: str
    """Names it among the calls of ours on a line."""
    attempts: int
    command: dict[str, Any]
    """Fields of the line's command `dial`."""


class OutboundQueue(ABC):
    """This desk's part in one queue. A queue knows what is next in it, and writes down what became of that."""

    look_s: float
    """Looked into at least this often; `wake` makes it sooner."""
    call_s: float
    """A call under way has been heard of again by then, or is taken to be lost."""
    per_line: int
    """Rings only by a line with fewer calls of ours; a line keeps legs for callers besides."""
    leaves_one = False
    """One of several lines has no call of this queue."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self.wake = asyncio.Event()
        self.calling: dict[str, tuple[NodeLink, str]] = {}
        """Key of an order → line and call, of those under way that this desk ordered."""
        self._keys: set[str] = set()
        """Of this queue's orders that lines do or are about to do."""
        self._tasks: set[asyncio.Task[None]] = set()

    @abstractmethod
    def why_not(self) -> str:
        """Why this house rings nobody of this queue; empty where it does."""

    @abstractmethod
    async def look(self, at: datetime) -> None:
        """What there is to do before anybody is rung at `at`; then `ring`."""

    @abstractmethod
    async def claim(self, at: datetime) -> Order | None:
        """The next to ring, this desk's until CLAIM_S have passed."""

    @abstractmethod
    async def under_way(self, order: Order, call: str, until: datetime) -> None:
        """A line rings them, as this call; nobody else does until then."""

    @abstractmethod
    async def not_rung(self, order: Order, error: str) -> None:
        """The line did not ring them, because of `error`: whichever can may."""

    async def work(self) -> None:
        """Ring whom there is to ring, for good."""
        if why := self.why_not():
            log.info("nobody_is_rung", queue=type(self).__name__, reason=why, mend="see reaching-people.md")
            await asyncio.Event().wait()
        try:
            while True:
                self.wake.clear()
                await self.look(datetime.now(UTC))
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(self.look_s):
                        await self.wake.wait()
        finally:
            for task in self._tasks:
                task.cancel()

    async def ring(self, at: datetime) -> None:
        """Ring as many as there are lines for it."""
        while (link := await self._free_line()) is not None:
            order = await self.claim(at)
            if order is None:
                return
            link.rings[order.key] = time.monotonic() + CLAIM_S
            self._keys.add(order.key)
            self.start(self._dial(link, order))

    def lines_have_told(self) -> bool:
        """Whether a call that was never heard of is lost; a line that was alone may yet tell how it ended (R22)."""
        return time.monotonic() - self._desk.linked_at >= TOLD_WITHIN_S

    def goes_on(self, key: str, for_s: float) -> None:
        """A call under way may last so long from now on."""
        for link in self._desk.links:
            if key in link.rings:
                link.rings[key] = time.monotonic() + for_s

    def over(self, key: str) -> None:
        """A call has ended: its line may ring the next."""
        self.calling.pop(key, None)
        for link in self._desk.links:
            link.rings.pop(key, None)
        self.wake.set()

    def start(self, work: Coroutine[Any, Any, None]) -> None:
        """Do this besides, while the queue works."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _free_line(self) -> NodeLink | None:
        """The line with the fewest calls, of those that may ring somebody now."""
        now = time.monotonic()
        lines = [link for link in self._desk.links if link.role == "line"]
        for link in lines:
            link.rings = {key: until for key, until in link.rings.items() if until > now}
        free = [link for link in lines if link.rests_until <= now and len(link.rings) < self.per_line]
        self._keys &= {key for link in lines for key in link.rings}
        without = [link for link in lines if self._keys.isdisjoint(link.rings)]
        if self.leaves_one and len(lines) > 1 and len(without) == 1:
            return None
        if len(free) > 1:
            calls = {(r["node"], r["line"]): r["calls"] async for r in _sql.calls_by_line(self._desk.pool)}
            free.sort(key=lambda link: calls.get((link.node, link.number), 0) + len(link.rings))
        return free[0] if free else None

    async def _dial(self, link: NodeLink, order: Order) -> None:
        """Have the line ring them; one that does not is left alone for a while."""
        try:
            # a claim is an order of its own: the line does the same order once, whatever came of it
            result = await link.command(f"dial/{order.key}/{uuid4()}", "dial", **order.command)
            error = "" if result.get("ok") else str(result.get("error"))
        except CallCenterError as failure:
            result, error = {}, failure.code
        except OSError:
            result, error = {}, "link.away"
        with contextlib.suppress(*AWAY):
            if not error:
                if order.key in link.rings:  # else its end has come already
                    link.rings[order.key] = time.monotonic() + self.call_s
                    self.calling[order.key] = (link, str(result["call"]))
                until = datetime.now(UTC) + timedelta(seconds=self.call_s)
                await self.under_way(order, str(result["call"]), until)
                return
            link.rings.pop(order.key, None)
            link.rests_until = time.monotonic() + LINE_RESTS_S
            log.warning("line_rings_nobody", line=link.number, ticket=order.command["ticket"], reason=error)
            await self.not_rung(order, error)
        self.wake.set()
