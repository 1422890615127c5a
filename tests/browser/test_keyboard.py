"""A job with the keyboard alone: the focus is never lost; what is refused or not sent is said where one is."""

from __future__ import annotations

from playwright.sync_api import Page, Route, expect

from tests.browser.conftest import Visits
from tests.browser.matters import REPAIRMAN, act, events, given_to
from tests.browser.running import House
from tests.browser.test_work import ready

FOCUSED = "document.activeElement"


def key_of_focus(page: Page) -> str:
    """The key of the act that the focus stands on; "" for none."""
    return str(page.evaluate(f"{FOCUSED}.closest('[data-key]')?.dataset.key ?? ''"))


def test_what_is_refused_is_said_beside_the_field_and_the_keyboard_is_there(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    visit = visits("supervisor")
    page = ready(visit.go(f"/tickets/{number}"))
    page.keyboard.press("c")
    form = page.locator("details.act[open]")
    building = form.locator("[name=building]")
    building.fill("99")
    form.locator("button.primary").focus()
    page.keyboard.press("Enter")
    refusal = form.get_by_role("alert")
    expect(refusal).to_contain_text("places.yaml")
    expect(refusal).to_be_in_viewport()
    expect(building).to_be_focused()
    expect(building).to_have_attribute("aria-invalid", "true")
    expect(building).to_have_attribute("aria-describedby", str(refusal.get_attribute("id")))
    visit.wrong.clear()  # the console tells of the refusal
    building.fill("3")
    form.locator("[name=unit]").fill("1")
    form.locator("[name=room]").fill("301")
    page.keyboard.press("Enter")
    expect(page.locator("#matter h1")).to_contain_text("3号楼")
    expect(page.locator("#pane").get_by_role("alert")).to_have_count(0)


def test_the_matter_that_somebody_else_finished_says_so(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    visit = visits("dispatcher")
    page = ready(visit.go(f"/tickets/{number}"))
    page.keyboard.press("r")
    page.locator("details.act[open] textarea").fill("在处理另一处漏水")
    act(house.client("dispatcher"), number, "accept")
    page.locator("details.act[open] button.primary").click()
    expect(page.locator("details.act[open]").get_by_role("alert")).to_be_visible()
    assert events(house, number, "ticket.refuse") == 0
    visit.wrong.clear()


def test_the_focus_stays_through_a_whole_job(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("dispatcher").go("/day"))
    page.locator(f'#day a[href="/tickets/{number}"]').focus()
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/tickets/{number}")
    ready(page).keyboard.press("a")
    expect(page.locator("#matter .tag", has_text="已接受")).to_be_visible()
    page.locator('[data-key="b"]').focus()
    page.keyboard.press("Enter")
    expect(page.locator("#matter .tag", has_text="处理中")).to_be_visible()
    expect(page.locator("#thing"), "what was pressed is there no more").to_be_focused()
    page.keyboard.press("Tab")
    assert key_of_focus(page) == "d", "and the next stop is the first of the acts"
    page.keyboard.press("n")
    page.keyboard.press("Tab")
    page.keyboard.type("配电箱受潮")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator(".history")).to_contain_text("配电箱受潮")
    expect(page.locator('details.act[data-key="n"] > summary')).to_be_focused()
    page.keyboard.press("w")
    expect(page.locator("details.act[open] select")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator('details.act[data-key="w"] > summary')).to_be_focused()
    expect(page.locator("details.act[open]")).to_have_count(0)


def test_news_of_a_matter_leave_the_keyboard_where_it_is(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("supervisor").go(f"/tickets/{number}"))
    page.locator('details.act[data-key="n"] > summary').focus()
    act(house.client("dispatcher"), number, "mark", text="已在路上")
    expect(page.locator(".history")).to_contain_text("已在路上")
    expect(page.locator('details.act[data-key="n"] > summary')).to_be_focused()


def test_what_could_not_be_sent_is_said_and_goes_the_second_time(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    visit = visits("dispatcher", narrow=True)
    page = ready(visit.go("/day"))
    page.context.set_offline(True)
    accept = page.locator(f'form[action="/tickets/{number}/accept"] button')
    accept.click()
    expect(page.locator("#notices")).to_contain_text("没有送出")
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=30_000)
    accept.click()
    page.wait_for_url(f"**/tickets/{number}")
    done = ready(page).locator('details.act[data-key="d"]')
    done.locator("summary").click()
    done.locator("textarea").fill("换了保险丝")
    page.context.set_offline(True)
    done.locator("button.primary").click()
    expect(done.get_by_role("alert")).to_contain_text("没有送出")
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=30_000)
    done.locator("button.primary").click()
    expect(page.locator("#matter .tag", has_text="待回访").first).to_be_visible()
    assert events(house, number, "ticket.done") == 1
    visit.wrong.clear()  # Chromium tells the lost connection itself


def test_a_form_that_was_closed_half_written_stays_closed_and_the_page_follows(house: House, visits: Visits) -> None:
    number, other = given_to(house, REPAIRMAN), given_to(house, REPAIRMAN)
    client = house.client("dispatcher")
    page = ready(visits("supervisor").go(f"/tickets/{number}"))
    page.keyboard.press("n")
    page.locator("details.act[open] textarea").fill("写了一半")
    page.keyboard.press("Escape")
    for text in ("已在路上", "已经到了"):
        act(client, number, "mark", text=text)
        expect(page.locator(".history")).to_contain_text(text)
        expect(page.locator("details.act[open]")).to_have_count(0)
    page.locator(f'.list a[href="/tickets/{other}"]').click()
    expect(page.locator("#matter")).to_have_attribute("data-ticket", str(other))
    expect(page.locator("details.act[open]")).to_have_count(0)
    page.locator(f'.list a[href="/tickets/{number}"]').click()
    expect(page.locator("details.act[open] textarea"), "it waits where it was begun").to_have_value("写了一半")


def test_a_key_with_shift_is_another_one(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("dispatcher").go(f"/tickets/{number}"))
    page.keyboard.press("r")
    expect(page.locator('details.act[open][data-key="r"]')).to_be_visible()
    page.keyboard.press("Escape")
    page.keyboard.press("Shift+R")
    page.wait_for_url("**/reach")


def test_news_on_their_way_close_no_form_that_was_opened_meanwhile(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("supervisor").go(f"/tickets/{number}"))
    held: list[Route] = []
    page.route(f"**/tickets/{number}", lambda route: held.append(route))
    with page.expect_request(f"**/tickets/{number}"):
        act(house.client("dispatcher"), number, "mark", text="已在路上")
    page.keyboard.press("t")
    page.locator("details.act[open] [name=at]").fill("2026-11-30T10:00")
    with page.expect_response(f"**/tickets/{number}"):
        held[0].continue_()
    page.unroute_all()
    page.wait_for_timeout(300)  # nothing tells of a swap that is not to be
    expect(page.locator("details.act[open] [name=at]")).to_have_value("2026-11-30T10:00")
    page.keyboard.press("Escape")
    expect(page.locator(".history")).to_contain_text("已在路上")
