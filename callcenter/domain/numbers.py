"""Telephone numbers in one written form, so that a caller is recognised however the network spells the number."""

from __future__ import annotations

import re
from collections.abc import Mapping

_SEPARATORS = re.compile(r"[\s\-().]")
_NUMBER = re.compile(r"\+?[0-9*#]{1,32}")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_OF_CHINA = re.compile(r"(?:\+|00)86(?=\d)|86(?=\d{10})")
WITHHELD = frozenset({"", "anonymous", "unknown", "restricted", "private", "unavailable"})
"""User parts that mean the caller shows no number."""


def canonical(number: str | None, area_code: str = "") -> str | None:
    """`number` as +86… for Chinese numbers, +… for others; short codes and extensions stay.

    None if it is withheld, or no telephone number at all: who calls writes into From whatever they like.
    `area_code` (without 0) completes local numbers of 7 or 8 figures. 0086 138…, 0138…, 138… and +86 138… are one.
    """
    if number is None or number.strip().lower() in WITHHELD:
        return None
    plain = _SEPARATORS.sub("", number.strip())
    if not _NUMBER.fullmatch(plain):
        return None
    if plain.startswith("+"):
        return plain
    if plain.startswith("00"):
        return "+" + plain[2:]
    if _MOBILE.fullmatch(plain):
        return "+86" + plain
    if _MOBILE.fullmatch(plain[1:]) and plain.startswith("0"):
        return "+86" + plain[1:]
    if plain.isdigit() and plain.startswith("0") and 10 <= len(plain) <= 12:
        return "+86" + plain[1:]
    if plain.isdigit() and area_code and len(plain) in (7, 8):
        return f"+86{area_code}{plain}"
    return plain


def by_dialled(table: Mapping[str, str], dialled: str) -> str | None:
    """What `table` says of a dialled number, however the carrier writes it: +86 400 …, 0086400…, 86400…, 0400… are
    400…. None where it is not listed."""
    if dialled in table:
        return table[dialled]
    wanted = _national(dialled)
    return next((found for number, found in table.items() if _national(number) == wanted), None)


def _national(dialled: str) -> str:
    """Without the country's code and the 0 before an area's."""
    plain = _SEPARATORS.sub("", dialled)
    return _OF_CHINA.sub("", plain, count=1).removeprefix("0") if _NUMBER.fullmatch(plain) else dialled
