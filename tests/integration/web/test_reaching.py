"""How people want to be reached, and residents rung at once, through the API."""

from __future__ import annotations

from uuid import uuid4

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
