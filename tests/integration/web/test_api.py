"""The API: what it gives, each act once, every listening written down, every route documented."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta

import soundfile

from callcenter.web.api.routes import ENDPOINTS
from tests.browser import stories
from tests.browser.running import PASSWORD, Client, House, silent_call


def test_a_call_has_every_word(house: House, supervisor: Client) -> None:
    told = house.told["water_leak"]
    call = supervisor.api("GET", f"/calls/{told.id}").json()
    spoken = "".join(t["text"] for t in call["turns"] if t["leg"] == "caller")
    assert spoken == "".join(text.replace(" ", "") for leg, text in stories.LEAK.talk if leg == "caller")
    first = next(t for t in call["turns"] if t["leg"] == "caller")
    assert [w[0] for w in first["words"]] == stories.LEAK.talk[0][1].split()
    assert call["ticket"] == told.ticket
    assert call["labels"]["category"]["value"] == "water_leak"


def test_the_ticket_explains_itself(house: House, supervisor: Client) -> None:
    ticket = supervisor.api("GET", f"/tickets/{house.told['water_leak'].ticket}").json()
    assert ticket["urgency"] == "emergency"
    assert {"R11", "R13", "R14", "R15"} <= {reason["rule"] for reason in ticket["reasons"]}
    assert all(reason["zh"] and reason["en"] for reason in ticket["reasons"])
    assert ticket["first_responder"]
    assert ticket["chain"][0]["state"] in {"waiting", "passed"}


def test_recordings_are_served_in_ranges_and_every_listening_is_written_down(house: House, supervisor: Client) -> None:
    path = f"/calls/{house.told['noise'].id}"
    before = len(supervisor.api("GET", f"{path}/listenings").json()["listenings"])
    whole = supervisor.api("GET", f"{path}/recording")
    assert whole.status_code == 200
    assert whole.headers["Content-Type"] == "audio/flac"
    sound, rate = soundfile.read(io.BytesIO(whole.content))
    assert (sound.shape[1], rate) == (2, 8000)
    part = supervisor.api("GET", f"{path}/recording", headers={"Range": "bytes=0-99"})
    assert part.status_code == 206
    assert part.content == whole.content[:100]
    after = supervisor.api("GET", f"{path}/listenings").json()["listenings"]
    assert len(after) > before


def test_peaks_stand_where_the_talk_is(house: House, supervisor: Client) -> None:
    told = house.told["noise"]
    given = supervisor.api("GET", f"/calls/{told.id}/peaks").json()
    caller, ours = given["peaks"]
    per_ms = len(caller) / given["duration_ms"]
    leg, start, end = told.turns[1]
    assert leg == "caller"
    middle = slice(int((start + 200) * per_ms), int((end - 200) * per_ms))
    assert max(caller[middle]) > 0.3
    assert max(ours[middle]) < 0.1


def test_an_act_with_the_same_key_is_done_once(house: House, supervisor: Client) -> None:
    number = house.told["staff"].ticket
    sent = [
        supervisor.api(
            "POST",
            f"/tickets/{number}/correct",
            json={"caller_name": "梁先生"},
            headers={"Idempotency-Key": "name-0001"},
        )
        for _ in range(2)
    ]
    assert [answer.status_code for answer in sent] == [200, 200]
    ticket = sent[1].json()
    assert ticket["caller_name"] == "梁先生"
    assert sum(event["kind"] == "ticket.amend" for event in ticket["history"]) == sum(
        event["kind"] == "ticket.amend" for event in sent[0].json()["history"]
    )


def test_refusing_needs_a_reason_and_a_key(house: House, supervisor: Client) -> None:
    path = f"/tickets/{house.told['power'].ticket}/refuse"
    assert supervisor.api("POST", path, json={"reason": "x"}).status_code == 422
    answer = supervisor.api("POST", path, json={"reason": ""}, headers={"Idempotency-Key": "refuse-0001"})
    assert answer.status_code == 422
    assert answer.json()["details"][0]["field"] == "reason"


def test_whoever_is_asked_or_of_the_department_accepts(house: House, dispatcher: Client) -> None:
    number = house.told["power"].ticket
    ticket = dispatcher.api("GET", f"/tickets/{number}").json()
    assert "accept" in ticket["may"]
    assert ("refuse" in ticket["may"]) == (ticket["asked"] == "gao_feng"), "only who is asked refuses (R16)"
    answer = dispatcher.api("POST", f"/tickets/{number}/accept", json={}, headers={"Idempotency-Key": "accept-01"})
    assert answer.status_code == 200
    assert answer.json()["responsible"] == "gao_feng"
    assert answer.json()["first_responder"] == ticket["first_responder"]


def test_an_act_repeated_finds_its_own_effect(house: House, supervisor: Client) -> None:
    number = house.told["noise"].ticket
    first = supervisor.api("POST", f"/tickets/{number}/accept", json={}, headers={"Idempotency-Key": "accept-once"})
    assert first.status_code == 200, first.text
    assert first.json()["responsible"] == "zheng_lan"
    again = supervisor.api("POST", f"/tickets/{number}/accept", json={}, headers={"Idempotency-Key": "accept-once"})
    assert again.status_code == 200
    assert again.json()["revision"] == first.json()["revision"]
    other = supervisor.api("POST", f"/tickets/{number}/accept", json={}, headers={"Idempotency-Key": "accept-twice"})
    assert other.status_code == 409


def test_nobody_acts_on_what_does_not_concern_them(house: House, agent: Client) -> None:
    number = house.told["power"].ticket
    ticket = agent.api("GET", f"/tickets/{number}").json()
    if ticket["first_responder"] != "wang_fang":  # the operator on duty at this hour is somebody else
        answer = agent.api("POST", f"/tickets/{number}/accept", json={}, headers={"Idempotency-Key": "not-mine-1"})
        assert answer.status_code == 403
        assert "accept" not in ticket["may"]


def test_search_finds_what_was_said(house: House, supervisor: Client) -> None:
    found = supervisor.api("GET", "/calls", params={"text": "停电"}).json()["calls"]
    assert str(house.told["power"].id) in {call["id"] for call in found}
    assert house.told["noise"].ticket in {
        t["number"] for t in supervisor.api("GET", "/tickets", params={"text": "装修"}).json()["tickets"]
    }


def test_what_was_understood_unsurely_waits_for_confirmation(house: House, supervisor: Client) -> None:
    waiting = supervisor.api("GET", "/confirmations").json()["tickets"]
    assert house.told["gas"].ticket in {t["number"] for t in waiting}


def test_a_silent_call_is_called_back(house: House) -> None:
    back = silent_call(house, "14000990402")
    assert (back["reason"], back["state"], back["number"]) == ("silence", "due", "14000990402")
    assert back["responsible"], "somebody keeps the promise (R14, R22)"


def test_somebody_is_on_duty_and_the_roster_shows_them(supervisor: Client) -> None:
    duty = supervisor.api("GET", "/duty").json()
    operator = next(one for one in duty["now"] if one["role"] == "operator")
    now = datetime.now(UTC)
    shifts = supervisor.api(
        "GET", "/roster", params={"since": now.isoformat(), "until": (now + timedelta(hours=1)).isoformat()}
    ).json()["shifts"]
    assert operator["staff"] in {s["stand_in"] or s["staff"] for s in shifts if s["role"] == "operator"}
    assert "119" in duty["emergency_numbers"].values()


def test_a_token_works_and_ends_with_the_password(house: House) -> None:
    client = Client(house.desk)
    given = client.api("POST", "/tokens", json={"login": "manager", "password": PASSWORD})
    assert given.status_code == 201
    headers = {"Authorization": f"Bearer {given.json()['token']}"}
    fresh = Client(house.desk)
    assert fresh.api("GET", "/me", headers=headers).json()["role"] == "manager"
    assert fresh.api("GET", "/me", headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_every_route_of_the_api_is_documented(house: House, admin: Client) -> None:
    document = admin.api("GET", "/openapi.json").json()
    documented = {(method.upper(), path) for path, item in document["paths"].items() for method in item}
    assert documented == {(e.method, e.address) for e in ENDPOINTS}
    assert all(operation["summary"] for item in document["paths"].values() for operation in item.values())


def test_health_and_metrics(house: House, admin: Client) -> None:
    assert admin.get("/healthz").json() == {"status": "ok"}
    metrics = admin.get("/metrics").text
    assert "callcenter_http_requests_total" in metrics
    assert "callcenter_live_readers" in metrics
    forwarded = admin.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9"})
    assert forwarded.status_code == 403
