"""Finishing what a dead line left: its open calls in the journal, its recordings on the disk."""

from __future__ import annotations

import fcntl
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

from callcenter.config import Settings
from callcenter.domain.records import Record, RecordKind
from callcenter.errors import StoreError
from callcenter.line.recordings import SUFFIX, CallNote, read_note
from callcenter.log import get_logger
from callcenter.node.files import private_folder
from callcenter.node.journal import Journal, close_open_calls

log = get_logger("line.recovery")
LOCK = "lock"


class TrackFolder:
    """A line's folder for running recordings, new at every start and locked while the line lives.

    What it finds unlocked was left by a line that is gone; it takes it over, for good, so that no two finish a call.
    """

    def __init__(self, settings: Settings, number: int) -> None:
        self._root = private_folder(settings.var_dir / "node" / "calls")
        only_one = _lock(self._root / f"line-{number}.lock")
        if only_one is None:
            raise StoreError(
                "line.in_use", f"line {number} of this node already runs", where=str(self._root / f"line-{number}"),
                mend="give every line its own --number, or stop the other one",
            )  # fmt: skip
        self._locks = [only_one]
        self.path = self._own_folder(number)

    def _own_folder(self, number: int) -> Path:
        while True:
            path = private_folder(self._root / f"line-{number}-{uuid4().hex[:8]}")
            # another starting line may take a folder in the moment before it is locked
            if (lock := _lock(path / LOCK)) is not None:
                self._locks.append(lock)
                return path

    def left_behind(self) -> list[CallNote]:
        """Calls that no living line will finish, of any line that is gone.

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
            if not any(entry.name != LOCK for entry in folder.iterdir()):
                shutil.rmtree(folder, ignore_errors=True)
        if notes:
            log.info("recordings_adopted", count=len(notes))
        return notes

    def _free_folders(self) -> Iterator[Path]:
        for folder in sorted(self._root.iterdir()):
            if folder != self.path and folder.is_dir() and (lock := _lock(folder / LOCK)) is not None:
                self._locks.append(lock)
                yield folder


def _lock(path: Path) -> int | None:
    """The lock on `path`, held until this process ends; None when another process holds it."""
    try:
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    except FileNotFoundError:  # its folder was emptied and removed by another line
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(handle)
        return None
    return handle


def adopt_journals(folder: Path) -> list[Journal]:
    """Journals of dead processes, their open calls closed with `line_died`; the link ships them.

    People of ours whom a dead line was ringing are answered for: `lost`, so that they are rung again at once (R13).
    """
    adopted = Journal.adopt_dead(folder)
    for journal in adopted:
        for rung in journal.unanswered:
            _lost(journal, rung)
        closed = close_open_calls(journal)
        if closed:
            log.warning("calls_of_dead_line_closed", count=len(closed))
    return adopted


def _lost(journal: Journal, rung: Record) -> None:
    about = {name: rung.body.get(name) for name in ("purpose", "ticket", "to_staff")}
    zh, en = (str(rung.body.get(language, "")).rpartition(mark)[0] for language, mark in (("zh", "："), ("en", ": ")))
    body = {
        **about, "answer": "lost", "rung_at": rung.at.isoformat(),
        "zh": f"{zh}：线路中断，再次呼叫。", "en": f"{en}: the line broke off, is rung again.",
    }  # fmt: skip
    journal.append(RecordKind.PERSON_ANSWER, site=rung.site, call=rung.call, body=body)
