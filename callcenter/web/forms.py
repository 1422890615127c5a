"""What a browser sends: a form's texts and its key, the values of an address. What does not fit is refused in words.

An address may carry names that its page does not know: messengers add their own to links that are passed on, so these
are left alone. A name that the page knows has a value that fits, or the answer is 422.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from aiohttp import web

from callcenter.web.errors import WebError, unfit

MAX_FORM = 64 * 1024
"""Bytes of a form without a file."""
AT_MOST = {
    "caller_name": 60, "caller_number": 32, "building": 20, "unit": 20, "room": 20, "content": 4000, "reason": 2000,
    "text": 2000, "result": 2000, "note": 200, "email": 254,
}  # fmt: skip
"""Field → its characters at most, on pages and in the API."""
REPORT_AT_MOST = 8000
"""Characters of a written report (R15)."""
WORDS_AT_MOST = 200
"""Characters that are searched for."""
YEARS = range(2000, 2100)


def sized(request: web.Request, most: int = MAX_FORM) -> None:
    """Refuse a body of unknown length or of more than `most` bytes, before a byte of it is read. WebError 411, 413."""
    if request.content_length is None and request.can_read_body:
        raise WebError(411, "web.length", "Say how long it is.")
    if (request.content_length or 0) > most:
        raise WebError(413, "web.too_large")


async def read_form(request: web.Request, **most: int) -> dict[str, str]:
    """The texts of a form, lines ended as the page counts them. `most` overrides AT_MOST. Raises WebError 422."""
    form = {n: v.replace("\r\n", "\n") for n, v in (await request.post()).items() if isinstance(v, str)}
    check_lengths(form, **most)
    return form


def check_lengths(form: dict[str, str], **most: int) -> None:
    """Refuse what is longer than its field, and what no field can hold. Raises WebError 422."""
    for name, longest in (AT_MOST | most).items():
        if "\x00" in form.get(name, ""):
            raise unfit(name, "only letters, figures and signs")
        if len(form.get(name, "")) > longest:
            raise unfit(name, "at most %(n)s characters", n=longest)


def form_key(form: dict[str, str]) -> str:
    """The key that makes a repeated form one act. Raises WebError 422."""
    key = form.get("key", "")
    if not 8 <= len(key) <= 100:
        raise WebError(422, "web.key", "This form is too old. Load the page again; what was typed is kept.")
    return key


def one_of(request: web.Request, name: str, choices: Collection[str], default: str) -> str:
    """The value of `name` in the address, `default` without one. Raises WebError 422."""
    value = request.query.get(name) or default
    if value not in choices:
        raise unfit(name, "choose one of the list")
    return value


def words_of(request: web.Request) -> str:
    """The words that are searched for. Raises WebError 422."""
    words = request.query.get("q", "").strip()
    if len(words) > WORDS_AT_MOST:
        raise unfit("q", "at most %(n)s characters", n=WORDS_AT_MOST)
    if "\x00" in words:
        raise unfit("q", "only letters, figures and signs")
    return words


def day_of(request: web.Request, name: str) -> date | None:
    """The day that the address names, if any. Raises WebError 422."""
    text = request.query.get(name)
    if not text:
        return None
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise unfit(name, "a date is written 2026-11-16") from None
    if day.year not in YEARS:
        raise unfit(name, "a day between 2000 and 2099")
    return day
