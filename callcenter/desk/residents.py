"""Residents: who lives where and calls from which number. Read from a spreadsheet, with a preview before anything."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import BadZipFile

from callcenter.desk import seed
from callcenter.desk.events import tell
from callcenter.desk.models import HouseholdRow, NewsKind
from callcenter.domain.numbers import canonical
from callcenter.domain.places import Gazetteer, Place
from callcenter.domain.understanding.numerals import read_number
from callcenter.errors import StoreError
from callcenter.site.load import Site
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

_sql = statements("house")

HEADINGS = {
    "building": ("楼栋", "楼号", "栋", "building"),
    "unit": ("单元", "unit"),
    "room": ("房号", "室", "房间", "room"),
    "name": ("姓名", "业主", "name"),
    "phone": ("电话", "手机", "联系电话", "phone"),
    "relation": ("关系", "身份", "relation"),
}
"""Column → how its heading may be written."""

NEEDED = ("building", "room", "name")
ERRORS_SHOWN = 200
LONGEST_NAME = 100
"""Letters."""

_DIGITS = re.compile(r"\d+")
_SUFFIX = re.compile(r"(?:号楼|号院|单元|[栋幢座楼号室])$")
_BETWEEN = re.compile(r"[、,;/\n]+")
_NUMBER = re.compile(r"\+[0-9]{7,15}|[0-9]{3,12}")
_SHORTEST_FULL = 7
"""Figures of a local number; shorter parts of a cell belong together (+86 139 0000 0005)."""


@dataclass(frozen=True)
class Mistake:
    """One cell that cannot be read: `row` from 1 as the spreadsheet counts, `column` its heading."""

    row: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"第{self.row}行 {self.column}: {self.message}"


@dataclass(frozen=True)
class Resident:
    """One row, checked."""

    row: int
    key: str
    place: Place
    name: str
    numbers: tuple[str, ...]
    relation: str


@dataclass(frozen=True)
class Preview:
    """What an import would do. `moved`: numbers that belong to another household until now."""

    residents: tuple[Resident, ...]
    mistakes: tuple[Mistake, ...]
    new_households: int
    new_people: int
    numbers: int
    moved: tuple[tuple[str, str], ...] = field(default=())
    """(number, household it is known for now)."""


def read_rows(path: Path, site: Site) -> tuple[list[Resident], list[Mistake]]:
    """Read a spreadsheet's first sheet. Raises StoreError when it is none or lacks a column."""
    import openpyxl
    from openpyxl.utils.exceptions import InvalidFileException

    if not path.is_file():
        raise StoreError("residents.no_file", "there is no such file", where=str(path), mend="name an .xlsx file")
    try:
        book = openpyxl.load_workbook(path, read_only=True, data_only=True)
    except (OSError, InvalidFileException, BadZipFile, KeyError, ValueError) as error:
        raise StoreError(
            "residents.unreadable", "not a spreadsheet (.xlsx)", where=str(path), mend="save it as .xlsx and try again"
        ) from error
    try:
        lines = enumerate(book.worksheets[0].iter_rows(values_only=True), 1)
        columns = _columns(next(lines, (1, ()))[1], path)
        return _read(lines, columns, site)
    finally:
        book.close()


def _columns(headings: Any, path: Path) -> dict[str, tuple[int, str]]:
    found: dict[str, tuple[int, str]] = {}
    for index, heading in enumerate(headings):
        text = str(heading or "").strip()
        for column, names in HEADINGS.items():
            if text.lower() in names and column not in found:
                found[column] = (index, text)
    if lacking := [HEADINGS[c][0] for c in NEEDED if c not in found]:
        raise StoreError(
            "residents.columns", f"the first row has no column {'、'.join(lacking)}", where=f"{path}:1",
            mend="write the headings 楼栋, 单元, 房号, 姓名, 电话, 关系 into the first row",
        )  # fmt: skip
    return found


def _read(
    lines: Iterator[tuple[int, Any]], columns: dict[str, tuple[int, str]], site: Site
) -> tuple[list[Resident], list[Mistake]]:
    residents: list[Resident] = []
    mistakes: list[Mistake] = []
    owners: dict[str, int] = {}
    for row, cells in lines:
        values = dict.fromkeys(HEADINGS, "")
        values |= {name: _text(cells[index] if index < len(cells) else None) for name, (index, _) in columns.items()}
        if not any(values.values()):
            continue
        wrong = [(name, "缺少 (missing)") for name in NEEDED if not values[name]]
        place, unknown = _place(values, site.gazetteer)
        if unknown is not None and not wrong:
            wrong.append(unknown)
        if len(values["name"]) > LONGEST_NAME:
            wrong.append(("name", f"姓名超过{LONGEST_NAME}个字 (longer than {LONGEST_NAME} letters)"))
        numbers = _numbers(values["phone"], site.area_code)
        if numbers is None:
            wrong.append(("phone", "不是电话号码 (not a telephone number)"))
        twice = [number for number in numbers or () if owners.setdefault(number, row) != row]
        wrong += (("phone", f"号码与第{owners[number]}行重复 (given twice)") for number in twice)
        if wrong:
            mistakes += (Mistake(row, columns[name][1], message) for name, message in wrong)
            continue
        key = "-".join(part for part in (place.building, place.unit, place.room) if part)
        residents.append(Resident(row, key, place, values["name"], numbers or (), values["relation"]))
    return residents, mistakes


def _place(values: dict[str, str], gazetteer: Gazetteer) -> tuple[Place, tuple[str, str] | None]:
    """The door a row names, and the column that is wrong with its message when there is no such door."""

    def known(column: str, names: Callable[[str], bool]) -> str | None:
        return next((way for way in _ways(values[column]) if names(way)), None)

    building = known("building", gazetteer.knows)
    if building is None:
        return Place(), ("building", f"{values['building']} 不存在 (no such building)")
    unit = known("unit", lambda name: gazetteer.knows(building, name))
    if values["unit"] and unit is None:
        return Place(), ("unit", f"{values['unit']} 不存在 (no such unit)")
    room = known("room", lambda name: gazetteer.knows(building, unit, name))
    if room is None:
        written = Place(building, unit, _bare(values["room"]))
        return Place(), ("room", f"{written} 不存在 (no such place)")
    return gazetteer.complete(Place(building, unit, room)), None


def _bare(text: str) -> str:
    """A座 → A, 1102室 → 1102."""
    text = unicodedata.normalize("NFKC", text).strip()
    return _SUFFIX.sub("", text) or text


def _ways(text: str) -> Iterator[str]:
    """How a place may be meant, likeliest first: as written, its bare name (A座), its figures (3号楼, 三号楼 → 3)."""
    bare = _bare(text)
    yield from (text, bare)
    if found := _DIGITS.search(bare):
        yield str(int(found.group()))
    if figures := read_number(bare):
        yield figures


def _numbers(cell: str, area_code: str) -> tuple[str, ...] | None:
    """The numbers of a cell in their one written form; None when something in it is no number."""
    found: list[str] = []
    for piece in _BETWEEN.split(unicodedata.normalize("NFKC", cell)):
        words = piece.split()
        apart = all(sum(c.isdigit() for c in word) >= _SHORTEST_FULL for word in words)
        for written in words if apart else ["".join(words)]:
            number = canonical(written, area_code)
            if number is None or not _NUMBER.fullmatch(number):
                return None
            found.append(number)
    return tuple(dict.fromkeys(found))


def _text(cell: Any) -> str:
    if isinstance(cell, float) and cell.is_integer():
        cell = int(cell)
    return "" if cell is None else str(cell).strip()


async def preview(desk: Desk, site: str, path: Path) -> Preview:
    """What importing `path` would do, without doing it. Raises StoreError for a file that cannot be read."""
    residents, mistakes = read_rows(path, desk.site(site))
    async with desk.pool.acquire() as connection:
        return await _preview(connection, site, residents, mistakes)


async def _preview(connection: Connection, site: str, residents: list[Resident], mistakes: list[Mistake]) -> Preview:
    known_households = {r["key"] for r in await connection.fetch("select key from household where site = $1", site)}
    known_people = {
        (r["key"], r["name"])
        for r in await connection.fetch(
            "select h.key, p.name from person p join household h on h.id = p.household"
            " where p.site = $1 and p.left_at is null",
            site,
        )
    }
    known_numbers = {
        r["e164"]: r["key"]
        for r in await connection.fetch(
            "select n.e164, h.key from contact_number n join household h on h.id = n.household where n.site = $1", site
        )
    }
    moved = [
        (number, known_numbers[number])
        for resident in residents
        for number in resident.numbers
        if known_numbers.get(number, resident.key) != resident.key
    ]
    return Preview(
        residents=tuple(residents),
        mistakes=tuple(mistakes[:ERRORS_SHOWN]),
        new_households=len({r.key for r in residents} - known_households),
        new_people=len({(r.key, r.name) for r in residents} - known_people),
        numbers=sum(len(r.numbers) for r in residents),
        moved=tuple(moved),
    )


async def import_file(desk: Desk, site: str, path: Path) -> Preview:
    """Import the residents of a spreadsheet, all or none; returns what was done.

    Numbers that another household had go to the one named here. Raises StoreError `residents.mistakes` when any cell
    is wrong; nothing is imported then.
    """
    residents, mistakes = read_rows(path, desk.site(site))
    if mistakes:
        raise StoreError(
            "residents.mistakes", f"{len(mistakes)} cells are wrong: {'; '.join(map(str, mistakes[:5]))}",
            where=str(path), mend="look at the preview, mend them, and import again",
        )  # fmt: skip
    async with desk.pool.acquire() as connection, connection.transaction():
        done = await _preview(connection, site, residents, mistakes)
        for number, key in done.moved:
            await connection.execute(
                "delete from contact_number n using household h"
                " where h.id = n.household and n.site = $1 and n.e164 = $2 and h.key = $3",
                site, number, key,
            )  # fmt: skip
        for resident in residents:
            household = await seed.put_household(connection, site, resident.key, resident.place)
            await seed.put_person(connection, site, household, resident.name, resident.numbers, resident.relation)
        await tell(connection, NewsKind.DUTY, site, {"kind": "residents"})
    return done


async def households(desk: Desk, site: str, text: str = "", limit: int = 50) -> list[HouseholdRow]:
    """Households by door, name or number; all of them for no text."""
    pattern = f"%{text.strip()}%" if text.strip() else None
    return [
        HouseholdRow(
            row["id"], row["key"], row["building"], row["unit"], row["room"],
            tuple((name, tuple(numbers)) for name, numbers in row["people"]),
        )
        async for row in _sql.households(desk.pool, site=site, pattern=pattern, rows=limit)
    ]  # fmt: skip
