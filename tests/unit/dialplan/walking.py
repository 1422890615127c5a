"""Walking a script with a scripted caller."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

from fake_phone import FakePhone

from callcenter.dialplan.context import CallContext
from callcenter.dialplan.outcome import Outcome

SCRIPTS = Path(__file__).resolve().parents[3] / "dialplans"
WORKDAY = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
"""A Wednesday, 10:00 in Shanghai."""

Talk = Callable[..., Awaitable[tuple[FakePhone, Outcome]]]


def surroundings(**changes: object) -> CallContext:
    """A call from an unlisted mobile on a workday morning."""
    given: dict[str, object] = {
        "now": WORKDAY,
        "site_name": "幸福小区物业服务中心",
        "language": "zh",
        "caller_number": "+8613900001111",
        "operator_extension": "8001",
    }
    return CallContext(**(given | changes))  # type: ignore[arg-type]
