"""A site's folder as one checked value."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from functools import cached_property
from pathlib import Path

from callcenter.config import RuleSettings
from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.households import Household
from callcenter.domain.matters import OpenMatter
from callcenter.domain.places import Gazetteer
from callcenter.domain.roster import LEADER, OPERATOR, Absence, Gap, Roster
from callcenter.domain.roster_pattern import RosterPattern
from callcenter.domain.rules import Rules
from callcenter.domain.snapshot import ROSTER_AHEAD, ROSTER_BEHIND, KnownCaller, KnownIncident, SiteSnapshot
from callcenter.domain.staff import Organisation
from callcenter.domain.taxonomy import Taxonomy
from callcenter.site.calendar import CalendarSource, load_calendar
from callcenter.site.households import load_households
from callcenter.site.organisation import load_organisation
from callcenter.site.places import load_places
from callcenter.site.roster import load_roster
from callcenter.site.taxonomy import load_taxonomy

GAPS_LOOKED_FOR = timedelta(days=31)
"""How far ahead the roster is searched for gaps when a site is loaded: the month that was just made (R25)."""


def rules_of(settings: RuleSettings, calendar: WorkingCalendar) -> Rules:
    """The rule's figures from the product's settings."""
    return Rules(
        emergency_accept_min=settings.acceptance.emergency_min,
        important_accept_min=settings.acceptance.important_min,
        normal_accept_working_h=settings.acceptance.normal_working_h,
        answer_within_h=settings.answer_within_h,
        major_households=settings.major_households,
        incident_calls=settings.incident_calls,
        incident_site_calls=settings.incident_site_calls,
        incident_window_min=settings.incident_window_min,
        calendar=calendar,
    )


@dataclass(frozen=True)
class Site:
    """One site, checked. The roster is made for any date asked for."""

    id: str
    folder: Path
    organisation: Organisation
    gazetteer: Gazetteer
    taxonomy: Taxonomy
    pattern: RosterPattern
    households: tuple[Household, ...]
    calendar_source: CalendarSource
    settings: RuleSettings
    area_code: str
    loaded_at: datetime

    def calendar(self, at: datetime) -> WorkingCalendar:
        """The working calendar of the year of `at` and its neighbours."""
        return self.calendar_source.calendar(range(at.year - 1, at.year + 2))

    def rules_at(self, at: datetime) -> Rules:
        """The rule's figures with the calendar around `at`."""
        return rules_of(self.settings, self.calendar(at))

    @cached_property
    def rules(self) -> Rules:
        """The rule's figures with the calendar around the moment of loading."""
        return self.rules_at(self.loaded_at)

    @cached_property
    def callers(self) -> Mapping[str, KnownCaller]:
        """Known number (canonical) → household, person, place."""
        return {
            number: KnownCaller(household.id, person.name, household.place)
            for household in self.households
            for person in household.people
            for number in person.numbers
        }

    def roster(self, starts_at: datetime, ends_at: datetime, absences: Iterable[Absence] = ()) -> Roster:
        """Who is on duty in the stretch given; `absences` are those known besides the file's."""

        def employed(staff: str, day: object) -> bool:
            return self.organisation.person(staff).active(day)  # type: ignore[arg-type]

        made = self.pattern.roster(starts_at, ends_at, self.calendar(starts_at), employed)
        return replace(made, absences=(*made.absences, *absences))

    def snapshot(
        self,
        at: datetime,
        open_matters: Iterable[OpenMatter] = (),
        incidents: Iterable[KnownIncident] = (),
        absences: Iterable[Absence] = (),
    ) -> SiteSnapshot:
        """What a line needs of this site at `at`, with the roster of the next 72 h."""
        return SiteSnapshot(
            site=self.id,
            organisation=self.organisation,
            roster=self.roster(at - ROSTER_BEHIND, at + ROSTER_AHEAD, absences),
            rules=self.rules_at(at),
            gazetteer=self.gazetteer,
            taxonomy=self.taxonomy,
            area_code=self.area_code,
            callers=self.callers,
            open_matters=tuple(open_matters),
            incidents=tuple(incidents),
        )

    def gaps(self, starts_at: datetime, ends_at: datetime) -> tuple[Gap, ...]:
        """Hours without operator or duty leader."""
        roster = self.roster(starts_at, ends_at)
        return tuple(gap for role in (OPERATOR, LEADER) for gap in roster.gaps(role, starts_at, ends_at))

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What is not wrong but should be known, in Mandarin and English, a sentence each."""
        calendar = self.calendar(self.loaded_at)
        last = self.organisation.person(self.organisation.last_resort)
        found: list[str] = []
        for gap in self.gaps(self.loaded_at, self.loaded_at + GAPS_LOOKED_FOR):
            zh, en = ("值班员", "operator") if gap.role == OPERATOR else ("带班领导", "duty leader")
            starts, ends = calendar.local(gap.starts_at), calendar.local(gap.ends_at)
            hours = f"{starts:%Y-%m-%d %H:%M} – {ends:%Y-%m-%d %H:%M}"
            found.append(
                f"{hours} 无{zh}在岗，由兜底责任人{last.called()}负责。 "
                f"No {en} from {hours}: the last resort, {last.called('en')}, answers for these hours (R14)."
            )
        if not last.active(calendar.day(self.loaded_at)):
            found.append(
                f"兜底责任人{last.called()}已不在职，请另行指定。 "
                f"The last resort, {last.called('en')}, does not work here any more: name another."
            )
        for staff in self._without_number():
            person = self.organisation.person(staff)
            found.append(
                f"{person.called()}没有可拨打的号码，紧急事项无法电话通知。 "
                f"{person.called('en')} has no number to ring in an emergency."
            )
        found += (
            f"{', '.join(roles)}: {late.zh}（{late.starts:%H:%M} 起）与{early.zh}（{early.ends:%H:%M} 止）时间重叠，"
            f"两人同时在岗。 Shift {late.name} begins at {late.starts:%H:%M} while {early.name} runs until "
            f"{early.ends:%H:%M}: two are on duty at once (roster.yaml: shifts)."
            for early, late, roles in self.pattern.overlaps()
        )
        return tuple(found)

    def _without_number(self) -> tuple[str, ...]:
        """People whom the rule may have to ring and who have neither extension nor mobile."""
        organisation = self.organisation
        rung = [organisation.general_manager, organisation.last_resort, *organisation.ladder]
        rung += [p for d in organisation.departments for p in (*d.deputies, d.manager)]
        rung += [p for r in self.pattern.rotations for row in r.rows for people in row.values() for p in people]
        return tuple(p for p in dict.fromkeys(rung) if organisation.person(p).number is None)


def load_site(
    folder: Path, taxonomy: Taxonomy | None = None, settings: RuleSettings | None = None, at: datetime | None = None
) -> Site:
    """Read and check a site's folder.

    Files: organisation, roster, places and calendar (.yaml), and households and taxonomy where the site has them.
    Raises ConfigError with file, line, field and mend for what is wrong; `Site.warnings` has what is only doubtful.
    """
    at = at or datetime.now(UTC)
    labels = taxonomy or load_taxonomy(site=folder / "taxonomy.yaml")
    calendar = load_calendar(folder / "calendar.yaml")
    gazetteer = load_places(folder / "places.yaml", folder.name)
    people = load_organisation(folder / "organisation.yaml", gazetteer, labels)
    organisation = people.organisation
    return Site(
        id=organisation.site,
        folder=folder,
        organisation=organisation,
        gazetteer=replace(gazetteer, site=organisation.site),
        taxonomy=labels,
        pattern=load_roster(folder / "roster.yaml", organisation, calendar.zone),
        households=load_households(folder / "households.yaml", gazetteer, people.area_code),
        calendar_source=calendar,
        settings=settings or RuleSettings(),
        area_code=people.area_code,
        loaded_at=at,
    )


def load_sites(folder: Path, settings: RuleSettings | None = None, at: datetime | None = None) -> dict[str, Site]:
    """Every site of the folder of sites (`settings.sites_dir`), by id."""
    sites = (load_site(f, settings=settings, at=at) for f in sorted(folder.iterdir()) if f.is_dir())
    return {site.id: site for site in sites}
