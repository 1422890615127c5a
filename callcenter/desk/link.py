"""The link's desk side: `/line/v1` takes journals and live words from lines and edges, and tells them what they need.

Records are acknowledged after the commit that stored them; a desk that dies before it is asked again by the node, at
this or another desk, and the second time finds them stored.
"""

from __future__ import annotations

import asyncio
import hmac
import json
from collections import deque
from typing import TYPE_CHECKING, Any
from uuid import UUID

import asyncpg
from aiohttp import WSMsgType, web

from callcenter.desk import recordings
from callcenter.desk.models import News, NewsKind
from callcenter.desk.projection import store_record
from callcenter.domain.records import Record, RecordKind
from callcenter.errors import StoreError
from callcenter.log import get_logger
from callcenter.node.secret import node_secret
from callcenter.node.wire import record_from_json
from callcenter.store.pool import AWAY, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.link")
_events = statements("event")
_calls = statements("call")
_house = statements("house")

BATCH = 200
"""Records stored in one transaction; the first of them waits for no others."""

WAITING_AT_MOST = 1000
"""Records of one node waiting to be stored; then the socket is read no further, and the node waits."""

SHOWN_EVERY_S = 0.25
"""Live words are written for other desks' pages this often at most; this desk's pages have them at once."""

MESSAGE_AT_MOST = 8 * 1024 * 1024


class NodeLink:
    """One line or edge on this desk."""

    def __init__(self, desk: Desk, socket: web.WebSocketResponse, hello: dict[str, Any]) -> None:
        self.role = str(hello["role"])
        self.node = str(hello["node"])
        self.number = int(hello["number"])
        self.journal = UUID(hello["journal"])
        self._desk = desk
        self._socket = socket
        self._records: deque[Record] = deque()
        self._news = asyncio.Event()
        self._room = asyncio.Event()
        self._shown: dict[tuple[UUID, str], tuple[int, str]] = {}
        self._shown_news = asyncio.Event()
        self._results: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self.rings: dict[str, float] = {}
        """Calls of ours under way on this line, by message, and until when at most (monotonic)."""
        self.rests_until = 0.0
        """It rings nobody until then (monotonic)."""

    async def command(self, identity: str, command: str, **fields: Any) -> dict[str, Any]:
        """Have the line do one thing and return its result; the same identity is done once. Raises StoreError."""
        result = self._results.get(identity) or asyncio.get_running_loop().create_future()
        self._results[identity] = result
        try:
            await self.send({"type": "command", "id": identity, "command": command, **fields})
            async with asyncio.timeout(30):
                return await asyncio.shield(result)
        except (TimeoutError, ConnectionError) as error:
            raise StoreError("link.no_answer", "the line did not answer", retryable=True) from error

    async def send(self, message: dict[str, Any]) -> None:
        """Send one message."""
        await self._socket.send_str(json.dumps(message, ensure_ascii=False, separators=(",", ":")))

    async def serve(self) -> None:
        """Serve the node until it goes."""
        async with asyncio.TaskGroup() as group:
            tasks = [
                group.create_task(self._store()),
                group.create_task(self._show()),
                group.create_task(self._push_snapshots()),
            ]
            if self.role == "edge":
                tasks.append(group.create_task(self._push_phones()))
            try:
                await self._read()
            finally:
                for task in tasks:
                    task.cancel()

    async def _read(self) -> None:
        acked = await _events.cursor(self._desk.pool, journal=self.journal)
        if acked:
            await self.send({"type": "ack", "journal": str(self.journal), "seq": acked})
        async for message in self._socket:
            if message.type is not WSMsgType.TEXT:
                return
            await self._take(json.loads(message.data))

    async def _take(self, message: dict[str, Any]) -> None:
        match message["type"]:
            case "record":
                while len(self._records) >= WAITING_AT_MOST:
                    self._room.clear()
                    await self._room.wait()
                self._records.append(record_from_json(message["record"]))
                self._news.set()
            case "partial":
                self._partial(message)
            case "live":
                self._publish(NewsKind.CALL, {"call": message["call"], "kind": "live", "state": message["state"]})
            case "numbers":
                block = await _events.lease_block(self._desk.pool, node=self.node, line=self.number)
                await self.send({"type": "numbers", "first": block["first"], "last": block["last"]})
            case "done":
                result = self._results.pop(str(message["id"]), None)
                if result is not None and not result.done():
                    result.set_result(message["result"])

    def _partial(self, message: dict[str, Any]) -> None:
        call, leg, start_ms = UUID(message["call"]), str(message["leg"]), int(message["start_ms"])
        text = str(message["text"])
        self._shown[call, leg] = (start_ms, text)
        self._shown_news.set()
        body = {"call": str(call), "leg": leg, "start_ms": start_ms, "text": text}
        self._publish(NewsKind.PARTIAL, body)

    def _publish(self, kind: NewsKind, body: dict[str, Any]) -> None:
        site = self._desk.settings.site.default if len(self._desk.sites) == 1 else ""
        self._desk.hub.publish(News(kind, site, body))

    async def _store(self) -> None:
        """Store what has come, as much as there is in one transaction, and acknowledge it after the commit."""
        while True:
            await self._news.wait()
            self._news.clear()
            while self._records:
                batch = [self._records.popleft() for _ in range(min(BATCH, len(self._records)))]
                self._room.set()
                acks = await self._store_batch(batch)
                self._forget_shown(batch)
                self._desk.wake()
                self._answered(batch)
                for journal, seq in acks.items():
                    await self.send({"type": "ack", "journal": str(journal), "seq": seq})

    async def _store_batch(self, batch: list[Record]) -> dict[UUID, int]:
        """Store a batch in one transaction; the newest sequence of each journal. Begins again where it gave way."""
        for last in (False, False, True):
            acks: dict[UUID, int] = {}
            try:
                async with self._desk.pool.acquire() as connection, connection.transaction():
                    for record in batch:
                        await store_record(self._desk, connection, record, self.node)
                        acks[record.journal] = max(acks.get(record.journal, 0), record.seq)
                    for journal, seq in acks.items():
                        await _events.note_cursor(
                            connection, journal=journal, role=self.role, node=self.node, number=self.number, acked=seq
                        )
            except asyncpg.TransactionRollbackError:
                if last:
                    raise
            else:
                return acks
        raise AssertionError("the last try returns or raises")

    def _answered(self, batch: list[Record]) -> None:
        """People who pressed a key are told what came of it, now that it is stored."""
        for record in batch:
            ticket, staff = record.body.get("ticket"), record.body.get("to_staff")
            if record.kind is not RecordKind.PERSON_ANSWER or record.call is None or not (ticket and staff):
                continue
            if record.journal == self.journal and record.body.get("answer") in {"accepted", "refused"}:
                self._desk.reach.answered(self, record.call, int(ticket), str(staff))

    def _forget_shown(self, batch: list[Record]) -> None:
        """Words that are final now are not written as live ones any more."""
        for record in batch:
            if record.call is not None and record.kind is RecordKind.CALL_HEARD:
                self._shown.pop((record.call, record.body.get("leg", "caller")), None)
            elif record.call is not None and record.kind is RecordKind.CALL_ENDED:
                for leg in ("caller", "agent"):
                    self._shown.pop((record.call, leg), None)

    async def _show(self) -> None:
        """Write live words for pages of other desks, and for pages that are opened just now."""
        while True:
            await self._shown_news.wait()
            self._shown_news.clear()
            shown, self._shown = self._shown, {}
            for (call, leg), (start_ms, text) in shown.items():
                await _calls.show(self._desk.pool, call=call, leg=leg, start_ms=start_ms, text=text)
            await asyncio.sleep(SHOWN_EVERY_S)

    async def _push_snapshots(self) -> None:
        async for version, text in self._desk.snapshots.versions():
            await self._socket.send_str(f'{{"type":"snapshot","version":{version},"snapshot":{text}}}')

    async def _push_phones(self) -> None:
        sent = 0
        async for _ in self._desk.snapshots.phone_versions():
            version = int(await _house.version(self._desk.pool, what="phones"))
            if version != sent:
                phones = [{"user": row["user"], "ha1": row["ha1"]} async for row in _house.phones(self._desk.pool)]
                await self.send({"type": "phones", "version": version, "phones": phones})
                sent = version


def routes(desk: Desk) -> list[web.RouteDef]:
    """The link's routes; the web mounts them."""
    secret = node_secret(desk.settings).encode()

    def check(request: web.Request) -> None:
        scheme, _, given = request.headers.get("Authorization", "").partition(" ")
        if scheme != "Bearer" or not hmac.compare_digest(given.encode(), secret):
            raise web.HTTPUnauthorized(text="the nodes' secret is another one: check node.secret on both sides\n")

    async def line(request: web.Request) -> web.WebSocketResponse:
        check(request)
        socket = web.WebSocketResponse(heartbeat=10, max_msg_size=MESSAGE_AT_MOST, compress=False)
        await socket.prepare(request)
        code, why = 1000, b""
        link: NodeLink | None = None
        try:
            async with asyncio.timeout(10):
                hello = await socket.receive_json()
            if hello.get("type") != "hello":
                raise StoreError("link.no_hello", "the first message is not a hello")
            link = NodeLink(desk, socket, hello)
            desk.link_up(link)
            log.info("node_linked", role_of_node=link.role, node=link.node, line=link.number)
            await link.serve()
        except* (KeyError, ValueError, TypeError, StoreError) as errors:
            log.warning("node_speaks_wrongly", error=repr(errors.exceptions[0]))
            code, why = 1008, b"not the link's language"
        except* AWAY as errors:
            log.info("node_sent_elsewhere", error=type(errors.exceptions[0]).__name__)
            code, why = 1013, b"the database is away"
        finally:
            if link is not None:
                desk.links.discard(link)
                log.info("node_unlinked", role_of_node=link.role, node=link.node, line=link.number)
        await socket.close(code=code, message=why)
        return socket

    async def put_recording(request: web.Request) -> web.Response:
        check(request)
        try:
            call = UUID(request.match_info["call"])
        except ValueError:
            raise web.HTTPBadRequest(text="not a call's id\n") from None
        sha256 = request.headers.get("X-SHA256", "").lower()
        try:
            status = await recordings.take(desk, call, sha256, request.content.iter_chunked(256 * 1024))
        except AWAY:
            raise web.HTTPServiceUnavailable(text="the database is away\n") from None
        except StoreError as error:
            if error.code == "call.unknown":
                raise web.HTTPNotFound(text=f"{error}\n") from error
            raise web.HTTPBadRequest(text=f"{error}\n") from error
        except OSError as error:
            log.error("recording_not_stored", error=error.strerror, mend="check the recordings' store")
            raise web.HTTPInsufficientStorage(text="the store takes no files\n") from error
        return web.Response(status=status)

    return [
        web.get("/line/v1", line),
        web.put("/line/v1/recordings/{call}", put_recording),
    ]
