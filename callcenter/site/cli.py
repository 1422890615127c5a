"""`callcenter route` and `callcenter site …`."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Column, Table

from callcenter.config import load_settings
from callcenter.domain import codec
from callcenter.domain.deadlines import CLOCK_EN, CLOCK_ZH
from callcenter.domain.matters import WATCHED_SOURCES, Matter
from callcenter.domain.responsibility import Decision, decide
from callcenter.domain.roster import LEADER, OPERATOR
from callcenter.domain.staff import Organisation
from callcenter.errors import ConfigError
from callcenter.site.asked import known, moment, spoken_place
from callcenter.site.load import Site, load_site

app = typer.Typer(no_args_is_help=True, help="Check a site's files, and see who is on duty.")


def _site(name: str | None, config: Path | None) -> Site:
    settings = load_settings(config)
    folder = settings.sites_dir / (name or settings.site.default)
    if not folder.is_dir():
        there = (
            sorted(f.name for f in settings.sites_dir.iterdir() if f.is_dir()) if settings.sites_dir.is_dir() else []
        )
        raise ConfigError(
            "site.unknown", f"no site {folder.name!r}", where=str(folder),
            mend=f"use one of {', '.join(there)}" if there else "make the folder, or set site.folder",
        )  # fmt: skip
    return load_site(folder, settings=settings.rules)


def route(
    category: Annotated[str, typer.Option(help="Category of the taxonomy (water_leak).")],
    kind: Annotated[str, typer.Option(help="Kind of the taxonomy.")] = "repair",
    urgency: Annotated[str, typer.Option(help="emergency, important or normal (R8).")] = "normal",
    place: Annotated[str | None, typer.Option(help="3-2-1102, 3号楼2单元1102室, 5-801, 6号楼.")] = None,
    time: Annotated[str | None, typer.Option(help='"2026-11-21 20:10" on the site\'s clock; default now.')] = None,
    number: Annotated[str | None, typer.Option(help="The caller's number.")] = None,
    taken_by: Annotated[str | None, typer.Option(help="Id of the person who picked up; default: nobody did.")] = None,
    department: Annotated[str | None, typer.Option(help="Instead of the category's own department.")] = None,
    households: Annotated[int, typer.Option(min=1, help="How many households it touches (R15).")] = 1,
    source: Annotated[str, typer.Option(help="resident, press, authority or mayor_hotline (R15).")] = "resident",
    outside_body: Annotated[str | None, typer.Option(help="Outside body it belongs to (R5).")] = None,
    investigation: Annotated[bool, typer.Option(help="It needs an investigation (R20).")] = False,
    site: Annotated[str | None, typer.Option(help="Site; default site.default.")] = None,
    explain: Annotated[bool, typer.Option("--explain", help="Say why, with rule numbers.")] = False,
    language: Annotated[str, typer.Option(help="zh or en.")] = "zh",
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """What would happen to a matter at a moment: who is responsible, asked and told, and what is due (R11–R21)."""
    here = _site(site, config)
    labels = here.taxonomy
    known(category, labels.categories, "--category")
    known(kind, labels.kinds, "--kind")
    known(urgency, labels.urgencies, "--urgency")
    known(source, ("resident", *sorted(WATCHED_SOURCES)), "--source")
    known(language, ("zh", "en"), "--language")
    if taken_by is not None:
        known(taken_by, [p.id for p in here.organisation.staff], "--taken-by")
    if outside_body is not None:
        known(outside_body, labels.outside_bodies, "--outside-body")
    at = moment(time, here)
    snapshot = here.snapshot(at)
    matter = Matter(
        kind=kind,
        category=category,
        urgency=urgency,
        department=known(department, labels.departments, "--department")
        if department
        else labels.categories[category].department,
        place=spoken_place(place, here.gazetteer),
        households=households,
        source=source,
        outside_body=outside_body,
        needs_investigation=investigation,
    )
    made = decide(snapshot.call(number), matter, here.organisation, snapshot.roster, snapshot.rules, at, (), taken_by)
    if as_json:
        typer.echo(json.dumps(_plain(made, here.organisation), ensure_ascii=False))
        return
    _print(made, here, at, language, explain)


def _plain(made: Decision, organisation: Organisation) -> dict[str, Any]:
    people = {made.first_responder, made.responsible, *(s.staff for s in made.handed_to), *(t.staff for t in made.tell)}
    plain: dict[str, Any] = codec.to_plain(made)
    plain["people"] = {p: organisation.person(p).called() for p in sorted(people)}
    return plain


def _print(made: Decision, here: Site, at: datetime, language: str, explain: bool) -> None:
    calendar, zh = here.rules.calendar, language == "zh"

    def called(staff: str) -> str:
        return here.organisation.person(staff).called(language)

    def clock(moment: datetime) -> str:
        return f"{calendar.local(moment):%Y-%m-%d %H:%M}"

    typer.echo(f"{clock(at)}  {here.organisation.name if zh else here.organisation.name_en}")
    typer.echo(f"{'首问责任人' if zh else 'First responder'}: {called(made.first_responder)}")
    typer.echo(f"{'责任人' if zh else 'Responsible'}: {called(made.responsible)}")
    for step in made.handed_to:
        until = f"{clock(step.asked_at)} – {clock(step.due_at)}"
        typer.echo(f"  → {called(step.staff)}  {until}")
    for one in made.tell:
        typer.echo(f"{'告知' if zh else 'Told'}: {called(one.staff)}  {one.zh if zh else one.en} ({one.rule})")
    for due in made.deadlines:
        name = (CLOCK_ZH if zh else CLOCK_EN)[due.clock]
        typer.echo(f"{'时限' if zh else 'Due'}: {name}  {clock(due.due_at)} ({due.rule})")
    if explain:
        typer.echo()
        for reason in made.reasons:
            typer.echo(f"{reason.rule}  {reason.zh if zh else reason.en}")


@app.command()
def check(
    folder: Annotated[Path | None, typer.Argument(help="The site's folder; default: that of site.default.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """Read a site's files: what is wrong, with file, line, field and mend; gaps of the next 31 days as warnings."""
    settings = load_settings(config)
    site = load_site(folder or settings.sites_dir / settings.site.default, settings=settings.rules)
    for warning in site.warnings:
        typer.secho(f"! {warning}", fg="yellow")
    people, rooms = len(site.organisation.staff), sum(len(u.rooms()) for b in site.gazetteer.buildings for u in b.units)
    typer.echo(
        f"{site.organisation.name}: {people} people, {len(site.organisation.departments)} departments, "
        f"{len(site.gazetteer.buildings)} buildings, {rooms} rooms, {len(site.households)} households, "
        f"{len(site.warnings)} warnings"
    )


@app.command()
def roster(
    start: Annotated[str | None, typer.Option("--from", help="First day, 2026-11-21; default today.")] = None,
    days: Annotated[int, typer.Option(min=1, max=366, help="How many days.")] = 7,
    site: Annotated[str | None, typer.Option(help="Site; default site.default.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file.")] = None,
) -> None:
    """值班表: who is on duty, by day, shift and role (R25)."""
    here = _site(site, config)
    calendar = here.rules.calendar
    first = calendar.day(moment(start, here, "--from", "2026-11-21"))
    names = {OPERATOR: "值班员", LEADER: "带班领导"} | {d.id: d.zh for d in here.organisation.departments}
    table = Table(
        *(Column(n, no_wrap=True) for n in ("日期", "班次", *(names[r.role] for r in here.pattern.rotations)))
    )
    for offset in range(days):
        day = first + timedelta(days=offset)
        for shift in here.pattern.shift_times:
            starts, ends = shift.on(day, calendar.zone)
            on_duty = here.roster(starts, ends)
            people = (
                "、".join(here.organisation.person(p).name for p in on_duty.all_on_duty(r.role, starts)) or "—"
                for r in here.pattern.rotations
            )
            table.add_row(f"{day:%m-%d}", f"{shift.zh} {shift.starts:%H:%M}", *people)
    Console().print(table)
