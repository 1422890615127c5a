"""Free ports for houses that run side by side."""

from __future__ import annotations

import os
import random
import socket

PORT_FIRST, PORT_END = 5_100, 9_900
RTP_FIRST, RTP_END = 10_000, 30_000
"""Both below the kernel's own range: nobody is given such a port by chance while its owner is away."""


def _share(first: int, end: int) -> tuple[int, int]:
    """The part of a range that is this worker's of pytest-xdist."""
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    length = (end - first) // workers // 100 * 100
    begin = first + length * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    return begin, begin + length


def _is_free(port: int, kind: socket.SocketKind, host: str) -> bool:
    with socket.socket(socket.AF_INET, kind) as probe:
        try:
            probe.bind((host, port))
        except OSError:
            return False
    return True


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM, host: str = "127.0.0.1") -> int:
    """A port that is free now, for who listens there later, or again and again."""
    source = random.SystemRandom()
    while True:
        port = source.randrange(*_share(PORT_FIRST, PORT_END))
        if _is_free(port, kind, host):
            return port


def free_rtp_first(lines: int, host: str = "127.0.0.1") -> int:
    """First of a free range of RTP ports for `lines` lines (100 each).

    Lines bind them call by call, so a free one may be another run's: hence the share of each worker.
    """
    begin, end = _share(RTP_FIRST, RTP_END)
    source = random.SystemRandom()
    while True:
        first = source.randrange(begin, end - 100 * lines, 100)
        if all(_is_free(port, socket.SOCK_DGRAM, host) for port in range(first, first + 100 * lines, 4)):
            return first
