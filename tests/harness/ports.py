"""Free ports for houses that run side by side."""

from __future__ import annotations

import os
import random
import socket

RTP_FIRST, RTP_END = 10_000, 30_000


def free_port(kind: socket.SocketKind = socket.SOCK_DGRAM, host: str = "127.0.0.1") -> int:
    """A port that is free now."""
    with socket.socket(socket.AF_INET, kind) as probe:
        probe.bind((host, 0))
        return int(probe.getsockname()[1])


def _range_is_free(first: int, count: int, host: str) -> bool:
    for port in range(first, first + count, 4):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            try:
                probe.bind((host, port))
            except OSError:
                return False
    return True


def free_rtp_first(lines: int, host: str = "127.0.0.1") -> int:
    """First of a free range of RTP ports for `lines` lines (100 each), outside the kernel's own range.

    Lines bind them call by call, so a free one may be another run's: each worker of pytest-xdist has its own share.
    """
    workers = int(os.environ.get("PYTEST_XDIST_WORKER_COUNT", "1"))
    share = (RTP_END - RTP_FIRST) // workers // 100 * 100
    begin = RTP_FIRST + share * int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    source = random.SystemRandom()
    while True:
        first = source.randrange(begin, begin + share - 100 * lines, 100)
        if _range_is_free(first, 100 * lines, host):
            return first
