"""A raw SIP peer over UDP: builds messages byte by byte, so that wrong ones can be built as well."""

from __future__ import annotations

import asyncio
import hashlib
import re
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import cast

GOOD_SDP = (
    "v=0\r\no=caller 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio 40000 RTP/AVP 8 0 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:0 PCMU/8000\r\n"
    "a=rtpmap:101 telephone-event/8000\r\na=sendrecv\r\n"
)


@dataclass(frozen=True)
class Message:
    """A parsed SIP message: first line, headers in order (names lower-case), body."""

    first: str
    headers: list[tuple[str, str]]
    body: str
    source: tuple[str, int] = ("", 0)

    @classmethod
    def parse(cls, raw: bytes, source: tuple[str, int] = ("", 0)) -> Message:
        text = raw.decode("utf-8", "replace")
        head, _, body = text.partition("\r\n\r\n")
        first, *lines = head.split("\r\n")
        headers = []
        for line in lines:
            name, _, value = line.partition(":")
            headers.append((name.strip().lower(), value.strip()))
        return cls(first, headers, body, source)

    @property
    def status(self) -> int:
        """Status of a reply, 0 for a request."""
        return int(self.first.split()[1]) if self.first.startswith("SIP/2.0 ") else 0

    @property
    def method(self) -> str:
        """Method of a request, or the one that a reply answers."""
        return self.header("cseq").split()[1] if self.status else self.first.split()[0]

    @property
    def uri(self) -> str:
        return self.first.split()[1]

    def header(self, name: str) -> str:
        return next((v for n, v in self.headers if n == name), "")

    def all(self, name: str) -> list[str]:
        return [v for n, v in self.headers if n == name]

    def tag(self, name: str) -> str:
        found = re.search(r";tag=([^;>\s]+)", self.header(name))
        return found[1] if found else ""


class Peer(asyncio.DatagramProtocol):
    """A UDP socket that speaks SIP. Replies are kept by Call-ID; `on_request` sees requests."""

    def __init__(self) -> None:
        self.transport: asyncio.DatagramTransport | None = None
        self.host, self.port = "127.0.0.1", 0
        self.on_request: Callable[[Message], None] | None = None
        self.got: asyncio.Queue[Message] = asyncio.Queue()
        self._replies: dict[str, asyncio.Queue[Message]] = {}

    @classmethod
    async def open(cls, host: str = "127.0.0.1", port: int = 0) -> Peer:
        _, peer = await asyncio.get_running_loop().create_datagram_endpoint(cls, local_addr=(host, port))
        peer.host, peer.port = peer.transport.get_extra_info("sockname")[:2]  # type: ignore[union-attr]
        return peer

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        if not data.strip():
            return
        message = Message.parse(data, addr)
        if message.status:
            self.replies(message.header("call-id")).put_nowait(message)
        elif self.on_request is not None:
            self.on_request(message)
        else:
            self.got.put_nowait(message)

    def replies(self, call_id: str) -> asyncio.Queue[Message]:
        return self._replies.setdefault(call_id, asyncio.Queue())

    def send(self, message: str | bytes, to: tuple[str, int]) -> None:
        assert self.transport is not None
        self.transport.sendto(message.encode() if isinstance(message, str) else message, to)

    def answer(
        self, request: Message, status: int, reason: str, body: str = "", extra: tuple[str, ...] = (), tag: str = ""
    ) -> None:
        """Reply to a request where it came from."""
        to = request.header("to")
        if status > 100 and ";tag=" not in to:
            to += f";tag={tag or secrets.token_hex(4)}"
        lines = [f"SIP/2.0 {status} {reason}"]
        lines += [f"Via: {via}" for via in request.all("via")]
        lines += [f"Record-Route: {route}" for route in request.all("record-route")]
        lines += [f"From: {request.header('from')}", f"To: {to}", f"Call-ID: {request.header('call-id')}"]
        lines += [f"CSeq: {request.header('cseq')}", f"Contact: <sip:line@{self.host}:{self.port}>", *extra]
        if body:
            lines.append("Content-Type: application/sdp")
        lines.append(f"Content-Length: {len(body.encode())}")
        self.send("\r\n".join([*lines, "", body]), request.source)

    def close(self) -> None:
        if self.transport is not None:
            self.transport.close()


@dataclass
class Invite:
    """One call out of a peer; every part may be overridden to make it wrong."""

    peer: Peer
    to: tuple[str, int]
    user: str = "hotline"
    caller: str = "13800000000"
    sdp: str = GOOD_SDP
    extra: tuple[str, ...] = ()
    method: str = "INVITE"
    call_id: str = field(default_factory=lambda: f"{secrets.token_hex(8)}@test")
    from_tag: str = field(default_factory=lambda: secrets.token_hex(4))
    branch: str = field(default_factory=lambda: f"z9hG4bK{secrets.token_hex(6)}")
    cseq: int = 1
    final: Message | None = None
    answered: Message | None = None
    """The last 2xx to an INVITE: route set and target of requests inside the call."""
    seen: list[int] = field(default_factory=list)

    @property
    def uri(self) -> str:
        return f"sip:{self.user}@{self.to[0]}:{self.to[1]}"

    def text(self, method: str | None = None, **over: str) -> str:
        method = method or self.method
        body = over.get("body", self.sdp if method == "INVITE" else "")
        headers = [
            f"Via: {over.get('via', f'SIP/2.0/UDP {self.peer.host}:{self.peer.port};rport;branch={self.branch}')}",
            *over.get("routes", "").splitlines(),
            f"From: {over.get('sender', f'<sip:{self.caller}@{self.peer.host}:{self.peer.port}>;tag={self.from_tag}')}",
            f"To: {over.get('target', f'<{self.uri}>')}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {self.cseq} {method}",
            f"Contact: {over.get('contact', f'<sip:{self.caller}@{self.peer.host}:{self.peer.port}>')}",
            "Max-Forwards: 70",
            *self.extra,
        ]
        if body:
            headers.append(f"Content-Type: {over.get('kind', 'application/sdp')}")
        headers.append(f"Content-Length: {len(body.encode())}")
        return "\r\n".join([f"{method} {over.get('uri', self.uri)} SIP/2.0", *headers, "", body])

    def send(self, **over: str) -> None:
        self.peer.send(self.text(**over), self.to)

    async def reply(self, timeout_s: float = 10.0) -> Message:
        async with asyncio.timeout(timeout_s):
            message = await self.peer.replies(self.call_id).get()
        self.seen.append(message.status)
        return message

    async def wait_final(self, timeout_s: float = 10.0) -> Message:
        """The final reply to the request of our CSeq; a refused INVITE is ACKed."""
        async with asyncio.timeout(timeout_s):
            while True:
                message = await self.reply(timeout_s)
                if message.status >= 200 and message.header("cseq").startswith(f"{self.cseq} {self.method}"):
                    break
        self.final = message
        if self.method == "INVITE" and 200 <= message.status < 300:
            self.answered = message
        if self.method == "INVITE" and message.status >= 300:
            self.peer.send(self.text("ACK", target=message.header("to")), self.to)
        return message

    async def wait_status(self, status: int, timeout_s: float = 10.0) -> Message:
        async with asyncio.timeout(timeout_s):
            while (message := await self.reply(timeout_s)).status != status:
                pass
        return message

    def within(self, method: str, **over: str) -> None:
        """Send a request inside the answered call, by its route set."""
        self.peer.send(self.inside(method, **over), self.to)

    def inside(self, method: str, **over: str) -> str:
        """The text of a request inside the answered call."""
        assert self.answered is not None
        routes = "\n".join(f"Route: {r}" for r in reversed(self.answered.all("record-route")))
        target = re.search(r"<([^>]+)>", self.answered.header("contact"))
        assert target is not None
        if method != "ACK":
            self.cseq += 1
        self.branch = f"z9hG4bK{secrets.token_hex(6)}"
        self.method = method
        over = {"routes": routes, "target": self.answered.header("to"), "uri": target[1], **over}
        return self.text(method, **over)

    def cancel(self) -> None:
        self.peer.send(self.text("CANCEL"), self.to)

    def with_digest(self, challenge: Message, user: str, password: str) -> None:
        """Put credentials for `challenge` (401 or 407) into the next request, which gets a new CSeq and branch."""
        header = "proxy-authenticate" if challenge.status == 407 else "www-authenticate"
        asked = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge.header(header)))
        ha1 = md5(f"{user}:{asked['realm']}:{password}")
        ha2 = md5(f"{self.method}:{self.uri}")
        answer = md5(f"{ha1}:{asked['nonce']}:00000001:abcdef:auth:{ha2}")
        given = (
            f'username="{user}", realm="{asked["realm"]}", nonce="{asked["nonce"]}", uri="{self.uri}", '
            f'qop=auth, nc=00000001, cnonce="abcdef", response="{answer}", algorithm=MD5'
        )
        name = "Proxy-Authorization" if challenge.status == 407 else "Authorization"
        self.extra = (
            *(line for line in self.extra if "uthorization:" not in line),
            f"{name}: Digest {given}",
        )
        self.cseq += 1
        self.branch = f"z9hG4bK{secrets.token_hex(6)}"


def md5(text: str) -> str:
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()
