"""A fake line: a tiny SIP UAS that stands where a line stands, and tells what reached it."""

from __future__ import annotations

import asyncio
import json
import os
import re
from dataclasses import dataclass, field
from pathlib import Path

from tests.harness.sip import GOOD_SDP, Invite, Message, Peer


@dataclass
class FakeLine:
    """Answers OPTIONS; answers INVITE as `manner` says: answer, ring, busy, deaf, or a status as number."""

    number: int
    peer: Peer
    run_dir: Path
    manner: str = "answer"
    calls: list[Message] = field(default_factory=list)
    ended: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    requests: asyncio.Queue[Message] = field(default_factory=asyncio.Queue)
    """Everything but OPTIONS and ACK."""
    pid: int = field(default_factory=os.getpid)

    @classmethod
    async def open(cls, number: int, run_dir: Path, manner: str = "answer") -> FakeLine:
        line = cls(number, await Peer.open(), run_dir, manner)
        line.peer.on_request = line.take
        line.announce()
        return line

    def announce(self) -> None:
        self.run_dir.mkdir(parents=True, exist_ok=True)
        told = {"pid": self.pid, "ports": {"sip": self.peer.port}}
        temporary = self.run_dir / f".line-{self.number}"
        temporary.write_text(json.dumps(told), encoding="utf-8")
        temporary.replace(self.run_dir / f"line-{self.number}.json")

    def take(self, request: Message) -> None:
        if self.manner == "deaf" and request.method != "OPTIONS":
            return
        if request.method not in {"OPTIONS", "ACK"}:
            self.requests.put_nowait(request)
        match request.method:
            case "OPTIONS":
                if self.manner != "dead":
                    self.peer.answer(request, 200, "OK")
            case "INVITE":
                self._invite(request)
            case "CANCEL":
                self.peer.answer(request, 200, "OK")
                for call in self.calls:
                    if call.header("call-id") == request.header("call-id"):
                        self.peer.answer(call, 487, "Request Terminated", tag="line")
                self.ended.put_nowait(request)
            case "BYE":
                self.peer.answer(request, 200, "OK")
                self.ended.put_nowait(request)
            case "ACK":
                pass
            case _:
                self.peer.answer(request, 200, "OK")

    def _invite(self, request: Message) -> None:
        branch = request.header("via")
        if all(call.header("via") != branch for call in self.calls):  # or it is sent again, since we were slow
            self.calls.append(request)
        if self.manner == "busy":
            self.peer.answer(request, 486, "Busy Here", tag="line")
            return
        if self.manner.isdigit():
            self.peer.answer(request, int(self.manner), "Refused", tag="line")
            return
        self.peer.answer(request, 180, "Ringing", tag="line")
        if self.manner == "answer":
            self.peer.answer(request, 200, "OK", body=self.sdp, tag="line")

    @property
    def sdp(self) -> str:
        return GOOD_SDP.replace("40000", "40002").replace("caller", "line")

    def dial(self, edge: tuple[str, int], user: str, **over: str) -> Invite:
        """An INVITE out of this line to the edge."""
        call = Invite(self.peer, edge, user=user, caller="hotline")
        call.send(**over)
        return call

    def hang_up(self, call: Message, extra: str = "") -> None:
        """BYE from the line's side of an answered call."""
        contact = re.search(r"<([^>]+)>", call.header("contact"))
        assert contact is not None
        lines = [
            f"BYE {contact[1]} SIP/2.0",
            f"Via: SIP/2.0/UDP {self.peer.host}:{self.peer.port};branch=z9hG4bKbye{len(extra)}",
            *(f"Route: {route}" for route in call.all("record-route")),
            f"From: {call.header('to')};tag=line",
            f"To: {call.header('from')}",
            f"Call-ID: {call.header('call-id')}",
            "CSeq: 7 BYE",
            "Max-Forwards: 70",
            *([extra] if extra else []),
            "Content-Length: 0",
        ]
        bye = "\r\n".join([*lines, "", ""])
        self.peer.send(bye, call.source)

    def close(self) -> None:
        self.peer.close()
        (self.run_dir / f"line-{self.number}.json").unlink(missing_ok=True)
