"""The desk role: `python -m callcenter.web --config FILE`. Speaks the launcher's protocol on standard output."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gc
import sys
import warnings
from pathlib import Path

from aiohttp import web

from callcenter.config import Settings, load_settings
from callcenter.desk.house import Desk, open_desk
from callcenter.errors import CallCenterError, ConfigError
from callcenter.log import get_logger, setup_logging
from callcenter.role import on_signals, say, stay_alive, write_found
from callcenter.web import page
from callcenter.web.app import make_app
from callcenter.web.secrets import tls_context

ROLE = "desk"
DRAIN_S = 20.0
"""Requests in progress and the nodes' links get this long to end in peace."""
AT_ONCE_S = 3.0
TIDY_S = 60.0
"""So often the collector looks at everything."""
NEVER = 1_000_000
"""Collections of young objects after which it would do so by itself."""
log = get_logger("web.role")


def public_address(settings: Settings, port: int) -> str:
    """What people type."""
    if settings.desk.public_url:
        return settings.desk.public_url.rstrip("/")
    scheme, host = ("http" if settings.desk.tls == "off" else "https"), str(settings.desk.bind_host)
    return f"{scheme}://{'localhost' if host == '0.0.0.0' else host}:{port}"  # noqa: S104 - only compared


async def _tidy() -> None:
    """Collect everything once a minute: by the number of objects, long lists would each pay for a whole collection."""
    while True:
        await asyncio.sleep(TIDY_S)
        gc.collect()


async def _serve(settings: Settings, desk: Desk, drain: asyncio.Event, at_once: asyncio.Event) -> None:
    runner = web.AppRunner(make_app(settings, desk), handle_signals=False, access_log=None, shutdown_timeout=DRAIN_S)
    await runner.setup()
    tls, host = tls_context(settings), str(settings.desk.bind_host)
    try:
        try:
            await web.TCPSite(runner, host, settings.desk.port, ssl_context=tls).start()
        except OSError as error:
            raise ConfigError(
                "web.port", f"cannot listen on {host}:{settings.desk.port}: {error.strerror}", where="desk.port",
                mend="stop what uses the port, or set another (0: any free one)",
            ) from error  # fmt: skip
        port = int(runner.addresses[0][1])
        write_found(settings.run_dir, ROLE, {"https": port})
        address = public_address(settings, port)
        if desk.first_password is not None:
            shown = f"{address}  login: admin  password: {desk.first_password}  (shown once; change it)"
            say("notice", message=shown, login="admin", password=desk.first_password)
        say("notice", message=f"Desk: {address}")
        gc.collect()
        gc.freeze()  # what is loaded stays; the collector need not look at it in the middle of a page
        gc.set_threshold(*gc.get_threshold()[:2], NEVER)
        tidying = asyncio.create_task(_tidy(), name="tidy")
        say("ready", role=ROLE, ports={"https": port})
        alive = asyncio.create_task(stay_alive(lambda: desk.healthy), name="alive")
        await drain.wait()
        alive.cancel()
        tidying.cancel()
        log.info("web.draining")
    finally:
        cleaning = asyncio.create_task(runner.cleanup())
        hurried = asyncio.create_task(at_once.wait())
        await asyncio.wait({cleaning, hurried}, return_when=asyncio.FIRST_COMPLETED)
        hurried.cancel()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(AT_ONCE_S):
                await cleaning


async def run(settings: Settings) -> None:
    """Run the desk until SIGTERM; requests in progress end in peace, a second SIGTERM ends within 5 s."""
    drain, at_once = asyncio.Event(), asyncio.Event()
    on_signals(drain, at_once)
    page.warm()
    async with open_desk(settings) as desk:
        await _serve(settings, desk, drain, at_once)


def main() -> None:
    """Entry point of the role. Exit code 78 for settings a person has to mend."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.web", description="The desk: pages, API, back office.")
    parser.add_argument("--config", type=Path, default=None, metavar="FILE", help="settings (TOML)")
    arguments = parser.parse_args()
    setup_logging(ROLE)
    warnings.filterwarnings("ignore", category=web.NotAppKeyWarning, module="aiohttp_session")
    try:
        settings = load_settings(arguments.config)
        setup_logging(ROLE, settings.log.level, settings.log.json_lines)
        asyncio.run(run(settings))
    except CallCenterError as error:
        print(f"desk: {error}", file=sys.stderr)
        sys.exit(78 if isinstance(error, ConfigError) else 2)


if __name__ == "__main__":
    main()
