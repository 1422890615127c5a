"""Kamailio's JSON-RPC over a UNIX datagram socket."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import socket
from pathlib import Path
from typing import Any

from callcenter.errors import TelephonyError

TIMEOUT_S = 2.0
_ANSWER_BYTES = 1 << 20


class Rpc:
    """Calls commands of a running Kamailio, one at a time. Raises TelephonyError when it does not answer or refuses."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._ours = path.with_name(f"rpc-{os.getpid()}.sock")
        self._socket: socket.socket | None = None
        self._numbers = itertools.count(1)
        self._one = asyncio.Lock()

    def _open(self) -> socket.socket:
        if self._socket is None:
            self._ours.unlink(missing_ok=True)
            opened = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
            opened.setblocking(False)
            opened.bind(str(self._ours))
            self._ours.chmod(0o600)
            self._socket = opened
        return self._socket

    async def call(self, method: str, *parameters: str | int) -> Any:
        """The result of `method`."""
        number = next(self._numbers)
        request = {"jsonrpc": "2.0", "method": method, "params": list(parameters), "id": number}
        loop = asyncio.get_running_loop()
        async with self._one:
            try:
                link = self._open()
                async with asyncio.timeout(TIMEOUT_S):
                    await loop.sock_sendto(link, json.dumps(request).encode(), str(self._path))
                    while True:
                        raw = await loop.sock_recv(link, _ANSWER_BYTES)
                        # Answers quote messages, which hold whatever their senders put into them.
                        answer = json.loads(raw.decode("utf-8", "replace"), strict=False)
                        if answer.get("id") == number:
                            break
            except (OSError, TimeoutError, ValueError) as error:
                raise TelephonyError(
                    "edge.rpc_silent", f"Kamailio does not answer {method}: {error!r}", retryable=True
                ) from error
        if "error" in answer:
            raise TelephonyError("edge.rpc_refused", f"Kamailio refused {method}: {answer['error'].get('message')}")
        return answer.get("result")

    def close(self) -> None:
        """Give the socket back. May be called twice."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None
        with contextlib.suppress(OSError):
            self._ours.unlink(missing_ok=True)
