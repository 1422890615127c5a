"""The picture of a script."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

import pytest

from callcenter.dialplan.draw import FONT, VERB_COLOURS, WIDTH, draw, fit, text_width
from callcenter.dialplan.layout import Box, Link, place
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.model import VERBS

SVG = "{http://www.w3.org/2000/svg}"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_every_step_is_a_box_and_every_way_an_arrow(zh: Dialplan, en: Dialplan, language: str) -> None:
    plan = zh if language == "zh" else en
    picture = ET.fromstring(draw(plan))
    names = {text.text for text in picture.iter(f"{SVG}text") if text.get("class") == "name"}
    assert set(plan.script.steps) < names
    arrows = [path for path in picture.iter(f"{SVG}path") if "way" in (path.get("class") or "")]
    assert len(arrows) > len(plan.script.steps)


def test_boxes_do_not_overlap(zh: Dialplan) -> None:
    picture = ET.fromstring(draw(zh))
    boxes = [
        tuple(float(rect.get(k) or 0) for k in ("x", "y", "width", "height"))
        for rect in picture.iter(f"{SVG}rect")
        if rect.get("class") == "box"
    ]
    assert len(boxes) == len(zh.script.steps) + 1
    for at, (x, y, w, h) in enumerate(boxes):
        for x2, y2, w2, h2 in boxes[at + 1 :]:
            assert x + w <= x2 or x2 + w2 <= x or y + h <= y2 or y2 + h2 <= y


def test_text_is_cut_to_its_box() -> None:
    assert fit("您好", WIDTH, FONT) == "您好"
    long = fit("请您说楼号单元和房号" * 5, WIDTH, FONT)
    assert long.endswith("…")
    assert text_width(long, FONT) <= WIDTH


def test_light_and_dark_and_a_colour_for_each_verb(zh: Dialplan) -> None:
    assert "prefers-color-scheme:dark" in draw(zh)
    assert set(VERB_COLOURS) == set(VERBS)


@pytest.mark.parametrize("colour", VERB_COLOURS.values())
def test_chips_can_be_read(colour: str) -> None:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    luminance = 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
    assert 1.05 / (luminance + 0.05) >= 4.5


def test_markup_in_texts_is_escaped(zh: Dialplan) -> None:
    assert not re.search(r"<title>[^<]*[&](?!amp;|lt;|gt;|quot;|#)", draw(zh))


def test_a_circle_can_be_laid_out() -> None:
    boxes = [Box(n, 100, 40) for n in "abc"]
    placed = place(boxes, [Link("a", "b"), Link("b", "c"), Link("c", "a")], ["a"])
    assert placed.boxes["a"][1] < placed.boxes["b"][1] < placed.boxes["c"][1]
    assert placed.back == [False, False, True]
