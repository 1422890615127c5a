"""The people, the roster and the rule's figures at one moment: what every decision looks at."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from callcenter.domain.roster import LEADER, OPERATOR, Roster
from callcenter.domain.rules import Rules
from callcenter.domain.staff import Organisation


@dataclass(frozen=True)
class Situation:
    """One site at one moment."""

    organisation: Organisation
    roster: Roster
    rules: Rules
    at: datetime

    def later(self, at: datetime) -> Situation:
        """The same site at another moment."""
        return replace(self, at=at)

    def active(self, staff: str) -> bool:
        """Whether the person exists and works for the company."""
        return self.organisation.knows(staff) and self.organisation.person(staff).active(
            self.rules.calendar.day(self.at)
        )

    def available(self, staff: str) -> bool:
        """Whether the person works here and is not away."""
        return self.active(staff) and not self.roster.absent(staff, self.at)

    def all_on_duty(self, role: str) -> tuple[str, ...]:
        """Everybody who holds `role` and still works here."""
        return tuple(p for p in self.roster.all_on_duty(role, self.at) if self.available(p))

    def on_duty(self, role: str) -> str | None:
        """The first of those who hold `role`; None in a gap."""
        return next(iter(self.all_on_duty(role)), None)

    @property
    def leader(self) -> str | None:
        """带班领导 on duty (R15)."""
        return self.on_duty(LEADER)

    @property
    def backstop(self) -> str:
        """The last resort; the general manager once that person has left the company (R14)."""
        last = self.organisation.last_resort
        return last if self.active(last) else self.organisation.general_manager

    @property
    def operator_or_last_resort(self) -> str:
        """值班员 on duty, or the last resort where the roster has a gap (R11, R14)."""
        return self.on_duty(OPERATOR) or self.backstop

    @property
    def leader_or_last_resort(self) -> str:
        """带班领导 on duty, or the last resort where the roster has a gap (R14, R15)."""
        return self.leader or self.backstop

    def relief(self, staff: str) -> str:
        """Who takes what `staff` can no longer answer for: their stand-in, else the nearest above, else the last
        resort; the general manager where the last resort is the one to be relieved (R14)."""
        absence = self.roster.absence(staff, self.at)
        organisation = self.organisation
        above = organisation.above(staff) if organisation.knows(staff) else ()
        candidates = [absence.replaced_by] if absence is not None and absence.replaced_by else []
        candidates += [*above, self.backstop]
        for person in candidates:
            if person != staff and self.available(person):
                return person
        return organisation.general_manager if staff == self.backstop else self.backstop

    def answers_for(self, staff: str) -> bool:
        """Whether the person can hold a matter. The last resort and the general manager can while they work here,
        whatever the roster says of them: somebody must (R14)."""
        backstop = staff in (self.organisation.last_resort, self.organisation.general_manager)
        return self.active(staff) if backstop else self.available(staff)
