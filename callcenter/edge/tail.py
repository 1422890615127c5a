"""Follows a log file that another process writes (a Kamailio that is not our child)."""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable
from pathlib import Path

from callcenter.log import get_logger
from callcenter.node.files import replace_file

log = get_logger("edge.tail")

LOOK_S = 0.5
MOST = 1 << 20
"""Bytes read at once; a longer line is no log's line and is passed over."""


class Tail:
    """The lines of `path`, each used once, through restarts of the reader and rotations of the file.

    Beside the file lies `<name>.read`: its inode and the bytes of it that were used. What a reader could not write down
    before it ended is used again, which is better than losing it. Without the mark only what is new is read.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._mark = path.with_name(f"{path.name}.read")
        self._inode, self._used = self._begin()

    def _begin(self) -> tuple[int, int]:
        try:
            inode, used = self._mark.read_text(encoding="ascii").split()
            return int(inode), int(used)
        except FileNotFoundError:
            pass
        except ValueError as error:
            log.warning("log_mark_unreadable", where=str(self._mark), error=str(error))
        try:
            status = self._path.stat()
        except FileNotFoundError:
            return 0, 0
        return status.st_ino, status.st_size

    def read(self) -> list[str]:
        """The whole lines that are new."""
        try:
            with self._path.open("rb") as file:
                status = os.fstat(file.fileno())
                if status.st_ino != self._inode or status.st_size < self._used:  # another file, or this one emptied
                    self._inode, self._used = status.st_ino, 0
                file.seek(self._used)
                new = file.read(MOST)
        except FileNotFoundError:
            return []
        whole = len(new) if len(new) == MOST and b"\n" not in new else new.rfind(b"\n") + 1
        self._used += whole
        return new[:whole].decode("utf-8", "replace").splitlines()

    def keep(self) -> None:
        """Write down what was used, so that no reader after this one uses it again."""
        with contextlib.suppress(OSError):  # on a full disk it is used again
            replace_file(self._mark, f"{self._inode} {self._used}".encode("ascii"))

    async def follow(self, use: Callable[[str], None]) -> None:
        """Call `use` with each new line, until cancelled."""
        await asyncio.to_thread(self.keep)
        while True:
            lines = await asyncio.to_thread(self.read)
            for line in lines:
                use(line)
            if lines:
                await asyncio.to_thread(self.keep)
            else:
                await asyncio.sleep(LOOK_S)
