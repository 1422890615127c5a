"""Which port to listen on when any will do: the one from last time, so that phones and trunks find us again."""

from __future__ import annotations

import json
import socket
import time
from pathlib import Path

from callcenter.errors import TelephonyError

ENDS_S = 3.0


def _free(host: str, port: int) -> bool:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp,
        socket.socket(socket.AF_INET, socket.SOCK_STREAM) as tcp,
    ):
        tcp.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            udp.bind((host, port))
            tcp.bind((host, port))
        except OSError:
            return False
    return True


def _await_free(host: str, port: int) -> bool:
    """Whether the port is free, or becomes so: a Kamailio whose edge was killed needs a moment to end."""
    until = time.monotonic() + ENDS_S
    while not (free := _free(host, port)) and time.monotonic() < until:
        time.sleep(0.05)
    return free


def choose_port(host: str, wanted: int, told: Path, name: str, *, held: bool = False) -> int:
    """`wanted`, or for 0 the port in `told` (`edge.json`) if it is free, or any that is free for UDP and TCP.

    `held`: the port last told is held by somebody else's Kamailio, which is the one to go on with. Blocks for up to
    ENDS_S.
    """
    if wanted:
        if not held:
            _await_free(host, wanted)
        return wanted
    try:
        before = int(json.loads(told.read_text(encoding="utf-8"))["ports"][name])
    except (OSError, ValueError, KeyError, TypeError):
        before = 0
    if before and (held or _await_free(host, before)):
        return before
    for _ in range(50):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, 0))
            except OSError as error:
                raise TelephonyError(
                    "edge.no_address", f"this machine has no address {host}", where="edge.bind_host",
                    mend="set edge.bind_host to one of its own (ip -4 addr)",
                ) from error  # fmt: skip
            port = int(probe.getsockname()[1])
        if _free(host, port):
            return port
    raise TelephonyError("edge.no_port", f"no free port on {host}", retryable=True)
