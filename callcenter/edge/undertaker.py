"""Speaks for a line that died, for a moment, at its address: so nobody waits for its timers.

Kamailio keeps a call that rings at a dead line until a timer ends, and a BYE to it is sent again and again. For a
second we answer there: what rings is refused, so that the next line gets the call; what talked is over.
"""

from __future__ import annotations

import asyncio
import contextlib
import secrets
from typing import cast

from callcenter.edge.calls import early_calls, end_talking_calls
from callcenter.edge.lines import LineAddress
from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError
from callcenter.log import get_logger

log = get_logger("edge.undertaker")

STAY_S = 1.0
"""Shorter than a new line needs to start, which may want the same port."""
_COPIED = frozenset({"via", "v", "from", "f", "to", "t", "call-id", "i", "record-route"})


class _Voice(asyncio.DatagramProtocol):
    """Answers SIP requests in the dead line's place."""

    def __init__(self) -> None:
        self._transport: asyncio.DatagramTransport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        assert self._transport is not None
        for answer in answers(data):
            self._transport.sendto(answer, addr)


def answers(request: bytes) -> list[bytes]:
    """What a dead line says to a request: its calls are over, it takes no new ones. Nothing to an ACK or a reply."""
    first, *lines = request.partition(b"\r\n\r\n")[0].decode("utf-8", "replace").split("\r\n")
    method = first.split(" ", 1)[0]
    if method in {"ACK", "SIP/2.0", ""}:
        return []
    copied: list[str] = []
    number = ""
    for line in lines:
        name, _, value = line.partition(":")
        if name.strip().lower() in _COPIED:
            untagged = name.strip().lower() in {"to", "t"} and ";tag=" not in value
            copied.append(f"{line};tag={secrets.token_hex(4)}" if untagged else line)
        elif name.strip().lower() == "cseq":
            number = value.split()[0] if value.split() else ""

    def say(status: str, to: str) -> bytes:
        return "\r\n".join([f"SIP/2.0 {status}", *copied, f"CSeq: {number} {to}", "Content-Length: 0", "", ""]).encode()

    if method == "CANCEL":  # the INVITE that it cancels is the one that rang here
        return [say("200 OK", "CANCEL"), say("500 Line Died", "INVITE")]
    if method == "BYE":
        return [say("200 OK", "BYE")]
    return [say("503 Line Died" if method in {"INVITE", "OPTIONS"} else "481 Line Died", method)]


async def bury(rpc: Rpc, line: LineAddress) -> None:
    """End what a dead line left: callers who talked are hung up, those who still heard it ring get another line."""
    transport = None
    try:
        transport, _ = await asyncio.get_running_loop().create_datagram_endpoint(
            _Voice, local_addr=(line.host, line.port)
        )
    except OSError as error:  # somebody has the port again: then timers must do
        log.debug("undertaker.no_port", error=str(error))
    try:
        ringing = await early_calls(rpc, line)
        for call_id, number in ringing if transport is not None else ():
            with contextlib.suppress(TelephonyError):
                await rpc.call("tm.cancel", call_id, number)
        ended = await end_talking_calls(rpc, line)
        log.warning("line.gone", port=line.port, calls_moved=len(ringing), calls_ended=ended)
    except TelephonyError as error:
        log.warning("line.gone", port=line.port, error=str(error))
    finally:
        if transport is not None:
            asyncio.get_running_loop().call_later(STAY_S, transport.close)
