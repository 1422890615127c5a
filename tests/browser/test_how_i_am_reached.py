"""How a person is reached: chosen with a phone's browser by a repairman, and by a supervisor for a colleague."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.running import House
from tests.browser.test_work import ready


def ticked(page: Page) -> list[str]:
    """The names of the boxes that are ticked."""
    names: list[str] = page.eval_on_selector_all(".reach input:checked", "boxes => boxes.map(box => box.name)")
    return names


def test_a_repairman_chooses_with_a_phone_how_he_is_reached(house: House, visits: Visits) -> None:
    visit = visits("dispatcher", narrow=True)
    page = ready(visit.go("/day"))
    page.locator("#thing a", has_text="怎样通知我").click()
    expect(page.locator("h1")).to_have_text("怎样通知我")
    assert ticked(page) == [
        "emergency-within-mail", "emergency-outside-mail", "important-within-mail", "important-outside-mail",
    ], "the house's way"  # fmt: skip
    expect(page.get_by_role("combobox", name="人员")).to_have_count(0)
    page.locator("[name=begins]").fill("07:30")
    page.locator("[name=ends]").fill("18:00")
    page.locator("[name=email]").fill("gao@example.com")
    important = page.get_by_role("group", name=re.compile("重要.*时段内"))
    important.get_by_label("电话").check()
    important.get_by_label("邮件").uncheck()
    page.get_by_role("group", name=re.compile("重要.*其余")).get_by_label("邮件").uncheck()
    page.get_by_role("button", name="保存").click()
    expect(page.get_by_role("status")).to_contain_text("已保存")
    assert ticked(page) == ["emergency-within-mail", "emergency-outside-mail", "important-within-telephone"]
    chosen = house.client("dispatcher").api("GET", "/me/reach").json()
    assert chosen["email"] == "gao@example.com"
    assert [rule for rule in chosen["rules"] if rule["urgency"] == "important"] == [
        {"urgency": "important", "channels": ["page", "telephone"], "from": "07:30", "until": "18:00"},
        {"urgency": "important", "channels": ["page"]},
    ]
    page.get_by_role("button", name="改回本中心惯例").click()
    expect(page.locator(".notice", has_text="惯例")).to_be_visible()
    assert house.client("dispatcher").api("GET", "/me/reach").json()["rules"] == []
    boxes = page.locator(".reach label.check")
    assert all((box.bounding_box() or {"height": 0})["height"] >= 44 for box in boxes.all()), "a thumb hits them"


def test_a_supervisor_chooses_for_a_colleague(house: House, visits: Visits) -> None:
    visit = visits("supervisor", language="en")
    page = ready(visit.go("/day"))
    page.locator(".drop").last.locator("summary").click()
    page.get_by_role("link", name="How I am reached").first.click()
    expect(page).to_have_url(re.compile("/reach"))
    ready(page).get_by_label("Person").select_option("xu_min")
    expect(page.locator("h1")).to_contain_text("How")
    expect(page).to_have_url(re.compile("staff=xu_min"))
    page.get_by_role("group", name=re.compile("Normal.*other")).get_by_label("Mail").check()
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    rules = house.client("supervisor").api("GET", "/staff/xu_min/reach").json()["rules"]
    assert {"urgency": "normal", "channels": ["page", "mail"]} in rules
    assert house.client("supervisor").api("GET", "/me/reach").json()["rules"] == [], "nobody else's changed"


def test_rules_finer_than_the_page_are_shown_before_they_are_replaced(house: House, visits: Visits) -> None:
    rules = [
        {"urgency": "important", "from": "22:00", "until": "06:00", "channels": ["page"]},
        {"urgency": "any", "from": "12:00", "until": "13:00", "channels": ["page", "mail"]},
    ]
    client = house.client("manager")
    set_by = client.api("PUT", "/me/reach", json={"rules": rules}, headers={"Idempotency-Key": "finer-rules-1"})
    assert set_by.status_code == 200
    page = ready(visits("manager").go("/reach"))
    notice = page.locator(".notice.warn")
    expect(notice).to_contain_text("22:00–06:00")
    expect(notice).to_contain_text("12:00–13:00")
    page.get_by_role("button", name="保存").click()
    expect(page.locator(".notice.warn")).to_have_count(0)
    assert len(client.api("GET", "/me/reach").json()["rules"]) == 3


def test_no_way_runs_into_the_next_on_a_narrow_phone(visits: Visits) -> None:
    visit = visits("dispatcher", language="en", narrow=True)
    page = ready(visit.go("/reach"))
    for width in (320, 360, 390):
        page.set_viewport_size({"width": width, "height": 740})
        for label in page.locator(".reach .way > *").all():
            assert label.evaluate("box => box.scrollWidth <= box.clientWidth"), (width, label.inner_text())
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), width
