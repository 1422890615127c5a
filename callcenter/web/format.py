"""How values are shown to people: times as people think of them, seconds of a call, places, numbers by role."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import cache, lru_cache
from zoneinfo import ZoneInfo

from babel import Locale
from babel.dates import format_date, format_datetime

from callcenter.web.i18n import translate

ZONE = ZoneInfo("Asia/Shanghai")

_locale = cache(Locale.parse)
"""Babel would look for a locale's file at every date, half the time of a list."""


@lru_cache(8192)
def _written(here: datetime, pattern: str, locale: str) -> str:
    """A time without zone by a pattern of Babel's. A list shows the same rows over and over."""
    return format_datetime(here, pattern, locale=_locale(locale))


def local(at: datetime, zone: ZoneInfo = ZONE) -> datetime:
    """An aware time in the site's zone."""
    return at.astimezone(zone)


def clock(at: datetime, seconds: bool = False) -> str:
    """20:10, or 20:10:05."""
    return local(at).strftime("%H:%M:%S" if seconds else "%H:%M")


def moment(at: datetime, locale: str, now: datetime | None = None) -> str:
    """A time short enough for a row: today only the hour, yesterday by word, else with its date."""
    here, today = local(at), local(now or datetime.now(UTC)).date()
    if here.date() == today:
        return here.strftime("%H:%M")
    if here.date() == today - timedelta(days=1):
        return f"{translate(locale, 'yesterday')} {here:%H:%M}"
    if here.date() == today + timedelta(days=1):
        return f"{translate(locale, 'tomorrow')} {here:%H:%M}"
    pattern = "M月d日 HH:mm" if locale == "zh_CN" else "d MMM HH:mm"
    if here.year != today.year:
        pattern = "yyyy年M月d日" if locale == "zh_CN" else "d MMM yyyy"
    return _written(here.replace(tzinfo=None), pattern, locale)


def exact(at: datetime, locale: str) -> str:
    """The whole time, for hover and print."""
    pattern = "yyyy年M月d日 EEEE HH:mm:ss" if locale == "zh_CN" else "EEEE d MMMM yyyy, HH:mm:ss"
    return _written(local(at).replace(tzinfo=None), pattern, locale)


def day(when: date, locale: str) -> str:
    """6月3日 周三, or Wed 3 Jun."""
    return format_date(when, "M月d日 EEE" if locale == "zh_CN" else "EEE d MMM", locale=_locale(locale))


def offset(milliseconds: int) -> str:
    """A second of a call: 1:05."""
    seconds = max(0, milliseconds) // 1000
    return f"{seconds // 60}:{seconds % 60:02d}"


def span(seconds: float, locale: str) -> str:
    """A length of time by its two largest units: 3 小时 12 分, 40 秒."""
    total = int(abs(seconds))
    days, rest = divmod(total, 86400)
    hours, rest = divmod(rest, 3600)
    minutes, secs = divmod(rest, 60)
    units = [(days, "%(n)s d"), (hours, "%(n)s h"), (minutes, "%(n)s min"), (secs, "%(n)s s")]
    first = next((i for i, (n, _) in enumerate(units) if n), 3)
    shown = units[first : first + 2] if first < 2 else units[first : first + 1]
    if first == 2 and total < 600:
        shown = units[2:4]
    return " ".join(translate(locale, text, n=n) for n, text in shown if n or text == units[first][1])


def remaining(due: datetime, locale: str, now: datetime | None = None) -> str:
    """还剩 3 小时 12 分 or 超时 20 分; the page's clock keeps it ticking with the same words."""
    left = (due - (now or datetime.now(UTC))).total_seconds()
    text = "%(time)s left" if left >= 0 else "overdue by %(time)s"
    return translate(locale, text, time=span(left, locale))


def ago(at: datetime, locale: str, now: datetime | None = None) -> str:
    """3 分钟前."""
    seconds = ((now or datetime.now(UTC)) - at).total_seconds()
    if seconds < 60:
        return translate(locale, "just now")
    return translate(locale, "%(time)s ago", time=span(seconds - seconds % 60, locale))


def highlight_parts(text: str, wanted: str) -> list[tuple[str, bool]]:
    """`text` cut at every occurrence of `wanted`; True marks a part to be shown as found."""
    if not wanted:
        return [(text, False)]
    parts: list[tuple[str, bool]] = []
    position, low, needle = 0, text.lower(), wanted.lower()
    while (found := low.find(needle, position)) >= 0:
        if found > position:
            parts.append((text[position:found], False))
        parts.append((text[found : found + len(needle)], True))
        position = found + len(needle)
    if position < len(text):
        parts.append((text[position:], False))
    return parts
