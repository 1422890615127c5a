"""Where the trunks are that we register with: INVITEs from their addresses need no digest."""

from __future__ import annotations

import asyncio
import contextlib
import ipaddress
import json
import socket
import threading

from callcenter.config import Settings
from callcenter.edge.render import split_host
from callcenter.log import get_logger
from callcenter.node.files import private_folder, replace_file

log = get_logger("edge.registrars")


class Registrars:
    """Addresses of the registrars by name.

    A name that cannot be looked up keeps the addresses it had last, over a restart as well: while the name server is
    away the trunk's calls are taken as before (R5).
    """

    def __init__(self, settings: Settings) -> None:
        self._path = private_folder(settings.var_dir / "node") / "trunk-addresses.json"
        hosts = (
            split_host(trunk.registrar, f"edge.trunks[{number}].registrar")[0]
            for number, trunk in enumerate(settings.edge.trunks)
            if trunk.registrar
        )
        kept = self._read()
        self._found = {host: [host] if _is_address(host) else kept.get(host, []) for host in hosts}

    @property
    def networks(self) -> list[str]:
        """Networks whose INVITEs need no digest."""
        return [f"{address}/32" for addresses in self._found.values() for address in addresses]

    async def follow(self) -> None:
        """Ask for every name once, in a thread that nothing waits for: not even the end of the process."""
        loop = asyncio.get_running_loop()
        asked = asyncio.Event()

        def ask() -> None:
            self.look_up()
            with contextlib.suppress(RuntimeError):  # the loop is closed: the process is on its way out
                loop.call_soon_threadsafe(asked.set)

        threading.Thread(target=ask, name="registrars", daemon=True).start()
        await asked.wait()

    def look_up(self) -> None:
        """Ask for every name once. Blocks, for tens of seconds where the name server does not answer."""
        found = {host: _addresses(host) or before for host, before in self._found.items()}
        if found != self._found:
            self._found = found
            try:
                replace_file(self._path, json.dumps(found).encode())
            except OSError as error:  # a full disk: they are known as long as we run
                log.warning("addresses_unkept", error=str(error))

    def _read(self) -> dict[str, list[str]]:
        try:
            kept = json.loads(self._path.read_bytes())
            return {str(host): [a for a in addresses if _is_address(a)] for host, addresses in kept.items()}
        except FileNotFoundError:
            return {}
        except (OSError, ValueError, AttributeError, TypeError) as error:
            log.warning("addresses_unreadable", error=repr(error), mend="nothing to do: they are looked up again")
            return {}


def _is_address(host: object) -> bool:
    try:
        return isinstance(host, str) and bool(ipaddress.IPv4Address(host))
    except ValueError:
        return False


def _addresses(host: str) -> list[str]:
    try:
        return sorted({str(info[4][0]) for info in socket.getaddrinfo(host, None, socket.AF_INET)})
    except (OSError, UnicodeError) as error:  # UnicodeError: no name at all, as sip..example.com
        log.warning("trunk_unknown_host", error=str(error))
        return []
