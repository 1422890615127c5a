"""Two languages, zh-CN first. Texts are English in the source; locale/zh_CN holds the Chinese, compiled at start."""

from __future__ import annotations

import io
from collections.abc import Callable
from functools import cache, lru_cache
from pathlib import Path

from aiohttp import web
from babel import Locale
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from markupsafe import Markup

LOCALES = ("zh_CN", "en")
DEFAULT = "zh_CN"
COOKIE = "language"
FOLDER = Path(__file__).parent / "locale"
LOCALE_KEY = web.RequestKey("locale", str)


@cache
def translations(locale: str) -> NullTranslations:
    """The texts of one locale; English is the source itself."""
    path = FOLDER / locale / "LC_MESSAGES" / "messages.po"
    if not path.exists():
        return NullTranslations()
    with path.open("rb") as source:
        catalogue = read_po(source, locale=locale)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def known(name: str | None) -> str | None:
    """The locale meant by a tag such as "zh-CN", "zh-Hans", "en-GB"; None when it is neither language."""
    language = (name or "").replace("-", "_").split("_")[0].lower()
    return {"zh": "zh_CN", "en": "en"}.get(language)


def choose(request: web.Request) -> str:
    """The reader's language: asked for in the address, by cookie, by the browser; else Chinese."""
    asked = known(request.query.get("lang")) or known(request.cookies.get(COOKIE))
    if asked:
        return asked
    wanted: list[tuple[float, str]] = []
    for part in request.headers.get("Accept-Language", "").split(","):
        tag, _, weight = part.strip().partition(";q=")
        try:
            quality = float(weight) if weight else 1.0
        except ValueError:
            continue
        if locale := known(tag):
            wanted.append((quality, locale))
    return max(wanted, key=lambda pair: pair[0])[1] if wanted else DEFAULT


def locale_of(request: web.Request) -> str:
    """The locale chosen for this request."""
    locale: str | None = request.get(LOCALE_KEY)
    if locale is None:
        locale = request[LOCALE_KEY] = choose(request)
    return locale


def html_tag(locale: str) -> str:
    """The locale as HTML and HTTP spell it."""
    return Locale.parse(locale).language + ("-CN" if locale == "zh_CN" else "")


def translate(locale: str, text: str, **values: object) -> str:
    """`text` in `locale`, with `%(name)s` filled in."""
    translated: str = translations(locale).ugettext(text)
    return translated % values if values else translated


def phrases(locale: str) -> Callable[..., Markup]:
    """`_` of the templates: `_("%(n)s calls", n=3)`, its values escaped. A page says a hundred of them, so they are
    looked up once."""
    known = lru_cache(4096)(lambda text: Markup(translate(locale, text)))  # noqa: S704 - our own texts

    def phrase(text: str, **values: object) -> Markup:
        found = known(text)
        return found % values if "%" in found else found

    return phrase
