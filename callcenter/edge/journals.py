"""The edge's journal, and those that earlier edges of this node left behind.

A line's journal is never touched here: the line that adopts it also finishes its recordings.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from callcenter.config import Settings
from callcenter.node.files import private_folder, replace_file
from callcenter.node.journal import Journal


@dataclass(frozen=True)
class EdgeJournal:
    """Our own journal, and dead ones of ours that still hold what no desk has stored."""

    own: Journal
    left_behind: tuple[Journal, ...]

    def close(self) -> None:
        """Give up the locks; what no desk has stored yet is shipped after the next start."""
        for journal in (self.own, *self.left_behind):
            journal.close()


def _adopt(path: Path) -> Journal | None:
    """Take over a dead journal of ours; None when it is gone, alive, or fully stored (then it is removed)."""
    journal = Journal.take_over(path)
    if journal is None:
        return None
    if journal.stored:
        journal.remove()
        return None
    return journal


def open_journal(settings: Settings) -> EdgeJournal:
    """A new journal; names of all unfinished ones of edges are kept in `var/node/edge-journals`."""
    node = private_folder(settings.var_dir / "node")
    folder = node / "journals"
    list_file = node / "edge-journals"
    names = list_file.read_text(encoding="ascii").split() if list_file.exists() else []
    left = tuple(journal for name in names if (journal := _adopt(folder / f"{name}.jsonl")))
    own = Journal.create(folder)
    replace_file(list_file, "\n".join(str(journal.id) for journal in (*left, own)).encode(), sync=True)
    return EdgeJournal(own, left)
