"""`python -m callcenter.line --number N [--config FILE]`: one line, spoken to by the launcher."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import os
import sys
from pathlib import Path

from callcenter.config import load_settings
from callcenter.errors import CallCenterError, ConfigError, DialplanError
from callcenter.log import setup_logging
from callcenter.role import say

NICENESS = -10

M_ARENA_MAX = -8
"""glibc's mallopt: how many heaps the threads of a process keep."""


def _one_arena() -> None:
    """One heap for all threads: each would keep one of its own and never give it back (25 MB after a dozen calls)."""
    with contextlib.suppress(OSError, AttributeError):  # not glibc
        ctypes.CDLL(None).mallopt(M_ARENA_MAX, 1)


def main() -> None:
    """Entry point of the role. Ends through os._exit: interpreter teardown aborts on pj objects."""
    parser = argparse.ArgumentParser(prog="callcenter.line")
    parser.add_argument("--number", type=int, required=True)
    parser.add_argument("--config", type=Path)
    arguments = parser.parse_args()
    name = f"line-{arguments.number}"
    code = 0
    _one_arena()
    try:
        settings = load_settings(arguments.config)
        setup_logging(name, settings.log.level, settings.log.json_lines)
        with contextlib.suppress(OSError):  # only a privileged user may; audio every 20 ms comes before pages
            os.setpriority(os.PRIO_PROCESS, 0, NICENESS)
        from callcenter.line.process import Line

        code = asyncio.run(Line(settings, arguments.number, arguments.config).run()).code
    except CallCenterError as error:
        say("fatal", role=name, message=str(error))
        print(f"{name}: {error}", file=sys.stderr)
        code = 78 if isinstance(error, (ConfigError, DialplanError)) else 2  # 78: not started again
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
        if sys.exc_info()[0] is None:
            os._exit(code)


if __name__ == "__main__":
    main()
