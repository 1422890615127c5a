"""`callcenter serve`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from callcenter.serve.__main__ import run


def serve(
    role: Annotated[list[str] | None, typer.Option(help="Only this role; may repeat.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file; default config/callcenter.toml.")] = None,
    lines: Annotated[int | None, typer.Option(help="Line processes, instead of line.count.")] = None,
    json: Annotated[bool, typer.Option("--json", help="Events as JSON lines, for programs.")] = False,
) -> None:
    """Start the hotline and watch over it, until SIGTERM or Ctrl-C (drains; a second one ends within 5 s)."""
    raise typer.Exit(run(role, config, lines, json))
