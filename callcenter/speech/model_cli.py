"""`callcenter model`: list, pull, verify and choose speech models."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
from rich.table import Table

from callcenter.config import load_settings
from callcenter.errors import CallCenterError, SpeechError
from callcenter.speech import catalogue, model_install

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
Config = Annotated[Path | None, typer.Option("--config", help="Settings file; default: config/callcenter.toml.")]
Var = Annotated[Path | None, typer.Option("--var", help="Folder for installed models' parent; default: node.var_dir.")]


def _var_dir(config: Path | None, var: Path | None) -> Path:
    return var.resolve() if var else load_settings(config).var_dir


@contextmanager
def _errors() -> Iterator[None]:
    """An error of ours is one sentence on standard error and exit code 1."""
    try:
        yield
    except CallCenterError as error:
        sys.stderr.write(f"callcenter model: {error}\n")
        raise typer.Exit(1) from error
    except OSError as error:
        what = f"{error.filename}: {error.strerror}" if error.filename else str(error)
        mend = "see that there is room and that you may write there, or name another folder with --var"
        sys.stderr.write(f"callcenter model: {what} — {mend}\n")
        raise typer.Exit(1) from error


def _in_use(config: Path | None, var_dir: Path) -> set[Path]:
    """Folders of the models that transcribers load, one for a language that has one."""
    setting = load_settings(config).speech.model
    folders = {language: catalogue.resolve(setting, var_dir, language) for language in ("zh", "en")}
    return {folder for language, folder in folders.items() if catalogue.language_of(folder) == language}


@app.command("list")
def list_models(config: Config = None, var: Var = None) -> None:
    """Models of the catalogue and those installed here, and which is in use (对号)."""
    with _errors():
        var_dir = _var_dir(config, var)
        chosen = _in_use(config, var_dir)
        known = catalogue.entries()
        table = Table(box=None, pad_edge=False)
        for column in ("", "name", "language", "MB", "memory MB", "installed", "licence", "purpose"):
            table.add_column(column, no_wrap=column == "name")
        for name, entry in known.items():
            here = catalogue.folder_of(name, var_dir)
            table.add_row(
                "✓" if here in chosen else "", name, entry.language, str(entry.size_mb), str(entry.memory_mb),
                "built in" if entry.builtin else ("yes" if here.is_dir() else "no"), entry.licence, entry.purpose,
            )  # fmt: skip
        folder = catalogue.models_dir(var_dir)
        installed = {p for p in folder.iterdir() if p.is_dir() and p.name[0] != "."} if folder.is_dir() else set()
        for path in sorted(installed | chosen):
            if path not in (catalogue.folder_of(name, var_dir) for name in known):
                name = path.name if path in installed else str(path)
                language = catalogue.language_of(path) or "?"
                table.add_row("✓" if path in chosen else "", name, language, "", "", "yes", "", "brought by hand")
        Console(width=160 if not sys.stdout.isatty() else None).print(table)


@app.command()
def pull(
    name: Annotated[str, typer.Argument(help="A name of `callcenter model list`, or a new one with --from.")],
    source: Annotated[Path | None, typer.Option("--from", help="A zip or folder brought by hand.")] = None,
    again: Annotated[bool, typer.Option("--again", help="Fetch and install it anew.")] = False,
    config: Config = None,
    var: Var = None,
) -> None:
    """Fetch a model (resumed, verified), or install one brought by hand."""
    with _errors():
        var_dir = _var_dir(config, var)
        if source is not None:
            known = catalogue.entries().get(name)
            if known and known.sha256 and source.is_file() and catalogue.hash_file(source) != known.sha256:
                raise SpeechError("model.checksum", f"it is not {name} of the catalogue", where=str(source))
            place = model_install.install(source, name, var_dir, known.language if known else None)
            typer.echo(f"installed: {place}")
            return
        entry = catalogue.entry(name)
        columns = (TextColumn(name), BarColumn(), DownloadColumn(), TransferSpeedColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as progress:
            task = progress.add_task(name, total=None)
            place, pinned = model_install.pull(
                entry,
                var_dir,
                again=again,
                advance=lambda done, total: progress.update(task, completed=done, total=total),
            )
        if pinned:
            digest = model_install.pins(var_dir)[name]
            typer.echo(f"its checksum was not known before and is pinned from now on: {digest}")
        typer.echo(f"installed: {place}")


@app.command()
def verify(
    name: Annotated[str | None, typer.Argument(help="One model; default: all that are installed.")] = None,
    config: Config = None,
    var: Var = None,
) -> None:
    """Compare installed models, file by file, with the sums taken when they were installed."""
    with _errors():
        var_dir = _var_dir(config, var)
        folder = catalogue.models_dir(var_dir)
        installed = [p.name for p in sorted(folder.iterdir()) if p.is_dir()] if folder.is_dir() else []
        names = [name] if name else sorted({catalogue.BUILTIN, *(n for n in installed if not n.startswith("."))})
        bad = False
        for each in names:
            place = catalogue.folder_of(each, var_dir)
            try:
                if not place.is_dir():
                    catalogue.entry(each)
                catalogue.check_model(place)
                wrong = catalogue.changed_files(place)
            except SpeechError as error:
                typer.echo(f"{each}: {error}")
                bad = True
                continue
            bad = bad or bool(wrong)
            typer.echo(f"{each}: " + (f"differs: {', '.join(wrong)}" if wrong else "ok"))
        if bad:
            raise typer.Exit(1)


@app.command()
def use(
    name: Annotated[str, typer.Argument(help="An installed model, the built-in one, or a folder.")],
    config: Config = None,
    var: Var = None,
) -> None:
    """Choose the model the transcriber loads at its next start, for the model's language."""
    with _errors():
        var_dir = _var_dir(config, var)
        place = Path(name).expanduser().resolve() if "/" in name else catalogue.folder_of(name, var_dir)
        if "/" not in name and not place.is_dir():
            catalogue.entry(name)
        catalogue.check_model(place)
        language = catalogue.language_of(place)
        if language is None:
            raise SpeechError("model.language", "the model's language cannot be told from its words", where=str(place))
        catalogue.choose(language, str(place) if "/" in name else name, var_dir)
        typer.echo(f"{language}: {name} (from the next start of the speech role)")
        if name == catalogue.BUILTIN:
            typer.echo(catalogue.entry(name).purpose)
