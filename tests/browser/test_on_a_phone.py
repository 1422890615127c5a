"""The pages of a job on the narrowest phone: nothing runs sideways, nothing is cut off or covered."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.matters import REPAIRMAN, act, given_to
from tests.browser.running import House
from tests.browser.test_work import ready

LONG = "https://example.com/" + "a" * 200
SIDEWAYS = "box => box.scrollWidth - box.clientWidth"


def on_a_phone(visits: Visits, path: str, language: str = "zh-CN") -> Page:
    """The page as the repairman has it."""
    visit = visits("dispatcher", language, narrow=True)
    visit.page.set_viewport_size({"width": 360, "height": 740})
    return ready(visit.go(path))


def test_words_without_a_gap_stay_within_their_place(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    act(house.client("supervisor"), number, "correct", content=f"住户发来 {LONG}")
    act(house.client("dispatcher"), number, "mark", text=LONG)
    page = on_a_phone(visits, f"/tickets/{number}")
    expect(page.locator(".history")).to_contain_text(LONG)
    assert page.locator("#thing").evaluate(SIDEWAYS) == 0


def test_a_form_that_opens_covers_nothing_above_it(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = on_a_phone(visits, f"/tickets/{number}")
    page.set_viewport_size({"width": 360, "height": 420})  # the keyboard of the phone is there
    page.locator('details.act[data-key="n"] > summary').click()
    page.locator("#thing").evaluate("box => { box.scrollTop = 0; }")
    top = page.locator("#matter h1").bounding_box()
    assert top is not None
    there = "([x, y]) => document.elementFromPoint(x, y)?.closest('h1') !== null"
    assert page.evaluate(there, [top["x"] + 20, top["y"] + top["height"] - 4]), "the matter's name is covered"


def test_the_day_tells_where_to_go_to_the_last_figure(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    act(house.client("dispatcher"), number, "accept")
    page = on_a_phone(visits, "/day", "en")
    row = page.locator(f'#day .rows a[href="/tickets/{number}"]')
    expect(row).to_contain_text("room")
    assert row.locator(".title").evaluate(SIDEWAYS) == 0
    words = row.locator(".two .clip").bounding_box()
    assert words is not None
    assert words["width"] > 200, "what it is about has room to be read"


def test_a_tab_is_named_after_its_matter_however_it_was_opened(house: House, visits: Visits) -> None:
    number, other = given_to(house, REPAIRMAN), given_to(house, REPAIRMAN)
    page = on_a_phone(visits, f"/tickets/{number}")
    expect(page).to_have_title(f"{number} 停电跳闸 · 幸福小区物业服务中心")
    page.locator('[data-step-to="list"]').first.click()
    page.locator(f'.list a[href="/tickets/{other}"]').click()
    expect(page).to_have_title(f"{other} 停电跳闸 · 幸福小区物业服务中心")
    page.go_back()
    expect(page).to_have_title(f"{number} 停电跳闸 · 幸福小区物业服务中心")
    expect(page.locator("#matter")).to_have_attribute("data-ticket", str(number))
