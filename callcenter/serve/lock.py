"""One launcher per role and folder: two desks or two sets of lines on the same `var_dir` would spoil each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from callcenter.config import Settings
from callcenter.errors import ConfigError
from callcenter.node.files import private_folder
from callcenter.serve.plan import Role

PRIVATE = ("run", "node", "secrets")
"""Folders below `var_dir` that only we enter; the database's has rights of its own (its user may be another)."""


def make_folders(settings: Settings) -> None:
    """Make `var_dir` and what is below it, closed to others. Raises ConfigError when the machine refuses."""
    folder = settings.var_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in PRIVATE:
            private_folder(folder / name)
        if settings.store_dir.is_relative_to(folder):
            private_folder(settings.store_dir)
        for child in folder.iterdir():  # what other commands made before, as an installed model
            if child.is_dir() and not child.is_symlink():
                private_folder(child)
    except OSError as error:
        raise folder_refused(settings, error) from error


def _file_among(folder: Path) -> Path | None:
    """The part of a path that is a file where a folder should be."""
    try:
        return next((part for part in (folder, *folder.parents) if part.exists() and not part.is_dir()), None)
    except OSError:
        return None


def folder_refused(settings: Settings, error: OSError) -> ConfigError:
    """Why `var_dir` cannot be made or written, for a person."""
    folder = settings.var_dir
    in_the_way = _file_among(folder)
    if in_the_way is not None:
        reason = f"{in_the_way} is a file, not a folder"
        mend = "move that file away, or set node.var_dir to a folder"
    elif isinstance(error, PermissionError):
        reason = f"{error.filename or folder} cannot be written by this user"
        mend = f"chown -R {os.geteuid()} {folder}, or set node.var_dir to a folder of your own"
    else:
        reason = f"{folder} cannot be made or written: {error.strerror}"
        mend = "set node.var_dir to a folder on a disk that can be written, as /srv/callcenter/var"
    return ConfigError("serve.var_dir", reason, where="node.var_dir", mend=mend)


@contextlib.contextmanager
def hold_roles(settings: Settings, roles: Iterable[Role]) -> Iterator[None]:
    """Hold `run_dir/<role>.lock` for every role. Raises ConfigError naming the process that holds one already, or the
    folder that cannot be made.
    """
    make_folders(settings)
    with contextlib.ExitStack() as held:
        for role in sorted(roles):
            path = settings.run_dir / f"{role}.lock"
            file = held.enter_context(path.open("a+", encoding="utf-8"))
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError as error:
                file.seek(0)
                holder = file.read().strip() or "unknown"
                raise ConfigError(
                    "serve.already_running", f"the role {role} already runs on this folder (process {holder})",
                    where=str(settings.var_dir), mend="stop that one, or set node.var_dir to another folder",
                ) from error  # fmt: skip
            file.truncate(0)
            file.write(str(os.getpid()))
            file.flush()
        yield
