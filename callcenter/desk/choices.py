"""Where each of our people wants to hear of what: by urgency and hour, in their own words or by the house's way.

Pages always show everything. An emergency rings whoever it concerns, whatever they chose (R13, R15).
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import time
from typing import TYPE_CHECKING, Any

from callcenter.desk.acts import once
from callcenter.errors import ConfigError, StoreError
from callcenter.store.pool import statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("message")

CHANNELS = ("page", "mail", "telephone")
URGENCIES = ("emergency", "important", "normal", "any")
HOUSE_WAY = {"emergency": frozenset({"mail"}), "important": frozenset({"mail"}), "normal": frozenset[str]()}
"""What who chose nothing gets besides their pages."""
RULES_AT_MOST = 20
DAY = (time(8), time(20))
"""The hours that are proposed to who chose none."""
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_ATOM = r"[A-Za-z0-9!#$%&'*+/=^_`{|}~-]+"
MAIL = re.compile(rf"(?=.{{1,64}}@.{{1,189}}$){_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*")
"""A mailbox that is written to as it stands: RFC 5321, 4.1.2, without quoted names, machines' addresses, and the "?" of
encoded words."""
_CLOCK = re.compile(r"([01]\d|2[0-3]):[0-5]\d")


@dataclass(frozen=True)
class Wish:
    """For matters of `urgency` (or `any`), between two local times (from > until passes midnight): these ways."""

    urgency: str
    channels: frozenset[str]
    start: time | None = None
    until: time | None = None

    def fits(self, urgency: str, local: time) -> bool:
        """Whether it speaks of this urgency and hour."""
        if self.urgency not in ("any", urgency):
            return False
        if self.start is None or self.until is None:
            return True
        if self.start <= self.until:
            return self.start <= local < self.until
        return local >= self.start or local < self.until

    @classmethod
    def read(cls, plain: Any) -> Wish:
        """From JSON. Raises ConfigError `choice.invalid` that says what is wrong."""
        if not isinstance(plain, dict) or (unknown := plain.keys() - {"urgency", "from", "until", "channels"}):
            raise _invalid("a rule has urgency, channels, and perhaps from and until", str(plain)[:80])
        del unknown
        urgency, channels = plain.get("urgency", "any"), plain.get("channels")
        if urgency not in URGENCIES:
            raise _invalid(f"urgency is one of {', '.join(URGENCIES)}", str(urgency)[:40])
        if not isinstance(channels, list) or not set(channels) <= set(CHANNELS):
            raise _invalid(f"channels is a list of {', '.join(CHANNELS)}", str(channels)[:80])
        clocks = [plain.get("from"), plain.get("until")]
        if (clocks[0] is None) is not (clocks[1] is None):
            raise _invalid("from and until go together", str(clocks))
        for clock in clocks:
            if clock is not None and not (isinstance(clock, str) and _CLOCK.fullmatch(clock)):
                raise _invalid("times are written 08:30", str(clock)[:40])
        start, until = (time.fromisoformat(clock) if clock else None for clock in clocks)
        return cls(urgency, frozenset(channels) - {"page"}, start, until)

    def plain(self) -> dict[str, Any]:
        """As JSON."""
        hours = {"from": f"{self.start:%H:%M}", "until": f"{self.until:%H:%M}"} if self.start and self.until else {}
        return {"urgency": self.urgency, "channels": ["page", *sorted(self.channels)], **hours}


@dataclass(frozen=True)
class Choice:
    """A person's wishes, the first that fits counts; with none that fits, the house's way.

    `own_email` is what they chose, `files_email` that of the site's files.
    """

    staff: str
    own_email: str | None = None
    files_email: str | None = None
    wishes: tuple[Wish, ...] = field(default=())

    @property
    def email(self) -> str | None:
        """Where their mail goes."""
        return self.own_email or self.files_email

    def channels(self, urgency: str, local: time) -> frozenset[str]:
        """Ways besides the pages for a matter of `urgency` at this local time."""
        return channels(self.wishes, urgency, local)


def channels(wishes: Sequence[Wish], urgency: str, local: time) -> frozenset[str]:
    """See `Choice.channels`."""
    for wish in wishes:
        if wish.fits(urgency, local):
            return wish.channels
    return HOUSE_WAY.get(urgency, frozenset())


@dataclass(frozen=True)
class Plan:
    """A choice as a person fills it in: hours of their own, and for each urgency the ways within and outside of them.

    Hours whose end is before their beginning pass midnight; beginning and end differ.
    """

    start: time
    until: time
    within: Mapping[str, frozenset[str]]
    outside: Mapping[str, frozenset[str]]

    @classmethod
    def of(cls, wishes: Sequence[Wish]) -> Plan | None:
        """The plan that says the same as these wishes; None when they speak of more than one stretch of hours."""
        stretches = {(w.start, w.until) for w in wishes if w.start is not None and w.until is not None}
        if len(stretches) > 1 or any(start == until for start, until in stretches):
            return None
        start, until = next(iter(stretches), DAY)
        return cls(
            start, until,
            {u: channels(wishes, u, start) for u in HOUSE_WAY}, {u: channels(wishes, u, until) for u in HOUSE_WAY},
        )  # fmt: skip

    def rules(self) -> list[dict[str, Any]]:
        """As JSON of wishes, the shortest that says it."""
        made: list[Wish] = []
        for urgency in HOUSE_WAY:
            if self.within[urgency] != self.outside[urgency]:
                made.append(Wish(urgency, self.within[urgency], self.start, self.until))
            made.append(Wish(urgency, self.outside[urgency]))
        return [wish.plain() for wish in made]


def read_wishes(plain: Any) -> tuple[Wish, ...]:
    """All wishes from JSON. Raises ConfigError `choice.invalid`."""
    if not isinstance(plain, list) or len(plain) > RULES_AT_MOST:
        raise _invalid(f"rules is a list of at most {RULES_AT_MOST}", str(plain)[:40])
    return tuple(Wish.read(one) for one in plain)


async def choice(desk: Desk, staff: str) -> Choice:
    """What a person chose. Raises StoreError `staff.unknown`."""
    row = await _sql.choice(desk.pool, staff=staff)
    if row is None:
        raise StoreError("staff.unknown", "there is no such person", mend="use the id of the site's files")
    return Choice(staff, row["email"], row["files_email"], read_wishes(row["rules"] or []))


async def choose(desk: Desk, staff: str, *, email: str | None, rules: Any, actor: str, key: str) -> Choice:
    """Set a person's choice, once per key. Raises ConfigError `choice.invalid`, StoreError `staff.unknown`."""
    wishes = read_wishes(rules)
    if email is not None and not MAIL.fullmatch(email):
        raise _invalid("that is no mail address", "")
    async with desk.pool.acquire() as connection, connection.transaction():
        if await _sql.choice(connection, staff=staff) is None:
            raise StoreError("staff.unknown", "there is no such person", mend="use the id of the site's files")
        if await once(connection, f"choice:{key}", actor):
            await _sql.choose(connection, staff=staff, email=email, rules=[wish.plain() for wish in wishes])
    return await choice(desk, staff)


def _invalid(must: str, given: str) -> ConfigError:
    return ConfigError("choice.invalid", f"{must}{f', not {given}' if given else ''}", mend="see reaching-people.md")
