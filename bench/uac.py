"""A featherweight SIP caller for load: many calls in one asyncio process, so that the callers cost the house little.

It dials (RFC 3261, UDP), sends a recorded voice as G.711 A-law (RFC 3551) at 20 ms, and keeps the kernel's time of
every RTP packet it receives (SO_TIMESTAMPNS), which on loopback is when the line sent it.
"""

from __future__ import annotations

import asyncio
import io
import re
import socket
import struct
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import soundfile

PTIME_S = 0.02
SAMPLES = 160
SO_TIMESTAMPNS = 35
ALAW_SILENCE = bytes([0xD5]) * SAMPLES


def alaw(wav: Path) -> bytes:
    """The samples of an 8 kHz mono WAV as G.711 A-law."""
    samples, rate = soundfile.read(wav, dtype="int16")
    if rate != 8000 or samples.ndim != 1:
        raise ValueError(f"{wav}: 8 kHz mono is needed, not {rate} Hz with {samples.ndim} dimensions")
    out = io.BytesIO()
    soundfile.write(out, samples, rate, format="RAW", subtype="ALAW")
    return out.getvalue()


@dataclass
class CallTimes:
    """One call as its caller saw it. Times are seconds of the monotonic clock; None where it never happened."""

    number: str
    invited: float = 0.0
    ringing: float | None = None
    answered: float | None = None
    ended: float | None = None
    status: int = 0
    received_ns: list[int] = field(default_factory=list)
    """Kernel time (CLOCK_REALTIME, ns) of each RTP packet received."""
    speech_began: float | None = None
    """When the caller's voice began, wall clock seconds."""


class _Signalling(asyncio.DatagramProtocol):
    def __init__(self, call: Caller) -> None:
        self.call = call

    def datagram_received(self, data: bytes, addr: tuple[str, int]) -> None:
        self.call.on_message(data.decode("utf-8", "replace"), addr)


class Caller:
    """One call: `await run()` dials, speaks `speech` (A-law) once `speak_after_s` passed since the answer, hangs up."""

    def __init__(
        self, host: str, port: int, number: str, speech: bytes, *, speak_after_s: float, hang_up_after_s: float
    ) -> None:
        self.peer = (host, port)
        self.speech = speech
        self.speak_after_s = speak_after_s
        self.hang_up_after_s = hang_up_after_s
        self.times = CallTimes(number)
        self.call_id = f"{uuid.uuid4().hex}@bench"
        self.tag = uuid.uuid4().hex[:8]
        self.branch = f"z9hG4bK{uuid.uuid4().hex[:12]}"
        self.answered: asyncio.Event = asyncio.Event()
        self.over: asyncio.Event = asyncio.Event()
        self.to_header = f"<sip:hotline@{host}:{port}>"
        self.routes: list[str] = []
        self.target = f"sip:hotline@{host}:{port}"
        self.remote_rtp: tuple[str, int] | None = None
        self._acked = ""
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self.rtp.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.rtp.bind(("127.0.0.1", 0))
        self.rtp.setblocking(False)

    async def run(self) -> CallTimes:
        """Make the call to its end; never raises for what the other side does."""
        loop = asyncio.get_running_loop()
        self.transport, _ = await loop.create_datagram_endpoint(lambda: _Signalling(self), local_addr=("127.0.0.1", 0))
        self.local = self.transport.get_extra_info("sockname")
        loop.add_reader(self.rtp.fileno(), self._on_rtp)
        try:
            self.times.invited = time.monotonic()
            self._send(self._invite())
            waiting = asyncio.ensure_future(self.over.wait())
            await asyncio.wait(
                {waiting, asyncio.ensure_future(self.answered.wait())}, timeout=40, return_when=asyncio.FIRST_COMPLETED
            )
            if self.answered.is_set():
                await self._talk()
                self._send(self._request("BYE", 2, f"z9hG4bK{uuid.uuid4().hex[:12]}"))
                self.times.ended = self.times.ended or time.monotonic()
                await asyncio.sleep(0.2)
            waiting.cancel()
        finally:
            loop.remove_reader(self.rtp.fileno())
            self.rtp.close()
            self.transport.close()
        return self.times

    async def _talk(self) -> None:
        loop = asyncio.get_running_loop()
        start = loop.time()
        sequence, stamp, ssrc = 0, 0, struct.unpack("I", uuid.uuid4().bytes[:4])[0]
        first = int(self.speak_after_s / PTIME_S)
        packets = self._voice(first)
        for number, payload in enumerate(packets):
            if self.over.is_set() or number * PTIME_S >= self.hang_up_after_s:
                return
            if number == first:
                self.times.speech_began = time.time()
            header = struct.pack("!BBHII", 0x80, 8, sequence & 0xFFFF, stamp & 0xFFFFFFFF, ssrc)
            if self.remote_rtp:
                self.rtp.sendto(header + payload, self.remote_rtp)
            sequence, stamp = sequence + 1, stamp + SAMPLES
            await asyncio.sleep(max(0.0, start + (number + 1) * PTIME_S - loop.time()))

    def _voice(self, first: int) -> Iterator[bytes]:
        for _ in range(first):
            yield ALAW_SILENCE
        for at in range(0, len(self.speech) - SAMPLES + 1, SAMPLES):
            yield self.speech[at : at + SAMPLES]
        while True:
            yield ALAW_SILENCE

    def _on_rtp(self) -> None:
        while True:
            try:
                _, ancillary, _, _ = self.rtp.recvmsg(2048, 64)
            except BlockingIOError:
                return
            for level, kind, value in ancillary:
                if level == socket.SOL_SOCKET and kind == SO_TIMESTAMPNS:
                    seconds, nanoseconds = struct.unpack("qq", value[:16])
                    self.times.received_ns.append(seconds * 10**9 + nanoseconds)

    # -- SIP --------------------------------------------------------------------------------------------------------

    def _send(self, message: str) -> None:
        self.transport.sendto(message.encode(), self.peer)

    def _request(self, method: str, cseq: int, branch: str, extra: str = "", body: str = "") -> str:
        host, port = self.local
        routes = "".join(f"Route: {route}\r\n" for route in self.routes)
        return (
            f"{method} {self.target} SIP/2.0\r\nVia: SIP/2.0/UDP {host}:{port};branch={branch};rport\r\n{routes}"
            f"Max-Forwards: 70\r\nFrom: <sip:{self.times.number}@{host}>;tag={self.tag}\r\nTo: {self.to_header}\r\n"
            f"Call-ID: {self.call_id}\r\nCSeq: {cseq} {method}\r\nContact: <sip:{self.times.number}@{host}:{port}>\r\n"
            f"{extra}Content-Length: {len(body)}\r\n\r\n{body}"
        )

    def _invite(self) -> str:
        host = self.local[0]
        sdp = (
            f"v=0\r\no=- 1 1 IN IP4 {host}\r\ns=-\r\nc=IN IP4 {host}\r\nt=0 0\r\nm=audio {self.rtp.getsockname()[1]} "
            "RTP/AVP 8 101\r\na=rtpmap:8 PCMA/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\n"
        )
        return self._request("INVITE", 1, self.branch, "Content-Type: application/sdp\r\n", sdp)

    def on_message(self, message: str, source: tuple[str, int]) -> None:
        """A SIP message of this call."""
        first, _, rest = message.partition("\r\n")
        if not first.startswith("SIP/2.0"):
            method = first.split(" ", 1)[0]
            if method == "ACK":
                return
            copied = "".join(
                f"{line}\r\n"
                for line in rest.split("\r\n")
                if re.match(r"(Via|From|To|Call-ID|CSeq):", line, re.IGNORECASE)
            )
            self.transport.sendto(f"SIP/2.0 200 OK\r\n{copied}Content-Length: 0\r\n\r\n".encode(), source)
            if method == "BYE":
                self.times.ended = self.times.ended or time.monotonic()
                self.over.set()
            return
        status = int(first.split(" ")[1])
        if "INVITE" not in (re.search(r"^CSeq:.*$", message, re.MULTILINE | re.IGNORECASE) or [""])[0]:
            return
        if status == 180 and self.times.ringing is None:
            self.times.ringing = time.monotonic()
        if status < 200:
            return
        self.times.status = status
        self.to_header = (
            re.search(r"^To:\s*(.*?)\r$", message, re.MULTILINE | re.IGNORECASE) or [None, self.to_header]
        )[1]
        if status == 200:
            self._on_answer(message)
        elif not self._acked:
            self._acked = self._request("ACK", 1, self.branch)
            self._send(self._acked)
            self.over.set()

    def _on_answer(self, message: str) -> None:
        if not self._acked:
            self.times.answered = time.monotonic()
            self.routes = re.findall(r"^Record-Route:\s*(.*?)\r$", message, re.MULTILINE | re.IGNORECASE)[::-1]
            if contact := re.search(r"^Contact:\s*<?([^>\r;]+)", message, re.MULTILINE | re.IGNORECASE):
                self.target = contact[1]
            host = re.search(r"^c=IN IP4 (\S+)", message, re.MULTILINE)
            port = re.search(r"^m=audio (\d+)", message, re.MULTILINE)
            if host and port:
                self.remote_rtp = (host[1], int(port[1]))
            self._acked = self._request("ACK", 1, f"z9hG4bK{uuid.uuid4().hex[:12]}")
            self.answered.set()
        self._send(self._acked)
