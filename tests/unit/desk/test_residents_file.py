"""A spreadsheet of residents as people write it: numbers with spaces, buildings in words, and what is wrong, once."""

from __future__ import annotations

from pathlib import Path

import openpyxl
import pytest

from callcenter.config import ROOT
from callcenter.desk.residents import read_rows
from callcenter.errors import StoreError
from callcenter.site.load import Site, load_site

HEAD = ["楼栋", "单元", "房号", "姓名", "电话", "关系"]


@pytest.fixture(scope="module")
def site() -> Site:
    return load_site(ROOT / "config" / "sites" / "xingfu")


def sheet(folder: Path, *rows: list[object]) -> Path:
    book = openpyxl.Workbook()
    for row in (HEAD, *rows):
        book.active.append(row)
    book.save(folder / "r.xlsx")
    return folder / "r.xlsx"


@pytest.mark.parametrize(
    ("cell", "numbers"),
    [
        ("+86 139-0000-0005", ("+8613900000005",)),
        ("139 0000 0005", ("+8613900000005",)),
        ("1390000000512345", ()),
        ("１３９０００００００５", ("+8613900000005",)),
        ("010 8888 0001", ("+861088880001",)),
        ("13900000005 13900000006", ("+8613900000005", "+8613900000006")),
        ("13900000005、 +86 139 0000 0006；010-88880001", ("+8613900000005", "+8613900000006", "+861088880001")),
        (13900000005, ("+8613900000005",)),
        ("8101", ("8101",)),
        ("", ()),
    ],
)
def test_numbers_as_people_write_them(cell: object, numbers: tuple[str, ...], site: Site, tmp_path: Path) -> None:
    residents, mistakes = read_rows(sheet(tmp_path, [3, 2, 1102, "赵一", cell, ""]), site)
    if numbers or not cell:
        assert [r.numbers for r in residents] == [numbers]
    else:
        assert [str(m) for m in mistakes] == ["第2行 电话: 不是电话号码 (not a telephone number)"]


def test_a_cell_that_is_no_number_is_told_once(site: Site, tmp_path: Path) -> None:
    residents, mistakes = read_rows(sheet(tmp_path, [3, 2, 1102, "赵一", "晚上 打 座机 没有", ""]), site)
    assert residents == []
    assert [(m.row, m.column) for m in mistakes] == [(2, "电话")]


@pytest.mark.parametrize("building", ["三号楼", "3号楼", "三栋", "3", 3, "03", "３号楼"])
@pytest.mark.parametrize(("unit", "room"), [("二单元", "1102室"), (2, 1102)])
def test_buildings_in_words(building: object, unit: object, room: object, site: Site, tmp_path: Path) -> None:
    (one,), mistakes = read_rows(sheet(tmp_path, [building, unit, room, "赵一", "", ""]), site)
    assert mistakes == []
    assert one.key == "3-2-1102"


@pytest.mark.parametrize(
    ("row", "column", "told"),
    [
        (["三十号楼", 2, 1102], "楼栋", "三十号楼 不存在 (no such building)"),
        (["三号楼", "九单元", 1102], "单元", "九单元 不存在 (no such unit)"),
        (["三号楼", 2, 9999], "房号", "3号楼2单元9999室 不存在 (no such place)"),
    ],
)
def test_places_that_do_not_exist_are_told_as_written(
    row: list[object], column: str, told: str, site: Site, tmp_path: Path
) -> None:
    _, (mistake,) = read_rows(sheet(tmp_path, [*row, "赵一", "", ""]), site)
    assert (mistake.column, mistake.message) == (column, told)


def test_a_name_that_is_a_story(site: Site, tmp_path: Path) -> None:
    residents, (mistake,) = read_rows(sheet(tmp_path, [3, 2, 1102, "赵" * 101, "", ""], [3, 2, 1102, "赵" * 100]), site)
    assert (mistake.row, mistake.column) == (2, "姓名")
    assert [r.row for r in residents] == [3]


def test_a_file_that_is_not_there(site: Site, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="no such file"):
        read_rows(tmp_path / "none.xlsx", site)
