"""Checks of what people write besides the settings: the sites' files and the call scripts."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from callcenter.config import ROOT, Settings
from callcenter.doctor.findings import Finding, Grade, ok
from callcenter.errors import ConfigError, DialplanError

DIALPLANS = ROOT / "dialplans"


def _instead(name: str, known: list[str], setting: str) -> str:
    near = difflib.get_close_matches(name, known, 1)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"set {setting} to one of {', '.join(known)}" if known else f"make it, or mend {setting}"


def check_site(settings: Settings) -> Iterator[Finding]:
    """Every site that the settings name exists, and its files can be read."""
    from callcenter.site.load import load_sites

    folder = settings.sites_dir
    if not folder.is_dir():
        yield Finding("site", Grade.FAIL, f"site.folder: {folder} is no folder", "set site.folder to config/sites")
        return
    try:
        sites = load_sites(folder, settings.rules)
    except ConfigError as error:
        yield Finding("site", Grade.FAIL, f"{error.where}: {error.message}", error.mend or "")
        return
    named = {"site.default": settings.site.default}
    named |= {f"site.dialled.{number}": site for number, site in settings.site.dialled.items()}
    for setting, name in named.items():
        if name not in sites:
            mend = _instead(name, sorted(sites), setting)
            yield Finding("site", Grade.FAIL, f"{setting}: there is no site {name!r} in {folder}", mend)
    for name, site in sites.items():
        if site.warnings:
            first, more = site.warnings[0], len(site.warnings) - 1
            words = f"{name}: {first}" + (f" (and {more} more)" if more else "")
            yield Finding("site", Grade.WARN, words, f"callcenter site check {site.folder}")
        else:
            yield ok("site", f"{name}: its files are whole")


def check_dialplans(settings: Settings) -> Iterator[Finding]:
    """Every call script that a dialled number leads to exists and has no mistakes."""
    from callcenter.dialplan.check import check

    numbers_of: dict[str, list[str]] = {}
    for number, name in settings.line.dialplans.items():
        numbers_of.setdefault(name, []).append(number)
    if not numbers_of:
        yield Finding("dialplans", Grade.FAIL, "line.dialplans is empty", 'write "*" = "hotline.zh"')
    known = sorted(path.stem for path in DIALPLANS.glob("*.yaml"))
    for name, numbers in numbers_of.items():
        if name not in known:
            where = ", ".join(f'"{number}"' for number in numbers)
            mend = _instead(name, known, "it")
            yield Finding("dialplans", Grade.FAIL, f"line.dialplans: {where}: there is no script {name!r}", mend)
        else:
            yield from _script(name, check(DIALPLANS / f"{name}.yaml"))


def _script(name: str, problems: list[DialplanError]) -> Iterator[Finding]:
    wrong = [problem for problem in problems if problem.code != "dialplan.prompt_stale"]
    for problem in wrong[:1] or problems[:1]:
        grade = Grade.FAIL if wrong else Grade.WARN
        more = f" (and {len(problems) - 1} more: callcenter dialplan check)" if len(problems) > 1 else ""
        yield Finding("dialplans", grade, f"{problem.where}: {problem.message}{more}", problem.mend or "")
    if not problems:
        yield ok("dialplans", f"{name} has no mistakes")
