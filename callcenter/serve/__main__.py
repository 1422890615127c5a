"""`python -m callcenter.serve [--role ROLE]… [--config FILE] [--lines N] [--json]`."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import difflib
import json
import sys
from pathlib import Path

from pydantic import ValidationError

from callcenter.config import LineSettings, load_settings
from callcenter.errors import CallCenterError, ConfigError
from callcenter.log import setup_logging
from callcenter.serve.child import Event
from callcenter.serve.launcher import Launcher, serve
from callcenter.serve.plan import Role
from callcenter.serve.show import where_to_look


def _role(name: str) -> Role:
    try:
        return Role(name)
    except ValueError:
        near = difflib.get_close_matches(name, list(Role), 1)
        raise ConfigError(
            "serve.unknown_role", f"there is no role {name!r}", where="--role",
            mend=f"did you mean `{near[0]}`?" if near else f"use one of {', '.join(Role)}",
        ) from None  # fmt: skip


def _with_lines(line: LineSettings, count: int) -> LineSettings:
    try:
        return LineSettings.model_validate({**line.model_dump(), "count": count})
    except ValidationError as error:
        raise ConfigError(
            "serve.lines", f"{count} lines: {error.errors()[0]['msg']}", where="--lines",
            mend="a node runs 1 to 64 lines; more of them on more machines",
        ) from None  # fmt: skip


def run(
    roles: list[str] | None = None, config: Path | None = None, lines: int | None = None, events: bool = False
) -> int:
    """Run the launcher until it is told to stop; the exit status. `events`: JSON lines instead of the block."""
    try:
        settings = load_settings(config)
        if lines is not None:
            settings = settings.model_copy(update={"line": _with_lines(settings.line, lines)})
        wanted = [_role(role) for role in roles] if roles else None
    except CallCenterError as error:
        sys.stderr.write(f"callcenter serve: {error}\n")
        return 1
    setup_logging("serve", settings.log.level, settings.log.json_lines)

    def say(message: str) -> None:
        with contextlib.suppress(OSError):  # whoever read it may be gone; the house is not
            print(message, flush=True)

    def listener(event: Event) -> None:
        if events:
            say(json.dumps({"role": event.role, "event": event.kind, **event.body}, ensure_ascii=False))
        elif event.kind == "notice" and shown:
            say(f"  注意 Notice  {event.body.get('message', '')}")

    shown: list[bool] = []

    def on_ready(launcher: Launcher) -> None:
        shown.append(True)
        if events:
            up = {"role": "serve", "event": "up", "ready": launcher.ready, "sip": launcher.sip_address}
            say(json.dumps({**up, "url": launcher.desk_url, "notices": launcher.notices}, ensure_ascii=False))
        else:
            say(where_to_look(launcher))

    try:
        return asyncio.run(serve(settings, wanted, config=config, listener=listener, on_ready=on_ready))
    except CallCenterError as error:
        sys.stderr.write(f"callcenter serve: {error}\n")
        return 1


def main() -> int:
    parser = argparse.ArgumentParser(prog="callcenter serve", description="Start the hotline, or some of its roles.")
    parser.add_argument("--role", action="append", help=f"only this role ({', '.join(Role)}); may repeat")
    parser.add_argument("--config", type=Path, help="settings file (default config/callcenter.toml)")
    parser.add_argument("--lines", type=int, help="line processes, instead of line.count")
    parser.add_argument("--json", action="store_true", help="events as JSON lines on standard output, for programs")
    arguments = parser.parse_args()
    return run(arguments.role, arguments.config, arguments.lines, arguments.json)


if __name__ == "__main__":
    raise SystemExit(main())
