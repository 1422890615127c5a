"""The link's client: one WebSocket to any of the desks. Ships journals at least once, keeps what the desk tells.

The snapshot and leased numbers are on this node's disk, so a call needs no desk. A desk that goes is left for the next.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import random
from collections import OrderedDict, deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Any
from uuid import UUID

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import InvalidHandshake, WebSocketException

from callcenter.config import Settings
from callcenter.domain import snapshot as snapshots
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.node.desks import DeskAddress, desk_addresses, tls_context
from callcenter.node.files import private_folder, replace_file
from callcenter.node.journal import Journal
from callcenter.node.numbers import WANT, NumberPool
from callcenter.node.outbox import Outbox
from callcenter.node.secret import node_secret
from callcenter.node.wire import record_to_json

log = get_logger("node.link")

SHIPPED_AHEAD = 500
"""Records sent before the first of them is acknowledged."""

LIVE_AT_MOST = 200
"""Partials and states waiting to be sent; older ones are dropped, they are only for looking at."""

RETRY_FIRST_S, RETRY_LAST_S = 0.2, 5.0
"""Pauses between attempts, doubling: short enough for a restarted desk, long enough for one that is down."""

PING_S = 5
"""A desk that does not answer a ping for this long is left."""

RESULTS_KEPT = 1000
"""Results of commands kept, so that a command told twice is done once."""

Command = dict[str, Any]


class LinkState(StrEnum):
    """CONNECTING → LINKED → CONNECTING …, and CLOSED at the end."""

    CONNECTING = "connecting"
    LINKED = "linked"
    CLOSED = "closed"


@dataclass(frozen=True)
class Phone:
    """A person's SIP phone as the registrar needs it: user and HA1 = MD5(user:realm:password)."""

    user: str
    ha1: str


class LinkClient:
    """The link of one process. All methods belong to the loop's thread.

    `on_snapshot`, `on_phones` are called with what came from the desk; `on_command` does one command
    (`{"id", "command", …}`) and returns its result, plain JSON.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        role: str,
        number: int,
        journal: Journal,
        numbers: NumberPool | None = None,
        on_snapshot: Callable[[snapshots.Snapshot], None] | None = None,
        on_command: Callable[[Command], Awaitable[dict[str, Any]]] | None = None,
        on_phones: Callable[[int, list[Phone]], None] | None = None,
    ) -> None:
        self._settings = settings
        self._hello = {"role": role, "node": settings.node.name, "number": number, "journal": str(journal.id)}
        self._journal = journal
        self._adopted: list[Journal] = []
        self._adopted_news = asyncio.Event()
        self._numbers = numbers
        self._on_snapshot, self._on_command, self._on_phones = on_snapshot, on_command, on_phones
        self._folder = private_folder(settings.var_dir / "node")
        self._live: deque[dict[str, Any]] = deque(maxlen=LIVE_AT_MOST)
        self._replies: deque[dict[str, Any]] = deque()
        self._results: OrderedDict[str, dict[str, Any] | None] = OrderedDict()
        self._commands: set[asyncio.Task[None]] = set()
        self._wake = asyncio.Event()
        self._acks = asyncio.Event()
        self._asked_numbers = False
        self.state = LinkState.CONNECTING
        self.snapshot: snapshots.Snapshot | None = _read_snapshot(self._folder / "snapshot.json")
        self.outbox = Outbox(settings, self._folder / "outbox")
        """Finished recordings on their way to the desk."""

    @property
    def linked(self) -> bool:
        """Whether a desk is there now."""
        return self.state is LinkState.LINKED

    @property
    def waiting(self) -> int:
        """Records no desk has stored yet."""
        return sum(journal.last_seq - journal.acked for journal in (self._journal, *self._adopted))

    def adopt(self, journal: Journal) -> None:
        """Ship the journal of a dead process, and delete it when a desk has it all. Nothing is appended to it after."""
        self._adopted.append(journal)
        self._adopted_news.set()

    def partial(self, call: UUID, leg: str, start_ms: int, text: str) -> None:
        """Show words as they are spoken; lost when no desk is there."""
        self._show({"type": "partial", "call": str(call), "leg": leg, "start_ms": start_ms, "text": text})

    def live(self, call: UUID, state: str) -> None:
        """Show a call's state at once, ahead of its journal."""
        self._show({"type": "live", "call": str(call), "state": state})

    async def run(self) -> None:
        """Keep the link up until cancelled. Never raises for a desk that is away."""
        pause, turn = RETRY_FIRST_S, 0
        try:
            async with asyncio.TaskGroup() as group:
                group.create_task(self.outbox.run())
                while True:
                    desks = desk_addresses(self._settings)
                    if desks and await self._link_once(desks[turn % len(desks)]):
                        pause = RETRY_FIRST_S
                    turn += 1
                    self.state = LinkState.CONNECTING
                    await asyncio.sleep(pause * random.uniform(0.7, 1.3))  # noqa: S311 - spreads reconnects
                    pause = min(pause * 2, RETRY_LAST_S)
        finally:
            self.state = LinkState.CLOSED
            for task in self._commands:
                task.cancel()

    async def shipped(self) -> None:
        """Return when a desk has stored every record."""
        while self.waiting:
            self._acks.clear()
            await self._acks.wait()

    def _show(self, message: dict[str, Any]) -> None:
        if self.linked:
            self._live.append(message)
            self._wake.set()

    async def _link_once(self, desk: DeskAddress) -> bool:
        """One connection from hello to its end; whether it came up at all."""
        up = False
        try:
            async with connect(
                desk.link,
                ssl=tls_context(self._settings) if desk.tls else None,
                additional_headers={"Authorization": f"Bearer {node_secret(self._settings)}"},
                open_timeout=10, ping_interval=PING_S, ping_timeout=PING_S, close_timeout=1,
                max_size=64 * 1024 * 1024, proxy=None,
            ) as socket:  # fmt: skip
                await _send(socket, {"type": "hello", **self._hello})
                up, self.state = True, LinkState.LINKED
                self._asked_numbers = False
                log.info("link_up", desk=str(desk))
                async with asyncio.TaskGroup() as group:
                    sender = group.create_task(self._send_all(socket))
                    async for message in socket:
                        self._take(json.loads(message))
                    sender.cancel()
                log.info("link_closed_by_desk", desk=str(desk))
        except* InvalidHandshake as errors:
            mend = "check node.secret on both sides" if "401" in str(errors.exceptions[0]) else "see the desk's log"
            log.warning("link_refused", desk=str(desk), error=str(errors.exceptions[0]), mend=mend)
        except* (OSError, WebSocketException, TimeoutError) as errors:
            if up:
                log.info("link_lost", desk=str(desk), error=type(errors.exceptions[0]).__name__)
        except* CallCenterError as errors:
            log.warning("link_failed", desk=str(desk), error=str(errors.exceptions[0]))
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # a group that fails while it is cancelled tells the failure alone
            raise asyncio.CancelledError
        return up

    async def _send_all(self, socket: ClientConnection) -> None:
        async with asyncio.TaskGroup() as group:
            group.create_task(self._ship_adopted(socket))
            group.create_task(self._ship(socket, self._journal))
            group.create_task(self._send_live(socket))

    async def _ship_adopted(self, socket: ClientConnection) -> None:
        while True:
            self._adopted_news.clear()
            for journal in list(self._adopted):
                await self._ship(socket, journal, until_stored=True)
                journal.remove()
                self._adopted.remove(journal)
            await self._adopted_news.wait()

    async def _ship(self, socket: ClientConnection, journal: Journal, *, until_stored: bool = False) -> None:
        tail = journal.tail(journal.acked)
        while True:
            for record in tail.more():
                while record.seq - journal.acked > SHIPPED_AHEAD:
                    self._acks.clear()
                    await self._acks.wait()
                await _send(socket, {"type": "record", "record": record_to_json(record)})
            if not until_stored:
                await journal.news()
            elif journal.stored:
                return
            else:
                self._acks.clear()
                await self._acks.wait()

    async def _send_live(self, socket: ClientConnection) -> None:
        self._live.clear()
        while True:
            self._wake.clear()
            if self._numbers is not None and self._numbers.low and not self._asked_numbers:
                self._asked_numbers = True
                await _send(socket, {"type": "numbers", "want": WANT})
            for queue in (self._replies, self._live):
                while queue:
                    await _send(socket, queue[0])
                    queue.popleft()
            await self._wake.wait()

    def take_number(self) -> int:
        """The next ticket number (see NumberPool.take); more are leased in time. Raises StoreError."""
        assert self._numbers is not None, "only a line speaks ticket numbers"
        number = self._numbers.take()
        self._wake.set()
        return number

    def _take(self, message: dict[str, Any]) -> None:
        match message.get("type"):
            case "ack":
                journal = UUID(message["journal"])
                for ours in (self._journal, *self._adopted):
                    if ours.id == journal:
                        ours.note_ack(int(message["seq"]))
                self._acks.set()
            case "snapshot":
                self._take_snapshot(message)
            case "numbers" if self._numbers is not None:
                self._numbers.add(int(message["first"]), int(message["last"]))
                self._asked_numbers = False
                self._wake.set()
            case "phones" if self._on_phones is not None:
                phones = [Phone(p["user"], p["ha1"]) for p in message["phones"]]
                self._on_phones(int(message["version"]), phones)
            case "command":
                self._take_command(message)

    def _take_snapshot(self, message: dict[str, Any]) -> None:
        snapshot = snapshots.from_json(json.dumps(message["snapshot"]))
        ours = self.snapshot
        if ours is not None and snapshot.version <= ours.version and snapshot.made_at <= ours.made_at:
            return  # an older one of a slower desk; a database begun anew counts from 1 but is made later
        self.snapshot = snapshot
        with contextlib.suppress(OSError):  # a full disk keeps the older one; this process has the newer in memory
            replace_file(self._folder / "snapshot.json", snapshots.to_json(snapshot))
        if self._on_snapshot is not None:
            self._on_snapshot(snapshot)

    def _take_command(self, message: Command) -> None:
        identity = str(message["id"])
        if identity in self._results:
            result = self._results[identity]
            if result is not None:  # still under way otherwise: its end answers both
                self._reply(identity, result)
            return
        self._results[identity] = None
        while len(self._results) > RESULTS_KEPT:
            self._results.popitem(last=False)
        task = asyncio.get_running_loop().create_task(self._do(identity, message))
        self._commands.add(task)
        task.add_done_callback(self._commands.discard)

    async def _do(self, identity: str, message: Command) -> None:
        try:
            if self._on_command is None:
                result: dict[str, Any] = {"ok": False, "error": "link.no_commands"}
            else:
                result = {"ok": True, **await self._on_command(message)}
        except CallCenterError as error:
            result = {"ok": False, "error": error.code}
        except Exception as error:  # noqa: BLE001 - the edge of a process loop: a command must not end the link
            log.error("command_failed", command=message.get("command"), error=repr(error))
            result = {"ok": False, "error": "link.command_failed"}
        self._results[identity] = result
        self._reply(identity, result)

    def _reply(self, identity: str, result: dict[str, Any]) -> None:
        self._replies.append({"type": "done", "id": identity, "result": result})
        self._wake.set()


async def _send(socket: ClientConnection, message: dict[str, Any]) -> None:
    await socket.send(json.dumps(message, ensure_ascii=False, separators=(",", ":")))


def _read_snapshot(path: Path) -> snapshots.Snapshot | None:
    try:
        return snapshots.from_json(path.read_bytes())
    except FileNotFoundError:
        return None
    except (OSError, CallCenterError) as error:
        log.warning("snapshot_unreadable", error=str(error), mend="nothing to do: the desk sends a new one")
        return None
