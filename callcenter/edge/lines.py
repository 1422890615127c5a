"""Which lines there are: those of this node, as they wrote themselves down, and those of other machines."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from pathlib import Path

from callcenter.config import Settings
from callcenter.errors import ConfigError


@dataclass(frozen=True)
class LineAddress:
    """A line's SIP address; `pid` is 0 for a line on another machine."""

    host: str
    port: int
    pid: int = 0

    @property
    def uri(self) -> str:
        return f"sip:{self.host}:{self.port}"


def _alive(pid: int) -> bool:
    """Whether the process lives (one that died and was not waited for yet does not)."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] not in {"Z", "X"}


def remote_lines(settings: Settings) -> list[LineAddress]:
    """`edge.lines`. Raises ConfigError for an entry that is not host:port."""
    lines = []
    for number, text in enumerate(settings.edge.lines):
        match = re.fullmatch(r"(?:sip:)?([A-Za-z0-9.-]+):(\d{1,5})", text)
        if not match or not 0 < int(match[2]) < 65536:
            raise ConfigError(
                "edge.bad_line", f"not host:port: {text!r}", where=f"edge.lines[{number}]",
                mend='write it as "10.0.0.5:5071"',
            )  # fmt: skip
        lines.append(LineAddress(match[1], int(match[2])))
    return lines


def local_lines(settings: Settings) -> list[LineAddress]:
    """Lines of this node that live now, from `run_dir/line-N.json`, by number."""
    found = []
    for path in settings.run_dir.glob("line-*.json"):
        number = path.stem.removeprefix("line-")
        try:
            told = json.loads(path.read_text(encoding="utf-8"))
            pid, port = int(told["pid"]), int(told["ports"]["sip"])
        except (OSError, ValueError, KeyError, TypeError):
            continue
        if number.isdigit() and _alive(pid):
            found.append((int(number), LineAddress(str(settings.line.bind_host), port, pid)))
    return [line for _, line in sorted(found, key=lambda pair: pair[0])]
