"""A running house for tests: desk, line, calls that were told, and one account of each role."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, TypeVar

import requests

from tests.browser import stories
from tests.browser.house import Desk, Line, start_desk, var_folder

T = TypeVar("T")
PASSWORD = "a long enough password"
PEOPLE = {
    "admin": None, "agent": "wang_fang", "dispatcher": "gao_feng", "supervisor": "zheng_lan", "manager": "he_min",
}  # fmt: skip
"""Login → the person of the example site; each login is named by its role."""


class Client:
    """A browser without pictures: cookies, the pinned certificate, and the CSRF token of the last page."""

    def __init__(self, desk: Desk) -> None:
        self.base = desk.base
        self.http = requests.Session()
        self.http.trust_env = False
        self.http.verify = str(desk.settings.var_dir / "secrets" / "tls.crt")
        self.http.headers["Accept-Language"] = "en"
        self.csrf = ""

    def get(self, path: str, **options: Any) -> requests.Response:
        """GET; follows redirects."""
        answer = self.http.get(self.base + path, timeout=30, **options)
        if found := re.search(r'name="csrf" value="([^"]+)"', answer.text if "html" in str(answer.headers) else ""):
            self.csrf = found.group(1)
        return answer

    def post(self, path: str, form: dict[str, str], **options: Any) -> requests.Response:
        """POST a form as the page would."""
        return self.http.post(self.base + path, data={"csrf": self.csrf, **form}, timeout=30, **options)

    def api(self, method: str, path: str, **options: Any) -> requests.Response:
        """Call the API with the session."""
        headers = {"X-CSRF-Token": self.csrf, **options.pop("headers", {})}
        return self.http.request(method, f"{self.base}/api/v1{path}", headers=headers, timeout=30, **options)

    def log_in(self, login: str, password: str) -> requests.Response:
        """Through the door."""
        self.get("/login")
        answer = self.post("/login", {"login": login, "password": password, "next": "/"})
        if answer.ok:
            self.get("/duty")
        return answer


@dataclass
class House:
    """Everything that runs."""

    desk: Desk
    line: Line
    folder: Path
    told: dict[str, stories.Told] = field(default_factory=dict)

    def client(self, login: str | None = "admin") -> Client:
        """Somebody logged in; None: nobody."""
        client = Client(self.desk)
        if login is not None:
            answer = client.log_in(login, PASSWORD)
            assert answer.status_code == 200, answer.text
        return client


def set_password(client: Client, old: str) -> None:
    """The change that a first login demands."""
    client.get("/password")
    answer = client.post("/password", {"old": old, "new": PASSWORD, "again": PASSWORD})
    assert answer.ok, answer.text


def first_password(page: requests.Response) -> str:
    """The password that a page of the administrator's shows once."""
    shown = re.search(r'class="strong secret">([^<]+)<', page.text)
    assert page.status_code == 201, page.text
    assert shown, page.text
    return shown[1]


def make_account(desk: Desk, admin: Client, login: str, role: str, staff: str = "", name: str = "") -> Client:
    """Somebody new, made on the administrator's page, logged in with a password of their own."""
    admin.get("/accounts")
    page = admin.post("/accounts", {"login": login, "staff": staff, "role": role, "name": name})
    password = first_password(page)
    person = Client(desk)
    person.log_in(login, password)
    set_password(person, password)
    person.get("/duty")
    return person


def make_accounts(desk: Desk) -> None:
    """One account of each role, through the administrator's page."""
    admin = Client(desk)
    assert admin.log_in("admin", desk.password).ok
    set_password(admin, desk.password)
    for login, staff in PEOPLE.items():
        if staff is not None:
            make_account(desk, admin, login, role=login, staff=staff)


@contextmanager
def running_house(told: bool = True) -> Iterator[House]:
    """Start everything, tell every story, stop everything."""
    with var_folder() as var:
        desk = start_desk(var)
        try:
            make_accounts(desk)
            line = Line(desk.settings)
            house = House(desk, line, var)
            try:
                if told:
                    recordings = var / "made"
                    recordings.mkdir()
                    for story in sorted(stories.EVERY, key=lambda s: -s.minutes_ago):
                        house.told[story.category] = stories.tell_whatever(line, story, recordings)
                    wait_for_intake(house)
                yield house
            finally:
                line.close()
        finally:
            code = desk.stop()
        assert code == 0, (var / "desk.log").read_text()[-2000:]


def wait_for_intake(house: House) -> None:
    """Until the desk has completed every call (its live news would say so too; a list is simpler to ask)."""
    client = house.client("supervisor")

    def complete() -> bool:
        rows = client.api("GET", "/tickets", params={"limit": 200}).json()["tickets"]
        return len(rows) >= len(stories.EVERY) and all(row["complete"] for row in rows)

    once_told(client, complete)


def once_told(client: Client, found: Callable[[], T | None]) -> T:
    """What is found once the desk's news have told of it: looked for after each piece of news."""
    news = client.http.get(f"{client.base}/live", stream=True, timeout=60)
    try:
        for line in news.iter_lines(chunk_size=1):
            if line.startswith(b"event:") and (what := found()):
                return what
    finally:
        news.close()
    raise AssertionError("the desk's news ended before it was there")


def new_matter(house: House, story: stories.Story) -> int:
    """The number of the matter of a call like this, once the desk has completed it."""
    told, client = stories.tell(house.line, story), house.client("supervisor")

    def complete() -> dict[str, Any] | None:
        answer = client.api("GET", f"/tickets/{told.ticket}")
        matter: dict[str, Any] = answer.json()
        return matter if answer.status_code == 200 and matter["complete"] else None

    return int(once_told(client, complete)["number"])


def silent_call(house: House, number: str) -> dict[str, Any]:
    """The call-back to make after a call in which nothing was said, once it is planned."""
    told = stories.tell_whatever(house.line, replace(stories.SILENT, number=number), house.folder)
    client = house.client("supervisor")

    def planned() -> dict[str, Any] | None:
        callbacks = client.api("GET", "/callbacks").json()["callbacks"]
        return next((c for c in callbacks if c["call"] == str(told.id)), None)

    return once_told(client, planned)
