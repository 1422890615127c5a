"""Checks of the machine: folder, clock, disk, limits, certificate."""

from __future__ import annotations

import resource
import shutil
import tempfile
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from callcenter.config import Settings
from callcenter.doctor.clock import clock_synchronised, newest_ahead_s
from callcenter.doctor.findings import Finding, Grade, ok
from callcenter.errors import ConfigError

MEGABYTE = 1 << 20
RECORDING_MB_PER_H = 60
"""Both sides at 8 kHz and 16 bit are 115 MB an hour; FLAC makes about half of it."""
LINE_MB, HOUSE_MB = 120, 900
"""Memory of a line, and of speech with the built-in model, desk and PostgreSQL together."""
FILES_ENOUGH, FILES_GOOD = 1024, 4096


def check_clock(settings: Settings) -> Iterator[Finding]:
    """The clock is kept by NTP, and did not jump back behind what was already written."""
    synchronised = clock_synchronised()
    if synchronised is None:
        yield Finding("clock", Grade.WARN, "the kernel does not say whether NTP keeps the clock", "timedatectl status")
    elif synchronised:
        yield ok("clock", "kept by NTP")
    else:
        yield Finding(
            "clock", Grade.WARN, "not kept by NTP: deadlines and records would drift",
            "timedatectl set-ntp true, or apt-get install chrony",
        )  # fmt: skip
    ahead_s = newest_ahead_s(settings.var_dir)
    if ahead_s > 5:
        yield Finding(
            "clock", Grade.FAIL, f"files of this node are dated {ahead_s:.0f} s in the future: the clock jumped back",
            "set the clock right (timedatectl), then start",
        )  # fmt: skip


def check_disk(settings: Settings) -> Iterator[Finding]:
    """Room for recordings, above the reserve that is kept for calls in progress."""
    places = {"var_dir": settings.var_dir, "recordings": settings.store_dir}
    seen: set[int] = set()
    for name, folder in places.items():
        here = next(p for p in (folder, *folder.parents) if p.exists())
        if (device := here.stat().st_dev) in seen:
            continue
        seen.add(device)
        free_mb = shutil.disk_usage(here).free // MEGABYTE
        reserve = settings.line.reserve_mb
        hours = max(0, free_mb - reserve) / RECORDING_MB_PER_H
        message = f"{name}: {free_mb / 1024:.1f} GB free, room for about {hours:.0f} h of talk above the reserve"
        if free_mb <= reserve:
            yield Finding(
                "disk", Grade.FAIL, f"{name}: {free_mb} MB free, under the reserve of {reserve} MB: calls go to people",
                f"free space below {here}, or lower recording.keep_days",
            )  # fmt: skip
        elif hours < 100:
            yield Finding("disk", Grade.WARN, message, f"free space below {here}, or lower recording.keep_days")
        else:
            yield ok("disk", message)


def check_folder(settings: Settings) -> Iterator[Finding]:
    """`var_dir` can be made and written, and is not open to others: it holds personal data and secrets."""
    from callcenter.serve.lock import PRIVATE

    folder = settings.var_dir
    if (refused := folder_trouble(settings)) is not None:
        yield Finding("folder", Grade.FAIL, f"{refused.where}: {refused.message}", refused.mend or "")
        return
    inside = [folder / name for name in PRIVATE]
    if settings.store_dir.is_relative_to(folder):
        inside.append(settings.store_dir)
    open_ones = [path for path in inside if path.exists() and path.stat().st_mode & 0o077]
    if open_ones:
        names = ", ".join(path.name for path in open_ones)
        mend = f"chmod -R go= {' '.join(map(str, open_ones))}"
        yield Finding("folder", Grade.FAIL, f"others can look into {names}", mend)
    else:
        yield ok("folder", f"{folder} can be written, and what it holds is ours alone")


def folder_trouble(settings: Settings) -> ConfigError | None:
    """Why `var_dir` cannot be used; None when a folder could be made where it is or would be (and was taken away)."""
    from callcenter.serve.lock import folder_refused

    folder = settings.var_dir
    try:
        here = next((place for place in (folder, *folder.parents) if place.exists()), Path("/"))
        with tempfile.TemporaryDirectory(dir=here, prefix=".callcenter-doctor-"):
            return None
    except OSError as error:
        return folder_refused(settings, error)


def check_limits(settings: Settings) -> Iterator[Finding]:
    """Open files per process, and memory."""
    soft, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < FILES_ENOUGH:
        yield Finding("limits", Grade.FAIL, f"{soft} open files per process", f"ulimit -n {FILES_GOOD}")
    elif soft < FILES_GOOD:
        yield Finding("limits", Grade.OK, f"{soft} open files per process", f"for many desks: ulimit -n {FILES_GOOD}")
    else:
        yield ok("limits", f"{soft} open files per process")
    lines = dict(line.split(":", 1) for line in Path("/proc/meminfo").read_text(encoding="ascii").splitlines())
    free_mb = int(lines["MemAvailable"].split()[0]) // 1024
    need_mb = settings.line.count * LINE_MB + HOUSE_MB
    if free_mb < need_mb:
        yield Finding(
            "limits", Grade.WARN, f"{free_mb} MB of memory are free, about {need_mb} MB are needed",
            "lower line.count, or run roles on other machines",
        )  # fmt: skip
    else:
        yield ok("limits", f"{free_mb} MB of memory are free, about {need_mb} MB are needed")


def check_certificate(settings: Settings) -> Iterator[Finding]:
    """A given certificate is there and lasts."""
    if settings.desk.tls != "given":
        return
    from cryptography import x509

    path, key = settings.desk.certificate, settings.desk.private_key
    if path is None or key is None or not path.is_file() or not key.is_file():
        yield Finding(
            "certificate", Grade.FAIL, "desk.tls is given, but certificate or key is not there",
            "set desk.certificate and desk.private_key to PEM files",
        )  # fmt: skip
        return
    try:
        ends = x509.load_pem_x509_certificate(path.read_bytes()).not_valid_after_utc
    except ValueError:
        yield Finding("certificate", Grade.FAIL, f"{path} is no certificate", "set desk.certificate to a PEM file")
        return
    days = (ends - datetime.now(UTC)).days
    grade = Grade.FAIL if days < 0 else Grade.WARN if days < 21 else Grade.OK
    yield Finding("certificate", grade, f"valid for {days} more days", "" if days >= 21 else "renew it")
