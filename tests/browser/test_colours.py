"""Every pair of ink and ground of the palette reaches WCAG AA, by day and by night."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import Visits

SHEETS = Path("callcenter/web/static/css")
AA_TEXT, AA_SHAPE = 4.5, 3.0
PAIRS = [
    *((ink, ground) for ink in ("ink", "ink-2", "ink-3") for ground in ("ground", "surface", "sunken")),
    ("ink", "caller"), ("ink", "ours"), ("ink-2", "ours"), ("ink-2", "accent-soft"),
    ("accent", "surface"), ("accent", "ground"), ("accent-ink", "accent"), ("accent-soft-ink", "accent-soft"),
    ("red", "surface"), ("red", "ground"), ("alarm-ink", "alarm"), ("red-soft-ink", "red-soft"),
    ("amber", "surface"), ("amber", "ground"), ("amber-soft-ink", "amber-soft"), ("green-soft-ink", "green-soft"),
    ("green", "surface"), ("mark-ink", "mark"), ("bar-ink", "bar"), ("bar-ink-2", "bar"), ("bar-ink-2", "bar-hover"),
    ("red", "accent-soft"), ("amber", "accent-soft"),
]  # fmt: skip
SHAPES = [("line-strong", "surface"), ("line-strong", "ground"), ("accent", "surface")]


def palette(sheet: str) -> dict[str, tuple[int, int, int]]:
    """Name → red, green, blue of a sheet's palette."""
    body = (SHEETS / sheet).read_text(encoding="utf-8").partition(":root {")[2].partition("}")[0]
    found = re.findall(r"--([\w-]+): #([0-9a-f]{6});", body)
    return {name: (int(v[0:2], 16), int(v[2:4], 16), int(v[4:6], 16)) for name, v in found}


LIGHT, DARK = palette("tokens.css"), palette("dark.css")


def luminance(colour: tuple[int, int, int]) -> float:
    """Relative luminance as WCAG 2 defines it."""
    parts = [c / 255 for c in colour]
    red, green, blue = (p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: tuple[int, int, int], other: tuple[int, int, int]) -> float:
    """Contrast ratio, 1..21."""
    lighter, darker = sorted((luminance(one), luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), PAIRS)
def test_text_can_be_read(colours: dict[str, tuple[int, int, int]], ink: str, ground: str) -> None:
    assert contrast(colours[ink], colours[ground]) >= AA_TEXT


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
@pytest.mark.parametrize(("ink", "ground"), SHAPES)
def test_shapes_can_be_seen(colours: dict[str, tuple[int, int, int]], ink: str, ground: str) -> None:
    assert contrast(colours[ink], colours[ground]) >= AA_SHAPE


def test_night_has_every_colour_of_the_day() -> None:
    assert LIGHT
    assert LIGHT.keys() == DARK.keys()


NIGHT = "rgb({}, {}, {})".format(*DARK["ground"])
DAY = "rgb({}, {}, {})".format(*LIGHT["ground"])


@pytest.mark.parametrize(
    ("dark_system", "chosen", "ground"),
    [(False, "", DAY), (True, "", NIGHT), (False, "dark", NIGHT), (True, "light", DAY)],
)
def test_the_reader_chooses_day_or_night(visits: Visits, dark_system: bool, chosen: str, ground: str) -> None:
    visit = visits("manager", dark=dark_system)
    page = visit.page
    page.locator(".drop").last.locator("summary").click()
    page.locator("select[name=theme]").select_option(chosen)
    expect(page.locator("select[name=theme]")).to_have_value(chosen)
    expect(page.locator("body")).to_have_css("background-color", ground)
    page.emulate_media(media="print")
    expect(page.locator("body")).to_have_css("background-color", "rgb(255, 255, 255)")
