"""Small pictures as a phone would send them, made byte by byte."""

from __future__ import annotations

import struct
import zlib


def png(width: int, height: int) -> bytes:
    """A grey PNG with a comment in it."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + bytes([128]) * width for _ in range(height))
    header = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    return b"".join((
        b"\x89PNG\r\n\x1a\n", chunk(b"IHDR", header), chunk(b"tEXt", b"Comment\0where it was"),
        chunk(b"IDAT", zlib.compress(rows)), chunk(b"IEND", b""),
    ))  # fmt: skip


def jpeg(width: int, height: int, *, orientation: int = 1, place: str = "") -> bytes:
    """A JPEG's segments with a frame of that size: an EXIF part with `orientation` and `place`, a comment, a scan."""

    def segment(marker: int, data: bytes) -> bytes:
        return struct.pack(">BBH", 0xFF, marker, len(data) + 2) + data

    said = place.encode() + b"\0"
    tiff = struct.pack("<2sHIHHHIHHHHII", b"II", 42, 8, 2, 0x0112, 3, 1, orientation, 0, 0x010E, 2, len(said), 38)
    exif = b"Exif\0\0" + tiff + struct.pack("<I", 0) + said
    frame = struct.pack(">BHHB", 8, height, width, 1) + bytes((1, 0x11, 0))
    scan = segment(0xDA, bytes((1, 1, 0, 0, 63, 0))) + b"\x12\x34\xff\x00\x56"
    return b"\xff\xd8" + b"".join((
        segment(0xE0, b"JFIF\0\1\1\0\0\1\0\1\0\0"), segment(0xE1, exif), segment(0xFE, b"a comment"),
        segment(0xDB, bytes(65)), segment(0xC0, frame), scan, b"\xff\xd9",
    ))  # fmt: skip
