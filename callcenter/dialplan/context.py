"""What a call script knows of the world before the caller says a word: built by the line from the last snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from callcenter.domain.places import Gazetteer, Place

CALLBACK_WITHIN_MIN = 30
"""Promised to callers whom nobody could understand or hear, unless the site says otherwise (R22)."""

STARTING_FLAGS = frozenset({"silence", "unserved", "hang_up", "promised", "nothing_said"})
"""Flags that a call of ours to a resident may begin with: why it is made."""


@dataclass(frozen=True)
class OpenMatter:
    """An open matter of this caller (by number or household), so that a repeat caller is recognised (R17).

    `state` and `responsible` are said as they stand, in the call's language: "工程部正在处理", "工程部值班员".
    """

    number: str
    category: str
    state: str
    responsible: str


@dataclass(frozen=True)
class Incident:
    """A known incident (R32). `building` None: the whole site. `since` is aware."""

    category: str
    building: str | None
    since: datetime


@dataclass(frozen=True)
class CallContext:
    """One call's surroundings.

    `now` is aware (UTC or local); times are said in `zone`. `operator_extension` is the phone of the operator on
    duty (user part at the edge), None when nobody's phone is registered. `caller_number` is E.164 or as received,
    None if withheld. `caller_place` and `caller_name` come from the known household of that number.
    """

    now: datetime
    site_name: str
    language: str = "zh"
    zone: str = "Asia/Shanghai"
    is_holiday: bool = False
    is_office_hours: bool = True
    operator_extension: str | None = None
    caller_number: str | None = None
    caller_name: str | None = None
    caller_place: Place | None = None
    open_matters: tuple[OpenMatter, ...] = ()
    incidents: tuple[Incident, ...] = ()
    callback_within_min: int = CALLBACK_WITHIN_MIN
    gazetteer: Gazetteer | None = None
    """The site's places: a building that does not exist is asked for again."""
    phrases: Mapping[str, str] = field(default_factory=dict)
    """The site's own texts: prompt id → what is said instead."""
    about: OpenMatter | None = None
    """The matter that we call about; None when they call us."""
    flags: frozenset[str] = frozenset()
    """Flags that are set from the beginning, e.g. `nothing_said` for a call-back to who was not heard."""

    @property
    def local_now(self) -> datetime:
        """The time on the caller's wall."""
        return self.now.astimezone(ZoneInfo(self.zone))

    @property
    def caller_known(self) -> bool:
        """Whether the number belongs to a household of the site."""
        return self.caller_place is not None or self.caller_name is not None

    @property
    def callback_by(self) -> datetime:
        """When a promised call-back is due, local, on the next five minutes (R22)."""
        due = self.local_now + timedelta(minutes=self.callback_within_min)
        return due.replace(second=0, microsecond=0) + timedelta(minutes=-due.minute % 5)
