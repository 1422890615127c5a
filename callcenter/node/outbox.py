"""Finished recordings waiting on this node's disk until a desk has them."""

from __future__ import annotations

import asyncio
import fcntl
import os
from pathlib import Path
from uuid import UUID

from callcenter.config import Settings
from callcenter.errors import StoreError
from callcenter.log import get_logger
from callcenter.node.desks import desk_addresses, tls_context, upload
from callcenter.node.files import private_folder
from callcenter.node.secret import node_secret

log = get_logger("node.outbox")

LOOK_AGAIN_S = 10
"""The folder is looked at this often for what another process left, or a desk did not take."""

RETRY_S = 1
"""Pause after a desk did not take a recording: it usually does not know the call yet."""


class Outbox:
    """`<call id>.flac` files of all processes of a node; each is handed over once and then deleted."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        self.folder = private_folder(folder)
        self._settings = settings
        self._news = asyncio.Event()
        self._told: set[str] = set()

    def add(self, call: UUID, finished: Path) -> None:
        """Take a finished FLAC of `call`: it is moved into the folder in one step (same file system)."""
        finished.chmod(0o600)
        finished.replace(self.folder / f"{call}.flac")
        self._news.set()

    @property
    def waiting(self) -> int:
        """Recordings no desk has yet."""
        return len(list(self.folder.glob("*.flac")))

    async def run(self) -> None:
        """Hand recordings over until cancelled; a desk that is away is tried again."""
        while True:
            self._news.clear()
            pause = float(LOOK_AGAIN_S)
            for path in sorted(self.folder.glob("*.flac")):
                if not await asyncio.to_thread(self._hand_over, path):
                    pause = RETRY_S
            try:
                async with asyncio.timeout(pause):
                    await self._news.wait()
            except TimeoutError:
                continue

    def _hand_over(self, path: Path) -> bool:
        try:
            call = UUID(path.stem)
            handle = os.open(path, os.O_RDONLY)
        except FileNotFoundError:
            return True  # another process of this node did it
        except ValueError:
            return True  # not ours; left alone
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            if os.fstat(handle).st_nlink == 0:
                return True
            desks = desk_addresses(self._settings)
            for desk in desks:
                try:
                    upload(desk, tls_context(self._settings), node_secret(self._settings), call, path)
                except StoreError as error:
                    self._tell(error)
                else:
                    path.unlink(missing_ok=True)
                    return True
            return False
        except BlockingIOError:
            return True  # another process is at it
        finally:
            os.close(handle)

    def _tell(self, error: StoreError) -> None:
        """Log what needs a person, once for each kind of trouble."""
        if not error.retryable and error.code not in self._told:
            self._told.add(error.code)
            log.warning("recording_refused", error=str(error))
