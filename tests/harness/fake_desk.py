"""A fake desk: the other end of the link, that tells phones and stores records."""

from __future__ import annotations

import asyncio
import json
from typing import Any

from websockets.asyncio.server import Server, ServerConnection, serve


class FakeDesk:
    """Listens on loopback without TLS; `tell` sends to whoever is linked, `records` is what it stored."""

    def __init__(self) -> None:
        self.records: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.hellos: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.authorization = ""
        self.phones: dict[str, Any] = {"type": "phones", "version": 0, "phones": []}
        self._links: set[ServerConnection] = set()
        self._server: Server | None = None

    @property
    def address(self) -> str:
        assert self._server is not None
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def open(self, port: int = 0) -> None:
        self._server = await serve(self._linked, "127.0.0.1", port)

    async def _linked(self, link: ServerConnection) -> None:
        assert link.request is not None
        assert link.request.path == "/line/v1"
        self.authorization = link.request.headers.get("Authorization", "")
        self._links.add(link)
        try:
            async for raw in link:
                message = json.loads(raw)
                if message["type"] == "hello":
                    self.hellos.put_nowait(message)
                    await link.send(json.dumps(self.phones))
                elif message["type"] == "record":
                    record = message["record"]
                    self.records.put_nowait(record)
                    await link.send(json.dumps({"type": "ack", "journal": record["journal"], "seq": record["seq"]}))
        finally:
            self._links.discard(link)

    async def tell_phones(self, version: int, **ha1: str) -> None:
        """A new list of phones, to everybody linked now and later."""
        phones = [{"user": user.removeprefix("u"), "ha1": value} for user, value in ha1.items()]
        self.phones = {"type": "phones", "version": version, "phones": phones}
        for link in list(self._links):
            await link.send(json.dumps(self.phones))

    async def close(self) -> None:
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None
