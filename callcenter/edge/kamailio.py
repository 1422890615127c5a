"""Kamailio as our child: checked, started, heard, ended."""

from __future__ import annotations

import asyncio
import contextlib
import ctypes
import os
import shutil
import signal
from collections.abc import Callable
from pathlib import Path

from callcenter.config import Settings
from callcenter.edge.process import exited
from callcenter.edge.render import EdgeFiles
from callcenter.errors import ConfigError
from callcenter.log import get_logger

log = get_logger("edge.kamailio")

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)
STOP_S = 3.0


def find_binary(settings: Settings) -> Path:
    """Kamailio's binary. Raises ConfigError when there is none."""
    if settings.edge.binary is not None and os.access(settings.edge.binary, os.X_OK):
        return settings.edge.binary
    path = os.pathsep.join([os.environ.get("PATH", ""), "/usr/sbin", "/usr/local/sbin"])
    found = shutil.which("kamailio", path=path) if settings.edge.binary is None else None
    if found is None:
        raise ConfigError(
            "edge.kamailio_missing", f"no Kamailio at {settings.edge.binary or 'PATH or /usr/sbin'}",
            where="edge.binary", mend="apt-get install kamailio, or set edge.mode to direct",
        )  # fmt: skip
    return Path(found)


def _end_with_us() -> None:
    # SIGTERM, not SIGKILL: Kamailio's main process then ends its own workers.
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGTERM, 0, 0, 0)


class Kamailio:
    """One running Kamailio. `on_line` gets every line of its log."""

    def __init__(self, settings: Settings, files: EdgeFiles, on_line: Callable[[str], None]) -> None:
        self._files = files
        self._on_line = on_line
        self._binary = find_binary(settings)
        self._process: asyncio.subprocess.Process | None = None
        self._reader: asyncio.Task[None] | None = None

    async def check(self) -> None:
        """Let Kamailio read its configuration. Raises ConfigError with its own words when it cannot."""
        process = await asyncio.create_subprocess_exec(
            str(self._binary), "-f", str(self._files.config), "-c", "-E",
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
        )  # fmt: skip
        _, said = await process.communicate()
        if process.returncode != 0:
            wrong = [line for line in said.decode("utf-8", "replace").splitlines() if "rror" in line or "CRIT" in line]
            raise ConfigError(
                "edge.kamailio_config", " / ".join(wrong[-3:]) or "Kamailio refuses its configuration",
                where=str(self._files.config), mend="mend config/kamailio.cfg (the template), not the rendered file",
            )  # fmt: skip

    async def start(self) -> None:
        """Start it in the foreground, in a process group of its own."""
        self._process = await asyncio.create_subprocess_exec(
            str(self._binary), "-f", str(self._files.config), "-DD", "-E", "-m", "64", "-M", "8",
            "-P", str(self._files.config.with_name("kamailio.pid")), "-Y", str(self._files.rpc_socket.parent),
            stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL, stderr=asyncio.subprocess.PIPE,
            process_group=0, preexec_fn=_end_with_us, limit=1 << 18,
        )  # fmt: skip
        self._reader = asyncio.create_task(self._read(), name="kamailio log")

    async def _read(self) -> None:
        assert self._process is not None
        assert self._process.stderr is not None
        while True:
            try:
                raw = await self._process.stderr.readline()
            except ValueError:  # a line longer than the limit
                continue
            if not raw:
                return
            self._on_line(raw.decode("utf-8", "replace").rstrip("\n"))

    @property
    def status(self) -> int | None:
        """Exit status; None while it runs or before it was started."""
        return self._process.returncode if self._process else None

    async def wait(self) -> int:
        """Until it ends; its exit status."""
        assert self._process is not None
        return await exited(self._process)

    async def stop(self) -> None:
        """End it and its workers, having heard their last words. May be called twice."""
        if self._process is None:
            return
        if self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                self._process.terminate()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(exited(self._process), STOP_S)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, signal.SIGKILL)
        if self._process.returncode is None:
            await exited(self._process)
        if self._reader is not None:
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._reader, 1.0)
