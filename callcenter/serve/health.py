"""`python -m callcenter.serve.health`: exit status 0 when every role that runs here is ready (for containers)."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from callcenter.config import Settings, load_settings
from callcenter.errors import CallCenterError


def unready(settings: Settings) -> list[str]:
    """What is not ready, in words; empty when all is well."""
    states = sorted(settings.run_dir.glob("serve*.json"))
    if not states:
        return ["nothing runs here"]
    words: list[str] = []
    for path in states:
        try:
            state = json.loads(path.read_text(encoding="utf-8"))
            alive = Path(f"/proc/{int(state['pid'])}").exists()
            roles = {str(name): str(role["state"]) for name, role in state["roles"].items()}
        except (OSError, ValueError, KeyError, TypeError) as error:
            words.append(f"{path.name}: {error}")
            continue
        if not alive:
            words.append(f"{path.name}: its launcher is gone")
        words += [f"{name}: {role}" for name, role in roles.items() if role != "ready"]
    return words


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m callcenter.serve.health", description=__doc__)
    parser.add_argument("--config", type=Path, help="settings file (default $CALLCENTER_CONFIG)")
    try:
        words = unready(load_settings(parser.parse_args().config))
    except CallCenterError as error:
        words = [str(error)]
    sys.stdout.write("\n".join(words) + "\n" if words else "ready\n")
    return 1 if words else 0


if __name__ == "__main__":
    sys.exit(main())
