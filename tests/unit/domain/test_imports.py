"""A line imports the domain: it must stay light and do no I/O."""

from __future__ import annotations

import json
import subprocess
import sys

MODULES = ("responsibility", "snapshot", "handover", "work", "clockwork", "incidents", "codec")
HEAVY = {"sklearn", "numpy", "pypinyin", "holidays", "ruamel", "asyncpg", "aiohttp", "typer", "rich", "pjsua2", "vosk"}


def test_the_domain_imports_nothing_heavy() -> None:
    imports = ", ".join(f"callcenter.domain.{name}" for name in MODULES)
    program = f"import json, sys, {imports}; print(json.dumps(sorted(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    loaded = {name.split(".")[0] for name in json.loads(done.stdout)}
    assert "callcenter" in loaded
    assert not loaded & HEAVY
