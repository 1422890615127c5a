"""A day's work by keyboard: words as they are spoken, listening, correcting, confirming, handing over."""

from __future__ import annotations

import re

from playwright.sync_api import Page, expect

from tests.browser import stories
from tests.browser.conftest import Visits
from tests.browser.running import House
from tests.browser.stories import Story

LIFT = Story(
    "14000001203", [], kind="repair", category="lift", urgency="emergency", department="engineering", building="6",
    unit="2", minutes_ago=0, evidence={"category": "电梯停在半中间"},
)  # fmt: skip


def ready(page: Page) -> Page:
    """The page follows the live news."""
    expect(page.locator("body")).to_have_attribute("data-live", "on")
    return page


def test_words_appear_as_they_are_spoken(house: House, visits: Visits) -> None:
    page = ready(visits("agent").go("/calls"))
    call = stories.ring(house.line, LIFT)
    expect(page.locator(f'[data-call="{call.id}"]').first).to_be_visible()
    stories.answer(house.line, call)
    talk = page.locator(f'.talk[data-call="{call.id}"]')
    expect(talk.locator("li.ours")).to_contain_text("您好，幸福小区")
    for text in ("你好电梯", "你好电梯停在", "你好电梯停在半中间"):
        house.line.partial(call.id, "caller", call.at_ms + 500, text)
        expect(talk.locator("li.caller.partial p")).to_have_text(text)
    stories.hear(house.line, call, "你好 电梯 停 在 半中间 了", 0)
    expect(talk.locator("li.caller:not(.partial)")).to_contain_text("你好电梯停在半中间了")
    expect(talk.locator("li.partial")).to_have_count(0)
    stories.understand(house.line, call)
    expect(page.locator("#chips .chip.emergency")).to_contain_text("紧急")
    expect(page.locator("#chips")).to_contain_text("6号楼2单元")
    expect(page.locator("#call-context")).to_contain_text("工程部在岗")
    stories.open_ticket(house.line, call)
    expect(page.locator("#who")).to_contain_text(str(call.ticket))
    stories.hang_up(house.line, call, folder=house.folder / "made")
    expect(page.locator("call-player")).to_have_attribute("data-ready", "1")
    # the emergency stands in the bar of everybody until somebody takes it
    alarm = page.locator(f'.alarm[data-ticket="{call.ticket}"]')
    expect(alarm).to_contain_text("电梯")
    house.client("supervisor").api(
        "POST", f"/tickets/{call.ticket}/accept", json={}, headers={"Idempotency-Key": "lift-accept-1"}
    )


def test_words_follow_the_recording_and_lead_it(house: House, visits: Visits) -> None:
    told = house.told["noise"]
    page = ready(visits("agent").go(f"/calls/{told.id}"))
    expect(page.locator("call-player")).to_have_attribute("data-ready", "1")
    word = page.locator(".talk li.caller [data-s]").nth(3)
    at_s = int(word.get_attribute("data-s") or 0) // 1000
    word.click()
    expect(page.locator("[data-position]")).to_have_text(f"{at_s // 60}:{at_s % 60:02d}")
    expect(word).to_have_class(re.compile("spoken"))
    page.keyboard.press("Space")
    expect(page.locator("call-player")).to_have_attribute("data-playing", "1")
    later = "|".join(f"{s // 60}:{s % 60:02d}" for s in range(at_s + 1, at_s + 15))
    expect(page.locator("[data-position]")).to_have_text(re.compile(f"^({later})$"))
    page.keyboard.press("Space")
    expect(page.locator("call-player")).to_have_attribute("data-playing", "")
    expect(page.locator(".talk .spoken").first).to_be_visible()
    listened = house.client("supervisor").api("GET", f"/calls/{told.id}/listenings").json()["listenings"]
    assert listened, "the listening was written down"


def test_two_keys_confirm_what_was_heard_unsurely(house: House, visits: Visits) -> None:
    number = house.told["gas"].ticket
    page = ready(visits("supervisor").go(f"/confirm/{number}"))
    expect(page.locator("call-player")).to_have_attribute("data-ready", "1")
    page.keyboard.press("3")
    expect(page.locator("select[name=urgency]")).to_be_focused()
    page.locator("select[name=urgency]").select_option("emergency")
    page.keyboard.press("Escape")
    page.keyboard.press("c")
    page.wait_for_url(re.compile(r"/confirm$"))
    ticket = house.client("supervisor").api("GET", f"/tickets/{number}").json()
    assert ticket["urgency"] == "emergency"
    assert not ticket["to_confirm"]


def test_a_correction_by_keyboard_is_in_the_history(house: House, visits: Visits) -> None:
    number = house.told["fees"].ticket
    page = ready(visits("supervisor").go(f"/tickets/{number}"))
    page.keyboard.press("c")
    name = page.locator("details.act[open] [name=caller_name]")
    expect(name).to_be_visible()
    name.fill("朱女士本人")
    page.locator("details.act[open] button.primary").click()
    expect(page.locator(".record")).to_contain_text("朱女士本人")
    expect(page.locator(".history")).to_contain_text("更正")


def test_keys_are_listed_and_lead_everywhere(visits: Visits) -> None:
    page = ready(visits("supervisor").go("/tickets"))
    page.keyboard.press("?")
    expect(page.locator("#keys")).to_be_visible()
    expect(page.locator("#key-list")).to_contain_text("搜索")
    page.keyboard.press("Escape")
    page.keyboard.press("g")
    page.keyboard.press("d")
    page.wait_for_url(re.compile("/duty"))
    ready(page).keyboard.press("Control+k")
    expect(page.locator("#palette")).to_be_visible()
    page.locator("#palette-input").fill("待核实")
    page.keyboard.press("Enter")
    page.wait_for_url(re.compile("/confirm"))
    ready(page).keyboard.press("g")
    page.keyboard.press("t")
    page.wait_for_url(re.compile("/tickets"))
    ready(page).keyboard.press("j")
    page.keyboard.press("Enter")
    expect(page.locator("#thing .record")).to_be_visible()


def test_search_while_typing_and_found_words_are_marked(visits: Visits) -> None:
    page = ready(visits("supervisor").go("/tickets?show=all"))
    page.keyboard.press("/")
    expect(page.locator("#list-find")).to_be_focused()
    page.keyboard.type("装修")
    expect(page.locator(".rows mark").first).to_have_text("装修")
    expect(page.locator(".rows > li")).to_have_count(1)


def test_a_ticket_follows_what_others_do_but_not_while_one_types(house: House, visits: Visits) -> None:
    number = house.told["staff"].ticket
    page = ready(visits("manager").go(f"/tickets/{number}"))
    other = house.client("supervisor")

    def note(text: str) -> None:
        sent = other.api(
            "POST",
            f"/tickets/{number}/mark",
            json={"text": text},
            headers={"Idempotency-Key": f"note-{len(text)}-of-test"},
        )
        assert sent.status_code == 200, sent.text

    note("来访时说过此事")
    expect(page.locator(".history")).to_contain_text("来访时说过此事")
    page.keyboard.press("c")
    name = page.locator("details.act[open] [name=caller_name]")
    name.fill("梁")
    note("第二次来访时又说过")
    expect(page.locator("#count-tickets")).to_be_attached()
    expect(name).to_have_value("梁")
    page.keyboard.press("Escape")
    page.keyboard.press("Escape")
    expect(page.locator(".history")).to_contain_text("第二次来访时又说过")


def test_clocks_tick_in_words(house: House, visits: Visits) -> None:
    page = ready(visits("supervisor").go(f"/tickets/{house.told['noise'].ticket}"))
    expect(page.locator("time[data-due]").first).to_have_text(re.compile("还剩|超时"))


def test_the_language_is_remembered(visits: Visits) -> None:
    page = ready(visits("manager").go("/tickets"))
    page.locator(".drop").last.locator("summary").click()
    page.locator("select[name=language]").select_option("en")
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.reload()
    expect(page.locator("html")).to_have_attribute("lang", "en")
    page.locator(".drop").last.locator("summary").click()
    page.locator("select[name=language]").select_option("zh-CN")
    expect(page.locator("html")).to_have_attribute("lang", "zh-CN")


def test_losing_the_server_is_said_at_once_and_typed_text_is_kept(house: House, visits: Visits) -> None:
    visit = visits("supervisor")
    page = ready(visit.go(f"/tickets/{house.told['fees'].ticket}"))
    page.keyboard.press("n")
    page.locator("details.act[open] textarea").fill("写了一半的备注")
    page.context.set_offline(True)
    expect(page.locator("#lost")).to_be_visible()
    page.context.set_offline(False)
    expect(page.locator("#lost")).to_be_hidden(timeout=30000)
    page.reload()
    expect(page.locator('[data-draft="mark"]')).to_have_value("写了一半的备注")
    visit.wrong.clear()  # Chromium tells the lost connection itself
