"""`make bench`: run every area, or `--only AREA`; print its figures against their limits; keep them in results/.

An area is a module of this package with `LIMITS` (name → ("<=" or ">=", number)) and `run() -> dict[str, Any]`,
whose keys hold at least the limits' names. The last line of an area's output is one JSON object of its figures.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import platform
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from callcenter.log import setup_logging

AREAS = ("calls", "transcriber", "routing", "understanding", "desk")
RESULTS = Path(__file__).parent / "results"


def machine() -> dict[str, Any]:
    """What the figures were measured on."""
    cpu = next(
        (row.split(":", 1)[1].strip() for row in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in row),
        platform.processor(),
    )
    memory_kb = int(Path("/proc/meminfo").read_text().split()[1])
    return {
        "cpu": cpu,
        "cores": os.cpu_count(),
        "memory_gib": round(memory_kb / 2**20, 1),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
    }


def holds(figure: float, limit: tuple[str, float]) -> bool:
    """Whether a figure keeps its limit."""
    operator, bound = limit
    return figure <= bound if operator == "<=" else figure >= bound


def show(area: str, figures: dict[str, Any], limits: dict[str, tuple[str, float]]) -> None:
    """Print figures against limits, a line each."""
    print(f"\n{area}")
    for name, limit in limits.items():
        mark = "ok  " if holds(figures[name], limit) else "MISS"
        print(f"  {mark} {name:28} {figures[name]:>12} {limit[0]} {limit[1]}")
    for name in sorted(figures.keys() - limits.keys()):
        print(f"       {name:28} {figures[name]}")


def main() -> int:
    """Run the areas asked for; exit status 1 when a figure misses its limit."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("--only", choices=AREAS, action="append", help="one area (may be given again)")
    setup_logging("bench", "warning")
    missed = False
    for area in parser.parse_args().only or AREAS:
        module = importlib.import_module(f"bench.{area}")
        facts = machine()
        figures = module.run()
        RESULTS.mkdir(exist_ok=True)
        record = {"area": area, "at": datetime.now(UTC).isoformat(timespec="seconds"), "machine": facts, **figures}
        (RESULTS / f"{area}.json").write_text(json.dumps(record, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")
        show(area, figures, module.LIMITS)
        missed |= not all(holds(figures[name], limit) for name, limit in module.LIMITS.items())
        print(json.dumps(figures, ensure_ascii=False), flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(main())
