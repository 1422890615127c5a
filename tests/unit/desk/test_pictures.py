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


def test_further_pictures_behind_a_jpeg_are_left_out_with_what_they_say() -> None:
    alone = jpeg(640, 480, orientation=6)
    film = b"\0\0\0\x18ftypmp42" + b"GPS 116.4E" + b"\xff\xd9"
    found = read(alone + jpeg(160, 120, place="GPS 39.9N") + film)
    assert b"GPS" not in found.content
    assert found == read(alone)


def test_every_scan_of_a_progressive_jpeg_is_kept() -> None:
    head, scan = jpeg(64, 48)[:-2].split(b"\xff\xda")
    table, more = b"\xff\xc4\x00\x05\x10\x01\x02", b"\xff\xda" + scan + b"\xff\xd3\x77"
    found = read(head + more + table + more + b"\xff\xd9")
    assert (found.width, found.height) == (64, 48)
    assert found.content.endswith(more + table + more + b"\xff\xd9")


def test_a_colour_profile_is_kept_and_a_list_of_further_pictures_is_not() -> None:
    profile, further = (
        b"\xff\xe2" + (len(said) + 2).to_bytes(2, "big") + said for said in (b"ICC_PROFILE\0\1\1abc", b"MPF\0II*\0")
    )
    whole = jpeg(9, 9)
    found = read(whole[:2] + profile + further + whole[2:])
    assert profile in found.content
    assert b"MPF" not in found.content


def test_a_broken_exif_part_costs_no_picture() -> None:
    exif = b"Exif\0\0II*\0\xff\xff\0\0"
    whole = jpeg(9, 9)
    found = read(whole[:2] + b"\xff\xe1" + (len(exif) + 2).to_bytes(2, "big") + exif + whole[2:])
    assert found == read(whole)


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
