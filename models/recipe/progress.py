"""Progress of a long step on one line of the terminal, or as occasional lines in a log."""

from __future__ import annotations

import sys
import time


class Progress:
    """Counts towards `total`; prints at most every two seconds on a terminal, every twenty in a log."""

    def __init__(self, what: str, total: int) -> None:
        self._what, self._total, self._count = what, max(1, total), 0
        self._started = self._printed = time.monotonic()
        self._live = sys.stderr.isatty()

    def advance(self, steps: int = 1, note: str = "") -> None:
        """Add steps, and say so when it is time."""
        self._count += steps
        now = time.monotonic()
        if now - self._printed >= (2 if self._live else 20):
            self._printed = now
            self._write(note, "\r" if self._live else "\n")

    def done(self, note: str = "") -> None:
        """The last line."""
        self._write(note, "\n")

    def _write(self, note: str, end: str) -> None:
        elapsed = time.monotonic() - self._started
        left = elapsed * (self._total - self._count) / self._count if self._count else 0
        share = f"{100 * self._count / self._total:5.1f} %"
        print(
            f"{self._what}: {share}  {elapsed:4.0f} s, {left:4.0f} s left  {note}", end=end, file=sys.stderr, flush=True
        )
