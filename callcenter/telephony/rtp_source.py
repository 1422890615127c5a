"""RTP from the negotiated address alone, by the kernel.

pjmedia believes the first steady source that it hears where the negotiated one is silent (a caller behind NAT), and
offers no switch for it. A connected UDP socket takes datagrams from its peer only, and what pjmedia sends goes there.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

ANY = "0.0.0.0"  # noqa: S104 — read, not bound


def _datagram_sockets() -> Iterator[socket.socket]:
    """This process's IPv4 UDP sockets, each as a duplicate that is closed when the next is asked for."""
    for entry in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(OSError, ValueError):  # no socket, or gone since
            if not str(entry.readlink()).startswith("socket:"):
                continue
            with socket.socket(fileno=os.dup(int(entry.name))) as found:
                if (found.family, found.type) == (socket.AF_INET, socket.SOCK_DGRAM):
                    yield found


def hear_only(local: str, remote: str) -> bool:
    """Let the socket bound to `local` take datagrams from `remote` alone, both "address:port"; whether it was done.

    Called again with another `remote` (a re-INVITE) it takes those. Not done where the address is no single one
    (0.0.0.0, port 0) or no socket of this process is bound there.
    """
    host, _, port = remote.rpartition(":")
    own = local.rpartition(":")[2]
    if host in ("", ANY) or not port.isdecimal() or not 0 < int(port) < 65536:
        return False
    for found in _datagram_sockets():
        if str(found.getsockname()[1]) == own:
            found.connect((host, int(port)))
            return True
    return False
