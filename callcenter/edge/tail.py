"""Follows a log file that another process writes (a Kamailio that is not our child)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from pathlib import Path

LOOK_S = 0.5


def _read_on(path: Path, position: int) -> tuple[bytes, int]:
    """What is new behind `position`, and the position after it; a file that shrank was rotated, and starts anew."""
    try:
        size = path.stat().st_size
        with path.open("rb") as file:
            file.seek(position if size >= position else 0)
            new = file.read(1 << 20)
            return new, file.tell()
    except FileNotFoundError:
        return b"", 0


async def follow(path: Path, use: Callable[[str], None]) -> None:
    """Call `use` with each line appended from now on, until cancelled."""
    position = await asyncio.to_thread(lambda: path.stat().st_size if path.exists() else 0)
    rest = b""
    while True:
        new, position = await asyncio.to_thread(_read_on, path, position)
        *lines, rest = (rest + new).split(b"\n")
        for line in lines:
            use(line.decode("utf-8", "replace"))
        if not new:
            await asyncio.sleep(LOOK_S)
