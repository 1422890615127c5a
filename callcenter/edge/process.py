"""Waiting for a child whose own children may keep its pipes open."""

from __future__ import annotations

import asyncio
import os


async def exited(process: asyncio.subprocess.Process) -> int:
    """The exit status as soon as the process itself has ended (negative: by that signal).

    `process.wait()` of Python 3.11 waits for the end of its pipes as well, which its orphans hold.
    """
    loop = asyncio.get_running_loop()
    gone = asyncio.Event()
    try:
        handle = os.pidfd_open(process.pid)
    except ProcessLookupError:  # ended and waited for already
        handle = -1
    if handle >= 0:
        loop.add_reader(handle, gone.set)
        try:
            await gone.wait()
        finally:
            loop.remove_reader(handle)
            os.close(handle)
    while True:
        if (status := process.returncode) is not None:
            return status
        await asyncio.sleep(0.005)  # asyncio's own watcher takes the status in a moment
