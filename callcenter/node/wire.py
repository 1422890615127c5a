"""Records as JSON: one line of a journal, one message of the link."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from callcenter.domain.records import Record, RecordKind
from callcenter.errors import StoreError


def record_to_json(record: Record) -> dict[str, Any]:
    """A record as plain JSON values."""
    return {
        "journal": str(record.journal),
        "seq": record.seq,
        "at": record.at.astimezone(UTC).isoformat(),
        "kind": record.kind.value,
        "site": record.site,
        "call": str(record.call) if record.call else None,
        "version": record.version,
        "body": record.body,
    }


def record_from_json(tree: dict[str, Any]) -> Record:
    """A record from JSON values. Raises StoreError when it is none (a torn line, another program's file)."""
    try:
        at = datetime.fromisoformat(tree["at"])
        if at.tzinfo is None or not isinstance(tree["body"], dict):
            raise ValueError("a time without zone, or no body")
        return Record(
            journal=UUID(tree["journal"]),
            seq=int(tree["seq"]),
            at=at,
            kind=RecordKind(tree["kind"]),
            site=str(tree["site"]),
            call=UUID(tree["call"]) if tree["call"] else None,
            body=tree["body"],
            version=int(tree["version"]),
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StoreError("journal.bad_record", f"not a record: {error}") from error


def record_to_line(record: Record) -> bytes:
    """A record as one line of a journal, with its newline."""
    return json.dumps(record_to_json(record), ensure_ascii=False, separators=(",", ":")).encode() + b"\n"


def record_from_line(line: bytes) -> Record:
    """A record from one line. Raises StoreError."""
    try:
        tree = json.loads(line)
    except ValueError as error:
        raise StoreError("journal.bad_record", f"not JSON: {error}") from error
    return record_from_json(tree)
