"""Every text of the pages is there in both languages, and says its values."""

from __future__ import annotations

import ast
import re

import pytest
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po

from callcenter.domain.matters import WATCHED_SOURCES
from callcenter.domain.tickets import Status
from callcenter.web.access import Right, Role
from callcenter.web.acting import MARKS
from callcenter.web.errors import STATUS_TEXTS
from callcenter.web.forms import AT_MOST
from callcenter.web.history import FIELD_NAMES, SENTENCES
from callcenter.web.i18n import FOLDER, known, translate
from callcenter.web.page import SECTIONS
from callcenter.web.pages.reach import WAYS
from callcenter.web.pages.whatif import WRONG
from callcenter.web.passwords import weakness

WEB = FOLDER.parent
VALUE = re.compile(r"%\((\w+)\)s")
OPTIONS = {"extensions": "jinja2.ext.loopcontrols"}


def calls_of(name: str) -> list[ast.Call]:
    """Every call of the function `name` in the web package."""
    trees = [ast.parse(file.read_text(encoding="utf-8")) for file in WEB.rglob("*.py")]
    every = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.Call)]
    return [node for node in every if getattr(node.func, "id", "") == name]


def unfit_fields() -> set[str]:
    """Fields of which an error page may say what would fit."""
    named = {str(node.args[0].value) for node in calls_of("unfit") if isinstance(node.args[0], ast.Constant)}
    queried = [node for name in ("one_of", "day_of", "_clock") for node in calls_of(name)]
    return named | {"kind", "category", "urgency"} | {
        str(node.args[1].value) for node in queried if isinstance(node.args[1], ast.Constant)
    }  # fmt: skip


GROUPS = {
    "role": [role.value for role in Role],
    "right": [right.value for right in Right],
    "state": [status.value for status in Status],
    "mark": list(MARKS),
    "call": ["ringing", "talking", "held", "transferring", "bridged", "ended"],
    "end": ["caller", "script", "cancelled", "no_ack", "line_died", "drain", "error"],
    "unserved": ["all_busy", "no_line", "refused", "flood", "cancelled_ringing"],
    "handover": ["waiting", "accepted", "refused", "passed", "withdrawn"],
    "task": ["report", "incident", "settle"],
    "source": ["resident", *sorted(WATCHED_SOURCES)],
    "callback": ["silence", "hang_up", "unserved", "promised"],
    "error": [
        "account.unknown", "account.taken", "call.unknown", "callback.unknown", "incident.unknown", "page.cursor",
        "phone.extension.taken", "phone.staff.unknown", "photo.too_large", "photo.too_many", "photo.unknown",
        "photo.unreadable", "r13.not_asked", "r14.none_of_them", "r17.other_site", "r22.no_number", "r22.no_time",
        "r22.under_way", "recording.away", "recording.unreadable", "residents.nobody_to_ring",
        "residents.not_rung", "staff.unknown", "task.unknown", "ticket.not_allowed", "ticket.unknown", "web.task",
    ],
    "way": list(WAYS),
    "field": sorted({*AT_MOST, *unfit_fields()}),
}
"""Texts whose name is put together on the page: prefix → the values there are."""


def catalogue(locale: str) -> dict[str, str]:
    """msgid → text."""
    with (FOLDER / locale / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return {str(m.id): str(m.string) for m in read_po(file) if m.id}


def in_templates() -> set[str]:
    """Texts of the templates that are written out there."""
    found: set[str] = set()
    for template in sorted((WEB / "templates").glob("*.html")):
        found |= {str(text) for _, text, *_ in extract_from_file("jinja2", template, options=OPTIONS)}
    return {text for text in found if not text.endswith(":")}


def in_code() -> set[str]:
    """Second arguments of `translate` and `unfit` that are written out."""
    return {
        str(node.args[1].value)
        for name in ("translate", "unfit")
        for node in calls_of(name)
        if len(node.args) > 1 and isinstance(node.args[1], ast.Constant)
    }


def in_tables() -> set[str]:
    """Texts that are translated by way of a table."""
    weak = {str(weakness(password, "")) for password in ("", "a" * 20)}
    tables = (WRONG, STATUS_TEXTS, SENTENCES, FIELD_NAMES)
    return weak | {s.text for s in SECTIONS} | {text for table in tables for text in table.values()}


def of_the_rule() -> set[str]:
    """What the rule says when it forbids something, and the mend."""
    package = WEB.parent
    found: set[str] = set()
    for name in ("domain/handover.py", "domain/work.py", "desk/acts.py", "desk/incidents.py", "desk/matters.py"):
        for node in ast.walk(ast.parse((package / name).read_text(encoding="utf-8"))):
            if not (isinstance(node, ast.Call) and getattr(node.func, "id", "") == "DomainError"):
                continue
            texts = [*node.args[1:], *(k.value for k in node.keywords if k.arg == "mend")]
            found |= {str(text.value) for text in texts if isinstance(text, ast.Constant)}
    return found


def test_what_the_rule_forbids_is_said_in_both_languages() -> None:
    chinese = catalogue("zh_CN")
    assert sorted(text for text in of_the_rule() if not chinese.get(text)) == []


def test_every_text_is_translated() -> None:
    chinese = catalogue("zh_CN")
    missing = sorted(text for text in in_templates() | in_code() | in_tables() if not chinese.get(text))
    assert missing == []


@pytest.mark.parametrize("locale", ["zh_CN", "en"])
@pytest.mark.parametrize("group", GROUPS)
def test_every_state_has_a_word(locale: str, group: str) -> None:
    texts = catalogue(locale)
    assert [value for value in GROUPS[group] if not texts.get(f"{group}:{value}")] == []


def test_translations_say_the_same_values() -> None:
    differing = [
        text
        for text, translated in catalogue("zh_CN").items()
        if ":" not in text and set(VALUE.findall(text)) != set(VALUE.findall(translated))
    ]
    assert differing == []


def test_tags_of_languages() -> None:
    assert [known(tag) for tag in ("zh-CN", "zh-Hans-CN", "en-GB", "de", "", None)] == [
        "zh_CN", "zh_CN", "en", None, None, None,
    ]  # fmt: skip
    assert translate("zh_CN", "%(time)s left", time="3 小时") == "还剩 3 小时"
