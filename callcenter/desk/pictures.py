"""What a picture file really is, read from its bytes, and the picture without what a phone adds to it.

JPEG and PNG only. A phone writes where it was and when into the file (EXIF), and further pictures or a film that say
it again behind the picture (MPF, motion photos): that goes; how it was held stays.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from callcenter.errors import DomainError

PIXELS_AT_MOST = 60_000_000
"""More is no picture of a camera, but a way to fill a reader's memory."""
_PNG = b"\x89PNG\r\n\x1a\n"
_JPEG = b"\xff\xd8\xff"
_KEPT_CHUNKS = frozenset({b"IHDR", b"PLTE", b"IDAT", b"IEND", b"tRNS", b"gAMA", b"cHRM", b"sRGB", b"iCCP", b"sBIT"})
_SIZES = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
"""Markers of a JPEG's frame, which tell its size."""
_KEPT = frozenset({*range(0xC0, 0xFF)} - {*range(0xE1, 0xF0), 0xFE} | {0xEE})
"""Markers of what makes the picture: no comment, and of what programs add only the colours' (JFIF, Adobe)."""
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
"""Markers without a length."""
_MARKER = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]", re.DOTALL)
"""What ends a scan: neither a stuffed byte, a restart nor a fill byte (ITU-T T.81, B.1.1)."""
_ORIENTATION = 0x0112


@dataclass(frozen=True)
class Picture:
    """A picture as it may be kept: `kind` is jpeg or png, width and height in pixels as stored."""

    kind: str
    width: int
    height: int
    content: bytes


def read(content: bytes) -> Picture:
    """The picture in `content`. Raises DomainError `photo.unreadable` for what is none, or is broken."""
    try:
        if content.startswith(_JPEG):
            found = _jpeg(content)
        elif content.startswith(_PNG):
            found = _png(content)
        else:
            raise ValueError("neither JPEG nor PNG")
        if not 0 < found.width * found.height <= PIXELS_AT_MOST:
            raise ValueError("its size is none")
    except (ValueError, IndexError, struct.error) as error:
        raise DomainError(
            "photo.unreadable", "this is no picture that can be kept", mend="send a JPEG or PNG of a camera"
        ) from error
    return found


def _png(content: bytes) -> Picture:
    at, kept, size = len(_PNG), [_PNG], (0, 0)
    while at < len(content):
        length, kind = struct.unpack_from(">I4s", content, at)
        end = at + 12 + length
        if end > len(content):
            raise ValueError("a chunk is cut off")
        if kind == b"IHDR":
            size = struct.unpack_from(">II", content, at + 8)
        if kind in _KEPT_CHUNKS:
            kept.append(content[at:end])
        at = end
        if kind == b"IEND":
            return Picture("png", *size, b"".join(kept))
    raise ValueError("it has no end")


def _jpeg(content: bytes) -> Picture:
    at, kept, size, scans = 2, [content[:2]], (0, 0), 0
    while True:
        if content[at] != 0xFF:
            raise ValueError("no marker where one must be")
        marker = content[at + 1]
        if marker == 0xFF:
            at += 1
            continue
        if marker in _ALONE:
            at += 2
            continue
        if marker == 0xD9:  # the picture's end: what follows is another one
            if not scans:
                raise ValueError("it has no picture")
            return Picture("jpeg", *size, b"".join((*kept, content[at : at + 2])))
        (length,) = struct.unpack_from(">H", content, at + 2)
        part = content[at : at + 2 + length]
        if length < 2 or len(part) != 2 + length:
            raise ValueError("a segment is cut off")
        if marker in _SIZES:
            height, width = struct.unpack_from(">HH", part, 5)
            size = (width, height)
        if marker == 0xE1 and part[4:10] == b"Exif\0\0":
            kept.append(_held(part[10:]))
        elif marker in _KEPT or part[4:16] == b"ICC_PROFILE\0":
            kept.append(part)
        at += 2 + length
        if marker == 0xDA:
            scans += 1
            ends = _MARKER.search(content, at)
            if ends is None:
                raise ValueError("it has no end")
            kept.append(content[at : ends.start()])
            at = ends.start()


def _held(tiff: bytes) -> bytes:
    """An EXIF segment that says nothing but how the phone was held; none where it was upright, or nobody can tell."""
    order = {b"II": "<", b"MM": ">"}.get(tiff[:2])
    if order is None:
        return b""
    try:
        (first,) = struct.unpack_from(f"{order}I", tiff, 4)
        (entries,) = struct.unpack_from(f"{order}H", tiff, first)
        tags = [struct.unpack_from(f"{order}HHIH", tiff, first + 2 + n * 12) for n in range(min(entries, 200))]
    except struct.error:  # broken, as its picture need not be
        return b""
    for tag, kind, _, value in tags:
        if tag == _ORIENTATION and kind == 3 and 2 <= value <= 8:
            made = struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, _ORIENTATION, 3, 1, value, 0, 0)
            return b"\xff\xe1" + struct.pack(">H", 8 + len(made)) + b"Exif\0\0" + made
    return b""
