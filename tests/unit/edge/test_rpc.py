"""Answers of Kamailio quote messages from the wire: odd bytes must not keep us from reading them."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError


@pytest.fixture
def kamailio() -> Iterator[tuple[Path, socket.socket]]:
    """The other end of the socket, answered by the test."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as end:
        path = Path(folder) / "k.sock"
        end.bind(str(path))
        end.setblocking(False)
        yield path, end


async def answer_with(end: socket.socket, result: bytes, key: str = "result") -> None:
    loop = asyncio.get_running_loop()
    raw, sender = await loop.sock_recvfrom(end, 65536)
    number = json.loads(raw)["id"]
    await loop.sock_sendto(end, b'{"jsonrpc":"2.0","%s":%s,"id":%d}' % (key.encode(), result, number), sender)


@pytest.mark.parametrize("odd", [b"\xff\xfe", b"\x80call", b"tab\there", b"\x01"])
async def test_odd_bytes_are_read(kamailio: tuple[Path, socket.socket], odd: bytes) -> None:
    path, end = kamailio
    rpc = Rpc(path)
    answered = asyncio.create_task(answer_with(end, b'[{"call-id":"%s"}]' % odd))
    (call,) = await rpc.call("dlg.list")
    await answered
    assert call["call-id"]
    rpc.close()


async def test_a_refusal_is_an_error(kamailio: tuple[Path, socket.socket]) -> None:
    path, end = kamailio
    rpc = Rpc(path)
    answered = asyncio.create_task(answer_with(end, b'{"code":500,"message":"No such htable"}', "error"))
    with pytest.raises(TelephonyError, match="No such htable"):
        await rpc.call("htable.get", "x", "y")
    await answered
    rpc.close()


async def test_nobody_there_is_an_error_that_may_pass(tmp_path: Path) -> None:
    rpc = Rpc(tmp_path / "none.sock")
    with pytest.raises(TelephonyError) as caught:
        await rpc.call("core.uptime")
    assert caught.value.retryable
    rpc.close()
