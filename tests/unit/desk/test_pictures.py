"""Pictures are known by their bytes; what a phone adds to them goes, how it was held stays."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.desk.pictures import read
from callcenter.errors import DomainError
from tests.harness.pictures import jpeg, png


def test_a_phones_jpeg_keeps_its_size_and_how_it_was_held_alone() -> None:
    found = read(jpeg(640, 480, orientation=6, place="GPS 39.9N"))
    assert (found.kind, found.width, found.height) == ("jpeg", 640, 480)
    assert b"GPS" not in found.content
    assert b"a comment" not in found.content
    assert b"Exif\0\0MM\0*" in found.content
    assert read(found.content) == found, "a clean picture stays as it is"


def test_an_upright_jpeg_has_no_exif_left() -> None:
    assert b"Exif" not in read(jpeg(10, 20)).content


def test_a_png_loses_its_comments() -> None:
    found = read(png(7, 5))
    assert (found.kind, found.width, found.height) == ("png", 7, 5)
    assert b"where it was" not in found.content
    assert read(found.content) == found


@pytest.mark.parametrize(
    "content",
    [b"", b"GIF89a", b"<svg/>", b"\xff\xd8\xff", jpeg(9, 9)[:-2], jpeg(9, 9)[:60], png(9, 9)[:-12], png(9, 9)[:30],
     jpeg(0, 9), jpeg(65000, 65000)],
)  # fmt: skip
def test_what_is_none_or_broken_is_refused(content: bytes) -> None:
    with pytest.raises(DomainError, match="no picture"):
        read(content)


@given(st.binary(max_size=200), st.integers(0, 150))
def test_whatever_is_sent_is_read_or_refused(noise: bytes, at: int) -> None:
    whole = jpeg(30, 20, orientation=3, place="x" * 20)
    for content in (noise, b"\xff\xd8\xff" + noise, b"\x89PNG\r\n\x1a\n" + noise, whole[:at] + noise + whole[at:]):
        try:
            read(content)
        except DomainError as error:
            assert error.code == "photo.unreadable"  # noqa: PT017 - either answer is right
