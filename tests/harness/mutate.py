"""Seeded mutations of a SIP message: bytes flipped, cut, doubled, lines swapped, numbers and hosts blown up."""

from __future__ import annotations

import random
import re
import secrets
from collections.abc import Callable, Iterator

Change = Callable[[bytes, random.Random], bytes]


def _flip(raw: bytes, source: random.Random) -> bytes:
    changed = bytearray(raw)
    for _ in range(source.randint(1, 8)):
        changed[source.randrange(len(changed))] = source.randrange(256)
    return bytes(changed)


def _cut(raw: bytes, source: random.Random) -> bytes:
    return raw[: source.randrange(1, len(raw))]


def _remove(raw: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(raw))
    return raw[:at] + raw[at + source.randint(1, 40) :]


def _double_line(raw: bytes, source: random.Random) -> bytes:
    lines = raw.split(b"\r\n")
    at = source.randrange(len(lines))
    return b"\r\n".join([*lines[:at], lines[at], *lines[at:]])


def _drop_line(raw: bytes, source: random.Random) -> bytes:
    lines = raw.split(b"\r\n")
    del lines[source.randrange(len(lines))]
    return b"\r\n".join(lines)


def _swap_lines(raw: bytes, source: random.Random) -> bytes:
    lines = raw.split(b"\r\n")
    a, b = source.randrange(len(lines)), source.randrange(len(lines))
    lines[a], lines[b] = lines[b], lines[a]
    return b"\r\n".join(lines)


def _long_host(raw: bytes, source: random.Random) -> bytes:
    hosts = list(re.finditer(rb"127\.0\.0\.1", raw))
    if not hosts:
        return raw
    chosen = source.choice(hosts)
    return raw[: chosen.start()] + b"h" * source.choice([130, 254, 255, 256, 300, 1000]) + raw[chosen.end() :]


def _odd_number(raw: bytes, source: random.Random) -> bytes:
    numbers = list(re.finditer(rb"\d+", raw))
    if not numbers:
        return raw
    chosen = source.choice(numbers)
    odd = source.choice([b"-1", b"0", b"4294967296", b"99999999999999999999", b"1e9", b""])
    return raw[: chosen.start()] + odd + raw[chosen.end() :]


def _insert(raw: bytes, source: random.Random) -> bytes:
    at = source.randrange(len(raw))
    odd = source.choice([b"\x00", b"\r\n", b"\r\n\r\n", b"%n%s", b"\xff\xfe", b"<", b'"', b";", b",", b"A" * 300])
    return raw[:at] + odd + raw[at:]


CHANGES: tuple[Change, ...] = (
    _flip, _cut, _remove, _double_line, _drop_line, _swap_lines, _long_host, _odd_number, _insert,
)  # fmt: skip


def mutations(good: bytes, source: random.Random, count: int) -> Iterator[bytes]:
    """`count` messages, each changed once to three times, with Call-ID and branch of their own."""
    for _ in range(count):
        raw = re.sub(
            rb"(Call-ID: |branch=z9hG4bK|;tag=)[0-9a-f]+", lambda m: m[1] + secrets.token_hex(6).encode(), good
        )
        for _ in range(source.randint(1, 3)):
            raw = source.choice(CHANGES)(raw, source) or raw
        yield raw
