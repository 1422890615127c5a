"""A real line process in direct mode, its journal, and a raw SIP caller that may misbehave."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import re
import secrets
import signal
import socket
import struct
import sys
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

START_TIMEOUT_S = 120
WAIT_S = 60
LINE = ("-m", "callcenter.line")
"""What Python runs."""


@dataclass
class LineNode:
    """One line process over its own folder."""

    var: Path
    config: Path
    environment: dict[str, str]
    program: tuple[str, ...] = LINE
    process: asyncio.subprocess.Process | None = None
    said: list[dict[str, Any]] = field(default_factory=list)
    errors: list[str] = field(default_factory=list)
    since: str = ""
    """Records before this time belong to tests before."""
    _news: asyncio.Condition = field(default_factory=asyncio.Condition)
    _readers: list[asyncio.Task[None]] = field(default_factory=list)

    async def start(self) -> None:
        """Start the process and wait until it is ready."""
        self.said.clear()
        self.process = await asyncio.create_subprocess_exec(
            sys.executable, *self.program, "--number", "1", "--config", str(self.config),
            stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, env={**os.environ, **self.environment},
        )  # fmt: skip
        self._readers = [asyncio.create_task(self._read_out()), asyncio.create_task(self._read_err())]
        await self.wait_said("ready", START_TIMEOUT_S)

    async def _read_out(self) -> None:
        assert self.process is not None
        assert self.process.stdout is not None
        async for line in self.process.stdout:
            async with self._news:
                self.said.append(json.loads(line))
                self._news.notify_all()
        async with self._news:
            self.said.append({"event": "exit"})
            self._news.notify_all()

    async def _read_err(self) -> None:
        assert self.process is not None
        assert self.process.stderr is not None
        async for line in self.process.stderr:
            self.errors.append(line.decode(errors="replace").rstrip())

    async def wait_said(self, event: str, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """The first `event` the line said on standard output."""

        def found() -> dict[str, Any] | None:
            return next((s for s in self.said if s["event"] in (event, "exit")), None)

        async with asyncio.timeout(timeout_s), self._news:
            await self._news.wait_for(lambda: found() is not None)
        answer = found()
        assert answer is not None
        assert answer["event"] == event, "\n".join(self.errors[-20:])
        return answer

    @property
    def port(self) -> int:
        return int(json.loads((self.var / "run" / "line-1.json").read_text())["ports"]["sip"])

    @property
    def uri(self) -> str:
        return f"sip:4001@127.0.0.1:{self.port}"

    def records(self, kind: str | None = None) -> list[dict[str, Any]]:
        """Everything in the node's journals, oldest journal first; only `kind` if given."""
        found: list[dict[str, Any]] = []
        journals = sorted((self.var / "node" / "journals").glob("*.jsonl"), key=lambda p: p.stat().st_ctime_ns)
        for path in journals:
            lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
            found += [json.loads(line) for line in lines if line.endswith("\n")]
        found.sort(key=lambda r: r["at"])
        return [r for r in found if r["at"] > self.since and (kind is None or r["kind"] == kind)]

    def forget(self) -> None:
        """What is in the journal now is not looked at any more."""
        self.since = datetime.now(UTC).isoformat()

    async def wait_record(self, kind: str, count: int = 1, timeout_s: float = WAIT_S) -> dict[str, Any]:
        """The `count`-th record of `kind`, once it is in the journal."""
        async with asyncio.timeout(timeout_s):
            while len(found := self.records(kind)) < count:  # noqa: ASYNC110 — a file tells nobody
                await asyncio.sleep(0.05)
        return found[count - 1]

    def flac(self, call: str) -> Path:
        """The finished recording of a call."""
        return self.var / "node" / "outbox" / f"{call}.flac"

    def signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        self.process.send_signal(number)

    async def exit_code(self, timeout_s: float = 20) -> int:
        """Wait for the process to end."""
        assert self.process is not None
        async with asyncio.timeout(timeout_s):
            return await self.process.wait()

    async def stop(self) -> None:
        """End the process, by force at last."""
        if self.process is None:
            return
        if self.process.returncode is None:
            for number, patience_s in ((signal.SIGTERM, 3), (signal.SIGTERM, 7), (signal.SIGKILL, 5)):
                with contextlib.suppress(ProcessLookupError):
                    self.process.send_signal(number)
                with contextlib.suppress(TimeoutError):
                    await self.exit_code(patience_s)
                    break
        await asyncio.gather(*self._readers)


SDP = (
    "v=0\r\no=- 1 1 IN IP4 127.0.0.1\r\ns=-\r\nc=IN IP4 127.0.0.1\r\nt=0 0\r\n"
    "m=audio {port} RTP/AVP {formats}\r\n{rtpmap}a=ptime:20\r\n"
)


def sdp(port: int, formats: str = "8", rtpmap: str = "a=rtpmap:8 PCMA/8000\r\n") -> str:
    """An offer of ours."""
    return SDP.format(port=port, formats=formats, rtpmap=rtpmap)


class RawCaller:
    """A SIP caller made of plain messages: does just what it is told, right or wrong."""

    def __init__(self, target_port: int) -> None:
        self.target_port = target_port
        self.call_id = secrets.token_hex(8)
        self.tag = secrets.token_hex(4)
        self.branch = "z9hG4bK" + secrets.token_hex(6)
        self.cseq = 1
        self.to = f"<sip:4001@127.0.0.1:{target_port}>"
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self._socket.setblocking(False)
        self.rtp = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.rtp.bind(("127.0.0.1", 0))
        self.rtp.setblocking(False)

    @property
    def port(self) -> int:
        return int(self._socket.getsockname()[1])

    @property
    def rtp_port(self) -> int:
        return int(self.rtp.getsockname()[1])

    def request(
        self, method: str, body: str = "", content_type: str = "application/sdp", extra: str = "", **changes: Any
    ) -> None:
        """Send one request."""
        cseq = changes.get("cseq", self.cseq)
        branch = changes.get("branch", self.branch)
        lines = [
            f"{method} sip:4001@127.0.0.1:{self.target_port} SIP/2.0",
            f"Via: SIP/2.0/UDP 127.0.0.1:{self.port};branch={branch};rport",
            "Max-Forwards: 70",
            f"From: <sip:13900000000@127.0.0.1>;tag={self.tag}",
            f"To: {self.to}",
            f"Call-ID: {self.call_id}",
            f"CSeq: {cseq} {method}",
            f"Contact: <sip:13900000000@127.0.0.1:{self.port}>",
        ]
        if extra:
            lines.append(extra)
        if body:
            lines.append(f"Content-Type: {content_type}")
        lines.append(f"Content-Length: {len(body.encode())}")
        self._socket.sendto(("\r\n".join(lines) + "\r\n\r\n" + body).encode(), ("127.0.0.1", self.target_port))

    async def response(self, *statuses: int, timeout_s: float = 15) -> str:
        """The next response with one of `statuses`; others are passed over, requests of theirs are answered 200."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            while True:
                raw = (await loop.sock_recv(self._socket, 65536)).decode(errors="replace")
                if raw.startswith("SIP/2.0"):
                    if int(raw.split()[1]) in statuses:
                        if found := re.search(r"^To: (.*)$", raw, re.MULTILINE):
                            self.to = found.group(1).strip()
                        return raw
                    continue
                self._answer(raw)

    async def their_request(self, method: str, timeout_s: float = 20) -> str:
        """The next request `method` of the line, answered with 200."""
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(timeout_s):
            while True:
                raw = (await loop.sock_recv(self._socket, 65536)).decode(errors="replace")
                if raw.startswith("SIP/2.0"):
                    continue
                self._answer(raw)
                if raw.startswith(method):
                    return raw

    def _answer(self, raw: str) -> None:
        if raw.startswith("ACK"):
            return
        kept = [line for line in raw.split("\r\n") if line.split(":")[0] in ("Via", "From", "To", "Call-ID", "CSeq")]
        reply = "\r\n".join(["SIP/2.0 200 OK", *kept, "Content-Length: 0"]) + "\r\n\r\n"
        self._socket.sendto(reply.encode(), ("127.0.0.1", self.target_port))

    async def hear_frame(self, timeout_s: float = 5) -> bytes:
        """The next RTP packet that reaches us."""
        async with asyncio.timeout(timeout_s):
            return await asyncio.get_running_loop().sock_recv(self.rtp, 2048)

    def ack(self, body: str = "") -> None:
        """ACK of a 200."""
        self.request("ACK", body, branch="z9hG4bK" + secrets.token_hex(6))

    def bye(self) -> None:
        """Hang up."""
        self.cseq += 1
        self.request("BYE", branch="z9hG4bK" + secrets.token_hex(6))

    def close(self) -> None:
        """Let go of the sockets."""
        self._socket.close()
        self.rtp.close()


def rtp_packet(number: int, ssrc: int) -> bytes:
    """20 ms of A-law silence."""
    return struct.pack("!BBHII", 0x80, 8, number, number * 160, ssrc) + b"\xd5" * 160


def their_rtp_port(answer: str) -> int:
    """RTP port in a 200's SDP."""
    found = re.search(r"m=audio (\d+)", answer)
    assert found is not None
    return int(found.group(1))
