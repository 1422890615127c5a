"""An edge with real Kamailio, fake lines behind it, and peers outside."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.harness.edge import Edge
from tests.harness.fake_line import FakeLine
from tests.harness.sip import Peer


class Bench:
    """One edge, its fake lines and a peer outside; closed at the end of the test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.edge = Edge(folder, {})
        self.lines: list[FakeLine] = []
        self.peers: list[Peer] = []

    async def start(self, lines: int = 1, manner: str = "answer", **settings: Any) -> Edge:
        """Start `lines` fake lines and an edge; `settings` are those of the section `edge`."""
        section = {"mode": "kamailio", "sip_port": 0, "loopback_trunk": True, "new_calls_per_s": 200}
        line_section = settings.pop("line", {})
        node_section = settings.pop("node", {})
        environment = settings.pop("environment", None)
        until = settings.pop("until", "ready")
        self.edge = Edge(self.folder, {"edge": {**section, **settings}, "line": line_section, "node": node_section})
        for _ in range(lines):
            await self.line(manner)
        await self.edge.start(until=until, environment=environment)
        if until == "ready":
            await self.edge.wait_lines([line.peer.port for line in self.lines])
        return self.edge

    async def line(self, manner: str = "answer") -> FakeLine:
        line = await FakeLine.open(len(self.lines) + 1, self.edge.run_dir, manner)
        self.lines.append(line)
        return line

    async def peer(self, host: str = "127.0.0.1") -> Peer:
        peer = await Peer.open(host)
        self.peers.append(peer)
        return peer

    async def close(self) -> None:
        await self.edge.stop()
        for line in self.lines:
            line.close()
        for peer in self.peers:
            peer.close()
