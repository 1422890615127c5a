"""`callcenter import residents FILE.xlsx` shows what would happen, and does it when told to; `callcenter phone set`."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Annotated

import typer
from pydantic import SecretStr
from rich.console import Console
from rich.table import Table

from callcenter.config import Settings, load_settings
from callcenter.desk import phones, residents
from callcenter.desk.house import DATABASE, Desk, open_desk
from callcenter.errors import CallCenterError, StoreError
from callcenter.log import setup_logging
from callcenter.site.load import load_sites
from callcenter.store.embedded import EmbeddedPostgres

phone_app = typer.Typer(help="People's SIP phones.", no_args_is_help=True)
app = typer.Typer(help="Import residents, with a preview.", no_args_is_help=True)
console = Console()
SHOWN = 10


@app.callback()
def main() -> None:
    """Import residents, with a preview."""


@asynccontextmanager
async def desk_beside(settings: Settings) -> AsyncIterator[Desk]:
    """A desk for one command, on the database of the house that runs here, or on its own while none does."""
    if settings.database.dsn is None:
        server = EmbeddedPostgres(settings.var_dir / "postgres")
        if server.runs_elsewhere():
            database = settings.database.model_copy(update={"dsn": SecretStr(server.dsn(DATABASE))})
            settings = settings.model_copy(update={"database": database})
    async with open_desk(settings, background=False) as desk:
        yield desk


@phone_app.callback()
def phone_main() -> None:
    """People's SIP phones."""


@phone_app.command("set")
def set_phone(
    staff: Annotated[str, typer.Argument(help="Id of the person in organisation.yaml (gao_feng).")],
    site: Annotated[str | None, typer.Option(help="Site; default: site.default of the settings.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Make a new password for a person's phone and print it, once; the old one ends."""
    settings = load_settings(config)
    setup_logging("phone", "warning", settings.log.json_lines)

    async def give() -> phones.NewPhone:
        async with desk_beside(settings) as desk:
            return await phones.give(desk, site or settings.site.default, staff)

    made = asyncio.run(give())
    typer.echo(f"user      {made.user}\npassword  {made.password}\nrealm     {made.realm}")


@app.command("residents")
def import_residents(
    file: Annotated[Path, typer.Argument(help="Spreadsheet (.xlsx) with 楼栋, 单元, 房号, 姓名, 电话, 关系.")],
    site: Annotated[str | None, typer.Option(help="Site; default: site.default of the settings.")] = None,
    apply: Annotated[bool, typer.Option("--apply", help="Import; without it only the preview is shown.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Read a spreadsheet of residents: who lives where and calls from which number."""
    settings = load_settings(config)
    setup_logging("import", settings.log.level, settings.log.json_lines)
    try:
        ok = asyncio.run(_import(file, site or settings.site.default, apply, settings))
    except CallCenterError as error:
        console.print(str(error), style="red", highlight=False, markup=False)
        raise typer.Exit(2) from error
    raise typer.Exit(0 if ok else 1)


async def _import(file: Path, site: str, apply: bool, settings: Settings) -> bool:
    # The file first: what is wrong with it is told at once, whether a house runs here or not.
    sites = load_sites(settings.sites_dir, settings.rules)
    if site not in sites:
        raise StoreError(
            "site.unknown", f"there is no site {site!r}", where="--site", mend=f"use one of {', '.join(sites)}"
        )
    _, mistakes = await asyncio.to_thread(residents.read_rows, file, sites[site])
    if mistakes:
        for mistake in mistakes[: residents.ERRORS_SHOWN]:
            console.print(str(mistake), style="red", highlight=False, markup=False)
        console.print(f"[red]{len(mistakes)} 处有错，未导入。 Nothing was imported: mend the cells above.[/red]")
        return False
    async with desk_beside(settings) as desk:
        if not apply:
            _show(await residents.preview(desk, site, file))
            console.print("这是预览，加 --apply 导入。 This is a preview; add --apply to import.")
            return True
        found = await residents.import_file(desk, site, file)
        _show(found)
        console.print(f"已导入 {len(found.residents)} 人。 Imported {len(found.residents)} people.")
        return True


def _show(found: residents.Preview) -> None:
    table = Table(title=f"{len(found.residents)} 人 people")
    for heading in ("行 row", "房屋 place", "姓名 name", "号码 numbers", "关系 relation"):
        table.add_column(heading)
    for one in found.residents[:SHOWN]:
        table.add_row(str(one.row), str(one.place), one.name, str(len(one.numbers)), one.relation)
    console.print(table)
    if len(found.residents) > SHOWN:
        console.print(f"… {len(found.residents) - SHOWN} more")
    console.print(
        f"新住户 new households: {found.new_households}   新人员 new people: {found.new_people}   "
        f"号码 numbers: {found.numbers}   改归属 moved: {len(found.moved)}"
    )
