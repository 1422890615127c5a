"""The people of a site and how they stand to each other: departments, chains, ladder, last resort (R13–R16, R24)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from functools import cached_property

from callcenter.errors import DomainError

FORMER = ("离职员工", "former member of staff")
"""Title of whom the site's files name no more."""
FORMER_DEPARTMENT = ("原责任部门", "the former department")
"""Name of a department that the site's files name no more."""


@dataclass(frozen=True)
class Staff:
    """One member of staff. `active_until` is the last day in the company; None: open."""

    id: str
    name: str
    title: str
    department: str
    name_en: str = ""
    title_en: str = ""
    extension: str | None = None
    mobile: str | None = None
    reports_to: str | None = None
    active_from: date | None = None
    active_until: date | None = None

    def active(self, on: date) -> bool:
        """Whether this person works for the company on `on`."""
        return (self.active_from is None or self.active_from <= on) and (
            self.active_until is None or on <= self.active_until
        )

    @property
    def number(self) -> str | None:
        """The number to ring: the extension, else the mobile."""
        return self.extension or self.mobile

    def called(self, language: str = "zh") -> str:
        """Title and name as a sentence says them: 值班员王芳, or "operator Wang Fang"."""
        if language == "en":
            return f"{self.title_en or self.title} {self.name_en or self.name}"
        return f"{self.title}{self.name}"


@dataclass(frozen=True)
class Department:
    """One department. The chain below the manager is the person on duty (roster), then the deputies in order."""

    id: str
    zh: str
    en: str
    manager: str
    deputies: tuple[str, ...] = ()


@dataclass(frozen=True)
class AreaManager:
    """片区管理员: who looks after an area, told of every work order in its buildings (R9)."""

    area: str
    staff: str
    buildings: tuple[str, ...] = ()


@dataclass(frozen=True)
class OutsideBody:
    """Somebody outside the house to whom a matter may be passed on, with our follow-up (R5): 供电公司."""

    id: str
    zh: str
    en: str
    number: str | None = None


@dataclass(frozen=True)
class Organisation:
    """Everybody of a site. Built only whole: every id named is a person, chains have no loop.

    `office` settles disputes between departments (R16); `last_resort` answers for every gap (R14);
    `ladder` is climbed by what is overdue (R24), lowest first, ending with the general manager.
    """

    site: str
    name: str
    name_en: str
    staff: tuple[Staff, ...]
    departments: tuple[Department, ...]
    general_manager: str
    office: str
    last_resort: str
    ladder: tuple[str, ...]
    area_managers: tuple[AreaManager, ...] = ()
    outside_bodies: tuple[OutsideBody, ...] = ()
    emergency_numbers: Mapping[str, str] = field(default_factory=dict)
    """R29, in plain view: what is called → number (消防 → 119)."""

    def __post_init__(self) -> None:
        if len(self._by_id) != len(self.staff):
            raise DomainError("organisation.duplicate_staff", "two members of staff have the same id")
        if len(self._departments) != len(self.departments):
            raise DomainError("organisation.duplicate_department", "two departments have the same id")
        for role, person in self._named():
            if person not in self._by_id:
                raise DomainError("organisation.unknown_person", f"{role} names the unknown person {person!r}")
        for member in self.staff:
            if loop := self.loop_above(member.id):
                raise DomainError("organisation.chain_loop", "reports_to goes in a circle: " + " → ".join(loop))

    def _named(self) -> Iterator[tuple[str, str]]:
        yield "general_manager", self.general_manager
        yield "office", self.office
        yield "last_resort", self.last_resort
        yield from (("ladder", p) for p in self.ladder)
        yield from ((f"area {a.area}", a.staff) for a in self.area_managers)
        for department in self.departments:
            yield from ((f"department {department.id}", p) for p in (department.manager, *department.deputies))
        yield from ((f"reports_to of {s.id}", s.reports_to) for s in self.staff if s.reports_to)

    @cached_property
    def _by_id(self) -> dict[str, Staff]:
        return {s.id: s for s in self.staff}

    @cached_property
    def _departments(self) -> dict[str, Department]:
        return {d.id: d for d in self.departments}

    @cached_property
    def _area_of_building(self) -> dict[str, AreaManager]:
        return {building: area for area in self.area_managers for building in area.buildings}

    def knows(self, staff: str) -> bool:
        """Whether `staff` is the id of a person here."""
        return staff in self._by_id

    def person(self, staff: str) -> Staff:
        """The person with this id. Raises DomainError `organisation.unknown_person`."""
        try:
            return self._by_id[staff]
        except KeyError:
            raise DomainError("organisation.unknown_person", f"nobody has the id {staff!r}") from None

    def once_here(self, staff: str) -> Staff:
        """The person with this id, also one whom the site's files name no more: they have left, and still received
        first what they received first (R11, R17)."""
        return self._by_id.get(staff) or Staff(
            staff, staff, FORMER[0], "", title_en=FORMER[1], active_until=date.min
        )

    def person_or_manager(self, staff: str, department: str) -> Staff:
        """The person with this id; for whom the site's files name no more, the department's manager, until the desk
        names another (R14)."""
        return self.person(staff if self.knows(staff) else self.once_department(department).manager)

    def department(self, department: str) -> Department:
        """The department with this id. Raises DomainError `organisation.unknown_department`."""
        try:
            return self._departments[department]
        except KeyError:
            raise DomainError("organisation.unknown_department", f"no department has the id {department!r}") from None

    def once_department(self, department: str) -> Department:
        """The department with this id, also one that the site's files name no more: what it had left open is the
        office's, until that gives it to another (R14, R16)."""
        return self._departments.get(department) or Department(department, *FORMER_DEPARTMENT, self.office)

    def has_department(self, department: str) -> bool:
        """Whether a department with this id exists."""
        return department in self._departments

    def outside_body(self, body: str) -> OutsideBody:
        """The outside body with this id. Raises DomainError `organisation.unknown_body`."""
        found = next((b for b in self.outside_bodies if b.id == body), None)
        if found is None:
            raise DomainError("organisation.unknown_body", f"no outside body has the id {body!r}")
        return found

    def area_manager(self, building: str | None) -> AreaManager | None:
        """The area's own manager of a building (R9); None when the building is unknown or not said."""
        return self._area_of_building.get(building) if building else None

    def above(self, staff: str) -> tuple[str, ...]:
        """Everybody above `staff`, nearest first, by `reports_to`."""
        chain: list[str] = []
        here = self.person(staff).reports_to
        while here is not None and here not in chain:
            chain.append(here)
            here = self.person(here).reports_to
        return tuple(chain)

    def loop_above(self, staff: str) -> tuple[str, ...]:
        """The ids of a circle in `reports_to` that starts and ends at `staff`; empty when there is none."""
        path = [staff]
        here = self._by_id[staff].reports_to
        while here is not None and here in self._by_id:
            path.append(here)
            if here == staff:
                return tuple(path)
            if here in path[:-1]:
                return ()
            here = self._by_id[here].reports_to
        return ()
