"""How written text is read aloud: numbers, times and letters turned into syllables (Mandarin) or words (English).

Numbers that name something (phones, tickets, rooms, hotlines) are read digit by digit, with 幺 for 1, as the service
says them; numbers that count something are read as numbers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

DIGITS = "零一二三四五六七八九"
CLAUSE_PAUSE_MS = 320
"""Silence between clauses."""
SHORT_PAUSE_MS = 160
"""Silence after 、 and between groups of a long number."""

_COUNTED = "元块毛角分米层户人个位次天日号月年小秒时点度吨斤公平%％期岁件辆台只条句声遍折倍万千百亿栋单楼"
_PUNCTUATION = re.compile(r"([，。！？；：,!?;:…\n—]+|、|\.(?=\s|$))")
_TIME = re.compile(r"(?<!\d)(\d{1,2})[:：](\d{2})(?!\d)")
_RANGE = re.compile(r"(?<=\d)\s*[-~–—～至]\s*(?=\d)")
_DATE = re.compile(r"(?<!\d)(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})(?!\d)")
_PLACE = re.compile(r"(?<!\d)(\d{1,2})-(\d{1,2})-(\d{3,4})(?!\d)|(?<!\d)(\d{1,2})-(\d{3,4})(?!\d)")
_NUMBER = re.compile(r"\d+(?:\.\d+)?[%％]?")
_SPOKEN_DIGITS = re.compile(r"[零〇一二三四五六七八九]{3,}")
_LATIN = re.compile(r"[A-Za-z][A-Za-z' ]*[A-Za-z]|[A-Za-z]")


@dataclass(frozen=True)
class Clause:
    """A stretch said in one breath by one voice. `text` is pinyin with tone figures for `zh`, words for `en`."""

    language: str
    text: str
    pause_ms: int


def number_in_chinese(value: int) -> str:
    """Read a counting number under 10^8 aloud: 110 → 一百一十, 12 → 十二, 20 → 二十."""
    if value >= 10**8:
        return spell(str(value))
    if value >= 10**4:
        high, low = divmod(value, 10**4)
        return number_in_chinese(high) + "万" + (("零" if low < 1000 else "") + number_in_chinese(low) if low else "")
    out, gap = "", False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // place % 10
        if digit:
            out += ("零" if gap and out else "") + DIGITS[digit] + unit
            gap = False
        elif out:
            gap = True
    out = out or "零"
    return out[1:] if out.startswith("一十") else out


def spell(digits: str) -> str:
    """Digit by digit as on the telephone: 1102 → 幺幺零二."""
    return "".join("幺" if d == "1" else DIGITS[int(d)] for d in digits if d.isdigit())


def _read_number(match: re.Match[str]) -> str:
    text, after = match.group(), match.string[match.end() : match.end() + 1]
    percent = text[-1] in "%％"
    text = text.rstrip("%％")
    if "." in text:
        whole, fraction = text.split(".")
        said = number_in_chinese(int(whole)) + "点" + "".join(DIGITS[int(d)] for d in fraction)
    elif percent or len(text) <= 2 or (after and after in _COUNTED and not text.startswith("0") and len(text) <= 5):
        value = int(text)
        if len(text) == 4 and after == "年":
            said = "".join(DIGITS[int(d)] for d in text)
        elif value == 2 and (after in set("个位次天小户人件辆台只条句声遍") and after):
            said = "两"
        else:
            said = number_in_chinese(value) if not (len(text) == 2 and text[0] == "0") else spell(text)
    elif len(text) == 11:
        said = "、".join(spell(part) for part in (text[:3], text[3:7], text[7:]))
    else:
        said = spell(text)
    return "百分之" + said if percent else said


def _read_time(match: re.Match[str]) -> str:
    hour, minute = int(match.group(1)), int(match.group(2))
    if minute == 0:
        return f"{number_in_chinese(hour)}点"
    return f"{number_in_chinese(hour)}点{'零' if minute < 10 else ''}{number_in_chinese(minute)}分"


def _read_place(match: re.Match[str]) -> str:
    building, unit, room, building2, room2 = match.groups()
    if building:
        return f"{number_in_chinese(int(building))}号楼{number_in_chinese(int(unit))}单元{spell(room)}"
    return f"{number_in_chinese(int(building2))}号楼{spell(room2)}"


def in_characters(text: str) -> str:
    """Chinese text with every figure written as it is said."""
    text = _DATE.sub(lambda m: f"{m.group(1)}年{int(m.group(2))}月{int(m.group(3))}日", text)
    text = _PLACE.sub(_read_place, text)
    text = _RANGE.sub("到", text)
    text = _TIME.sub(_read_time, text)
    text = _NUMBER.sub(_read_number, text)
    return _SPOKEN_DIGITS.sub(lambda m: m.group().replace("一", "幺"), text)


def _pinyin(text: str) -> str:
    from pypinyin import Style, lazy_pinyin

    syllables = lazy_pinyin(text, style=Style.TONE3, neutral_tone_with_five=True, tone_sandhi=True, errors="ignore")
    return " ".join(s for s in syllables if s)


def _pause_after(mark: str) -> int:
    return SHORT_PAUSE_MS if mark == "、" else CLAUSE_PAUSE_MS


def _chinese_clauses(text: str) -> list[Clause]:
    clauses: list[Clause] = []
    parts = _PUNCTUATION.split(in_characters(text))
    for body, mark in zip(parts[::2], [*parts[1::2], ""], strict=True):
        pieces: list[tuple[str, str]] = []
        at = 0
        for latin in _LATIN.finditer(body):
            pieces += [("zh", _pinyin(body[at : latin.start()])), ("en", latin.group())]
            at = latin.end()
        pieces.append(("zh", _pinyin(body[at:])))
        pieces = [(language, said) for language, said in pieces if said.strip()]
        for index, (language, said) in enumerate(pieces):
            last = index == len(pieces) - 1
            clauses.append(Clause(language, said, (_pause_after(mark) if mark else 0) if last else 0))
    return clauses


def _english_clauses(text: str) -> list[Clause]:
    text = _PLACE.sub(lambda m: " ".join(p for p in m.groups() if p), text)
    text = re.sub(r"\d{3,}(?! ?(?:hours|minutes|yuan|meters|metres|households)\b)", lambda m: " ".join(m.group()), text)
    parts = re.split(r"([,;:](?=\s)|[.!?](?=\s|$)|\n)", text)
    return [
        Clause("en", body.strip(), CLAUSE_PAUSE_MS if mark else 0)
        for body, mark in zip(parts[::2], [*parts[1::2], ""], strict=True)
        if re.search(r"\w", body)
    ]


def clauses_of(text: str, language: str) -> list[Clause]:
    """Split `text` (language `zh…` or `en…`) into clauses ready for the voice; the last one has no pause after it."""
    clauses = _chinese_clauses(text) if language.startswith("zh") else _english_clauses(text)
    return [*clauses[:-1], Clause(clauses[-1].language, clauses[-1].text, 0)] if clauses else []
