"""A person's day by pages and API: acceptance raced for, rights, repeated forms, follow-ups, reports, photos."""

from __future__ import annotations

import itertools
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from callcenter.desk.phones import ha1
from callcenter.web.format import ZONE
from tests.browser import stories
from tests.browser.running import (
    Client,
    House,
    first_password,
    make_account,
    new_matter,
    once_told,
    silent_call,
)
from tests.harness.pictures import jpeg, png

_rooms = (100 * floor + door for floor in range(15, 29) for door in range(1, 9))
"""Of building 12."""
_keys = itertools.count(1)


def key() -> dict[str, str]:
    """A key of its own."""
    return {"Idempotency-Key": f"work-{next(_keys):06}"}


def matter(house: House, story: stories.Story = stories.POWER, **changes: Any) -> int:
    """A new matter of a caller of its own; its number, once the desk knows it."""
    room = next(_rooms)
    own = {"number": f"1400088{room:04}", "building": "12", "unit": "1", "room": str(room)} | changes
    return new_matter(house, replace(story, **own))


def act(client: Client, number: int, what: str, **body: Any) -> Any:
    """One act, with a key of its own."""
    return client.api("POST", f"/tickets/{number}/{what}", json=body, headers=key())


def ticket(client: Client, number: int) -> dict[str, Any]:
    """The matter as this client sees it."""
    found: dict[str, Any] = client.api("GET", f"/tickets/{number}").json()
    return found


@pytest.fixture(scope="module")
def people() -> dict[str, Client]:
    """One of our people after the other, logged in as themselves: by staff id, made when first asked for."""
    return {}


def person(house: House, people: dict[str, Client], staff: str) -> Client:
    """Somebody of ours with an account of their own."""
    if staff not in people:
        login = f"own-{staff.replace('_', '-')}"
        people[staff] = make_account(house.desk, house.client("admin"), login, "agent", staff)
    return people[staff]


def test_of_two_who_accept_at_once_one_has_it(house: House, supervisor: Client, dispatcher: Client) -> None:
    number = matter(house)
    with ThreadPoolExecutor(2) as both:
        answers = list(both.map(lambda client: act(client, number, "accept"), (supervisor, dispatcher)))
    assert sorted(answer.status_code for answer in answers) == [200, 409]
    after = ticket(supervisor, number)
    winner = next(a for a in answers if a.status_code == 200).json()["responsible"]
    assert after["responsible"] == winner
    assert sum(e["kind"] == "ticket.accept" for e in after["history"]) == 1
    loser = next(a for a in answers if a.status_code == 409).json()
    assert loser["message"], "says that somebody has taken it"


def test_a_key_that_was_used_for_another_act_does_not_swallow_it(house: House, supervisor: Client) -> None:
    number, same = matter(house), {"Idempotency-Key": "the-same-key-for-all"}
    for what, body, state in (
        ("accept", {}, "accepted"), ("start", {}, "in_progress"), ("start", {}, "in_progress"),
        ("done", {"result": "换了保险丝"}, "follow_up_due"), ("done", {"result": "又一次"}, "follow_up_due"),
    ):  # fmt: skip
        answer = supervisor.api("POST", f"/tickets/{number}/{what}", json=body, headers=same)
        assert (answer.status_code, answer.json()["state"]) == (200, state), what
    assert [e["kind"] for e in ticket(supervisor, number)["history"]].count("ticket.done") == 1


def test_without_the_right_nothing_moves(house: House, supervisor: Client, dispatcher: Client) -> None:
    number = matter(house, stories.FEES)
    before = ticket(supervisor, number)
    for what, body in (
        ("accept", {}), ("start", {}), ("done", {"result": "x"}), ("hand-over", {"to": "gao_feng", "reason": "x"}),
        ("dispute", {"reason": "x"}), ("settle", {"to": "gao_feng", "reason": "x"}), ("join", {"into": 100001}),
        ("report", {"text": "x"}), ("not-reached", {}), ("close", {}),
        ("outside", {"to": "power_company", "text": "x"}),
    ):  # fmt: skip
        assert act(dispatcher, number, what, **body).status_code == 403, what
    assert act(supervisor, number, "settle", to="xu_min", reason="x").status_code == 403, "only the office settles"
    after = ticket(supervisor, number)
    assert (after["revision"], after["responsible"]) == (before["revision"], before["responsible"])


def test_nobody_joins_a_matter_to_one_they_may_not_see(house: House, supervisor: Client, dispatcher: Client) -> None:
    """R10: else the answer would show it, and its calls would change."""
    own, foreign = matter(house), matter(house, stories.FEES)
    before = ticket(supervisor, foreign)["revision"]
    assert act(dispatcher, own, "join", into=foreign).status_code == 403
    assert act(dispatcher, own, "join", into=100099999).status_code == 404
    assert ticket(dispatcher, own)["number"] == own
    assert ticket(supervisor, foreign)["revision"] == before


def test_whoever_works_on_it_neither_reports_nor_follows_up_by_a_remark(house: House, dispatcher: Client) -> None:
    """R15, R23: the report is the duty leader's, the follow-up call the first responder's."""
    number = matter(house, stories.LEAK)
    for what in ("reported", "not_reached"):
        body = {"what": what, "text": "x"}
        answer = dispatcher.api("POST", f"/tickets/{number}/mark", json=body, headers=key())
        assert answer.status_code == 422, answer.text
        dispatcher.get(f"/tickets/{number}")
        form = {**body, "key": f"by-a-remark-{what}"}
        assert dispatcher.post(f"/tickets/{number}/mark", form).status_code == 422, what
    body = {"what": "contacted", "text": "说好下午到"}
    assert dispatcher.api("POST", f"/tickets/{number}/mark", json=body, headers=key()).status_code == 200


def test_call_backs_are_shown_to_and_made_by_those_whose_matters_they_are(
    house: House, supervisor: Client, dispatcher: Client
) -> None:
    """R10: a department's dispatcher sees no other department's call-backs."""
    back = silent_call(house, "14000990403")
    assert back["id"] not in {c["id"] for c in dispatcher.api("GET", "/callbacks").json()["callbacks"]}
    assert f"/callbacks/{back['id']}" not in dispatcher.get("/callbacks").text
    said = {"result": "x"}
    assert dispatcher.api("POST", f"/callbacks/{back['id']}/done", json=said, headers=key()).status_code == 403
    assert dispatcher.api("POST", f"/callbacks/{back['id']}/ring", headers=key()).status_code == 403
    for path in ("", "/ring"):
        form = {"result": "x", "key": f"not-my-call-back{path[1:]}"}
        assert dispatcher.post(f"/callbacks/{back['id']}{path}", form).status_code == 403
    after = supervisor.api("GET", "/callbacks").json()["callbacks"]
    assert back["id"] in {c["id"] for c in after}


def test_any_operator_keeps_a_promised_call_back(house: House, admin: Client, dispatcher: Client) -> None:
    """R5, R22: the list is every operator's, also of what a department has accepted; the resident is not rung twice."""
    number = matter(house, stories.POWER)
    at = (datetime.now(ZONE) + timedelta(hours=2)).isoformat()
    assert act(dispatcher, number, "call-back", at=at).status_code == 200
    other = make_account(house.desk, admin, "another-operator", "agent", name="临时值班员")
    (back,) = [c for c in other.api("GET", "/callbacks").json()["callbacks"] if c["ticket"] == number]
    answer = other.api("POST", f"/callbacks/{back['id']}/done", json={"result": "已告知"}, headers=key())
    assert (answer.status_code, answer.json()["state"]) == (200, "done"), answer.text
    assert number not in {c["ticket"] for c in dispatcher.api("GET", "/callbacks").json()["callbacks"]}


def test_a_dispatcher_of_no_department_sees_no_matters(house: House, admin: Client) -> None:
    """R10: nothing instead of everything."""
    nowhere = make_account(house.desk, admin, "of-nowhere", "dispatcher", name="无部门")
    assert nowhere.api("GET", "/tickets").json()["tickets"] == []
    assert nowhere.api("GET", "/callbacks").json()["callbacks"] == []
    assert str(house.told["fees"].ticket) not in nowhere.get("/tickets?show=all").text


def test_what_belongs_to_an_outside_body_is_passed_on_and_stays_ours(house: House, dispatcher: Client) -> None:
    """R5, R16: it is told, we follow; the caller need not call again."""
    number = matter(house)
    before = ticket(dispatcher, number)
    assert act(dispatcher, number, "outside", to="nobody", text="x").status_code == 422
    assert "供电公司" in dispatcher.get(f"/tickets/{number}", headers={"Accept-Language": "zh-CN"}).text
    for _ in range(2):
        form = {"to": "power_company", "text": "已报修，工单 4711", "key": "to-the-power-company"}
        assert dispatcher.post(f"/tickets/{number}/outside", form).status_code == 200
    after = ticket(dispatcher, number)
    assert after["outside_body"] == "power_company"
    assert (after["state"], after["responsible"]) == (before["state"], before["responsible"]), "we follow it"
    assert sum(e["kind"] == "ticket.passed_outside" for e in after["history"]) == 1
    assert "工单 4711" in dispatcher.get(f"/tickets/{number}").text


def test_what_only_a_person_knows_of_a_matter_counts(house: House, supervisor: Client, dispatcher: Client) -> None:
    """R15, R20: the press called, and the answer needs an investigation."""
    number = matter(house)
    assert act(dispatcher, number, "correct", investigation="yes").status_code == 403
    assert act(supervisor, number, "correct", source="nobody").status_code == 422
    after = act(supervisor, number, "correct", source="press", investigation="yes").json()
    assert (after["source"], after["investigation"], after["major"]) == ("press", True, True)
    due = {d["clock"]: d["rule"] for d in after["deadlines"]}
    assert (due["investigation"], due["report"]) == ("R20", "R15")
    told = {r for e in after["history"] for r in e["rules"]}
    assert "R15" in told
    again = act(supervisor, number, "correct", content="再改").json()
    assert (again["source"], again["investigation"]) == ("press", True)
    assert len([d for d in again["deadlines"] if d["clock"] == "investigation"]) == 1


def test_a_form_that_a_browser_repeats_is_done_once(house: House, supervisor: Client) -> None:
    number = matter(house)
    supervisor.get(f"/tickets/{number}")
    form = {"key": "the-same-form-1", "reason": "不是工程部的事，是供电公司的线路"}
    answers = [supervisor.post(f"/tickets/{number}/dispute", form) for _ in range(3)]
    assert [a.status_code for a in answers] == [200, 200, 200]
    assert sum(e["kind"] == "ticket.dispute" for e in ticket(supervisor, number)["history"]) == 1


def test_the_office_settles_a_dispute(house: House, supervisor: Client, people: dict[str, Client]) -> None:
    number = matter(house)
    disputed = act(supervisor, number, "dispute", reason="应由保安处理")
    assert (disputed.status_code, disputed.json()["disputed"]) == (200, True)
    assert "责任有争议 R16" in supervisor.get(f"/tickets/{number}").text
    office = person(house, people, "sun_li")
    (task,) = [t for t in office.api("GET", "/day").json()["tasks"] if t["ticket"] == number]
    assert (task["kind"], task["rule"]) == ("settle", "R16")
    for language, words in (("en", "Dispute to settle"), ("zh-CN", "争议待裁定")):
        assert words in office.get(f"/day?lang={language}").text
    assert office.post(f"/tasks/{task['id']}", {"key": "a-dispute-is-no-notice"}).status_code == 409
    settled = act(office, number, "settle", to="guo_yong", reason="车库归秩序维护部")
    assert settled.status_code == 200, settled.text
    assert (settled.json()["responsible"], settled.json()["department"]) == ("guo_yong", "security")
    assert settled.json()["first_responder"] == ticket(supervisor, number)["first_responder"]
    assert number not in {t["ticket"] for t in office.api("GET", "/day").json()["tasks"]}


def test_a_matter_goes_to_another_department_and_joins_the_same_one(house: House, supervisor: Client) -> None:
    first, second = matter(house), matter(house, stories.NOISE)
    moved = act(supervisor, second, "hand-over", to="department:engineering", reason="是水泵的声音")
    assert moved.status_code == 200, moved.text
    assert moved.json()["department"] == "engineering"
    joined = act(supervisor, second, "join", into=first)
    assert joined.status_code == 200, joined.text
    assert ticket(supervisor, second)["number"] == first, "its number is another name of that matter (R17)"


def test_not_satisfied_goes_back_and_satisfied_is_archived(house: House, supervisor: Client) -> None:
    number = matter(house)
    assert act(supervisor, number, "done", result="换了保险丝").status_code == 200
    supervisor.get("/follow-ups?whose=all")
    page = supervisor.get("/follow-ups?whose=all").text
    assert f'id="follow-{number}"' in page
    listed = supervisor.api("GET", "/follow-ups", params={"whose": "all"}).json()["tickets"]
    assert number in {t["number"] for t in listed}
    again = {"said": "not_reached", "key": "follow-up-again-1"}
    assert supervisor.post(f"/follow-ups/{number}", again).status_code == 200
    assert ticket(supervisor, number)["state"] == "follow_up_due"
    unsaid = supervisor.post(f"/follow-ups/{number}", {"said": "unsatisfied", "key": "follow-up-unsaid-1"})
    assert unsaid.status_code == 422, "what is not solved has to be said"
    form = {"said": "unsatisfied", "result": "晚上又停电了", "key": "follow-up-unsolved-1"}
    assert supervisor.post(f"/follow-ups/{number}", form).status_code == 200
    open_again = ticket(supervisor, number)
    assert open_again["state"] == "reopened"
    assert act(supervisor, number, "done", result="换了空气开关").status_code == 200
    good = {"said": "satisfied", "result": "很好", "key": "follow-up-solved-1"}
    assert [supervisor.post(f"/follow-ups/{number}", good).status_code for _ in range(2)] == [200, 200]
    after = ticket(supervisor, number)
    assert after["state"] == "archived"
    assert sum(e["kind"] == "ticket.satisfied" for e in after["history"]) == 1


def test_a_follow_up_is_closed_by_whose_it_is_by_a_supervisor_or_by_the_office(
    house: House, supervisor: Client, people: dict[str, Client]
) -> None:
    """R23: not by whoever may move matters; that it is not solved may be said by everybody who may."""
    for closer in (None, "sun_li"):
        number = matter(house)
        done = act(supervisor, number, "done", result="换了保险丝").json()
        follower = done["first_responder"]
        other = next(p for p in ("wang_fang", "liu_yang", "chen_jing") if p not in (follower, done["responsible"]))
        stranger = person(house, people, other)
        assert {"close", "not_reached"} & {*ticket(stranger, number)["may"]} == set()
        assert act(stranger, number, "close").status_code == 403
        form = {"said": "satisfied", "key": f"follow-up-by-a-stranger-{number}"}
        stranger.get("/follow-ups?whose=all")
        assert stranger.post(f"/follow-ups/{number}", form).status_code == 403
        assert f'id="follow-{number}"' not in stranger.get("/follow-ups?whose=all").text
        assert "reopen" in ticket(stranger, number)["may"]
        theirs = person(house, people, closer or follower)
        closed = [act(theirs, number, "close"), act(theirs, number, "close")]
        assert [answer.status_code for answer in closed] == [200, 409]
        assert ticket(supervisor, number)["state"] == "archived"


def test_who_is_told_finds_it_on_their_day_until_they_have_looked_at_it(
    house: House, people: dict[str, Client]
) -> None:
    """R9, R15: without mail or webhook too, and of others' matters only."""
    number = matter(house, stories.LEAK)
    manager = person(house, people, "zhou_jianguo")
    (told,) = (t for t in manager.api("GET", "/day").json()["told"] if t["ticket"] == number)
    assert (told["rule"], told["urgency"]) == ("R15", "emergency")
    page = manager.get("/day").text
    assert f'href="/tickets/{number}"' in page.partition('id="told"')[2].partition("</section>")[0]
    assert told["zh"] in page
    manager.get(f"/tickets/{number}")
    assert number not in {t["ticket"] for t in manager.api("GET", "/day").json()["told"]}
    first = person(house, people, ticket(manager, number)["first_responder"])
    assert number not in {t["ticket"] for t in first.api("GET", "/day").json()["told"]}, "it is their own"


def test_the_report_on_a_major_matter_is_handed_in(house: House, supervisor: Client, people: dict[str, Client]) -> None:
    number = matter(house, stories.LEAK)
    leader = next(one["staff"] for one in supervisor.api("GET", "/duty").json()["now"] if one["role"] == "leader")
    writer = person(house, people, leader)
    task = next(t for t in writer.api("GET", "/day").json()["tasks"] if t["ticket"] == number)
    assert (task["kind"], task["rule"]) == ("report", "R15")
    assert f'id="task-{task["id"]}"' in writer.get("/day").text
    others = supervisor if leader != "zheng_lan" else house.client("agent")
    others.get("/day")
    form = {"text": "阀门老化破裂，已更换，并检查了同期安装的阀门。", "key": "report-of-a-leader"}
    assert others.post(f"/tasks/{task['id']}", form).status_code == 403
    assert [writer.post(f"/tasks/{task['id']}", form).status_code for _ in range(2)] == [200, 200]
    assert all(t["ticket"] != number for t in writer.api("GET", "/day").json()["tasks"])
    assert sum(e["kind"] == "ticket.reported" for e in ticket(supervisor, number)["history"]) == 1
    assert "阀门老化破裂" in supervisor.get(f"/tickets/{number}").text


def test_a_photo_is_kept_once_without_where_it_was_taken(house: House, dispatcher: Client, agent: Client) -> None:
    number = matter(house)
    dispatcher.get(f"/tickets/{number}")
    taken = jpeg(64, 48, orientation=6, place="GPS 39.9N 116.4E")
    for _ in range(2):
        answer = dispatcher.http.post(
            f"{dispatcher.base}/tickets/{number}/photos", data={"csrf": dispatcher.csrf, "key": "photo-of-a-leak"},
            files={"photo": ("p.jpg", taken, "image/jpeg")}, timeout=30,
        )  # fmt: skip
        assert answer.status_code == 200, answer.text
    photos = dispatcher.api("GET", f"/tickets/{number}/photos").json()["photos"]
    assert [(p["width"], p["height"], p["by"]) for p in photos] == [(64, 48, "gao_feng")]
    after_a_lost_answer = dispatcher.http.post(  # the page has not heard of the first, and its key is the same
        f"{dispatcher.base}/tickets/{number}/photos", data={"csrf": dispatcher.csrf, "key": "photo-of-a-leak"},
        files={"photo": ("p.png", png(20, 10), "image/png")}, timeout=30,
    )  # fmt: skip
    assert after_a_lost_answer.status_code == 200
    kept = dispatcher.api("GET", f"/tickets/{number}/photos").json()["photos"]
    assert [p["width"] for p in kept] == [64, 20], "another photo is another"
    address = f"/tickets/{number}/photos/{photos[0]['name']}"
    kept = dispatcher.get(address)
    assert kept.headers["Content-Type"] == "image/jpeg"
    assert b"GPS" not in kept.content
    assert b"Exif" in kept.content, "how the phone was held stays"
    assert address in dispatcher.get(f"/tickets/{number}/work-order").text
    assert Client(house.desk).get(address, allow_redirects=False).status_code == 303, "nobody without a login"


def test_what_is_no_photo_is_not_kept(house: House, supervisor: Client, dispatcher: Client) -> None:
    number = matter(house, stories.FEES)
    assert supervisor.get(f"/tickets/{number}").ok
    address = f"{supervisor.base}/tickets/{number}/photos"

    def send(client: Client, content: bytes, csrf: str | None = None) -> int:
        form = {"csrf": client.csrf if csrf is None else csrf, "key": f"photo-bad-{next(_keys):04}"}
        return int(client.http.post(address, data=form, files={"photo": ("p.jpg", content)}, timeout=30).status_code)

    assert send(supervisor, b"<script>alert(1)</script>") == 409
    assert send(supervisor, jpeg(64, 48)[:80]) == 409
    assert send(supervisor, b"\xff\xd8\xff" + bytes(9 * 1024 * 1024)) == 413
    assert send(supervisor, png(8, 8), csrf="no") == 403
    assert send(dispatcher, png(8, 8)) == 403, "another department's"
    assert supervisor.api("GET", f"/tickets/{number}/photos").json()["photos"] == []
    assert send(supervisor, png(8, 8)) == 200


@pytest.mark.parametrize(("language", "said"), [("zh-CN", "无法识别的图片"), ("en", "no picture")])
def test_a_page_says_in_place_why_something_was_refused(
    house: House, dispatcher: Client, supervisor: Client, language: str, said: str
) -> None:
    number = matter(house)
    act(supervisor, number, "hand-over", to="gao_feng", reason="请您处理")
    act(dispatcher, number, "accept")
    dispatcher.get(f"/tickets/{number}")
    in_place = {"HX-Request": "true", "HX-Target": "pane"}
    form = {"csrf": dispatcher.csrf, "lang": language}
    address = f"{dispatcher.base}/tickets/{number}"
    for what, sent in (
        ("photos", {}), ("call-back", {}), ("wait", {"until": "2020-01-01T10:00"}), ("done", {}), ("accept", {}),
        ("close", {}), ("refuse", {"reason": "今天排满了"}), ("join", {"into": str(number)}),
    ):  # fmt: skip
        data = {**form, "key": f"in-place-{next(_keys):06}", **sent}
        files = {"photo": ("p.heic", b"no picture")} if what == "photos" else None
        answer = dispatcher.http.post(
            f"{address}/{what}?lang={language}", data=data, files=files, headers=in_place, timeout=30
        )
        assert answer.status_code in (403, 409, 422), (what, answer.text)
        assert 'role="alert"' in answer.text, (what, answer.text)
        assert what != "photos" or said in answer.text


def test_what_would_happen_is_what_the_rule_says(house: House, agent: Client) -> None:
    asked = {"category": "water_leak", "urgency": "emergency", "place": "3-2-1102", "at": "2026-11-21T20:10:00+08:00"}
    made = agent.api("GET", "/what-if", params=asked).json()["decision"]
    assert made["major"]
    assert made["handed_to"], "outside the operator's duty (R13)"
    assert {"R11", "R13", "R14", "R15"} <= {reason["rule"] for reason in made["reasons"]}
    page = agent.get("/what-if", params=asked | {"at": "2026-11-21T20:10"})
    assert page.status_code == 200
    assert all(reason["zh"] in page.text for reason in made["reasons"])
    assert agent.get("/what-if", params=asked | {"place": "99-9-9999"}).status_code == 422
    assert agent.api("GET", "/what-if", params=asked | {"category": "dragon"}).status_code == 422


def test_an_account_of_nobody_has_no_tasks(house: House, admin: Client, agent: Client) -> None:
    """R10: what others have to do is theirs."""
    number = matter(house, stories.LEAK)
    everybody = {t["staff"] for who in ("agent", "supervisor", "dispatcher") for t in tasks(house.client(who))}
    assert everybody <= {"wang_fang", "zheng_lan", "gao_feng"}, "each sees their own"
    nobody = make_account(house.desk, admin, "of-nobody", "agent", name="没有人")
    assert tasks(nobody) == []
    assert nobody.api("GET", "/day").json()["tasks"] == []
    assert ticket(agent, number)["number"] == number


def tasks(client: Client) -> list[dict[str, Any]]:
    """What this account's person has to do."""
    found: list[dict[str, Any]] = client.api("GET", "/tasks").json()["tasks"]
    return found


@pytest.mark.parametrize("by", ["page", "api"])
def test_a_person_promises_a_call_back_with_a_time(
    house: House, supervisor: Client, dispatcher: Client, by: str
) -> None:
    """R22: in the history, on the clock and on the list, once per key; another time replaces it."""
    number = matter(house)
    when = datetime.now(ZONE).replace(microsecond=0) + timedelta(hours=3)
    reader = house.client("supervisor")
    for language, words in (("en", "When the resident will be called back"), ("zh-CN", "约定什么时间回电")):
        page = reader.get(f"/tickets/{number}?lang={language}").text
        assert f'action="/tickets/{number}/call-back"' in page
        assert words in page
    for _ in range(2):
        if by == "page":
            form = {"at": when.replace(tzinfo=None).isoformat(), "text": "告知停电原因", "key": f"call-back-{number}"}
            assert supervisor.post(f"/tickets/{number}/call-back", form).status_code == 200
        else:
            body = {"at": when.isoformat(), "text": "告知停电原因"}
            same = {"Idempotency-Key": f"call-back-{number}"}
            answer = supervisor.api("POST", f"/tickets/{number}/call-back", json=body, headers=same)
            assert answer.status_code == 200, answer.text
    after = ticket(supervisor, number)
    (clock,) = [d for d in after["deadlines"] if d["clock"] == "call_back"]
    assert (datetime.fromisoformat(clock["due_at"]), clock["rule"], clock["state"]) == (when, "R22", "running")
    assert sum(e["kind"] == "ticket.promise" for e in after["history"]) == 1
    (told,) = [e for e in after["history"] if e["kind"] == "ticket.promise"]
    assert (told["actor"], told["rules"]) == ("zheng_lan", ["R22"])
    assert "承诺于" in told["text"]
    assert "告知停电原因" in told["text"] + told["detail"]
    for language, said in (("zh-CN", "承诺于"), ("en", "promised to call back by")):
        page = reader.get(f"/tickets/{number}?lang={language}").text
        assert said in page
        assert "告知停电原因" in page
    (back,) = [c for c in supervisor.api("GET", "/callbacks").json()["callbacks"] if c["ticket"] == number]
    assert (back["reason"], datetime.fromisoformat(back["due_at"])) == ("promised", when)
    assert f'href="/tickets/{number}"' in supervisor.get("/callbacks").text
    later = (when + timedelta(hours=1)).isoformat()
    assert act(dispatcher, number, "call-back", at=later).status_code == 200
    (moved,) = [c for c in supervisor.api("GET", "/callbacks").json()["callbacks"] if c["ticket"] == number]
    assert (moved["id"], datetime.fromisoformat(moved["due_at"])) == (back["id"], when + timedelta(hours=1))


def test_what_cannot_be_promised_is_refused_in_words(house: House, supervisor: Client, dispatcher: Client) -> None:
    number, withheld = matter(house), matter(house, stories.FEES, number=None)
    soon = (datetime.now(ZONE) + timedelta(hours=1)).isoformat()
    past = act(supervisor, number, "call-back", at="2026-01-05T09:00:00+08:00", text="x")
    assert (past.status_code, past.json()["message"]) == (409, "承诺回电的时间须晚于现在。")
    assert act(supervisor, number, "call-back", at="2099-01-05T09:00:00+08:00").status_code == 422
    assert act(supervisor, number, "call-back", at="tomorrow").status_code == 422
    assert supervisor.api("POST", f"/tickets/{number}/call-back", json={"at": soon}).status_code == 422, "no key"
    assert act(dispatcher, withheld, "call-back", at=soon).status_code == 403, "another department's"
    unknown = act(supervisor, withheld, "call-back", at=soon)
    assert unknown.status_code == 409
    supervisor.get(f"/tickets/{withheld}")
    form = {"at": soon[:16], "key": "no-number-known"}
    assert "请先在“更正”中填写" in supervisor.post(f"/tickets/{withheld}/call-back", form).text
    assert act(supervisor, withheld, "correct", caller_number="no number").status_code == 422
    assert act(supervisor, withheld, "correct", caller_number="139 0000 7777").json()["caller_number"] == "13900007777"
    assert act(supervisor, withheld, "call-back", at=soon).status_code == 200


def test_a_number_that_a_page_shows_masked_stays(house: House, agent: Client, supervisor: Client) -> None:
    """R6, R10: whoever may not see it leaves it as it is, or gives another."""
    number = matter(house, stories.FEES)
    before = ticket(supervisor, number)["caller_number"]
    page = agent.get(f"/tickets/{number}").text
    assert before not in page
    form = {"key": "masked-number-1", "caller_number": "", "caller_name": "朱女士"}
    assert agent.post(f"/tickets/{number}/correct", form).status_code == 200
    assert ticket(supervisor, number)["caller_number"] == before
    assert agent.post(f"/tickets/{number}/correct", {"key": "masked-number-2", "caller_number": "x"}).status_code == 422
    form = {"key": "masked-number-3", "caller_number": "13900008888"}
    assert agent.post(f"/tickets/{number}/correct", form).status_code == 200
    assert ticket(supervisor, number)["caller_number"] == "13900008888"


def test_the_head_of_a_matter_says_what_only_a_person_knew(
    house: House, supervisor: Client, dispatcher: Client
) -> None:
    """R5, R15, R20: for who opens it, not only in its history."""
    number = matter(house)
    assert act(supervisor, number, "correct", source="authority", investigation="yes").status_code == 200
    assert act(dispatcher, number, "outside", to="power_company", text="已报修").status_code == 200
    reader = house.client("supervisor")
    for language, words in (
        ("zh-CN", ("主管部门 R15", "需调查 R20", "已转供电公司 R5")),
        ("en", ("an authority R15", "needs an investigation R20", "passed on to the power company R5")),
    ):
        page = reader.get(f"/tickets/{number}?lang={language}").text
        head = re.search(r'<header class="head">.*?</header>', page, re.DOTALL)
        assert head
        assert all(word in re.sub(r"<[^>]+>", "", head[0]) for word in words), head[0]


def test_many_alike_are_one_incident_and_end_together(house: House, supervisor: Client) -> None:
    numbers = [matter(house, category="heating", minutes_ago=1) for _ in range(5)]

    def recognised() -> dict[str, Any] | None:
        rows = supervisor.api("GET", "/incidents").json()["incidents"]
        return next((row for row in rows if set(numbers) <= set(row["tickets"])), None)

    incident = once_told(supervisor, recognised)
    page = supervisor.get(f"/incidents/{incident['id']}").text
    assert all(str(number) in page for number in numbers)
    form = {"result": "水泵已修复", "key": "incident-is-over-1"}
    assert [supervisor.post(f"/incidents/{incident['id']}", form).status_code for _ in range(2)] == [200, 200]
    assert {ticket(supervisor, number)["state"] for number in numbers} == {"follow_up_due"}
    assert act(supervisor, numbers[0], "done", result="x").status_code == 409


def test_a_phone_gets_its_password_once(house: House, admin: Client, supervisor: Client) -> None:
    admin.get("/accounts")
    shown = first_password(admin.post("/accounts/phones/gao_feng", {}))
    assert shown not in admin.get("/accounts").text
    assert supervisor.post("/accounts/phones/gao_feng", {}).status_code == 403
    printed = subprocess.run(
        [sys.executable, "-m", "callcenter", "phone", "set", "gao_feng", "--config", str(house.folder / "desk.toml")],
        capture_output=True, text=True, check=True, timeout=60,
    ).stdout  # fmt: skip
    values = dict(line.split(None, 1) for line in printed.splitlines())
    assert values["user"] == "223"
    assert len(ha1(values["user"], values["realm"], values["password"])) == 32
    assert values["password"] != shown


def test_an_account_becomes_a_person(house: House, admin: Client) -> None:
    made = make_account(house.desk, admin, "nobody-yet", "agent", name="新人")
    assert made.api("GET", "/me").json()["staff"] is None
    assert "day" in made.get("/day").url
    number = made.api("GET", "/me").json()["id"]
    assert admin.api("POST", f"/accounts/{number}/person", json={"staff": "nobody_at_all"}).status_code == 422
    assert admin.api("POST", f"/accounts/{number}/person", json={"staff": "tang_ying"}).status_code == 200
    assert made.api("GET", "/me").json()["staff"] == "tang_ying"
