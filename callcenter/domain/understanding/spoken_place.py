"""Buildings, units and rooms in the many ways people say them, checked against the site's gazetteer."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from callcenter.domain.labels import Label, SpokenPlace
from callcenter.domain.places import Gazetteer, Place
from callcenter.domain.understanding.numerals import DIGIT, DIGITS, HOMOPHONES, NUMBER, read_number
from callcenter.domain.understanding.text import Utterance

_N = NUMBER
_JOIN = r"\s*(?:-|—|–|/|#|之|[杠钢刚缸])\s*"
_NOT_NUMBER = rf"(?<!{_N})"
_MORE = r"[\s,，、的第在]*"

_REPAIRS = (
    (re.compile(rf"(?<={_N})[号號好耗浩豪毫皓][楼樓漏娄搂喽陋篓露]"), "号楼"),
    (re.compile(rf"(?<={_N})[号號好耗浩豪毫皓]路(?![灯口上边面中])"), "号楼"),
    (re.compile(rf"(?<={_N})[单單担丹胆淡但蛋弹旦诞][元员原园圆源缘远院愿援]"), "单元"),
    (re.compile(rf"(?<={_N})[动棟冻洞懂董](?=[{_N[1:-1]}的单楼]|$)"), "栋"),
    (re.compile(r"(?<=单元)[幺要腰药](?=[幺要腰药一二三四五六七八九零])"), "幺"),
)
_LEADING = re.compile(rf"(?<!{_N})([{''.join(c for c in HOMOPHONES if c not in '要起无而意')}])(?=号楼|单元|栋|幢)")

_BUILDING = (
    rf"(?:第)?(?P<building>{_N}{{1,5}}|(?<![a-z])[a-z](?![a-z]))"
    r"(?:号楼|号院|栋楼?|幢楼?|座楼?|#楼|#(?![0-9])|#(?=[0-9]{1,3}单元))"
)
_UNIT = rf"(?:第)?(?P<unit>{_N}{{1,3}})(?:单元|门(?={_MORE}{_N})|梯(?={_MORE}{_N})|{_JOIN}(?={_N}{{3}}))"
_ROOM = rf"(?P<room>{_N}{{3,6}})(?:号房|房间|室|户|房)?"
_FLOOR_DOOR = rf"(?P<floor>{_N}{{1,3}})(?:楼|层)(?P<door>{_N}{{1,2}})(?:号|室|户|房)"

_FULL = re.compile(rf"{_BUILDING}{_MORE}(?:{_UNIT}{_MORE})?(?:{_FLOOR_DOOR}|{_ROOM})?")
_PLAIN_BUILDING = re.compile(
    rf"{_NOT_NUMBER}(?P<building>{_N}{{1,3}})(?:号|楼){_MORE}(?P<unit>{_N}{{1,3}})单元{_MORE}(?:{_FLOOR_DOOR}|{_ROOM})?"
)
_DASHED = re.compile(
    rf"(?<![{_N[1:-1]}楼栋座幢a-z])(?P<building>{_N}{{1,3}}){_JOIN}(?:(?P<unit>{_N}{{1,2}}){_JOIN})?(?P<room>{_N}{{3,5}})(?!{_N})"
)
_UNIT_ONLY = re.compile(rf"{_NOT_NUMBER}(?P<unit>{_N}{{1,3}})单元{_MORE}(?:{_FLOOR_DOOR}|{_ROOM})?")
_ROOM_ONLY = re.compile(
    rf"{_NOT_NUMBER}(?P<room>{_N}{{3,5}})(?:号房|房间|室|房(?!子|租|价|产)|户|的?(?:业主|住户|这户|那户|这家))"
)
_ROOM_MINE = re.compile(
    rf"(?:我家|我住|我们家|住在|家住|我是|我在){_MORE}(?P<room>{_N}{{3,5}})(?![{_N[1:-1]}块元点天年个人])"
)
_NUMBERED = re.compile(
    rf"{_NOT_NUMBER}(?P<building>{_N}{{1,3}})号{_MORE}(?P<room>{DIGIT}{{3,4}})(?:号房|室|房|户)?(?![{_N[1:-1]}块元点天年个人多])"
)
"""五号八零一: the building's number without the word for a building."""
_IN_A_ROW = re.compile(
    rf"(?:^|[,，。]|我家|我住|我们家|住在|家住|我在|地址)[\s,，、的第在是嗯呃啊哦]*(?P<room>{DIGIT}{{5,7}})(?![{_N[1:-1]}块元点天年个人多])"
)
"""三二幺幺零二: building, unit and room in a row, which the gazetteer takes apart."""
_FLOOR_ONLY = re.compile(rf"{_NOT_NUMBER}{_FLOOR_DOOR}")

_EN_ONES = dict(
    zip(
        [
            "zero",
            "one",
            "two",
            "three",
            "four",
            "five",
            "six",
            "seven",
            "eight",
            "nine",
            "ten",
            "eleven",
            "twelve",
            "thirteen",
            "fourteen",
            "fifteen",
            "sixteen",
            "seventeen",
            "eighteen",
            "nineteen",
        ],
        range(20),
        strict=True,
    )
) | {"oh": 0, "o": 0}
_EN_TENS = {
    w: 10 * (i + 2)
    for i, w in enumerate(["twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety"])
}
_EN_WORD = rf"(?:\d+|{'|'.join(sorted((*_EN_ONES, *_EN_TENS, 'hundred', 'and'), key=len, reverse=True))})"
_EN_NUMBER = rf"({_EN_WORD}(?:[ -]+{_EN_WORD})*)(?![a-z])"
_EN_PARTS = {
    "building": re.compile(rf"\b(?:building|block|tower)(?: number)? (?:{_EN_NUMBER}|([a-z])\b)"),
    "unit": re.compile(rf"\b(?:unit|entrance|staircase)(?: number)? {_EN_NUMBER}"),
    "room": re.compile(rf"\b(?:room|apartment|flat|apt|door)\.?(?: number)? {_EN_NUMBER}"),
}

ROOM = 5
"""A room's name has at most so many figures."""
ROW = 7
"""Building, unit and room in a row have at most so many."""
_DOOR_SURE = 0.8
"""How sure a door is that was named by its figures alone."""
Span = tuple[int, int]
_NEAR = 12
"""A building named so many characters before a danger is where it is (three times as many in English)."""
_MINE = re.compile(r"(我家|我住|我在|我是|住在|我们家|家住|地址|这里是|这边是|本人)[^,，。]{0,4}$")
_THERE = re.compile(r"(?<![住家])在(?:的是?)?$")
"""Before the place of a danger that was told first: 电梯困人了，在五号楼."""
_CORRECTED = re.compile(r"不对|不是|说错|错了|应该是|更正|改一下")
_CORRECTED_EN = re.compile(r"\b(?:sorry|i mean|i meant|actually|no|not|wrong|rather)\b")
_DENIED_EN = re.compile(r"\bnot (?:in |at |from )?$")


@dataclass(frozen=True)
class _Found:
    start: int
    end: int
    building: str | None
    unit: str | None
    room: str | None
    confidence: float


def _repaired(text: str) -> str:
    for pattern, right in _REPAIRS:
        text = pattern.sub(right, text)
    return _LEADING.sub(lambda m: m.group(1) if m.group(1) in DIGITS else _figure(m.group(1)), text)


def _figure(character: str) -> str:
    return "零一二三四五六七八九"[int(HOMOPHONES[character])]


def _room_after(text: str, start: int) -> tuple[str, int] | None:
    """A run of three or four digits at `start` of which up to half were heard as other characters."""
    figures, true = "", 0
    for character in text[start : start + 4]:
        if character in DIGITS:
            true += 1
            figures += DIGITS[character]
        elif character in HOMOPHONES:
            figures += HOMOPHONES[character]
        else:
            break
    return (figures, start + len(figures)) if len(figures) >= 3 and true * 2 >= len(figures) else None


def _room(match: re.Match[str]) -> str | None:
    groups = match.groupdict()
    longest = ROW if match.re is _IN_A_ROW else ROOM
    if groups.get("floor"):
        floor, door = read_number(groups["floor"]), read_number(groups["door"])
        return f"{int(floor)}{int(door):02d}" if floor and door else None
    room = read_number(groups["room"]) if groups.get("room") else None
    return room if room and 3 <= len(room) <= longest else None


def _named(said: str | None) -> str | None:
    """A building's or unit's name in figures, without leading zeros; letters in capitals."""
    if said is None:
        return None
    number = read_number(said)
    if number is None:
        return said.upper() if said.isascii() and said.isalpha() else None
    return number.lstrip("0") or None


def _matches(pattern: re.Pattern[str], text: str, confidence: float) -> list[_Found]:
    found = []
    for match in pattern.finditer(text):
        groups = match.groupdict()
        room, end = _room(match), match.end()
        if room is None and (groups.get("unit") or groups.get("building")) and pattern is not _DASHED:
            at = end
            while at < len(text) and text[at] in " ,，、的第在":
                at += 1
            if after := _room_after(text, at):
                room, end = after
        if pattern is _DASHED and room is None:
            continue
        found.append(
            _Found(match.start(), end, _named(groups.get("building")), _named(groups.get("unit")), room, confidence)
        )
    return [f for f in found if f.building or f.unit or f.room]


def _candidates(text: str) -> list[_Found]:
    taken: list[_Found] = []
    for pattern, confidence in (
        (_DASHED, 0.85),
        (_FULL, 0.92),
        (_PLAIN_BUILDING, 0.88),
        (_NUMBERED, 0.75),
        (_UNIT_ONLY, 0.88),
        (_FLOOR_ONLY, 0.75),
        (_ROOM_ONLY, 0.82),
        (_ROOM_MINE, 0.65),
    ):
        for found in _matches(pattern, text, confidence):
            if not any(found.start < other.end and other.start < found.end for other in taken):
                taken.append(found)
    return sorted(taken, key=lambda f: f.start)


def _english_number(said: str) -> str | None:
    """Digits of an English number: eleven oh two → 1102, one one zero two → 1102, twenty three → 23."""
    figures, hundred = "", False
    pending_tens = 0
    for word in re.split(r"[ -]+", said):
        if word.isdigit():
            figures += word
        elif word == "hundred":
            hundred = True
        elif word in _EN_TENS:
            pending_tens = _EN_TENS[word]
            figures += str(pending_tens)
        elif word in _EN_ONES:
            value = _EN_ONES[word]
            if pending_tens and 0 < value < 10:
                figures = figures[:-2] + str(pending_tens + value)
            elif hundred:
                figures += f"{value:02d}"
            else:
                figures += str(value)
            pending_tens = 0
    if hundred and len(figures) <= 2:
        figures += "00"
    return figures or None


def _meant_en(pattern: re.Pattern[str], text: str, danger: Span | None = None) -> re.Match[str] | None:
    """The part that is meant: none that is denied, and the one corrected to, where the danger is, else the first."""
    matches = [m for m in pattern.finditer(text) if not _DENIED_EN.search(text[: m.start()])]
    for earlier, later in reversed(tuple(pairwise(matches))):
        if _CORRECTED_EN.search(text[earlier.end() : later.start()]):
            return later
    told = [m for m in matches if danger and m.start() < danger[1] and danger[0] - m.end() <= 3 * _NEAR]
    return told[-1] if told else matches[0] if matches else None


def _english(text: str, danger: Span | None) -> list[_Found]:
    if dashed := _matches(_DASHED, text, 0.85):
        return dashed
    parts: dict[str, tuple[str | None, int, int]] = {}
    building, first = _meant_en(_EN_PARTS["building"], text, danger), _EN_PARTS["building"].search(text)
    if building and first and building.start() != first.start():
        text = " " * building.start() + text[building.start() :]  # what was said before belongs to another building
    for part, pattern in _EN_PARTS.items():
        if match := building if part == "building" else _meant_en(pattern, text):
            said = next(g for g in match.groups() if g)
            value = _english_number(said) or said.upper()
            parts[part] = (value, match.start(), match.end())
    if not parts:
        return []
    values = {part: parts[part][0] if part in parts else None for part in _EN_PARTS}
    return [
        _Found(
            min(p[1] for p in parts.values()),
            max(p[2] for p in parts.values()),
            values["building"],
            values["unit"],
            values["room"],
            0.9,
        )
    ]


def _choose(candidates: list[_Found], text: str, danger: Span | None) -> _Found | None:
    """The place meant: the one corrected to, else where the danger is, else the caller's own, else the fullest."""
    if not candidates:
        return None
    for later in reversed(candidates[1:]):
        before = text[max(0, later.start - 8) : later.start]
        if _CORRECTED.search(before):
            return later

    told = [c for c in candidates if danger and c.building and c.start < danger[1] and danger[0] - c.end <= _NEAR]
    told = told or [c for c in candidates if danger and c.building and _THERE.search(text[: c.start])][:1]
    if told:
        return told[-1]

    def worth(found: _Found) -> tuple[int, int, int]:
        mine = bool(_MINE.search(text[max(0, found.start - 10) : found.start]))
        parts = sum(part is not None for part in (found.building, found.unit, found.room))
        return (int(mine and found.building is not None), parts, -found.start)

    return max(candidates, key=worth)


def _merge(chosen: _Found, candidates: list[_Found]) -> _Found:
    """Parts said apart from each other (三号楼, 对, 二单元, 一一零二室) belong together."""
    building, unit, room, end, start = chosen.building, chosen.unit, chosen.room, chosen.end, chosen.start
    for other in candidates:
        if other is chosen or (other.building is not None and building is not None):
            continue
        if room is None and other.room is not None and (other.unit is None or unit is None or other.unit == unit):
            room = other.room
        elif other.room is not None and room != other.room:
            continue
        unit = unit if unit is not None else other.unit
        building = building if building is not None else other.building
        start, end = min(start, other.start), max(end, other.end)
    return _Found(start, end, building, unit, room, chosen.confidence)


def find_place(
    said: Utterance,
    language: str = "zh",
    gazetteer: Gazetteer | None = None,
    blank: tuple[Span, ...] = (),
    danger: Span | None = None,
) -> tuple[SpokenPlace, Span | None]:
    """The place in a text and where it stands in `said.text`. `blank` spans (a phone number) are not looked at.

    `danger`: where one is told of; 我住三号楼五号楼着火了 is building 5 (R29).
    """
    characters = list(said.text)
    for start, end in blank:
        characters[start:end] = "。" * (end - start)
    text = "".join(characters)
    repaired = text if language == "en" else _repaired(text)
    candidates = _english(repaired, danger) if language == "en" else _candidates(repaired)
    if gazetteer is not None and not any(c.building for c in candidates):
        candidates += _by_alias(text, gazetteer)
        candidates += [] if candidates else _in_a_row(repaired, gazetteer)
    chosen = _choose(candidates, text, danger)
    if chosen is None:
        return SpokenPlace(), None
    if chosen not in candidates or language != "en":
        chosen = _merge(chosen, candidates)
    words = said.evidence(chosen.start, chosen.end)
    confidence = chosen.confidence - (
        0.15 if repaired[chosen.start : chosen.end] != text[chosen.start : chosen.end] else 0
    )
    return _checked(chosen, words, confidence, gazetteer), (chosen.start, chosen.end)


def _by_alias(text: str, gazetteer: Gazetteer) -> list[_Found]:
    found = []
    for building in gazetteer.buildings:
        for alias in building.aliases:
            if len(alias) >= 2 and (at := text.find(alias)) >= 0:
                end = at + len(alias)
                after = re.compile(rf"{_MORE}{_ROOM}").match(text, end)
                room = _room(after) if after else None
                found.append(_Found(at, after.end() if after and room else end, building.name, None, room, 0.8))
    return found


def _in_a_row(text: str, gazetteer: Gazetteer) -> list[_Found]:
    rows = _matches(_IN_A_ROW, text, _DOOR_SURE)
    return [row for row in rows if row.room and gazetteer.door(row.room) is not None]


def _taken_apart(found: _Found, gazetteer: Gazetteer) -> Place | None:
    """The door meant where figures that belong apart were said in a row: 三号楼二幺幺零二, unit two eleven oh two."""
    building, unit, room = found.building, found.unit, found.room
    if building is not None and unit is not None:
        parted = gazetteer.knows(building, unit) or not gazetteer.knows(building)
        return None if parted else gazetteer.door(f"{unit}{room or ''}", building)
    row = room if unit is None and room is not None else building if room is None else None
    if row is None or len(row) < ROOM or gazetteer.knows(building, None, room):
        return None  # four figures that no room has were misheard: they are asked for again
    return gazetteer.door(row, building if row is room else None)


def _checked(found: _Found, words: str, confidence: float, gazetteer: Gazetteer | None) -> SpokenPlace:
    """Labels, less sure where the gazetteer does not know the part together with those before it."""
    building, unit, room = found.building, found.unit, found.room
    if gazetteer is not None and (door := _taken_apart(found, gazetteer)) is not None:
        building, unit, room = door.building, door.unit, door.room
        confidence = min(confidence, _DOOR_SURE)
    sure = [confidence, confidence, confidence]
    if gazetteer is not None:
        if building is not None:
            sure = [
                confidence if gazetteer.knows(building) else 0.3,
                confidence if gazetteer.knows(building, unit) else 0.3,
                confidence if gazetteer.knows(building, unit, room) else 0.3,
            ]
            if (here := gazetteer.building(building)) is not None:
                building = here.name
        elif room is not None and not any(gazetteer.knows(b.name, unit, room) for b in gazetteer.buildings):
            sure[2] = 0.3
    labels = [
        Label(value, round(certainty, 2) if value is not None else 0.0, words if value is not None else "")
        for value, certainty in zip((building, unit, room), sure, strict=True)
    ]
    return SpokenPlace(*labels)
