"""Login, sessions, roles and forms that come from elsewhere."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor

import pytest
import requests

from callcenter.web.login_limit import PER_LOGIN
from tests.browser.running import PASSWORD, Client, House, make_account

PAGES = ("/calls", "/tickets", "/confirm", "/callbacks", "/duty", "/accounts", "/search?q=x")


def test_first_password_is_shown_once_and_must_be_changed(house: House) -> None:
    notices = [s["message"] for s in house.desk.said if s["event"] == "notice"]
    assert sum("password:" in message for message in notices) == 1
    assert house.client(None).get("/").url.endswith("/login")


@pytest.mark.parametrize("path", PAGES)
def test_nobody_sees_a_page_without_login(house: House, path: str) -> None:
    answer = house.client(None).get(path, allow_redirects=False)
    assert answer.status_code == 303
    assert answer.headers["Location"].startswith("/login?next=")


def test_wrong_password_and_unknown_name_say_the_same(house: House) -> None:
    answers = [Client(house.desk).log_in(login, "not the password") for login in ("manager", "nobody-here")]
    assert [a.status_code for a in answers] == [401, 401]
    texts = [re.search(r'role="alert">([^<]+)<', a.text) for a in answers]
    assert texts[0]
    assert texts[1]
    assert texts[0].group(1) == texts[1].group(1)


def test_guessing_is_slowed_down(house: House) -> None:
    client = Client(house.desk)
    answers = [client.log_in("somebody", f"guess {n}").status_code for n in range(6)]
    assert answers[:5] == [401] * 5
    assert answers[5] == 429


def test_guessing_many_at_once_is_slowed_down_as_well(house: House) -> None:
    address, certificate = f"{house.desk.base}/api/v1/tokens", str(house.desk.settings.var_dir / "secrets" / "tls.crt")

    def guess(number: int) -> int:
        body = {"login": "somebody-else", "password": f"guess {number}"}
        return requests.post(address, json=body, verify=certificate, timeout=30).status_code

    with ThreadPoolExecutor(12) as at_once:
        answers = list(at_once.map(guess, range(12)))
    assert sorted(answers) == [401] * PER_LOGIN + [429] * (12 - PER_LOGIN)


def test_a_form_from_elsewhere_is_refused(house: House, agent: Client) -> None:
    number = house.told["fees"].ticket
    answer = agent.http.post(
        f"{agent.base}/tickets/{number}/correct", data={"key": "elsewhere-1", "kind": "praise"}, timeout=30
    )
    assert answer.status_code == 403
    assert agent.api("GET", f"/tickets/{number}").json()["kind"] == "enquiry"


def test_next_stays_in_the_house(house: House) -> None:
    client = Client(house.desk)
    client.get("/login?next=https://example.org/")
    for where in ("https://example.org/", "//example.org/", "/\\example.org"):
        client = Client(house.desk)
        client.get("/login")
        answer = client.post("/login", {"login": "manager", "password": PASSWORD, "next": where}, allow_redirects=False)
        assert answer.headers["Location"] == "/"


@pytest.mark.parametrize("weak", ["1234567890", "123456789012", "manager-manager", "passwordpassword"])
def test_a_password_that_is_guessed_first_is_not_taken(house: House, weak: str) -> None:
    client = house.client("manager")
    client.get("/password")
    page = client.post("/password", {"old": PASSWORD, "new": weak, "again": weak})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    body = {"login": "manager", "password": PASSWORD, "new": weak}
    assert client.api("POST", "/passwords", json=body).status_code == 422
    assert Client(house.desk).log_in("manager", PASSWORD).ok, "the old one stands"


def test_cookie_is_secure(house: House) -> None:
    answer = house.client(None).get("/login")
    cookie = answer.headers["Set-Cookie"]
    for word in ("HttpOnly", "Secure", "SameSite=Strict"):
        assert word in cookie


def test_headers_are_strict(house: House, agent: Client) -> None:
    headers = agent.get("/tickets").headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_numbers_are_masked_by_role(house: House, agent: Client, supervisor: Client) -> None:
    call = house.told["noise"].id
    assert "140****0801" in agent.get(f"/calls/{call}").text
    assert "14000000801" not in agent.get(f"/calls/{call}").text
    assert "14000000801" in supervisor.get(f"/calls/{call}").text
    assert agent.api("GET", f"/calls/{call}").json()["from_number"] == "140****0801"


def test_a_dispatcher_sees_the_matters_of_the_department(house: House, dispatcher: Client) -> None:
    assert dispatcher.get("/calls").status_code == 403
    departments = {t["department"] for t in dispatcher.api("GET", "/tickets").json()["tickets"]}
    assert departments == {"engineering"}
    assert dispatcher.get(f"/tickets/{house.told['fees'].ticket}").status_code == 403
    assert dispatcher.get(f"/tickets/{house.told['power'].ticket}").status_code == 200


def test_accounts_are_for_administrators(supervisor: Client) -> None:
    assert supervisor.get("/accounts").status_code == 403


def test_closing_an_account_ends_its_sessions(house: House, admin: Client) -> None:
    leaver = make_account(house.desk, admin, "leaver", "agent", name="Leaver")
    assert leaver.api("GET", "/me").status_code == 200
    row = re.search(r'<td class="strong">leaver.*?action="(/accounts/\d+)"', admin.get("/accounts").text, re.DOTALL)
    assert row
    assert admin.post(row.group(1), {"role": "agent"}).ok
    assert leaver.api("GET", "/me").status_code == 401


def test_both_languages(house: House) -> None:
    client = house.client(None)
    assert 'lang="zh-CN"' in client.get("/login?lang=zh-CN").text
    assert "登录" in client.get("/login").text, "the choice is remembered"
    fresh = house.client(None).get("/login", headers={"Accept-Language": "de, en;q=0.8"})
    assert "Log in" in fresh.text


def test_errors_are_one_shape(agent: Client) -> None:
    answer = agent.api("GET", "/tickets/100099999")
    assert answer.status_code == 404
    assert answer.json().keys() == {"status", "message", "error_id", "details"}
    page = agent.get("/tickets/100099999")
    assert page.status_code == 404
    assert "<html" in page.text


def test_an_act_that_the_role_may_not_do_is_refused_with_a_page(house: House, agent: Client) -> None:
    number = house.told["fees"].ticket
    answer = agent.post(f"/tickets/{number}/settle", {"key": "no-right-1", "to": "wang_fang", "reason": "x"})
    assert answer.status_code == 403, "R16: the office settles, whoever took the call"
    assert "<main" in answer.text


@pytest.mark.parametrize("path", ["/search?q=%00", "/tickets?q=%00", "/calls?q=a%00b"])
def test_what_the_database_cannot_hold_is_refused(agent: Client, path: str) -> None:
    assert agent.get(path).status_code in (200, 422)


def test_a_field_that_the_database_cannot_hold_is_refused(house: House, agent: Client) -> None:
    number = house.told["fees"].ticket
    answer = agent.post(f"/tickets/{number}/correct", {"key": "nul-1", "caller_name": "a\0b"})
    assert answer.status_code == 422
    assert answer.headers["Content-Type"].startswith("text/html")


def test_a_page_in_mandarin_tells_its_errors_in_mandarin(agent: Client) -> None:
    answer = agent.get("/tickets/999999", headers={"Accept-Language": "zh-CN"})
    assert answer.status_code == 404
    assert "there is no" not in answer.text
