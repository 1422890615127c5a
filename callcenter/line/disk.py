"""The disk's reserve: enough for the calls in progress; below it new calls go to people (R5)."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import Callable
from pathlib import Path

from callcenter.log import get_logger

log = get_logger("line.disk")
LOOK_EVERY_S = 2.0
MEGABYTE = 1024 * 1024
BACK_ABOVE = 1.1
"""Calls are recorded again when a tenth more than the reserve is free: no flapping at the edge."""


def free_mb(folder: Path) -> int:
    """Megabytes free where `folder` lies."""
    return shutil.disk_usage(folder).free // MEGABYTE


class DiskWatch:
    """Looks at the disk every two seconds; `on_change(low, free_mb)` is called when it passes the reserve."""

    def __init__(self, folder: Path, reserve_mb: int, on_change: Callable[[bool, int], None]) -> None:
        self._folder, self._reserve_mb, self._on_change = folder, reserve_mb, on_change
        self.low = False

    def look(self) -> None:
        """Look once."""
        free = free_mb(self._folder)
        low = free < self._reserve_mb * (BACK_ABOVE if self.low else 1.0)
        if low != self.low:
            self.low = low
            self._on_change(low, free)

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            self.look()
            await asyncio.sleep(LOOK_EVERY_S)
