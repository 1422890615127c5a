"""One launcher per role and folder: two desks or two sets of lines on the same `var_dir` would spoil each other."""

from __future__ import annotations

import contextlib
import fcntl
import os
from collections.abc import Iterable, Iterator

from callcenter.config import Settings
from callcenter.errors import ConfigError
from callcenter.serve.plan import Role


@contextlib.contextmanager
def hold_roles(settings: Settings, roles: Iterable[Role]) -> Iterator[None]:
    """Hold `run_dir/<role>.lock` for every role. Raises ConfigError naming the process that holds one already."""
    settings.run_dir.mkdir(parents=True, exist_ok=True)
    settings.run_dir.chmod(0o700)
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
