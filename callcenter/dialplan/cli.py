"""`callcenter dialplan …` and `callcenter prompts …`.

Voice and understanding live in a sibling (`speech`), which the dialplan does not import: `prompts render` and `try`
take them by name, through `importlib`, only when they run.
"""

from __future__ import annotations

import asyncio
import importlib
import json
import sys
from collections.abc import Iterator
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Annotated, Any
from zoneinfo import ZoneInfo

import typer

from callcenter.config import ROOT, load_settings
from callcenter.dialplan.check import check as check_script
from callcenter.dialplan.context import CallContext, Incident, OpenMatter
from callcenter.dialplan.draw import draw as draw_script
from callcenter.dialplan.interpreter import run
from callcenter.dialplan.load import Dialplan, load_dialplan
from callcenter.dialplan.model import json_schema
from callcenter.dialplan.numbers import parse_address
from callcenter.dialplan.outcome import Outcome
from callcenter.dialplan.phone import TransferEnd
from callcenter.dialplan.prompts import RECORDED, load_prompts
from callcenter.dialplan.render import State, check_recording, parts, render
from callcenter.dialplan.terminal import WORDS, TerminalPhone, Understand
from callcenter.domain.calendar import WorkingCalendar
from callcenter.domain.labels import Understanding
from callcenter.domain.places import Gazetteer, Place
from callcenter.domain.understanding import understand_by_rules
from callcenter.errors import CallCenterError, DialplanError

FOLDER = ROOT / "dialplans"
SITE = ROOT / "config" / "sites" / "xingfu"
ZONE = ZoneInfo("Asia/Shanghai")
app = typer.Typer(no_args_is_help=True, help="Check, draw and try call scripts.")
prompts_app = typer.Typer(no_args_is_help=True, help="Render and list what the hotline says.")

Scripts = Annotated[list[str] | None, typer.Argument(help="Names (hotline.zh) or files; all that ship by default.")]
OneScript = Annotated[str, typer.Argument(help="Name (hotline.zh) or file.")]
Folder = Annotated[Path, typer.Option(help="Folder of prompts with one folder per language.")]


def _path(script: str) -> Path:
    """A script by name or file. Raises DialplanError `dialplan.file`."""
    for path in (Path(script), FOLDER / f"{script}.yaml"):
        if path.is_file():
            return path
    known = ", ".join(sorted(p.stem for p in FOLDER.glob("*.yaml")))
    raise DialplanError("dialplan.file", f"no call script {script!r}", mend=f"name a file, or one of: {known}")


@app.command()
def check(scripts: Scripts = None) -> None:
    """Find everything wrong with call scripts: file:line:column: message — mend. Exit status 1 if there is anything."""
    paths = [_path(s) for s in scripts] if scripts else sorted(FOLDER.glob("*.yaml"))
    found = 0
    for path in paths:
        problems = check_script(path)
        for problem in problems:
            typer.echo(str(problem))
        found += len(problems)
        if not problems:
            typer.echo(f"{path}: good")
    if found:
        typer.echo(f"{found} {'mistake' if found == 1 else 'mistakes'}", err=True)
        raise typer.Exit(1)


@app.command()
def draw(
    script: OneScript, out: Annotated[Path | None, typer.Option("--out", "-o", help="SVG file; else printed.")] = None
) -> None:
    """Draw a call script as a picture (SVG): one box a step, one line an action."""
    picture = draw_script(load_dialplan(_path(script)))
    if out is None:
        typer.echo(picture, nl=False)
    else:
        try:
            out.write_text(picture, encoding="utf-8")
        except OSError as error:
            mend = "name a file in a folder that exists and may be written"
            raise DialplanError(
                "dialplan.file", f"cannot be written: {error.strerror}", where=str(out), mend=mend
            ) from error
        typer.echo(f"{out}: {len(picture) // 1024} KB", err=True)


@app.command()
def schema() -> None:
    """Print the JSON Schema of call scripts, as in dialplans/dialplan.schema.json."""
    typer.echo(json.dumps(json_schema(), indent=2, ensure_ascii=False))


@app.command(name="try")
def try_(
    script: OneScript = "hotline.zh",
    at: Annotated[str | None, typer.Option(help="Local time of the call, 2026-03-04T23:40; else now.")] = None,
    caller: Annotated[str | None, typer.Option(help="The caller's number; withheld if not given.")] = None,
    home: Annotated[str | None, typer.Option(help="The household of that number, 3号楼2单元1102室.")] = None,
    name: Annotated[str | None, typer.Option(help="The name of that household.")] = None,
    holiday: Annotated[
        bool | None, typer.Option("--holiday/--no-holiday", help="A public holiday; else by the calendar.")
    ] = None,
    night: Annotated[bool | None, typer.Option(help="Outside office hours; else by the time.")] = None,
    operator: Annotated[str, typer.Option(help="The operator: nobody, no_answer, busy, completed.")] = "no_answer",
    matter: Annotated[list[str] | None, typer.Option(help="An open matter, 100007:water_leak:工程部正在处理.")] = None,
    incident: Annotated[list[str] | None, typer.Option(help="A known incident, power:6 (building) or power.")] = None,
    rules: Annotated[
        bool, typer.Option("--rules", help="Understand by rules alone, as a line does whose speech service is away.")
    ] = False,
    scenario: Annotated[Path | None, typer.Option(help="The caller's lines from a file.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as a JSON line at the end.")] = False,
) -> None:
    """Walk a call script without a phone: type what the caller says; /5 keys, /noise, /hangup, empty: silence."""
    plan = load_dialplan(_path(script))
    context = _context(plan, at, caller, home, name, holiday=holiday, night=night, operator=operator,
                       matters=matter or [], incidents=incident or [])  # fmt: skip
    lines = iter(scenario.read_text(encoding="utf-8").splitlines()) if scenario else _typed()
    labels = plan.prompts.prompts

    def label(table: str, key: str) -> str:
        found = labels.get(f"{table}_{key}")
        return found.text if found else key

    words = WORDS[plan.language]

    def show(who: str, text: str) -> None:
        typer.secho(f"{words[who]}{text}", fg=_COLOURS.get(who, "bright_black"))

    ends = TransferEnd.UNREACHABLE if operator == "nobody" else TransferEnd(operator)
    phone = TerminalPhone(
        lambda: next(lines, None), _understanding(plan.language, rules=rules), show, context.now,
        operator=ends, rules={p.id: p.rule for p in labels.values()}, language=plan.language, label=label,
    )  # fmt: skip
    outcome = asyncio.run(run(plan, phone, context, on_step=lambda step: show("step", step)))
    if as_json:
        typer.echo(json.dumps(outcome_in_json(outcome), ensure_ascii=False))
    else:
        show("note", words["over"].format(outcome.ended_by, outcome.reason, outcome.turns, ", ".join(outcome.steps)))


def outcome_in_json(outcome: Outcome) -> dict[str, Any]:
    """The outcome as plain values."""
    labels = outcome.understanding
    return {
        "ended_by": outcome.ended_by.value, "reason": outcome.reason, "turns": outcome.turns,
        "steps": list(outcome.steps), "heard": list(outcome.heard), "fields": outcome.fields,
        "kind": labels.kind.value, "category": labels.category.value, "urgency": labels.urgency.value,
        "ticket": outcome.ticket.number if outcome.ticket else None, "goodbye": outcome.goodbye_said,
        "notice": outcome.notice_given, "flags": sorted(outcome.flags),
    }  # fmt: skip


def _understanding(language: str, *, rules: bool) -> Understand:
    """How what is typed is understood: as in a call at the default site, or by the domain's rules alone."""
    if rules:
        return lambda text: understand_by_rules(text, language, _gazetteer())
    understander = importlib.import_module("callcenter.speech.understand").load_understander(load_settings())

    def understand(text: str) -> Understanding:
        labels: Understanding = understander.understand(text, language)
        return labels

    return understand


def _typed() -> Iterator[str]:
    while True:
        try:
            yield input("> ") if sys.stdin.isatty() else input()
        except EOFError:
            return


_COLOURS = {"ours": "cyan", "caller": "green", "step": "bright_black", "understood": "magenta", "ticket": "yellow"}


def _context(
    plan: Dialplan, at: str | None, caller: str | None, home: str | None, name: str | None, *,
    holiday: bool | None, night: bool | None, operator: str, matters: list[str], incidents: list[str],
) -> CallContext:  # fmt: skip
    try:
        now = datetime.fromisoformat(at) if at else datetime.now(ZONE)
    except ValueError as error:
        raise DialplanError("dialplan.try", f"no time: {at!r}", mend="write --at 2026-03-04T23:40") from error
    now = now if now.tzinfo else now.replace(tzinfo=ZONE)
    if operator not in ("nobody", *(e.value for e in TransferEnd)):
        mend = "nobody, no_answer, busy, unreachable or completed"
        raise DialplanError("dialplan.try", f"no such operator: {operator!r}", mend=mend)
    calendar = _calendar(now)
    rests = calendar.is_holiday(calendar.day(now)) if holiday is None else holiday
    office = calendar.is_open(now) and not rests
    open_matters = []
    for given in matters:
        number, _, rest = given.partition(":")
        category, _, state = rest.partition(":")
        prompts = plan.prompts.prompts
        shown = state or prompts["state_working"].text
        open_matters.append(OpenMatter(number, category, shown, prompts["department_service"].text))
    known = tuple(Incident(c, b or None, now) for c, _, b in (given.partition(":") for given in incidents))
    site = plan.prompts.prompts.get("site_xingfu")
    return CallContext(
        now=now, site_name=site.text if site else plan.script.title, language=plan.language, is_holiday=rests,
        is_office_hours=office if night is None else not night,
        operator_extension=None if operator == "nobody" else "8001",
        caller_number=caller, caller_name=name, caller_place=Place(*parse_address(home)) if home else None,
        open_matters=tuple(open_matters), incidents=known, gazetteer=_gazetteer(),
    )  # fmt: skip


@cache
def _gazetteer() -> Gazetteer:
    """The example site's places: what is heard is checked against them, as in a call."""
    from callcenter.site.places import load_places

    return load_places(SITE / "places.yaml", SITE.name)


def _calendar(now: datetime) -> WorkingCalendar:
    """The example site's calendar, as a line has it of its site: public holidays, make-up workdays, weekends."""
    from callcenter.site.calendar import load_calendar  # holidays of a country take a while to import

    return load_calendar(SITE / "calendar.yaml").calendar([now.astimezone(ZONE).year])


def _synthesise(text: str, language: str) -> bytes:
    """The default voice; its sibling is loaded by name."""
    pcm: bytes = importlib.import_module("callcenter.speech.say").synthesise(text, language)
    return pcm


def _languages(folder: Path, language: str | None) -> list[str]:
    found = sorted(p.parent.name for p in folder.glob("*/texts.yaml"))
    if language is not None and language not in found:
        raise DialplanError(
            "dialplan.file", f"no prompts for {language!r} in {folder}", mend=f"one of: {', '.join(found)}"
        )
    return [language] if language else found


@prompts_app.command(name="render")
def render_(
    only: Annotated[list[str] | None, typer.Option(help="Render just this prompt (may be repeated).")] = None,
    language: Annotated[str | None, typer.Option(help="zh or en; both by default.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Render even what has not changed.")] = False,
    folder: Folder = FOLDER / "prompts",
) -> None:
    """Say the texts into WAV files: what changed, never over recordings by staff; those are checked."""
    wrong = 0
    for lang in _languages(folder, language):
        prompts = load_prompts(folder / lang, lang)
        chosen = [name for name in only or () if name in prompts] if language is None else list(only or ())
        if only and not chosen:
            continue
        done = render(prompts, _synthesise, only=chosen, again=again)
        problems: list[CallCenterError] = list(prompts.problems)
        for path in sorted((folder / lang / RECORDED).glob("*.wav")):
            problems += check_recording(path)
        for problem in problems:
            typer.echo(str(problem), err=True)
        wrong += len(problems)
        typer.echo(f"{folder / lang}: {len(done)} rendered, {len(prompts.prompts)} prompts")
    if only and not any(name in load_prompts(folder / la, la) for la in _languages(folder, None) for name in only):
        raise DialplanError("dialplan.prompt_missing", f"no prompt {only[0]!r}", mend="see `callcenter prompts list`")
    if wrong:
        raise typer.Exit(1)


@prompts_app.command(name="list")
def list_(
    language: Annotated[str | None, typer.Option(help="zh or en; both by default.")] = None,
    stale: Annotated[bool, typer.Option("--stale", help="Only what has to be rendered.")] = False,
    folder: Folder = FOLDER / "prompts",
) -> None:
    """List what the hotline says: state, file, rule, text."""
    for lang in _languages(folder, language):
        prompts = load_prompts(folder / lang, lang)
        for part in parts(prompts):
            if not stale or part.state is State.STALE:
                rule = prompts.prompts[part.prompt].rule
                typer.echo(f"{lang}\t{part.state.value}\t{part.piece.file}\t{rule}\t{part.piece.text.strip()}")
