"""Mandarin syllables as phones: an initial (every syllable has one) and a final that carries the tone.

A syllable without a written initial begins with a glide or an onset phone (`y`, `w`, `Q`), so that equal
vowel-only syllables side by side (yi1 yi1) stay two: without it, 幺幺零 is heard as 幺零.
"""

from __future__ import annotations

import functools
import re

from pypinyin import Style, pinyin
from pypinyin.contrib.tone_convert import to_finals_tone3, to_initials

SILENCE = "SIL"
_FINALS = frozenset(
    (  # noqa: SIM905
        "a o e ai ei ao ou an en ang eng ong er i ia ie iao iou ian in iang ing iong u ua uo uai "
        "uei uan uen uang ueng v ve van vn"
    ).split()
)
_INTERJECTIONS = {"嗯": "en4", "呣": "mu2"}  # pypinyin has them as bare consonants
_RETROFLEX = frozenset(("zh", "ch", "sh", "r"))
_SIBILANT = frozenset(("z", "c", "s"))


class UnknownSyllableError(ValueError):
    """A reading that is not a Mandarin syllable of initial and final (ng, m, ê …)."""


def onset(final: str) -> str:
    """The onset phone of a syllable that has no written initial."""
    if final[0] in "iv":
        return "y"
    return "w" if final[0] == "u" else "Q"


@functools.cache
def syllable_phones(syllable: str) -> tuple[str, str]:
    """'yi1' -> ('y', 'i1'); 'zhong1' -> ('zh', 'ong1'). Tone digits are 1-5. Raises UnknownSyllableError."""
    if not re.fullmatch("[a-zü]+[1-5]", syllable):
        raise UnknownSyllableError(syllable)
    initial = to_initials(syllable, strict=True)
    final = to_finals_tone3(syllable, strict=True, neutral_tone_with_five=True).replace("ü", "v")
    if final[:-1] not in _FINALS:
        raise UnknownSyllableError(syllable)
    if not initial:
        return onset(final), final
    if final[:-1] == "i":  # the apical vowels after zh ch sh r and z c s
        if initial in _RETROFLEX:
            final = "iR" + final[-1]
        elif initial in _SIBILANT:
            final = "iZ" + final[-1]
    return initial, final


def readings(text: str) -> list[str]:
    """The syllables of a text with tone digits, chosen by pypinyin's phrases; raises UnknownSyllableError."""
    out = [
        syllable[0].replace("v", "ü")
        for syllable in pinyin(
            text, style=Style.TONE3, strict=True, neutral_tone_with_five=True, v_to_u=True, errors="ignore"
        )
    ]
    out = [_INTERJECTIONS.get(character, syllable) for character, syllable in zip(text, out, strict=False)]
    if len(out) != len(text):
        raise UnknownSyllableError(text)
    for syllable in out:
        syllable_phones(syllable)
    return out


@functools.cache
def all_syllables() -> tuple[str, ...]:
    """Every toned syllable that a character of GB 2312's first level has, sorted."""
    found = set()
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                character = bytes([high, low]).decode("gb2312")
            except UnicodeDecodeError:
                continue
            for syllable in pinyin(
                character, style=Style.TONE3, heteronym=True, strict=True, neutral_tone_with_five=True, v_to_u=True
            )[0]:
                try:
                    syllable_phones(syllable)
                except UnknownSyllableError:
                    continue
                found.add(syllable)
    return tuple(sorted(found))


@functools.cache
def phone_names() -> tuple[str, ...]:
    """All phones but silence, sorted: phone k (from 1) has pdf k; pdf 0 is silence. Every final has five tones."""
    found: set[str] = set()
    for syllable in all_syllables():
        for tone in "12345":
            found.update(syllable_phones(syllable[:-1] + tone))
    return tuple(sorted(found))
