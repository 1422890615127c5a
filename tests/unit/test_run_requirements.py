"""The packages locked for a run are enough for a run: a test's environment has more, and would hide what is missing."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]

IMPORT_ALL = """
import importlib, importlib.metadata, pkgutil, re, sys

locked = set(sys.argv[1].split())
belongs = importlib.metadata.packages_distributions()

class OnlyLocked:
    def find_spec(self, name, path=None, target=None):
        owners = {re.sub(r"[-_.]+", "-", owner).lower() for owner in belongs.get(name.split(".")[0], ())}
        if owners and not owners & locked:
            raise ImportError(f"{name} comes with {owners}, which requirements/run.txt does not hold")
        return None

sys.meta_path.insert(0, OnlyLocked())
import callcenter
for module in pkgutil.walk_packages(callcenter.__path__, "callcenter."):
    if not module.name.endswith(("__main__", "_child", "store.migrations.env")):
        importlib.import_module(module.name)
import sqlalchemy.ext.asyncio, sqlalchemy.dialects.postgresql.asyncpg, greenlet
"""


def test_every_module_can_be_imported_with_what_a_run_installs() -> None:
    lock = (ROOT / "requirements" / "run.txt").read_text(encoding="utf-8")
    names = re.findall(r"^([A-Za-z0-9_.\-]+)==", lock, re.MULTILINE)
    locked = " ".join({re.sub(r"[-_.]+", "-", name).lower() for name in (*names, "callcenter")})
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL, locked], capture_output=True, text=True, cwd=ROOT)
    assert done.returncode == 0, done.stderr[-2000:]
