"""The desk with a year of work: the rule, the lists, the clock, and an emergency from the spoken word to the ringing.

100,000 tickets and 1,000,000 events on the embedded PostgreSQL; the pages are asked for over HTTPS of a desk process.
"""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path
from typing import Any

from bench import desk_data, desk_pages, desk_ring, routing, understanding
from callcenter.config import Settings
from callcenter.desk.house import open_desk

LIMITS = {
    **routing.LIMITS,
    "list_p95_ms": ("<=", 50.0),
    "clock_10k_s": ("<=", 10.0),
    "emergency_ring_p95_s": ("<=", 5.0),
    **{name: limit for name, limit in understanding.LIMITS.items() if not name.endswith("_ms")},
}


async def _lists_and_clock(folder: Path) -> dict[str, Any]:
    settings = Settings.model_validate({"node": {"var_dir": folder, "name": "bench"}, "log": {"level": "warning"}})
    async with open_desk(settings, background=False) as desk:
        begun, now = time.monotonic(), desk_data.utc_now()
        site = desk.site(settings.site.default)
        first_due = await desk_data.load(desk.dsn, site, now)
        await desk_pages.make_reader(desk)
        figures: dict[str, Any] = {"data_s": round(time.monotonic() - begun, 1)}
        async with desk_pages.running_desk(folder, desk.dsn) as one:
            reader = desk_pages.Reader(one.url, folder / "secrets" / "tls.crt")
            await reader.log_in()
            figures |= await desk_pages.time_lists(reader, await desk_pages.addresses(reader, desk))
            await reader.http.close()
        async with desk_pages.two_desks(folder, desk.dsn):
            figures |= await desk_pages.time_clock(desk, first_due)
    return figures


def run() -> dict[str, Any]:
    """Measure in folders of its own."""
    figures: dict[str, Any] = {"tickets": desk_data.TICKETS, "events": desk_data.EVENTS}
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as folder:
        Path(folder).chmod(0o755)
        figures |= asyncio.run(_lists_and_clock(Path(folder)))
    with tempfile.TemporaryDirectory(prefix="callcenter-bench-") as folder:
        Path(folder).chmod(0o755)
        figures |= desk_ring.run(Path(folder))
    return {**figures, **routing.run(), **understanding.run()}
