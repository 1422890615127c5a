"""Chromium on a running house. Every page a test opens is watched: console errors, requests that leave the house."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, ConsoleMessage, Page, Request, expect, sync_playwright

from tests.browser.running import PASSWORD, House, running_house

CHROMIUM = Path("/usr/bin/chromium")
ARGUMENTS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--autoplay-policy=no-user-gesture-required",
]  # fmt: skip
expect.set_options(timeout=20_000)  # a loaded machine of two cores; nothing waits longer than it needs
WIDE, NARROW = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="session")
def house() -> Iterator[House]:
    """The house, with every story told."""
    if not CHROMIUM.exists():
        pytest.fail("Chromium is missing: apt-get install -y chromium")
    with running_house() as running:
        yield running


@pytest.fixture(scope="session")
def browser(house: House) -> Iterator[Browser]:
    """One Chromium for the run."""
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=str(CHROMIUM), headless=True, args=ARGUMENTS)
        yield launched
        launched.close()


@dataclass
class Visit:
    """One person's browser: the page, and what went wrong in it."""

    page: Page
    base: str
    wrong: list[str] = field(default_factory=list)
    outside: list[str] = field(default_factory=list)

    def go(self, path: str) -> Page:
        """Open a page of the house."""
        self.page.goto(self.base + path)
        return self.page


class Visits:
    """Makes visits and looks at all of them at the end."""

    def __init__(self, browser: Browser, house: House) -> None:
        self._browser, self._house, self._made = browser, house, list[Visit]()

    def __call__(
        self, login: str | None = "supervisor", language: str = "zh-CN", narrow: bool = False, dark: bool = False
    ) -> Visit:
        """A new browser, logged in as `login`."""
        context = self._browser.new_context(
            ignore_https_errors=True, locale=language, viewport=NARROW if narrow else WIDE,  # type: ignore[arg-type]
            color_scheme="dark" if dark else "light", timezone_id="Asia/Shanghai",
        )  # fmt: skip
        page = context.new_page()
        visit = Visit(page, self._house.desk.base)
        self._made.append(visit)
        page.on("console", lambda message: _note_console(visit, message))
        page.on("pageerror", lambda error: visit.wrong.append(str(error)))
        page.on("request", lambda request: _note_request(visit, request))
        if login is not None:
            visit.go(f"/login?lang={language}")
            page.fill("[name=login]", login)
            page.fill("[name=password]", PASSWORD)
            page.press("[name=password]", "Enter")
            page.wait_for_url(lambda url: "/login" not in url)
        return visit

    def look_back(self) -> None:
        """Close every browser; nothing may have gone wrong in any."""
        for visit in self._made:
            visit.page.context.close()
        assert [w for visit in self._made for w in visit.wrong] == []
        assert [o for visit in self._made for o in visit.outside] == []


def _note_console(visit: Visit, message: ConsoleMessage) -> None:
    if message.type == "error":
        visit.wrong.append(message.text)


def _note_request(visit: Visit, request: Request) -> None:
    address = urlsplit(request.url)
    if address.scheme not in ("data", "blob") and f"{address.scheme}://{address.netloc}" != visit.base:
        visit.outside.append(request.url)


@pytest.fixture
def visits(browser: Browser, house: House) -> Iterator[Visits]:
    """Browsers of this test."""
    made = Visits(browser, house)
    yield made
    made.look_back()
