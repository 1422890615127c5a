"""How a role speaks to the launcher: JSON lines on standard output, and what it found out at start in run_dir."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ALIVE_EVERY_S = 2.0


def say(event: str, **fields: Any) -> None:
    """One line to the launcher. A launcher that has gone is not an error: we are about to go too."""
    with contextlib.suppress(BrokenPipeError):
        sys.stdout.write(json.dumps({"event": event, **fields}, ensure_ascii=False) + "\n")
        sys.stdout.flush()


def write_found(run_dir: Path, role: str, ports: dict[str, int]) -> None:
    """Tell the other roles what this one found out at start (`run_dir/<role>.json`), whole or not at all."""
    run_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    draft = run_dir / f".{role}.json.{os.getpid()}"
    draft.write_text(json.dumps({"pid": os.getpid(), "ports": ports}), encoding="utf-8")
    draft.replace(run_dir / f"{role}.json")


def read_port(run_dir: Path, role: str, port: str) -> int | None:
    """A port that another role wrote down, None when it has not (yet)."""
    try:
        return int(json.loads((run_dir / f"{role}.json").read_text(encoding="utf-8"))["ports"][port])
    except (OSError, ValueError, KeyError, TypeError):
        return None


async def stay_alive(works: Callable[[], bool]) -> None:
    """Say `alive` every two seconds from the role's own loop, while `works()`."""
    while True:
        if works():
            say("alive")
        await asyncio.sleep(ALIVE_EVERY_S)


def on_signals(drain: asyncio.Event, at_once: asyncio.Event) -> None:
    """SIGTERM or SIGINT drains; the second one ends within seconds."""

    def asked() -> None:
        (at_once if drain.is_set() else drain).set()

    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, asked)
