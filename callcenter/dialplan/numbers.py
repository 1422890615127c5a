"""Numbers, times, dates and addresses as the words they are said with, so that they can be joined from recorded parts.

Every reader returns a list of words; each word is one recorded part (`prompts/<language>/texts.yaml` has them all),
"，" or "," between them is a short pause. Mandarin says digits of phones, tickets and rooms one by one, with 幺 for 1.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime

PAUSE = {"zh": "，", "en": ","}
REGISTERED = {"zh": "您登记的住址", "en": "your registered address"}
"""Said instead of a place that nobody but the household of the calling number told (R10)."""
_ZH_DIGITS = "零一二三四五六七八九"
_ZH_WEEKDAYS = ("周一", "周二", "周三", "周四", "周五", "周六", "周日")
_EN_WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_EN_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
    "November", "December",
)  # fmt: skip
_EN_ONES = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve",
    "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
)  # fmt: skip
_EN_TENS = ("", "", "twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_EN_ORDINALS = {
    1: "first", 2: "second", 3: "third", 4: "fourth", 5: "fifth", 6: "sixth", 7: "seventh", 8: "eighth",
    9: "ninth", 10: "tenth", 11: "eleventh", 12: "twelfth", 13: "thirteenth", 14: "fourteenth", 15: "fifteenth",
    16: "sixteenth", 17: "seventeenth", 18: "eighteenth", 19: "nineteenth", 20: "twentieth", 30: "thirtieth",
}  # fmt: skip
_ADDRESS = re.compile(r"(?:(\w+?)号楼)?(?:(\w+?)单元)?(?:(\w+?)室)?\Z")


def join(words: Iterable[str], language: str) -> str:
    """The words as one text: without spaces in Chinese."""
    if language == "zh":
        return "".join(words)
    return " ".join(words).replace(" ,", ",")


def digits(text: str, language: str) -> list[str]:
    """Digit by digit; characters that are no digits are left out, Latin letters kept. 110 → 幺 幺 零."""
    out: list[str] = []
    for character in text:
        if character.isdigit() and character.isascii():
            value = int(character)
            out.append(("幺" if value == 1 else _ZH_DIGITS[value]) if language == "zh" else _EN_ONES[value])
        elif character.isascii() and character.isalpha():
            out.append(character.upper())
    return out


def number(value: int, language: str) -> list[str]:
    """A counting number, 0 ≤ value < 10⁸: 12 → 十 二, 105 → 一 百 零 五; English: one hundred and five."""
    if not 0 <= value < 10**8:
        raise ValueError(f"{value} is not said as a number; say it digit by digit")
    return _zh_number(value) if language == "zh" else _en_number(value)


def _zh_number(value: int) -> list[str]:
    if value >= 10**4:
        high, low = divmod(value, 10**4)
        gap = ["零"] if 0 < low < 1000 else []
        return [*_zh_number(high), "万", *gap, *(_zh_below_10000(low, leading=False) if low else [])]
    return _zh_below_10000(value, leading=True)


def _zh_below_10000(value: int, *, leading: bool) -> list[str]:
    out: list[str] = []
    gap = False
    for place, unit in ((1000, "千"), (100, "百"), (10, "十"), (1, "")):
        digit = value // place % 10
        if digit:
            if gap and out:
                out.append("零")
            out += [_ZH_DIGITS[digit], *([unit] if unit else [])]
            gap = False
        elif out:
            gap = True
    if leading and out[:2] == ["一", "十"]:
        out = out[1:]
    return out or ["零"]


def _en_number(value: int) -> list[str]:
    if value < 20:
        return [_EN_ONES[value]]
    if value < 100:
        tens, ones = divmod(value, 10)
        return [_EN_TENS[tens], *([_EN_ONES[ones]] if ones else [])]
    for size, name in ((10**6, "million"), (1000, "thousand"), (100, "hundred")):
        if value >= size:
            high, low = divmod(value, size)
            link = ["and"] if 0 < low < 100 else []
            return [*_en_number(high), name, *link, *(_en_number(low) if low else [])]
    raise AssertionError("unreachable")


def ticket(text: str, language: str) -> list[str]:
    """A ticket's number, digit by digit in groups of three: 100001 → 幺 零 零 ， 零 零 幺."""
    return _groups(text, (3,) * (len(text) // 3 + 1), language)


def phone(text: str, language: str) -> list[str]:
    """A telephone number, digit by digit: mobiles 3-4-4, others by fours; +86 is not said."""
    national = text.removeprefix("+86")
    plain = re.sub(r"\D", "", national)
    mobile = len(plain) == 11 and plain.startswith("1")
    return _groups(plain, (3, 4, 4) if mobile else (4,) * (len(plain) // 4 + 1), language)


def _groups(text: str, sizes: Iterable[int], language: str) -> list[str]:
    out: list[str] = []
    at = 0
    for size in sizes:
        said = digits(text[at : at + size], language)
        at += size
        if said:
            out += [*([PAUSE[language]] if out else []), *said]
    return out


def address(building: str | None, unit: str | None, room: str | None, language: str) -> list[str]:
    """A place of the site: buildings and units as numbers, rooms digit by digit. 3号楼2单元1102室."""
    if language == "zh":
        pieces = ((building, "号楼", False), (unit, "单元", False), (room, "室", True))
        out: list[str] = []
        for value, suffix, spelled in pieces:
            if value:
                out += [*_name(value, language, spelled=spelled), suffix]
        return out
    words: list[str] = []
    for value, prefix, spelled in ((building, "building", False), (unit, "unit", False), (room, "room", True)):
        if value:
            words += [*([","] if words else []), prefix, *_name(value, language, spelled=spelled)]
    return words


def _name(value: str, language: str, *, spelled: bool) -> list[str]:
    """A building's, unit's or room's name: figures as said, anything else (东, A) as it stands."""
    if not value.isascii() or not value.isdigit():
        out: list[str] = []
        for piece in re.findall(r"\d+|[^\d]+", value):
            out += _name(piece, language, spelled=spelled) if piece.isascii() and piece.isdigit() else [piece.upper()]
        return out
    if spelled or len(value) > 2 or value.startswith("0"):
        return digits(value, language)
    return number(int(value), language)


def parse_address(text: str) -> tuple[str | None, str | None, str | None]:
    """Building, unit and room of a written place (3号楼2单元1102室); what is not there is None."""
    match = _ADDRESS.match(text)
    return (match.group(1), match.group(2), match.group(3)) if match else (None, None, None)


def time_of_day(moment: datetime, language: str) -> list[str]:
    """A time on the wall: 15:30 → 下午 三点 半; 09:05 → 上午 九点 零 五 分. English: half past is "three thirty"."""
    hour, minute = moment.hour, moment.minute
    if language == "zh":
        words = [_zh_part_of_day(hour), "两点" if hour in (2, 14) else "".join(_zh_number(_twelve(hour))) + "点"]
        if minute == 30:
            return [*words, "半"]
        if minute == 0:
            return words
        return [*words, *(["零"] if minute < 10 else []), *_zh_number(minute), "分"]
    words = _en_number(_twelve(hour))
    if minute:
        words += [*(["oh"] if minute < 10 else []), *_en_number(minute)]
    return [*words, "AM" if hour < 12 else "PM"]


def _twelve(hour: int) -> int:
    return hour % 12 or 12


def _zh_part_of_day(hour: int) -> str:
    for until, name in ((5, "凌晨"), (8, "早上"), (12, "上午"), (13, "中午"), (18, "下午"), (24, "晚上")):
        if hour < until:
            return name
    raise AssertionError("unreachable")


def day(moment: date, today: date, language: str) -> list[str]:
    """A day as people say it: today, tomorrow, the day after, a weekday within a week, else month and day."""
    away = (moment - today).days
    near = (("今天", "today"), ("明天", "tomorrow"), ("后天", "the day after tomorrow"))
    if 0 <= away < len(near):
        return [near[away][0 if language == "zh" else 1]]
    if away == -1:
        return ["昨天" if language == "zh" else "yesterday"]
    if 0 < away < 7:
        return [_ZH_WEEKDAYS[moment.weekday()]] if language == "zh" else ["on", _EN_WEEKDAYS[moment.weekday()]]
    if language == "zh":
        return [*_zh_number(moment.month), "月", *_zh_number(moment.day), "号"]
    return ["on", _EN_MONTHS[moment.month - 1], *_en_ordinal(moment.day)]


def _en_ordinal(value: int) -> list[str]:
    if value in _EN_ORDINALS:
        return [_EN_ORDINALS[value]]
    return [_EN_TENS[value // 10], _EN_ORDINALS[value % 10]]


def when(moment: datetime, now: datetime, language: str) -> list[str]:
    """A day and a time: 今天 下午 三点 半; both moments in the same zone."""
    said_day = day(moment.date(), now.date(), language)
    said_time = time_of_day(moment, language)
    return [*said_day, *said_time] if language == "zh" else [*said_day, "at", *said_time]


def deadline(moment: datetime, now: datetime, language: str) -> list[str]:
    """By when: 今天 下午 三点 半 前; English: by three thirty PM today."""
    if language == "zh":
        return [*when(moment, now, "zh"), "前"]
    return ["by", *time_of_day(moment, "en"), *day(moment.date(), now.date(), "en")]


def duration(minutes: int, language: str) -> list[str]:
    """A length of time, minutes ≥ 0: 90 → 一 个 半 小时; 45 → 四 十 五 分钟; 120 → 两 小时."""
    hours, rest = divmod(minutes, 60)
    if language == "zh":
        if hours and rest == 30:
            return [*_zh_count(hours), "个", "半", "小时"]
        out = [*_zh_count(hours), "小时"] if hours else []
        return out + ([*_zh_count(rest), "分钟"] if rest or not hours else [])
    words = [*_en_number(hours), "hour" if hours == 1 else "hours"] if hours else []
    if rest or not hours:
        words += [*(["and"] if words else []), *_en_number(rest), "minute" if rest == 1 else "minutes"]
    return words


def _zh_count(value: int) -> list[str]:
    return ["两"] if value == 2 else _zh_number(value)
