"""The command `callcenter doctor`."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from callcenter.config import Settings, SeveralSettingsError, load_settings
from callcenter.doctor.findings import Finding, Grade
from callcenter.doctor.house import check_audio, check_database, check_edge, check_model, check_ports
from callcenter.doctor.machine import (
    check_certificate,
    check_clock,
    check_disk,
    check_folder,
    check_limits,
    folder_trouble,
)
from callcenter.doctor.sites import check_dialplans, check_site
from callcenter.errors import CallCenterError

CHECKS: tuple[Callable[[Settings], Iterator[Finding]], ...] = (
    check_folder, check_site, check_dialplans, check_ports, check_edge, check_audio, check_model, check_database,
    check_certificate, check_clock, check_disk, check_limits,
)  # fmt: skip

IN_FOLDER = {check_model, check_clock, check_disk}
"""Checks that look into `var_dir`."""
INSTALL = "tools/setup.sh run installs what is missing"


def _finding(check: str, error: CallCenterError) -> Finding:
    message = f"{error.where}: {error.message}" if error.where else error.message
    return Finding(check, Grade.FAIL, message, error.mend or "")


def examine(settings: Settings) -> Iterator[Finding]:
    """All findings, as they are made. A check that cannot be carried out is itself a finding."""
    unusable = folder_trouble(settings) is not None
    for check in CHECKS:
        if unusable and check in IN_FOLDER:
            continue  # it would only say again what `check_folder` says
        name = check.__name__.removeprefix("check_")
        try:
            yield from check(settings)
        except CallCenterError as error:
            yield _finding(name, error)
        except (OSError, ImportError, ValueError, subprocess.SubprocessError) as error:
            yield Finding(name, Grade.FAIL, f"could not be checked: {error}", INSTALL)


def doctor(
    config: Annotated[Path | None, typer.Option(help="Settings file; default config/callcenter.toml.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON object instead of text.")] = False,
) -> None:
    """Check settings, sites, scripts, ports, parts and machine; exit status 1 when something fails."""
    from rich.console import Console

    try:
        findings = list(examine(load_settings(config)))
    except SeveralSettingsError as errors:
        findings = [_finding("settings", error) for error in errors.problems]
    except CallCenterError as error:
        findings = [_finding("settings", error)]
    failed = any(finding.grade is Grade.FAIL for finding in findings)
    if as_json:
        typer.echo(json.dumps({"ok": not failed, "findings": [asdict(f) for f in findings]}, ensure_ascii=False))
    else:
        console = Console(highlight=False, soft_wrap=True)
        colour = {Grade.OK: "green", Grade.WARN: "yellow", Grade.FAIL: "red"}
        for finding in findings:
            console.print(f"[{colour[finding.grade]}]{finding.grade:>5}[/]  {finding.check:<12}", end="")
            console.print(finding.message, markup=False)
            if finding.mend:
                console.print(f"{'':>21}→ {finding.mend}", markup=False)
    raise typer.Exit(1 if failed else 0)
