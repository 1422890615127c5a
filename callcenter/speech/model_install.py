"""Fetching and installing speech models: resumed, verified, unpacked safely, in place whole or not at all."""

from __future__ import annotations

import re
import shutil
import stat
import tempfile
import tomllib
import urllib.error
import urllib.request
import zipfile
import zlib
from collections.abc import Callable
from http.client import HTTPException
from pathlib import Path, PurePosixPath

from callcenter.errors import SpeechError
from callcenter.speech import catalogue
from callcenter.speech.catalogue import Entry

Advance = Callable[[int, int | None], None]
"""Called with (bytes so far, bytes in all or None)."""

_TIMEOUT_S = 30.0
_BLOCK = 256 * 1024
_MOST_UNPACKED_BYTES = 8_000_000_000
_AGAIN = "fetch it again, and compare its size and SHA-256 with the publisher's"
_BY_HAND = "fetch it elsewhere and bring it here: callcenter model pull NAME --from FILE.zip (or a folder)"


def _quiet(done: int, total: int | None) -> None:
    """No progress."""


def pins(var_dir: Path) -> dict[str, str]:
    """Checksums pinned on first use, by model name."""
    try:
        table = tomllib.loads((catalogue.models_dir(var_dir) / "pins.toml").read_text("utf-8"))
        return {str(name): str(digest) for name, digest in table.items()}
    except FileNotFoundError:
        return {}
    except ValueError as error:
        raise SpeechError(
            "model.pins",
            f"the pinned checksums cannot be read: {error}",
            where=str(catalogue.models_dir(var_dir) / "pins.toml"),
            mend='correct the file: each line is "NAME" = "SHA-256"',
        ) from error


def _pin(name: str, digest: str, var_dir: Path) -> None:
    pinned = {**pins(var_dir), name: digest}
    partial = catalogue.models_dir(var_dir) / "pins.partial"
    partial.write_text("".join(f'"{key}" = "{value}"\n' for key, value in sorted(pinned.items())))
    partial.replace(partial.with_name("pins.toml"))


def download(url: str, target: Path, advance: Advance = _quiet) -> None:
    """Fetch `url` to `target`, going on where `target.part` ends. Raises SpeechError, retryable, when it breaks off."""
    if not url.startswith(("https://", "http://")):
        raise SpeechError("model.address", "a model is fetched by http or https only", where=url)
    part = target.with_name(target.name + ".part")
    have = part.stat().st_size if part.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310 (checked)
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_S) as answer:  # noqa: S310 (checked above)
            resumed = answer.status == 206
            length = answer.headers.get("Content-Length")
            have = have if resumed else 0
            total = have + int(length) if length else None
            with part.open("ab" if resumed else "wb") as file:
                while block := answer.read(_BLOCK):
                    file.write(block)
                    have += len(block)
                    advance(have, total)
        if total is not None and have < total:
            raise HTTPException(f"{have} of {total} bytes came")
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # the part is already the whole, or is not of this file
            size = (error.headers.get("Content-Range") or "").rpartition("/")[2]
            if size == str(have):
                part.replace(target)
                return
            part.unlink()
        raise SpeechError(
            "model.refused", f"the server answered {error.code} {error.reason}", where=url, mend=_BY_HAND
        ) from error
    except (OSError, HTTPException) as error:
        reason = getattr(error, "reason", error)
        kept = f"; {have // 1_000_000} MB are kept and the next pull goes on from there" if part.exists() else ""
        raise SpeechError(
            "model.offline", f"the model cannot be fetched ({reason}){kept}", retryable=True, where=url, mend=_BY_HAND
        ) from error
    part.replace(target)


def verify_archive(entry: Entry, archive: Path, var_dir: Path) -> str:
    """Compare with the catalogue's checksum, else with the pin; returns the checksum to pin when there is neither.

    Raises SpeechError `model.checksum` and removes the archive when it differs.
    """
    digest = catalogue.hash_file(archive)
    expected = entry.sha256 or pins(var_dir).get(entry.name, "")
    if not expected:
        return digest
    if digest != expected:
        archive.unlink()
        origin = "the catalogue" if entry.sha256 else "the first pull on this node (var/models/pins.toml)"
        raise SpeechError(
            "model.checksum",
            f"{entry.name} has SHA-256 {digest}, not {expected} of {origin}; it was thrown away",
            mend="pull again; if it persists ask who publishes the model whether it changed",
        )
    return ""


def _safe_members(archive: zipfile.ZipFile) -> list[tuple[zipfile.ZipInfo, PurePosixPath]]:
    """Members and where they go; raises SpeechError on a path that leaves the folder, a link, or a bomb."""
    out, total = [], 0
    for member in archive.infolist():
        path = PurePosixPath(member.filename.replace("\\", "/"))
        mode = member.external_attr >> 16
        unsafe = not path.parts or path.is_absolute() or ".." in path.parts or re.match("^[A-Za-z]:", member.filename)
        if unsafe or "\0" in member.filename or (mode and stat.S_IFMT(mode) not in (0, stat.S_IFREG, stat.S_IFDIR)):
            raise SpeechError(
                "model.unsafe_archive",
                f"the archive wants to write {member.filename!r} outside its folder; nothing was unpacked",
                where=str(archive.filename),
                mend="take the archive from its publisher",
            )
        total += member.file_size
        if not member.is_dir():
            out.append((member, path))
    if total > _MOST_UNPACKED_BYTES:
        raise SpeechError("model.unsafe_archive", "the archive unpacks to over 8 GB", where=str(archive.filename))
    return out


def unpack(archive: Path, target: Path) -> None:
    """Unpack a zip into the folder `target` (which must not exist); a single top folder is taken off."""
    try:
        with zipfile.ZipFile(archive) as opened:
            members = _safe_members(opened)
            tops = {path.parts[0] for _, path in members}
            strip = 1 if len(tops) == 1 and all(len(path.parts) > 1 for _, path in members) else 0
            for member, path in members:
                place = target.joinpath(*path.parts[strip:])
                place.parent.mkdir(parents=True, exist_ok=True)
                with opened.open(member) as source, place.open("wb") as file:
                    shutil.copyfileobj(source, file, _BLOCK)
    except (zipfile.BadZipFile, zlib.error, EOFError, RuntimeError) as error:  # RuntimeError: it wants a password
        raise SpeechError(
            "model.damaged", f"the archive is damaged or no plain zip: {error}", where=str(archive), mend=_AGAIN
        ) from error


def _check_brought(made: Path, source: Path, name: str, language: str | None) -> None:
    """Raise SpeechError when `made`, unpacked from `source`, is no whole model or not of this language."""
    if wrong := catalogue.damage(made):
        raise SpeechError(
            "model.damaged", f"this is no whole model in Vosk's format: {wrong}", where=str(source), mend=_AGAIN
        )
    found = catalogue.language_of(made)
    if language and found and found != language:
        raise SpeechError(
            "model.wrong_language",
            f"{name} hears {language!r}, but this model hears {found!r}",
            where=str(source),
            mend=f"bring {name} itself, or install this one by another name",
        )


def install(source: Path, name: str, var_dir: Path, language: str | None = None) -> Path:
    """Install a model from a zip or a folder as `name`; returns its folder.

    It is unpacked beside its place, checked, summed and then renamed, so a model is there whole or not at all.
    """
    folder = catalogue.models_dir(var_dir)
    folder.mkdir(parents=True, exist_ok=True)
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9._-]{0,60}", name):
        raise SpeechError("model.name", f"{name!r} is no name for a model", mend="use letters, digits, dot and hyphen")
    with tempfile.TemporaryDirectory(dir=folder, prefix=".install-") as scratch:
        made = Path(scratch) / "model"
        if source.is_dir():
            shutil.copytree(source, made, symlinks=False)
        elif source.is_file():
            unpack(source, made)
        else:
            raise SpeechError(
                "model.missing", "there is no such file or folder", where=str(source), mend="name the zip or the folder"
            )
        _check_brought(made, source, name, language)
        catalogue.write_sums(made)
        place, old = folder / name, Path(scratch) / "old"
        if place.exists():
            place.rename(old)
        made.rename(place)
    return place


def pull(entry: Entry, var_dir: Path, *, again: bool = False, advance: Advance = _quiet) -> tuple[Path, bool]:
    """Fetch, verify and install a model of the catalogue; returns (folder, whether its checksum was pinned just now).

    A model that is installed already is left alone unless `again`.
    """
    place = catalogue.folder_of(entry.name, var_dir)
    if place.is_dir() and not again:
        catalogue.check_model(place, entry.language)
        return place, False
    if not entry.url:
        raise SpeechError(
            "model.builtin", f"{entry.name} comes with the project and has no address", mend="take it from the project"
        )
    folder = catalogue.models_dir(var_dir)
    folder.mkdir(parents=True, exist_ok=True)
    archive = folder / f"{entry.name}.zip"
    if not archive.exists():
        download(entry.url, archive, advance)
    unpinned = verify_archive(entry, archive, var_dir)
    try:
        place = install(archive, entry.name, var_dir, entry.language)
    finally:
        archive.unlink(missing_ok=True)
    if unpinned:  # only what proved to be a model: a proxy's page must not shut the model out for good
        _pin(entry.name, unpinned, var_dir)
    return place, bool(unpinned)
