"""Finding what was said: Chinese by pairs of characters, homophones by pairs of toneless syllables.

Two-character words are found by an index (GIN over the pairs), and the found rows are checked for the words themselves.
"""

from __future__ import annotations

import re
from datetime import datetime
from functools import lru_cache
from itertools import pairwise

from callcenter.store.pool import Connection, statements

_sql = statements("ticket")
_RUN = re.compile(r"[一-鿿㐀-䶿]+|[a-z0-9]+")
TERMS_AT_MOST = 4000


@lru_cache(maxsize=8192)
def syllable(character: str) -> str:
    """A character's commonest reading without its tone; itself where it has none."""
    from pypinyin import Style, pinyin

    return str(pinyin(character, style=Style.NORMAL, errors="default")[0][0])


def warm() -> None:
    """Load the readings (0.3 s, 55 MB): a desk does so before it is ready, not at the end of its first call."""
    syllables("首问责任制")


def _pairs(run: list[str]) -> list[str]:
    return [first + second for first, second in pairwise(run)] or run


def bigrams(text: str) -> list[str]:
    """Pairs of characters of every run of Chinese, and whole Latin words and figures."""
    found: dict[str, None] = {}
    for run in _RUN.findall(text.lower()):
        terms = [run] if run[0].isascii() else [*_pairs(list(run)), *run]
        found |= dict.fromkeys(terms)
    return list(found)[:TERMS_AT_MOST]


def syllables(text: str) -> list[str]:
    """Pairs of toneless syllables of every run of Chinese."""
    found: dict[str, None] = {}
    for run in _RUN.findall(text.lower()):
        if not run[0].isascii():
            read = [syllable(character) + "." for character in run]
            found |= dict.fromkeys(_pairs(read) if len(read) > 1 else [])
    return list(found)[:TERMS_AT_MOST]


def query(text: str) -> tuple[str | None, str | None]:
    """A search as two tsqueries that both have to be met, by characters and by syllables; None: no such condition.

    What is read the same is found as well, so that a misheard homophone is; the words of a search that holds a single
    character, Latin letters or figures are looked for as written. One without anything to look for finds nothing.
    """
    as_written: dict[str, None] = {}
    for run in _RUN.findall(text.lower()):
        if run[0].isascii() or len(run) == 1:
            as_written[run] = None
    read = syllables(text)
    return _all_of(list(as_written) or ([] if read else ["-"])), _all_of(read)


def _all_of(terms: list[str]) -> str | None:
    return None if not terms else " & ".join("'" + term.replace("'", "''") + "'" for term in terms)


async def index(connection: Connection, site: str, what: str, key: str, at: datetime, text: str) -> None:
    """Make a call or a ticket findable by its text; does nothing for no text."""
    if not text.strip():
        return
    await _sql.put_search(
        connection, site=site, what=what, key=key, at=at, text=text, bigrams=bigrams(text), pinyin=syllables(text)
    )
