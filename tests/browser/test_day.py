"""A person's day in a browser: lists by their clocks, a ticket that explains itself, a phone, repeated forms."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from playwright.sync_api import Locator, Page, expect

from callcenter.web.format import ZONE
from tests.browser import stories
from tests.browser.conftest import Visits
from tests.browser.matters import REPAIRMAN, act, events, given_to, matter
from tests.browser.running import House
from tests.browser.test_work import ready
from tests.harness.pictures import png


def house_staff(house: House, login: str) -> str:
    """Whose account it is."""
    return str(house.client(login).api("GET", "/me").json()["staff"])


def section(page: Page, heading: str) -> Locator:
    """One list of the day."""
    return page.locator("#day section", has=page.locator("h2", has_text=heading))


def test_my_day_lists_what_waits_for_me_by_its_clock(house: House, visits: Visits) -> None:
    repairman = house.client("dispatcher")
    asked = given_to(house, REPAIRMAN)
    later, sooner = given_to(house, REPAIRMAN), given_to(house, REPAIRMAN, replace(stories.POWER, minutes_ago=200))
    for number in (later, sooner):
        act(repairman, number, "accept")
    page = ready(visits("dispatcher").go("/day"))
    waiting = section(page, "等我接单").locator(f'article:has(a[href="/tickets/{asked}"])')
    expect(waiting.locator("time[data-due]")).to_have_text(re.compile("还剩|超时"))
    expect(waiting.get_by_role("button", name="接单")).to_be_visible()
    mine = section(page, "我负责的").locator(".rows > li")
    expect(mine.filter(has_text=str(sooner))).to_be_visible()
    order = [int(re.findall(r"\b\d{6}\b", text)[0]) for text in mine.all_inner_texts()]
    assert order.index(sooner) < order.index(later), "what is due first stands first"
    clocks = mine.locator("time[data-due]").evaluate_all("clocks => clocks.map(c => Number(c.dataset.due))")
    assert clocks == sorted(clocks)


def test_what_was_not_understood_surely_waits_to_be_confirmed(house: House, visits: Visits) -> None:
    number = matter(house, stories.UNSURE, building="8")
    page = ready(visits("supervisor").go("/confirm"))
    row = page.locator(f'.list a[href="/confirm/{number}"]')
    expect(row).to_be_visible()
    row.click()
    expect(page.locator(f'#confirm-form[action="/confirm/{number}"] .doubt').first).to_be_visible()
    page.get_by_role("button", name="确认无误").click()
    expect(page.locator(f'.list a[href="/confirm/{number}"]')).to_have_count(0)
    assert not house.client("supervisor").api("GET", f"/tickets/{number}").json()["to_confirm"]


def test_my_follow_ups_are_asked_from_a_script_and_unsolved_comes_back(house: House, visits: Visits) -> None:
    number = matter(house)
    act(house.client("dispatcher"), number, "done", result="换了保险丝")
    visit = visits("supervisor")
    page = ready(visit.go("/follow-ups?whose=all"))
    card = page.locator(f"#follow-{number}")
    expect(card.locator(".script")).to_contain_text("请问")
    card.get_by_role("button", name="没解决").click()
    expect(page.locator(".empty strong")).to_contain_text("不符合要求")
    visit.wrong.clear()  # Chromium tells the 422 itself
    page.get_by_role("link", name="回到填写页").click()
    card.locator("[name=result]").fill("晚上又停电")
    card.get_by_role("button", name="没解决").click()
    expect(page.locator("h1")).to_contain_text("回访")
    expect(card).to_have_count(0)
    ticket = house.client("supervisor").api("GET", f"/tickets/{number}").json()
    assert ticket["state"] == "reopened"
    assert ticket["responsible"] == ticket["first_responder"]


def test_a_ticket_shows_its_reasons_its_clock_and_its_history(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    ticket = house.client("supervisor").api("GET", f"/tickets/{number}").json()
    page = ready(visits("supervisor").go(f"/tickets/{number}"))
    assert ticket["reasons"]
    for reason in ticket["reasons"]:
        row = page.locator(".reasons li", has_text=reason["zh"])
        expect(row.locator(".rule")).to_have_text(reason["rule"])
    clock = page.locator(".due-box time[data-due]")
    expect(clock).to_have_text(re.compile("还剩|超时"))
    exact = re.compile(r"\d{4}年\d+月\d+日.*\d\d:\d\d:\d\d")
    expect(clock).to_have_attribute("title", exact)
    expect(page.locator(".history")).to_contain_text("请您处理")
    expect(page.locator(".history li").first).to_contain_text("高峰")
    expect(page.locator(".history .rule", has_text="R13").first).to_be_visible()


def test_a_photo_that_did_not_get_through_may_be_chosen_once_more(house: House, visits: Visits, tmp_path: Path) -> None:
    number = given_to(house, REPAIRMAN)
    act(house.client("dispatcher"), number, "accept")
    visit = visits("dispatcher", narrow=True)
    page = ready(visit.go(f"/tickets/{number}"))
    broken, picture = tmp_path / "broken.png", tmp_path / "photo.png"
    broken.write_bytes(b"no picture")
    picture.write_bytes(png(400, 300))
    field = page.locator("form[data-photo] input[type=file]")
    field.set_input_files(broken)
    expect(page.locator("#notices")).to_contain_text("无法识别的图片")
    assert field.evaluate("field => field.files.length") == 0, "a browser tells of no change to the same file"
    visit.wrong.clear()  # the console tells of the refusal
    field.set_input_files(picture)
    expect(page.locator(".photos img").first).to_be_visible()


def test_a_repairman_does_a_job_with_a_phone(house: House, visits: Visits, tmp_path: Path) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("dispatcher", narrow=True).go("/day"))
    page.locator(f'form[action="/tickets/{number}/accept"]').get_by_role("button", name="接单").click()
    page.wait_for_url(f"**/tickets/{number}")
    ready(page).get_by_role("button", name="到场").click()
    expect(page.locator("#matter .tag", has_text="处理中").first).to_be_visible()
    picture = tmp_path / "photo.png"
    picture.write_bytes(png(400, 300))
    page.set_input_files("form[data-photo] input[type=file]", picture)
    photo = page.locator(".photos img").first
    expect(photo).to_be_visible()
    expect(photo).to_have_js_property("complete", True)
    assert photo.evaluate("image => image.naturalWidth") == 400
    done = ready(page).locator("details.act", has_text="完成").first
    done.locator("summary").click()
    done.locator("textarea").fill("合上总开关，更换保险丝")
    done.locator("button.primary").click()
    expect(page.locator("#matter .tag", has_text="待回访").first).to_be_visible()
    after = house.client("supervisor").api("GET", f"/tickets/{number}").json()
    assert (after["state"], after["handler"]) == ("follow_up_due", REPAIRMAN)


def test_who_takes_it_before_the_one_who_is_asked_stands_in_the_chain_as_such(house: House, visits: Visits) -> None:
    number = matter(house)
    asked = house.client("supervisor").api("GET", f"/tickets/{number}").json()["asked"]
    taker = next(login for login in ("dispatcher", "supervisor") if house_staff(house, login) != asked)
    act(house.client(taker), number, "accept")
    ticket = house.client("supervisor").api("GET", f"/tickets/{number}").json()
    assert [(step["to_staff"], step["state"]) for step in ticket["chain"]] == [
        (asked, "withdrawn"), (house_staff(house, taker), "accepted"),
    ]  # fmt: skip
    page = ready(visits("supervisor").go(f"/tickets/{number}"))
    expect(page.locator(".chain li.accepted").last).to_contain_text({"dispatcher": "高峰"}.get(taker, "郑岚"))


def test_refusing_needs_a_reason_and_is_counted(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("dispatcher").go(f"/tickets/{number}"))
    page.keyboard.press("r")
    refusal = page.locator("details.act[open]")
    refusal.locator("button.primary").click()
    expect(refusal.locator("textarea:invalid")).to_be_visible()
    assert events(house, number, "ticket.refuse") == 0
    refusal.locator("textarea").fill("在处理另一处漏水")
    refusal.locator("button.primary").click()
    expect(page.locator("#matter .tag", has_text="R16")).to_be_visible()
    assert events(house, number, "ticket.refuse") == 1


def test_a_call_back_is_promised_by_keyboard_and_stands_on_the_clock(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("dispatcher", narrow=True).go(f"/tickets/{number}"))
    page.keyboard.press("t")
    promise = page.locator("details.act[open]")
    promise.locator("[name=at]").fill((datetime.now(ZONE) + timedelta(hours=2)).strftime("%Y-%m-%dT%H:%M"))
    promise.locator("[name=text]").fill("告知停电原因")
    promise.locator("button.primary").click()
    expect(page.locator(".history li").first).to_contain_text("告知停电原因")
    expect(page.locator(".history li").first.locator(".rule")).to_have_text("R22")
    assert events(house, number, "ticket.promise") == 1
    page.goto(page.url.partition("/tickets")[0] + "/callbacks")
    expect(page.locator(f'#callbacks a[href="/tickets/{number}"]')).to_be_visible()


def test_a_button_that_is_hit_twice_does_it_once(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    page = ready(visits("dispatcher", narrow=True).go("/day"))
    page.locator(f'form[action="/tickets/{number}/accept"] button').dblclick()
    page.wait_for_url(f"**/tickets/{number}")
    assert events(house, number, "ticket.accept") == 1
    done = ready(page).locator("details.act", has_text="完成").first
    done.locator("summary").click()
    done.locator("textarea").fill("换了保险丝")
    done.locator("button.primary").dblclick()
    expect(page.locator("#matter .tag", has_text="待回访").first).to_be_visible()
    assert events(house, number, "ticket.done") == 1


def test_a_form_that_a_browser_sends_again_does_it_once(house: House, visits: Visits) -> None:
    number = given_to(house, REPAIRMAN)
    visit = visits("dispatcher")
    page = ready(visit.go("/day"))
    sent: list[tuple[str, str]] = []

    def note(request: Any) -> None:
        if request.method == "POST":
            sent.append((request.url, request.post_data))

    page.on("request", note)
    page.locator(f'form[action="/tickets/{number}/accept"] button').click()
    page.wait_for_url(f"**/tickets/{number}")
    (url, body), *_ = sent
    for _ in range(2):  # as a browser does that reloads the answer of a form, or wakes with the tab it kept
        again = page.context.request.post(
            url, data=body, headers={"Content-Type": "application/x-www-form-urlencoded"}
        )
        assert again.status == 200
        assert str(number) in again.text()
    assert events(house, number, "ticket.accept") == 1
