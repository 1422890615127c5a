"""`python -m callcenter.edge --config FILE`: the edge role (see callcenter/serve)."""

from __future__ import annotations

import argparse
import asyncio
import sys
from pathlib import Path

from callcenter.config import load_settings
from callcenter.edge.role import run
from callcenter.errors import CallCenterError
from callcenter.log import setup_logging
from callcenter.role import say


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m callcenter.edge", description="Kamailio, rendered and watched.")
    parser.add_argument("--config", type=Path, help="settings file (default config/callcenter.toml)")
    arguments = parser.parse_args()
    try:
        settings = load_settings(arguments.config)
    except CallCenterError as error:
        say("fatal", message=str(error))
        return 78
    setup_logging("edge", settings.log.level, settings.log.json_lines)
    return asyncio.run(run(settings))


if __name__ == "__main__":
    sys.exit(main())
