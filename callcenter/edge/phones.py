"""Secrets of people's phones: told by a desk, kept on this node's disk, so that phones register without a desk."""

from __future__ import annotations

import contextlib
import json
import re
from dataclasses import dataclass
from pathlib import Path

from callcenter.config import Settings
from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError
from callcenter.log import get_logger
from callcenter.node.files import private_folder, replace_file
from callcenter.node.link import Phone

log = get_logger("edge.phones")

_USER = re.compile(r"[A-Za-z0-9._*+-]{1,40}")
_HA1 = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True)
class PhoneBook:
    """All phones that may register, and the desk's version of them."""

    version: int
    ha1: dict[str, str]
    """User to MD5(user:realm:password), lower-case hexadecimal."""


def _path(settings: Settings) -> Path:
    return private_folder(settings.var_dir / "node") / "phones.json"


def read_phones(settings: Settings) -> PhoneBook:
    """The last phones that a desk told; none before the first time."""
    try:
        told = json.loads(_path(settings).read_bytes())
        return PhoneBook(int(told["version"]), {str(k): str(v) for k, v in told["ha1"].items()})
    except FileNotFoundError:
        return PhoneBook(0, {})
    except (OSError, ValueError, KeyError, AttributeError) as error:
        log.warning("phones_unreadable", error=repr(error), mend="nothing to do: the desk sends them again")
        return PhoneBook(0, {})


def keep_phones(settings: Settings, version: int, phones: list[Phone]) -> PhoneBook:
    """Write what a desk told to the disk, readable by the service alone; entries that are none are left out."""
    good = {p.user: p.ha1.lower() for p in phones if _USER.fullmatch(p.user) and _HA1.fullmatch(p.ha1.lower())}
    if len(good) < len(phones):
        log.warning("phones_malformed", count=len(phones) - len(good))
    book = PhoneBook(version, good)
    with contextlib.suppress(OSError):  # a full disk keeps the older ones; this process has the newer in memory
        replace_file(_path(settings), json.dumps({"version": version, "ha1": good}).encode(), sync=True)
    return book


async def push_phones(rpc: Rpc, book: PhoneBook, before: PhoneBook | None) -> None:
    """Make Kamailio know exactly these phones. Raises TelephonyError when it does not answer."""
    known = before.ha1 if before else {}
    for user in known.keys() - book.ha1.keys():
        await rpc.call("htable.delete", "ha1", user)
        try:
            await rpc.call("ul.rm", "location", user)
        except TelephonyError as error:  # was not registered
            log.debug("phone_not_registered", error=str(error))
    for user, ha1 in book.ha1.items():
        if known.get(user) != ha1:
            await rpc.call("htable.sets", "ha1", user, ha1)
    log.info("phones_known", count=len(book.ha1), version=book.version)
