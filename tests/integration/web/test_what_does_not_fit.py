"""Addresses and forms that do not fit: refused in the reader's language with what would."""

from __future__ import annotations

import itertools
import re

import pytest

from callcenter.web.forms import AT_MOST, MAX_FORM, WORDS_AT_MOST
from tests.browser import stories
from tests.browser.running import Client, House

_keys = itertools.count(1)
LETTERS = re.compile(r"[A-Za-z]{3,}")
NAMES = re.compile(r"places\.yaml|multipart/form-data|R\d+")
"""Names of files, formats and rules are the same in every language."""


@pytest.fixture(scope="module")
def reader(house: House) -> Client:
    """A supervisor who reads Chinese."""
    client = house.client("supervisor")
    client.http.headers["Accept-Language"] = "zh-CN"
    return client


def said(text: str) -> str:
    """What the error page says, without its number in the log."""
    found = re.search(r'<div class="empty">(.*?)</div>', text, re.DOTALL)
    assert found, text
    words = re.sub(r"<[^>]+>", " ", found[1])
    return re.sub(r"\d{3} · \S+ [0-9a-f]{12}", "", words)


def in_chinese(text: str) -> str:
    """The same, once it is sure that no English is left in it."""
    words = said(text)
    assert re.search(r"[\u4e00-\u9fff]", words), words
    assert LETTERS.findall(NAMES.sub("", words)) == [], words
    return words


@pytest.mark.parametrize(
    ("path", "status", "words"),
    [
        ("/tickets/999999999", 404, "工单号"), ("/tickets/abc", 404, "没有找到"), ("/calls/bad", 404, "没有找到"),
        ("/calls/01a2013e-2dad-7f79-af45-000000000000", 404, "来电"), ("/incidents/99999", 404, "事件"),
        ("/confirm/999999999", 404, "工单号"), ("/tickets/999999999/work-order", 404, "工单号"),
        ("/tickets?before=garbage", 422, "第一页"), ("/calls?before=garbage", 422, "第一页"),
        ("/tickets?show=rubbish", 422, "列表"), ("/follow-ups?whose=rubbish", 422, "列表"),
        ("/duty?week=garbage", 422, "日期"), ("/duty?week=0001-01-01", 422, "2000"),
        ("/duty?week=9999-12-31", 422, "2099"),
        ("/what-if?category=water_leak&households=many", 422, "整数"), ("/tickets?q=%00", 422, "搜索"),
        (f"/search?q={'x' * (WORDS_AT_MOST + 1)}", 422, "最多 200"), ("/accounts", 403, "权限"),
    ],
)  # fmt: skip
def test_an_address_that_does_not_fit_is_refused_in_words(reader: Client, path: str, status: int, words: str) -> None:
    answer = reader.get(path)
    assert answer.status_code == status
    assert words in in_chinese(answer.text)


def test_names_that_messengers_add_to_a_link_are_left_alone(reader: Client) -> None:
    assert reader.get("/tickets?from=singlemessage&isappinstalled=0&page=-1").status_code == 200


@pytest.mark.parametrize(
    ("question", "words"),
    [("category=dragon", "列表"), ("category=water_leak&place=99-9-9999", "places.yaml"),
     ("category=water_leak&place=?", "3-2-1102"), ("category=water_leak&at=soon", "2026-11-21T20:10"),
     ("category=water_leak&at=9999-12-31T23:59", "2099"), ("category=water_leak&at=0001-01-01T00:00", "2000"),
     ("category=water_leak&source=dragon", "列表")],
)  # fmt: skip
def test_a_question_that_does_not_fit_says_what_would(reader: Client, question: str, words: str) -> None:
    answer = reader.get(f"/what-if?{question}")
    assert answer.status_code == 422
    alert = re.search(r'role="alert">([^<]+)<', answer.text)
    assert alert
    assert words in alert[1]
    assert re.search(r"[\u4e00-\u9fff]", alert[1])


@pytest.mark.parametrize(
    ("question", "field"), [("place=99-9-9999", "place"), ("place=somewhere", "place"), ("at=9999-12-31T10:00", "at")]
)
def test_what_does_not_fit_in_a_question_is_tied_to_its_field(reader: Client, question: str, field: str) -> None:
    page = reader.get(f"/what-if?category=water_leak&{question}").text
    (marked,) = re.findall(r'<input [^>]*aria-invalid="true"[^>]*>', page)
    assert f'name="{field}"' in marked
    assert 'aria-describedby="wrong" autofocus' in marked
    assert 'id="wrong"' in page


WRONG_FORMS = [
    ("correct", {"building": "99"}, "现有：1, 2"), ("correct", {"building": "3", "unit": "9"}, "没有这个单元"),
    ("correct", {"building": "3", "unit": "2", "room": "9999"}, "没有这个房号"),
    ("correct", {"building": "", "unit": "", "room": "1102"}, "楼栋"), ("correct", {"building": "<b>"}, "楼栋"),
    ("correct", {"category": "dragon"}, "事项"), ("correct", {"kind": "dragon"}, "类别"),
    ("correct", {"content": "长" * (AT_MOST["content"] + 1)}, "最多 4000"),
    ("correct", {"caller_name": "长" * 61}, "最多 60"),
    ("wait", {"until": "soon", "reason": "等配件"}, "期限"),
    ("wait", {"until": "9999-12-31T23:59", "reason": "等配件"}, "一年"),
    ("wait", {"until": "2030-01-01T10:00", "reason": "等配件", "waiting_for": "dragon"}, "等待对象"),
    ("mark", {"what": "dragon", "text": "看过"}, "情况"), ("mark", {"text": "a\0b"}, "内容"),
    ("hand-over", {"to": "nobody_at_all", "reason": "x"}, "移交对象"),
    ("hand-over", {"to": "department:dragon", "reason": "x"}, "移交对象"), ("hand-over", {"to": "xu_min"}, "理由"),
    ("join", {"into": "abc"}, "工单号"),
]


@pytest.mark.parametrize(("act", "form", "words"), WRONG_FORMS)
def test_a_form_that_does_not_fit_changes_nothing(
    house: House, reader: Client, act: str, form: dict[str, str], words: str
) -> None:
    number = house.told["noise"].ticket
    before = reader.api("GET", f"/tickets/{number}").json()["revision"]
    reader.get(f"/tickets/{number}")
    page = reader.post(f"/tickets/{number}/{act}", {"key": f"does-not-fit-{next(_keys)}", **form})
    assert page.status_code == 422
    assert words in in_chinese(page.text)
    assert reader.api("GET", f"/tickets/{number}").json()["revision"] == before


@pytest.mark.parametrize(
    "body", [{"building": "99"}, {"building": "3", "unit": "2", "room": "9999"}, {"content": "x" * 4001}]
)
def test_the_api_refuses_the_same_corrections(house: House, reader: Client, body: dict[str, str]) -> None:
    number = house.told["noise"].ticket
    headers = {"Idempotency-Key": f"does-not-fit-{next(_keys)}"}
    answer = reader.api("POST", f"/tickets/{number}/correct", json=body, headers=headers)
    assert answer.status_code == 422
    assert {d["field"] for d in answer.json()["details"]} <= set(body)


@pytest.mark.parametrize("moment", ["9999-12-31T23:59:59Z", "9999-12-31T23:59:59-14:00", "0001-01-01T00:00:00+14:00"])
def test_a_time_at_the_end_of_time_is_refused(house: House, reader: Client, moment: str) -> None:
    """It has no place in the site's zone."""
    ticket = f"/tickets/{house.told['noise'].ticket}"
    wait = {"waiting_for": "material", "reason": "x", "until": moment}
    for path, body, field in ((f"{ticket}/wait", wait, "until"), (f"{ticket}/call-back", {"at": moment}, "at")):
        answer = reader.api("POST", path, json=body, headers={"Idempotency-Key": f"does-not-fit-{next(_keys)}"})
        assert answer.status_code == 422, answer.text
        assert [d["field"] for d in answer.json()["details"]] == [field]
    asked = (("/tickets", "since"), ("/calls", "until"), ("/roster", "since"), ("/what-if?category=gas", "at"))
    for path, name in asked:
        assert reader.api("GET", path, params={name: moment}).status_code == 422


def test_a_form_of_megabytes_is_refused_before_it_is_read(house: House, reader: Client) -> None:
    number = house.told["noise"].ticket
    reader.get(f"/tickets/{number}")
    form = {"key": "a-huge-form-1", "content": "x" * (MAX_FORM + 1)}
    assert reader.post(f"/tickets/{number}/correct", form).status_code == 413
    assert Client(house.desk).post("/login", {"login": "x" * (MAX_FORM + 1)}).status_code == 413


def test_from_an_error_one_goes_back_to_the_form(house: House, reader: Client) -> None:
    number = house.told["noise"].ticket
    reader.get(f"/tickets/{number}")

    def back(referer: str) -> str:
        form = {"key": f"does-not-fit-{next(_keys)}", "building": "99"}
        page = reader.post(f"/tickets/{number}/correct", form, headers={"Referer": referer})
        found = re.search(r'<a class="button" href="([^"]+)"', page.text)
        assert found
        return found[1]

    assert back(f"{reader.base}/tickets/{number}") == f"/tickets/{number}"
    assert back("https://example.org/tickets") == "/"


def test_what_is_no_number_is_not_a_caller_s_number(house: House, reader: Client) -> None:
    odd = stories.Story("<script>alert(1)</script>", [("caller", "楼道 的 灯 坏 了")], category="lighting")
    told = stories.tell(house.line, odd)
    assert reader.api("GET", f"/calls/{told.id}").json()["from_number"] is None
    for path in (f"/calls/{told.id}", f"/tickets/{told.ticket}", "/calls", f"/search?q={told.ticket}"):
        assert "<script>alert" not in reader.get(path).text, path
