"""The journal: what a process of a node saw, written down before anything else is done with it.

One append-only file per process, `<id>.jsonl`, mode 0600, locked while its owner lives; `<id>.ack` holds the last
sequence that a desk has stored. Written lines survive the death of the process; facts that matter are on the disk
(`fsync`, in a thread of their own) when `settle()` returns. A journal whose owner died is adopted by the next process
that starts. A full disk loses nothing: a reserve is given up first, then records wait in memory and go on being
shipped.
"""

from __future__ import annotations

import asyncio
import contextlib
import errno
import fcntl
import os
import threading
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self
from uuid import UUID, uuid4

from callcenter.domain.records import Record, RecordKind
from callcenter.errors import StoreError
from callcenter.log import get_logger
from callcenter.node.files import private_folder, replace_file, sync_folder
from callcenter.node.wire import record_from_line, record_to_line

log = get_logger("node.journal")

SYNCED = frozenset({
    RecordKind.CALL_RINGING, RecordKind.CALL_ANSWERED, RecordKind.CALL_HEARD, RecordKind.TICKET_OPENED,
    RecordKind.TICKET_AMENDED, RecordKind.CALL_ENDED, RecordKind.CALL_RECORDING, RecordKind.PERSON_ANSWER,
})  # fmt: skip
"""Kinds that are put on the disk at once."""

RESERVE_BYTES = 4 * 1024 * 1024
"""Given up when the disk is full: about 10,000 records, more than any calls in progress write."""

WAITING_AT_MOST = 50_000
"""Records held in memory while the disk takes none (about 40 MB)."""

COMPACT_AT_BYTES = 4 * 1024 * 1024
"""A journal that is stored to its last record is emptied when it is larger than this and no call is open."""


@dataclass(frozen=True)
class OpenCall:
    """A call that rang and has not ended in its journal."""

    call: UUID
    site: str
    ringing: Record
    answered: bool
    recorded: bool


class Journal:
    """One journal, held by this process alone. Not thread-safe: one thread appends."""

    def __init__(self, path: Path, handle: int) -> None:
        self.path = path
        self.id = UUID(path.stem)
        self.acked = self._read_ack()
        self.trouble: StoreError | None = None
        """Set while the disk takes nothing: new calls should go elsewhere. Cleared when it does again."""
        self._handle = handle
        self._size = 0
        self._seq = self.acked
        self._open: dict[UUID, OpenCall] = {}
        self._unanswered: dict[UUID, Record] = {}
        self._waiting: deque[Record] = deque()
        self._disk = ThreadPoolExecutor(1, thread_name_prefix="journal")
        self._sync_lock = threading.Lock()
        self._sync_queued = False
        self._unsynced = False
        self._last_sync: Future[None] | None = None
        self._news = asyncio.Event()
        self._recover()

    @classmethod
    def create(cls, folder: Path) -> Journal:
        """A new, empty journal in `folder`. Raises StoreError when the folder takes none."""
        journal = uuid4()
        path, hidden = folder / f"{journal}.jsonl", folder / f".{journal}.new"
        try:
            private_folder(folder)
            handle = os.open(hidden, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_APPEND, 0o600)
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            hidden.rename(path)  # visible only once locked, so that nobody adopts it
            sync_folder(folder)
            _make_reserve(folder)
        except OSError as error:
            raise _trouble(error, folder) from error
        return cls(path, handle)

    @classmethod
    def take_over(cls, path: Path) -> Self | None:
        """The journal at `path`, locked for us; None when it is gone or its owner lives."""
        try:
            handle = os.open(path, os.O_RDWR | os.O_APPEND)
        except FileNotFoundError:
            return None
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            gone = os.fstat(handle).st_nlink == 0
        except BlockingIOError:
            gone = True
        if gone:
            os.close(handle)
            return None
        return cls(path, handle)

    @classmethod
    def adopt_dead(cls, folder: Path) -> list[Journal]:
        """Take over the journals of `folder` whose owners are gone; fully stored ones are removed instead."""
        adopted = []
        for path in sorted(folder.glob("*.jsonl")):
            journal = cls.take_over(path)
            if journal is None:
                continue
            if journal.stored and not journal.open_calls and not journal.unanswered:
                journal.remove()
            else:
                log.info("journal_adopted", journal=str(journal.id), records=journal.last_seq - journal.acked)
                adopted.append(journal)
        return adopted

    @property
    def last_seq(self) -> int:
        """Sequence of the newest record; 0 when there is none."""
        return self._seq

    @property
    def unanswered(self) -> tuple[Record, ...]:
        """The first `person.call` of each call to a person of ours of which nothing has come in this journal."""
        return tuple(self._unanswered.values())

    @property
    def stored(self) -> bool:
        """Whether a desk has stored every record."""
        return self.acked >= self._seq

    @property
    def open_calls(self) -> tuple[OpenCall, ...]:
        """Calls that have not ended in this journal."""
        return tuple(self._open.values())

    def append(
        self, kind: RecordKind, *, site: str, call: UUID | None, body: dict[str, Any], at: datetime | None = None
    ) -> Record:
        """Write one record and return it. It is in the file, or waits in memory while the disk is full.

        Facts that matter go to the disk in the background; `settle()` waits for that.
        Raises StoreError only when the memory for waiting records is full as well.
        """
        record = Record(self.id, self._seq + 1, at or datetime.now(UTC), kind, site, call, body)
        if self._waiting or not self._write(record):
            if len(self._waiting) >= WAITING_AT_MOST:
                assert self.trouble is not None
                raise self.trouble
            self._waiting.append(record)
            self._write_waiting()
        self._seq = record.seq
        self._note(record)
        self._news.set()
        if kind in SYNCED:
            self._sync()
        return record

    @property
    def waiting(self) -> tuple[Record, ...]:
        """Records in memory that the disk did not take yet."""
        return tuple(self._waiting)

    async def settle(self) -> None:
        """Return when everything appended so far is on the disk. Raises StoreError while the disk takes nothing."""
        if self._unsynced:
            self._sync()
        if self._last_sync is not None:
            try:
                await asyncio.wrap_future(self._last_sync)
            except OSError as error:
                raise _trouble(error, self.path) from error
        if self.trouble is not None:
            raise self.trouble

    async def news(self) -> None:
        """Return when something was appended since the last time."""
        await self._news.wait()
        self._news.clear()

    def tail(self, after: int) -> Tail:
        """A reader of the records with a sequence above `after`."""
        return Tail(self, after)

    def note_ack(self, seq: int) -> None:
        """A desk has stored everything up to and with `seq`."""
        if seq <= self.acked:
            return
        self.acked = min(seq, self._seq)
        with contextlib.suppress(OSError):  # lost acks only mean that records are shipped again
            replace_file(self._ack_path, str(self.acked).encode())
        self._write_waiting()
        idle = not (self._open or self._unanswered or self._waiting)
        if self.stored and idle and self._size > COMPACT_AT_BYTES:
            self._empty()

    def close(self) -> None:
        """Give up the lock; what is not stored is adopted by the next process. May be called twice."""
        if self._handle < 0:
            return
        self._write_waiting()
        self._disk.shutdown(wait=True)
        with contextlib.suppress(OSError):
            os.fsync(self._handle)
        os.close(self._handle)
        self._handle = -1

    def remove(self) -> None:
        """Delete a journal that is stored to its last record."""
        assert self.stored, "only what a desk has stored may be deleted"
        self.path.unlink(missing_ok=True)
        self._ack_path.unlink(missing_ok=True)
        self.close()

    @property
    def _ack_path(self) -> Path:
        return self.path.with_suffix(".ack")

    def _read_ack(self) -> int:
        try:
            return int(self._ack_path.read_text())
        except (OSError, ValueError):
            return 0

    def _recover(self) -> None:
        """Count what is there; cut off a last line that was never finished."""
        whole = 0
        with self.path.open("rb") as file:
            while (line := file.readline()).endswith(b"\n"):
                try:
                    record = record_from_line(line)
                except StoreError:
                    break
                whole += len(line)
                self._seq = max(self._seq, record.seq)
                self._note(record)
        if whole < os.fstat(self._handle).st_size:
            log.warning("journal_torn_line_cut", journal=str(self.id), at_byte=whole)
            os.ftruncate(self._handle, whole)
        self._size = whole

    def _note(self, record: Record) -> None:
        call = record.call
        if call is None:
            return
        if record.kind is RecordKind.CALL_RINGING:
            self._open[call] = OpenCall(call, record.site, record, answered=False, recorded=False)
        elif record.kind is RecordKind.CALL_ENDED:
            self._open.pop(call, None)
        elif (known := self._open.get(call)) and record.kind in {RecordKind.CALL_ANSWERED, RecordKind.CALL_RECORDING}:
            answered = known.answered or record.kind is RecordKind.CALL_ANSWERED
            recorded = known.recorded or record.kind is RecordKind.CALL_RECORDING
            self._open[call] = OpenCall(call, known.site, known.ringing, answered, recorded)
        elif record.kind is RecordKind.PERSON_CALL and record.body.get("state") == "ringing" and call not in self._open:
            self._unanswered[call] = record
        elif record.kind is RecordKind.PERSON_ANSWER:
            self._unanswered.pop(call, None)

    def _write(self, record: Record) -> bool:
        line = record_to_line(record)
        for last_try in (False, True):
            try:
                written = os.write(self._handle, line)
                if written < len(line):
                    raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
            except OSError as error:
                os.ftruncate(self._handle, self._size)
                if last_try or not _give_up_reserve(self.path.parent):
                    self._tell(_trouble(error, self.path))
                    return False
            else:
                self._size += written
                self._unsynced = True
                return True
        return False

    def _write_waiting(self) -> None:
        while self._waiting and self._handle >= 0:
            if not self._write(self._waiting[0]):
                return
            self._waiting.popleft()
        if self.trouble is not None:
            self.trouble = None
            log.info("journal_writes_again", journal=str(self.id))
            with contextlib.suppress(OSError):
                _make_reserve(self.path.parent)

    def _tell(self, trouble: StoreError) -> None:
        first, self.trouble = self.trouble is None, trouble
        if first:
            with contextlib.suppress(OSError):  # the log may lie on the same full disk
                log.error("journal_disk_full", journal=str(self.id), mend=trouble.mend)

    def _sync(self) -> None:
        with self._sync_lock:
            if not self._sync_queued:  # one that has not begun takes this record along
                self._sync_queued = True
                self._last_sync = self._disk.submit(self._sync_now)

    def _sync_now(self) -> None:
        with self._sync_lock:
            self._sync_queued = False
            self._unsynced = False
        os.fsync(self._handle)

    def _empty(self) -> None:
        """Drop what is stored; the sequence goes on. The ack is on the disk first, so no number is used twice."""
        with contextlib.suppress(OSError):
            replace_file(self._ack_path, str(self.acked).encode(), sync=True)
            os.ftruncate(self._handle, 0)
            self._size = 0


class Tail:
    """Reads a journal on from where it stopped last."""

    def __init__(self, journal: Journal, after: int) -> None:
        self._journal = journal
        self._last = after
        self._offset = 0

    def more(self) -> Iterator[Record]:
        """Records that have come since the last time, oldest first."""
        with self._journal.path.open("rb") as file:
            if self._offset > os.fstat(file.fileno()).st_size:
                self._offset = 0  # emptied since
            file.seek(self._offset)
            while (line := file.readline()).endswith(b"\n"):
                self._offset += len(line)
                record = record_from_line(line)
                if record.seq > self._last:
                    self._last = record.seq
                    yield record
        for record in self._journal.waiting:
            if record.seq > self._last:
                self._last = record.seq
                yield record


def close_open_calls(journal: Journal, at: datetime | None = None) -> list[OpenCall]:
    """End the calls that a dead process left open, with `line_died`; returns them."""
    left = journal.open_calls
    for call in left:
        body = {"reason": "line_died", "duration_ms": None, "answered": call.answered}
        journal.append(RecordKind.CALL_ENDED, site=call.site, call=call.call, body=body, at=at)
    return list(left)


def _reserve_path(folder: Path) -> Path:
    return folder / "reserve"


def _make_reserve(folder: Path) -> None:
    path = _reserve_path(folder)
    if path.exists() and path.stat().st_size >= RESERVE_BYTES:
        return
    with path.open("wb") as file:
        path.chmod(0o600)
        os.posix_fallocate(file.fileno(), 0, RESERVE_BYTES)


def _give_up_reserve(folder: Path) -> bool:
    try:
        _reserve_path(folder).unlink()
    except OSError:
        return False
    with contextlib.suppress(OSError):
        log.warning("journal_reserve_given_up", mend="free space on this disk")
    return True


def _trouble(error: OSError, path: Path) -> StoreError:
    full = error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
    return StoreError(
        "journal.disk_full" if full else "journal.unwritable",
        f"the journal cannot be written: {error.strerror}",
        retryable=True,
        where=str(path),
        mend="free space on this disk; what was seen meanwhile is kept in memory and written then"
        if full
        else "check the folder's rights and its disk",
    )
