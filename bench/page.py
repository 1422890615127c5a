"""What a person sees and when: a real Chromium with the desk's pages open, telling the time of every change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

from playwright.async_api import Browser, Page, async_playwright

FLAGS = [
    "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip
WATCH = """
window.seen = {words: [], news: []};
new MutationObserver(() => {
  const now = Date.now();
  for (const span of document.querySelectorAll('[data-last-words]')) {
    const call = span.dataset.lastWords, text = span.textContent.trim();
    const last = window.seen.words.findLast((entry) => entry[1] === call);
    if (!last || last[2] !== text) window.seen.words.push([now, call, text]);
  }
  for (const row of document.querySelectorAll('a[href^="/tickets/"]')) {
    const copy = row.cloneNode(true);
    for (const clock of copy.querySelectorAll('time')) clock.remove();
    const number = row.getAttribute('href').split('/').pop(), text = copy.textContent.replace(/\\s+/g, ' ');
    const last = window.seen.news.findLast((entry) => entry[1] === number);
    if (!last || last[2] !== text) window.seen.news.push([now, number, text]);
  }
}).observe(document, {subtree: true, childList: true, characterData: true});
"""


@dataclass
class Seen:
    """What changed on a page: (wall clock ms, call or ticket, its text then)."""

    words: list[tuple[int, str, str]]
    news: list[tuple[int, str, str]]


class Watcher:
    """A browser logged in to the desk, with the list of calls and the list of tickets open."""

    def __init__(self, url: str, login: str, password: str) -> None:
        self.url, self.login, self.password = url, login, password
        self.calls: Page
        self.tickets: Page

    async def __aenter__(self) -> Self:
        self._playwright = await async_playwright().start()
        self._browser: Browser = await self._playwright.chromium.launch(
            executable_path="/usr/bin/chromium", headless=True, args=FLAGS
        )
        context = await self._browser.new_context(ignore_https_errors=True, locale="zh-CN")
        self.calls, self.tickets = await context.new_page(), await context.new_page()
        await self.calls.goto(f"{self.url}/login")
        await self.calls.fill("input[name=login]", self.login)
        await self.calls.fill("input[name=password]", self.password)
        await self.calls.click("button.primary")
        for page, path in ((self.calls, "/calls"), (self.tickets, "/tickets")):
            await page.add_init_script(WATCH)
            await page.goto(f"{self.url}{path}")
            await page.wait_for_selector("body[data-live=on]")
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._browser.close()
        await self._playwright.stop()

    async def seen(self) -> Seen:
        """Everything that changed since the pages were opened."""
        words = await self.calls.evaluate("window.seen.words")
        news = await self.tickets.evaluate("window.seen.news")
        return Seen([tuple(entry) for entry in words], [tuple(entry) for entry in news])
