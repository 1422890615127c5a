"""Call ids: UUIDv7 (RFC 9562), sortable by time across a node's processes."""

from __future__ import annotations

import secrets
import time
from datetime import UTC, datetime
from uuid import UUID

_last = 0


def uuid7() -> UUID:
    """A new UUIDv7. Later ids of one process are greater, also when the clock jumps back."""
    global _last  # noqa: PLW0603 - one clock per process
    stamp = time.time_ns() // 1_000_000 << 12 | secrets.randbits(12)
    _last = max(stamp, _last + 1)
    milliseconds, sub = _last >> 12, _last & 0xFFF
    return UUID(int=milliseconds << 80 | 0x7 << 76 | sub << 64 | 0b10 << 62 | secrets.randbits(62))


def minted_at(call: UUID) -> datetime:
    """When a UUIDv7 was minted, UTC, to the millisecond."""
    return datetime.fromtimestamp((call.int >> 80) / 1000, UTC)
