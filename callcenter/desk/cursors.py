"""Cursors of lists: where the next page begins, as one opaque string."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from callcenter.desk.models import Page
from callcenter.errors import StoreError

T = TypeVar("T")


def read(cursor: str | None, kind: Callable[[str], T]) -> tuple[datetime | None, T | None]:
    """Time and identity after which a page goes on; None of both for the first. Raises StoreError `page.cursor`."""
    if not cursor:
        return None, None
    at, _, identity = cursor.partition("~")
    try:
        moment = datetime.fromisoformat(at)
        if moment.tzinfo is None:
            raise ValueError("without zone")
        return moment, kind(identity)
    except ValueError as error:
        raise StoreError("page.cursor", "no such page", mend="begin with the first page") from error


def page(found: Sequence[Any], limit: int, key: Callable[[Any], tuple[datetime, object]]) -> Page:
    """A page of at most `limit` rows of which one more than that was asked for."""
    shown = tuple(found[:limit])
    if len(found) <= limit:
        return Page(shown)
    at, identity = key(shown[-1])
    return Page(shown, f"{at.isoformat()}~{identity}")
