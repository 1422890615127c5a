"""Finishing what a dead line left: its open calls in the journal, its recordings on the disk."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from pathlib import Path

from callcenter.config import Settings
from callcenter.errors import StoreError
from callcenter.line.recordings import SUFFIX, CallNote, read_note
from callcenter.log import get_logger
from callcenter.node.files import private_folder
from callcenter.node.journal import Journal, close_open_calls

log = get_logger("line.recovery")


class TrackFolder:
    """A line's folder for running recordings, locked while the line lives; folders of dead lines are adopted."""

    def __init__(self, settings: Settings, number: int) -> None:
        self._root = private_folder(settings.var_dir / "node" / "calls")
        self.path = private_folder(self._root / f"line-{number}")
        lock = _lock(self.path)
        if lock is None:
            raise StoreError(
                "line.in_use", f"line {number} of this node already runs", where=str(self.path),
                mend="give every line its own --number, or stop the other one",
            )  # fmt: skip
        self._locks = [lock]

    def left_behind(self) -> list[CallNote]:
        """Calls that no living line will finish: our own folder's and those of lines that are gone.

        Called once, before the first call. A note without a first line belongs to a call that never began.
        """
        notes: list[CallNote] = []
        for folder in self._free_folders():
            for path in sorted(folder.glob(f"*{SUFFIX}")):
                note = read_note(path)
                if note is None:
                    path.unlink(missing_ok=True)
                else:
                    notes.append(note)
        if notes:
            log.info("recordings_adopted", count=len(notes))
        return notes

    def _free_folders(self) -> Iterator[Path]:
        yield self.path
        for folder in sorted(self._root.iterdir()):
            if folder == self.path or not folder.is_dir():
                continue
            lock = _lock(folder)
            if lock is not None:
                self._locks.append(lock)
                yield folder


def _lock(folder: Path) -> int | None:
    handle = os.open(folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def adopt_journals(folder: Path) -> list[Journal]:
    """Journals of dead processes, their open calls closed with `line_died`; the link ships them."""
    adopted = Journal.adopt_dead(folder)
    for journal in adopted:
        closed = close_open_calls(journal)
        if closed:
            log.warning("calls_of_dead_line_closed", count=len(closed))
    return adopted
