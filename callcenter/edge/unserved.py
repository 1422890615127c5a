"""INVITEs that nobody took: from Kamailio's log into the journal, so that somebody calls back (R5)."""

from __future__ import annotations

import json
import re
import time
from dataclasses import dataclass, field
from typing import Any

from callcenter.config import Settings
from callcenter.domain.numbers import by_dialled, canonical
from callcenter.domain.records import RecordKind
from callcenter.log import get_logger
from callcenter.node.ids import uuid7
from callcenter.node.journal import Journal

log = get_logger("edge.unserved")

WINDOW_S = 60.0
"""Within this time a caller who is refused again and again is told once, and then as one record with a count."""
ONE_BY_ONE = 60
"""Callers of one address told one by one in that time: a trunk has many, but a scanner must not fill the journal."""
KNOWN_CALLS = 2000
_MARK = re.compile(r"UNSERVED (\{.*\})\s*$")
_PERSONAL = re.compile(
    r"\"[^\"]*\"?|(?:from|to|contact|p-asserted-identity|remote-party-id|diversion)\s*:[^\]\r\n]*"
    r"|sips?:\S*|tel:\S*|\+?\d[\d\s-]{4,}\d",
    re.IGNORECASE,
)
"""Names in quotes or before an address, addresses, and numbers."""


@dataclass(frozen=True)
class Unserved:
    """One INVITE that was not served; numbers as received, None when withheld."""

    reason: str
    status: int
    from_number: str | None
    to_number: str | None
    sip_call_id: str
    source: str


def parse_unserved(line: str) -> Unserved | None:
    """The report in a line of Kamailio's log; None when there is none."""
    match = _MARK.search(line)
    if not match:
        return None
    try:
        told = json.loads(match[1])
        return Unserved(
            reason=str(told["reason"]), status=int(told["status"]), from_number=_caller(told["from"]),
            to_number=_number(told["to"]), sip_call_id=_text(told["call"]) or "", source=str(told["source"]),
        )  # fmt: skip
    except (ValueError, KeyError, TypeError):
        log.warning("unserved_unreadable")
        return None


def _text(hexadecimal: str) -> str | None:
    """A value from the wire; it came as hex so that it cannot forge the line."""
    try:
        return bytes.fromhex(hexadecimal).decode("utf-8", "replace")[:255] or None
    except ValueError:
        return None


def _number(hexadecimal: str) -> str | None:
    text = _text(hexadecimal)
    if text is None or text.lower() in {"anonymous", "unknown", "unavailable", "restricted"}:
        return None
    return re.sub(r"[\x00-\x1f]", "", text)[:64] or None


def _caller(hexadecimal: str) -> str | None:
    """Who called, by their number; None as well where they wrote something else in its place."""
    text = _number(hexadecimal)
    return text if canonical(text) is not None else None


def redact(line: str) -> str:
    """A line of Kamailio's own log without addresses and numbers of people, for our log."""
    return _PERSONAL.sub("[withheld]", re.sub(r"^\s*\d+\(\d+\)\s*", "", line))[:300]


@dataclass
class _Burst:
    since: float
    callers: set[str | None] = field(default_factory=set)
    more: int = 0
    last: Unserved | None = None


@dataclass
class UnservedReporter:
    """Writes `edge.unserved` records; each call once, bursts of refusals as counts."""

    settings: Settings
    journal: Journal
    _calls: dict[str, None] = field(default_factory=dict)
    _bursts: dict[tuple[str, str], _Burst] = field(default_factory=dict)

    def take(self, report: Unserved, now: float | None = None) -> None:
        """Journal the report, or count it. `now` is monotonic seconds."""
        now = time.monotonic() if now is None else now
        key = f"{report.sip_call_id}\n{report.reason}"
        if key in self._calls:
            return
        self._calls[key] = None
        if len(self._calls) > KNOWN_CALLS:
            del self._calls[next(iter(self._calls))]
        log.warning("call.unserved", reason=report.reason, status=report.status, source=report.source)
        if report.reason in {"refused", "flood"}:
            burst = self._bursts.setdefault((report.reason, report.source), _Burst(now))
            if report.from_number in burst.callers or len(burst.callers) >= ONE_BY_ONE:
                burst.more += 1
                burst.last = report
                return
            burst.callers.add(report.from_number)
        self._write(report, 1)

    def flush(self, now: float | None = None, *, everything: bool = False) -> None:
        """Write the counts whose minute is over (or all)."""
        now = time.monotonic() if now is None else now
        for key, burst in list(self._bursts.items()):
            if everything or now - burst.since >= WINDOW_S:
                del self._bursts[key]
                if burst.last is not None:
                    self._write(burst.last, burst.more)

    def _write(self, report: Unserved, count: int) -> None:
        site = by_dialled(self.settings.site.dialled, report.to_number or "") or self.settings.site.default
        body: dict[str, Any] = {
            "from_number": report.from_number, "to_number": report.to_number, "sip_call_id": report.sip_call_id,
            "status": report.status, "reason": report.reason, "count": count,
        }  # fmt: skip
        self.journal.append(RecordKind.EDGE_UNSERVED, site=site, call=uuid7(), body=body)
