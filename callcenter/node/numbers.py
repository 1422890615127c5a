"""Ticket numbers leased by the desk, so that a number can be spoken with the desk away (blocks of 100)."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path

from callcenter.errors import StoreError
from callcenter.log import get_logger
from callcenter.node.files import private_folder, replace_file

log = get_logger("node.numbers")

WANT = 100
"""Numbers leased at once: a busy day of one line."""

LOW = 30
"""Below this many the pool asks for more: enough for an hour with the desk away."""


class NumberPool:
    """The numbers one line may speak. Each is given out once, whatever crashes: gaps may remain, twins never."""

    def __init__(self, folder: Path, number: int) -> None:
        """Open `numbers-<number>.json` in `folder`. Raises StoreError when another process holds it."""
        private_folder(folder)
        self._path = folder / f"numbers-{number}.json"
        self._lock = os.open(self._path.with_suffix(".lock"), os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(self._lock)
            raise StoreError(
                "numbers.in_use", f"line {number} of this node already runs", where=str(self._path),
                mend="give every line its own --number, or stop the other one",
            ) from error  # fmt: skip
        self._blocks: list[tuple[int, int]] = []
        try:
            self._blocks = [(int(first), int(last)) for first, last in json.loads(self._path.read_text())["blocks"]]
        except FileNotFoundError:
            pass
        except (OSError, ValueError, KeyError, TypeError):
            log.warning("numbers_unreadable", mend="nothing to do: new numbers are leased")

    @property
    def left(self) -> int:
        """Numbers that can still be given out."""
        return sum(last - first + 1 for first, last in self._blocks)

    @property
    def low(self) -> bool:
        """Whether more should be leased."""
        return self.left < LOW

    def add(self, first: int, last: int) -> None:
        """Take in a leased block, `first` to `last` inclusive."""
        if not 0 < first <= last:
            raise StoreError("numbers.bad_block", "the desk leased an empty block of ticket numbers")
        if any(have_first <= last and first <= have_last for have_first, have_last in self._blocks):
            return  # the same lease told twice
        blocks = [*self._blocks, (first, last)]
        try:
            self._save(blocks)
        except StoreError as error:  # the lease holds: noted with the first number taken, or lost with this process
            self._blocks = blocks
            log.warning("numbers_unkept", error=error.message, mend=error.mend)

    def take(self) -> int:
        """The next number, never given out before or after. Raises StoreError when there is none."""
        if not self._blocks:
            raise StoreError(
                "numbers.none", "no ticket numbers are left", retryable=True,
                mend="the desk leases new ones as soon as it can be reached",
            )  # fmt: skip
        (first, last), *rest = self._blocks
        self._save([*([(first + 1, last)] if first < last else []), *rest])
        return first

    def close(self) -> None:
        """Let another process use the pool. May be called twice."""
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    def _save(self, blocks: list[tuple[int, int]]) -> None:
        try:
            replace_file(self._path, json.dumps({"blocks": blocks}).encode(), sync=True)
        except OSError as error:
            raise StoreError(
                "numbers.unwritable", f"cannot note the ticket number: {error.strerror}", where=str(self._path),
                retryable=True, mend="free space on this disk",
            ) from error  # fmt: skip
        self._blocks = blocks
