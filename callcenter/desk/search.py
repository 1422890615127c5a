"""Finding what was said: Chinese by pairs of toneless syllables, so that a misheard homophone is found as well.

A text is indexed by its terms, a row by its facets as well (what it is, its category, its days; see migration 0005),
both in one GIN index. A common word stands in ten thousand rows and its newest sixty are wanted: the newest days hold
them. A rare word's few rows are found however long the time is. So few days are looked through first, then more.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from callcenter.store.pool import Connection, statements

_read = statements("read")
_calls = statements("call")
_tickets = statements("ticket")
_RUN = re.compile(r"[一-鿿㐀-䶿]+|[a-z0-9]+")
TERMS_AT_MOST = 4000

AHEAD = timedelta(days=2)
"""A clock that went wrong may have written rows of the future: they are found as well."""
DAY_S = 86400
SPANS = (1, 8, 64)
"""Days of a span: the newest NEWEST of each length are looked through in turn, then all there is."""
NEWEST = 4
RESOLUTION = timedelta(microseconds=1)
"""Of times in the database."""


@lru_cache(maxsize=8192)
def syllable(character: str) -> str:
    """A character's commonest reading without its tone; itself where it has none."""
    from pypinyin import Style, pinyin

    return str(pinyin(character, style=Style.NORMAL, errors="default")[0][0])


def warm() -> None:
    """Load the readings (0.3 s, 55 MB): a desk does so before it is ready, not at the end of its first call."""
    syllable("首")


def _pairs(run: str) -> list[str]:
    return [f"{syllable(a)}.{syllable(b)}." for a, b in pairwise(run)]


def terms(text: str) -> list[str]:
    """Single characters and pairs of toneless syllables of every run of Chinese; whole Latin words and figures."""
    found: dict[str, None] = {}
    for run in _RUN.findall(text.lower()):
        found |= dict.fromkeys([run] if run[0].isascii() else [*_pairs(run), *run])
    return list(found)[:TERMS_AT_MOST]


@dataclass(frozen=True)
class Wanted:
    """A search: a tsquery of terms that all have to stand there, and words that have to stand there as written."""

    terms: str
    words: list[str] | None


def query(text: str) -> Wanted:
    """What `text` looks for.

    What is read the same is found as well; the words of a search that holds a single character, Latin letters or
    figures are looked for as written. One without anything to look for finds nothing.
    """
    wanted: dict[str, None] = {}
    as_written = False
    for run in _RUN.findall(text.lower()):
        literal = run[0].isascii() or len(run) == 1
        wanted |= dict.fromkeys([run] if literal else _pairs(run))
        as_written = as_written or literal
    quoted = ("'" + term + "'" for term in wanted or ["-"])
    return Wanted(" & ".join(quoted), text.lower().split() if as_written else None)


Rows = Callable[[list[str]], Awaitable[Sequence[Any]]]


async def newest(
    connection: Connection, site: str, wanted: Wanted, facets: Sequence[str], before: datetime | None, rows: int,
    of: Rows,
) -> Sequence[Any]:  # fmt: skip
    """The newest `rows` rows not after a moment, fewer where there are no more.

    `of` makes rows of keys, newest first, and leaves out what its own filters do not want; so more keys are looked for
    until there are rows enough.
    """
    shown: list[Any] = []
    upto, asked = before + RESOLUTION if before else None, rows
    for spans in _stretches(before or datetime.now(UTC) + AHEAD):
        while len(shown) < rows:
            keys = [key async for key in _read.found(
                connection, site=site, terms=wanted.terms, words=wanted.words, facets=list(facets), spans=spans,
                upto=upto, asked=asked,
            )]  # fmt: skip
            if keys:
                shown += await of([key["key"] for key in keys])
                upto = keys[-1]["at"]
            if len(keys) < asked:
                break
            asked *= 4
    return shown[:rows]


def _stretches(upto: datetime) -> list[list[str] | None]:
    """Facets of the newest spans before a moment, longer ones each time, and None for all time."""
    day = int(upto.timestamp() // DAY_S)
    return [*([f"d{days}:{day // days - n}" for n in range(NEWEST)] for days in SPANS), None]


async def index_call(connection: Connection, call: Any, text: str) -> None:
    """Make a call findable by its text; does nothing for no text."""
    if text.strip():
        await _calls.put_search(connection, id=call, text=text, terms=terms(text))


async def index_ticket(connection: Connection, number: int, text: str) -> None:
    """Make a matter findable by its text; does nothing for no text."""
    if text.strip():
        await _tickets.put_search(connection, number=number, text=text, terms=terms(text))
