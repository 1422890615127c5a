"""`callcenter import residents`: the file is looked at first, then the database of the house that runs here is used."""

from __future__ import annotations

import asyncio
import shutil
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import openpyxl
import pytest

from callcenter.desk.house import DATABASE
from callcenter.store.embedded import EmbeddedPostgres
from tests.harness.toml import write_toml

HEAD = ["楼栋", "单元", "房号", "姓名", "电话", "关系"]


@pytest.fixture
def folder() -> Iterator[Path]:
    made = Path(tempfile.mkdtemp(prefix="callcenter-import-"))
    made.chmod(0o755)  # the server runs as an unprivileged user when the tests run as root
    yield made
    shutil.rmtree(made)


def sheet(folder: Path, row: list[object]) -> Path:
    book = openpyxl.Workbook()
    book.active.append(HEAD)
    book.active.append(row)
    book.save(folder / "r.xlsx")
    return folder / "r.xlsx"


async def imported(folder: Path, *arguments: str) -> tuple[int | None, str]:
    """Exit status and words of the command."""
    config = write_toml(folder / "c.toml", {"node": {"var_dir": folder / "var"}})
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callcenter", "import", "residents", *arguments, "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT,
    )  # fmt: skip
    said, _ = await process.communicate()
    return process.returncode, said.decode()


async def test_residents_are_imported_into_the_house_that_runs(folder: Path) -> None:
    file = str(sheet(folder, ["三号楼", "二单元", 1102, "赵一", "+86 139-0000-0005", "业主"]))
    house = EmbeddedPostgres(folder / "var" / "postgres", options=("fsync=off",))
    await house.start()
    try:
        await house.make_database(DATABASE)
        status, said = await imported(folder, file)
        assert status == 0, said
        assert "add --apply to import" in said
        status, said = await imported(folder, file, "--apply")
        assert status == 0, said
        assert "Imported 1 people." in said
        connection = await asyncpg.connect(house.dsn(DATABASE))
        known = await connection.fetchval(
            "select h.key from contact_number n join household h on h.id = n.household where n.e164 = '+8613900000005'"
        )
        await connection.close()
    finally:
        await house.stop()
    assert known == "3-2-1102"


@pytest.mark.parametrize(
    ("arguments", "status", "told"),
    [
        ([], 1, "第2行 楼栋: 三十号楼 不存在"),
        (["--apply"], 1, "第2行 楼栋: 三十号楼 不存在"),
        (["--site", "nowhere"], 2, "use one of xingfu"),
    ],
)
async def test_a_bad_file_is_told_before_any_database(
    folder: Path, arguments: list[str], status: int, told: str
) -> None:
    file = sheet(folder, ["三十号楼", 1, 101, "赵一", "", ""])
    found, said = await imported(folder, str(file), *arguments)
    assert found == status, said
    assert told in said
    assert not (folder / "var").exists()
