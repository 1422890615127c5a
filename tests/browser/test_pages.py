"""Every page in both languages, wide and narrow, light and dark: whole, labelled, in the reader's language."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visits
from tests.browser.running import House

PAGES = (
    "/day", "/calls?today=1", "/tickets", "/incidents", "/confirm", "/callbacks", "/follow-ups", "/duty",
    "/search?q=水",
    "/what-if?category=water_leak&urgency=emergency&place=3-2-1102", "/accounts", "/reach", "/reach?staff=gao_feng",
)  # fmt: skip
LOOKS = [("zh-CN", False, False), ("en", False, True), ("zh-CN", True, True), ("en", True, False)]


def addresses(house: House) -> list[str]:
    """Every page, and one call and one ticket."""
    number = house.told["water_leak"].ticket
    return [*PAGES, f"/calls/{house.told['water_leak'].id}", f"/tickets/{number}", f"/tickets/{number}/work-order"]


def unlabelled(page: Page) -> list[str]:
    """Fields without a name, pictures without a text, buttons that say nothing, ids that stand twice."""
    found: list[str] = page.evaluate("""() => {
        const seen = n => n.getClientRects().length > 0 || n.closest('details');
        const bad = [];
        for (const n of document.querySelectorAll('input:not([type=hidden]), select, textarea'))
            if (seen(n) && !n.labels?.length && !n.ariaLabel) bad.push('field ' + n.outerHTML.slice(0, 80));
        for (const n of document.querySelectorAll('img:not([alt])')) bad.push('picture ' + n.src);
        for (const n of document.querySelectorAll('button, a[href], summary'))
            if (seen(n) && !(n.textContent.trim() || n.ariaLabel || n.title))
                bad.push('says nothing ' + n.outerHTML.slice(0, 80));
        const ids = [...document.querySelectorAll('[id]')].map(n => n.id);
        for (const id of new Set(ids)) if (ids.filter(x => x === id).length > 1) bad.push('id twice ' + id);
        for (const n of document.querySelectorAll('[style]'))
            if (!n.closest('[data-wave]')) bad.push('inline style ' + n.outerHTML.slice(0, 80));
        if (!document.querySelector('main')) bad.push('no main');
        if (document.querySelectorAll('h1').length > 1) bad.push('several h1');
        return bad;
    }""")
    return found


THUMB_PX = 44
"""The least height of what a thumb has to hit (WCAG 2.2, 2.5.5)."""


def too_small(page: Page) -> list[str]:
    """Controls lower than a thumb; links within a sentence or a cell are as high as their line."""
    found: list[str] = page.evaluate(
        """least => {
            const within = 'details:not([open]) > :not(summary), .skip, .away, td > a, td div > a, p, li, dd';
            const controls = 'button, summary, input:not([type=hidden]), select, textarea, a[href]';
            const height = n => (n.closest('label') ?? n).getBoundingClientRect().height;
            return [...document.querySelectorAll(controls)]
                .filter(n => n.checkVisibility() && !n.closest(within) && height(n) > 1 && height(n) < least)
                .map(n => `${height(n)} px: ${n.outerHTML.slice(0, 90)}`);
        }""",
        THUMB_PX,
    )
    return found


def cut_off(page: Page) -> list[str]:
    """Places that scroll sideways without being made for it: what they hold is cut off."""
    found: list[str] = page.evaluate("""() =>
        [...document.querySelectorAll('.thing, .context, .scroll, .card, .record')]
            .filter(n => n.checkVisibility() && n.scrollWidth > n.clientWidth + 1)
            .map(n => `${n.className} ${n.scrollWidth - n.clientWidth} px: ${n.innerText.slice(0, 40)}`)""")
    return found


@pytest.mark.parametrize(("language", "narrow", "dark"), LOOKS)
def test_every_page_is_whole(house: House, visits: Visits, language: str, narrow: bool, dark: bool) -> None:
    visit = visits("admin", language, narrow, dark)
    for path in addresses(house):
        page = visit.go(path)
        expect(page.locator("html")).to_have_attribute("lang", language)
        expect(page.locator("body")).to_have_attribute("data-live", "on")
        assert page.locator(".empty strong", has_text=re.compile("出错|wrong on our side")).count() == 0, path
        assert unlabelled(page) == [], path
        wider = page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth")
        assert wider <= 0, f"{path} scrolls sideways by {wider} px"
        assert cut_off(page) == [], path
        if narrow:
            assert too_small(page) == [], path
        words = page.locator("body").inner_text()
        assert not re.search(r"\b(state|end|call|role|mark|handover|callback|task|source):\w+", words), path
        if language == "en":
            bar = page.locator(".tabs").inner_text()
            assert not re.search(r"[\u4e00-\u9fff]", bar), bar


def test_a_policy_breach_would_be_heard(visits: Visits) -> None:
    """The watch works: an inline script does not run, and the console says so."""
    visit = visits("agent")
    page = visit.go("/tickets")
    page.evaluate("""() => {
        const s = document.createElement('script');
        s.textContent = 'window.ran = 1';
        document.body.append(s);
    }""")
    assert page.evaluate("window.ran") is None
    assert any("Content Security Policy" in w for w in visit.wrong)
    visit.wrong.clear()


def test_the_three_columns_become_three_steps(house: House, visits: Visits) -> None:
    page = visits("supervisor", narrow=True).go("/tickets")
    expect(page.locator(".list")).to_be_visible()
    expect(page.locator("#thing")).to_be_hidden()
    page.locator(f'.rows a[href="/tickets/{house.told["water_leak"].ticket}"]').click()
    expect(page.locator("#thing h1")).to_contain_text("漏水")
    expect(page.locator(".list")).to_be_hidden()
    page.locator('[data-step-to="context"]').click()
    expect(page.locator(".context")).to_be_visible()
    expect(page.locator("#thing")).to_be_hidden()
    page.locator('[data-step-to="list"]').click()
    expect(page.locator(".list")).to_be_visible()


def test_an_error_page_says_what_to_do(visits: Visits) -> None:
    visit = visits("supervisor")
    page = visit.go("/tickets/100099999")
    expect(page.locator(".empty strong")).to_be_visible()
    expect(page.locator(".empty")).to_contain_text("404")
    visit.wrong.clear()  # Chromium tells the 404 itself


@pytest.mark.parametrize("width", [1440, 1366, 1280, 1180, 1024, 900, 821])
def test_the_bar_holds_everything_on_every_screen(visits: Visits, width: int) -> None:
    page = visits("admin", "en").go("/tickets")
    page.set_viewport_size({"width": width, "height": 700})
    for part in (".tabs a:last-child", ".bar .find input", ".bar .hotlines", ".bar > .drop:last-child"):
        box = page.locator(part).bounding_box()
        assert box, part
        assert box["width"] >= 28, part
        assert box["x"] + box["width"] <= width, part
    assert page.evaluate("document.querySelector('.bar').scrollWidth") <= width


def test_a_password_is_not_reset_by_a_slip(visits: Visits) -> None:
    page = visits("admin").go("/accounts")
    row = page.locator("tr", has=page.locator("td.strong", has_text="dispatcher"))
    expect(row.locator("button[name=reset]")).to_be_hidden()
    row.locator("details.act summary").click()
    expect(row.locator("button[name=reset]")).to_contain_text("立即失效")
