"""How people want to be reached, and residents rung at once, through the API."""

from __future__ import annotations

from uuid import uuid4

import pytest

from tests.browser.running import Client, House

WISHES = [
    {"urgency": "important", "from": "22:00", "until": "07:00", "channels": ["page"]},
    {"urgency": "important", "channels": ["page", "telephone"]},
]


def keyed(key: str = "") -> dict[str, str]:
    return {"Idempotency-Key": key or str(uuid4())}


def test_everybody_chooses_for_themselves(supervisor: Client, agent: Client) -> None:
    body = {"email": "someone@example.com", "rules": WISHES}
    chosen = supervisor.api("PUT", "/me/reach", json=body, headers=keyed())
    assert chosen.status_code == 200, chosen.text
    kept = supervisor.api("GET", "/me/reach").json()
    assert kept == chosen.json()
    assert kept["email"] == "someone@example.com"
    assert [rule["channels"] for rule in kept["rules"]] == [["page"], ["page", "telephone"]]
    assert agent.api("GET", "/me/reach").json()["rules"] == []


def test_a_wrong_choice_changes_nothing(supervisor: Client) -> None:
    before = supervisor.api("GET", "/me/reach").json()
    for rules in ([{"urgency": "huge", "channels": []}], [{"channels": ["page"], "from": "22:00"}], "all"):
        answer = supervisor.api("PUT", "/me/reach", json={"rules": rules}, headers=keyed())
        assert answer.status_code == 422, answer.text
    assert supervisor.api("PUT", "/me/reach", json={"email": "no address"}, headers=keyed()).status_code == 422
    assert supervisor.api("GET", "/me/reach").json() == before


def test_an_account_of_nobody_has_no_choice(admin: Client) -> None:
    assert admin.api("GET", "/me/reach").status_code == 404


def test_nobody_chooses_for_others_without_the_right(house: House, supervisor: Client, dispatcher: Client) -> None:
    assert dispatcher.get("/reach").status_code == 200
    form = {"key": "for-somebody-else-1", "begins": "08:00", "ends": "20:00"}
    for answer in (
        dispatcher.get("/reach?staff=zheng_lan"), dispatcher.post("/reach?staff=zheng_lan", form),
        dispatcher.api("GET", "/staff/zheng_lan/reach"),
        dispatcher.api("PUT", "/staff/zheng_lan/reach", json={"rules": []}, headers=keyed()),
    ):  # fmt: skip
        assert answer.status_code == 403
    assert supervisor.get("/reach?staff=nobody_at_all").status_code == 422
    assert supervisor.api("GET", "/staff/nobody_at_all/reach").status_code == 404


@pytest.mark.parametrize(
    ("form", "field"),
    [
        ({"begins": "soon", "ends": "20:00"}, "begins"), ({"begins": "08:00"}, "ends"),
        ({"begins": "08:00", "ends": "08:00"}, "ends"), ({"email": "no address"}, "email"),
        ({"email": f"{'x' * 300}@example.com"}, "email"),
    ],
)  # fmt: skip
def test_a_choice_that_does_not_fit_is_refused_on_the_page(agent: Client, form: dict[str, str], field: str) -> None:
    before = agent.api("GET", "/me/reach").json()
    agent.get("/reach")
    whole = {"key": f"choice-{uuid4()}", "begins": "08:00", "ends": "20:00"} | form
    if "ends" not in form and field == "ends":
        del whole["ends"]
    page = agent.post("/reach", whole, headers={"Accept": "application/json"})
    assert page.status_code == 422
    assert [d["field"] for d in page.json()["details"]] == [field]
    assert agent.api("GET", "/me/reach").json() == before


def test_a_choice_sent_twice_counts_once(agent: Client) -> None:
    agent.get("/reach")
    form = {"key": "the-same-choice-1", "begins": "08:00", "ends": "20:00", "normal-within-mail": "1"}
    assert [agent.post("/reach", form).status_code for _ in range(2)] == [200, 200]
    assert agent.post("/reach", {"key": "another-choice-1", "house": "1"}).status_code == 200
    assert agent.post("/reach", form).status_code == 200, "a form of before, sent again by a browser"
    assert agent.api("GET", "/me/reach").json()["rules"] == [], "does not bring the old choice back"


def test_without_a_trunk_nobody_is_rung_and_the_reason_is_said(house: House, supervisor: Client) -> None:
    number = house.told["noise"].ticket
    answer = supervisor.api("POST", f"/tickets/{number}/ring", headers=keyed())
    assert answer.status_code == 409
    assert answer.json()["details"]["code"] == "residents.not_rung"
    assert supervisor.api("POST", "/callbacks/999999/ring", headers=keyed()).status_code == 404


def test_what_was_sent_because_of_a_matter_is_listed(house: House, supervisor: Client) -> None:
    number = house.told["water_leak"].ticket
    reached = supervisor.api("GET", f"/tickets/{number}/reached").json()
    assert {message["channel"] for message in reached["messages"]} >= {"page", "telephone"}
    assert reached["resident_calls"] == []


def test_a_house_that_rings_nobody_offers_no_button_and_refuses_the_form(supervisor: Client) -> None:
    assert "/ring" not in supervisor.get("/callbacks").text
    answer = supervisor.post("/callbacks/1/ring", {"key": "ring-nobody-1"})
    assert answer.status_code == 409
