"""Reading the answer to a question: a place, a name, a number, yes or no, when one knows what was asked.

An answer is short and leaves out what the question said ("幺幺零二", "王"), so it is read here, not by the model
that reads whole matters. Words come from recognition: digits arrive as figures or characters, with fillers.
"""

from __future__ import annotations

import re

from callcenter.domain.places import Place

_ZH_DIGIT = {
    "零": 0, "〇": 0, "洞": 0, "一": 1, "幺": 1, "妖": 1, "腰": 1, "壹": 1, "二": 2, "两": 2, "三": 3, "四": 4, "五": 5,
    "六": 6, "七": 7, "八": 8, "九": 9,
}  # fmt: skip
_EN_DIGIT = {
    "zero": 0, "oh": 0, "o": 0, "one": 1, "two": 2, "three": 3, "four": 4, "five": 5, "six": 6, "seven": 7, "eight": 8,
    "nine": 9,
}  # fmt: skip
_EN_SMALL = {
    **_EN_DIGIT, "ten": 10, "eleven": 11, "twelve": 12, "thirteen": 13, "fourteen": 14, "fifteen": 15, "sixteen": 16,
    "seventeen": 17, "eighteen": 18, "nineteen": 19, "twenty": 20,
}  # fmt: skip
_N = r"[0-9零〇洞一幺妖腰二两三四五六七八九十百]+"
_BUILDING = re.compile(rf"({_N})\s*(?:号楼|栋|幢|座|号院|楼(?!上|下|道|梯))")
_UNIT = re.compile(rf"({_N})\s*(?:单元|门洞)")
_ROOM = re.compile(rf"({_N})\s*(?:室|号房|房间|房|户)")
_DASHED = re.compile(rf"({_N})\s*(?:-|杠|之)\s*({_N})(?:\s*(?:-|杠|之)\s*({_N}))?")
_TAIL = re.compile(rf"(?:单元|号楼|栋|幢|座)\s*({_N})(?!\s*(?:单元|门|号楼|栋|点|分|天|个|小时|次))")
_BARE = re.compile(rf"^\D*?({_N})\D*$")
_NAME = (
    re.compile(r"(?:免贵|敝)?姓([\u4e00-\u9fff]{1,2}?)(?=$|[，。,.\s]|的|了|名|叫|吧|啊)"),
    re.compile(r"(?:我叫|名字叫|名字是|叫做|名叫)([\u4e00-\u9fff]{2,4}?)(?=$|[，。,.\s]|的|了|啊|吧|住|在|电话)"),
    re.compile(r"([\u4e00-\u9fff])(?:先生|女士|小姐|师傅|老师|阿姨|大爷|大妈)"),
    re.compile(r"^(?:我是|是)([\u4e00-\u9fff]{2,3})$"),
)
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
_EN_NAME = re.compile(r"(?:my name is|this is|i am|i'm|it's|name's|call me)\s+([a-z][a-z' -]{1,40})", re.IGNORECASE)
_INTENTS: dict[str, dict[str, re.Pattern[str]]] = {
    "zh": {
        "operator": re.compile(
            r"人工|转接?(?:给)?(?:值班|客服|经理|领导)|(?:找|叫|换|要)(?:个|一个)?(?:真人|活人)|值班员"
        ),
        "no": re.compile(r"不对|不是|错了|有误|说错|记错|不正确|不行"),
        "yes": re.compile(r"^(?:嗯|恩|唔|哦|啊|那)*(?:对|是|好|行|可以|没错|正确|没问题|有(?!误|错)|还有|嗯|确认)"),
        "done": re.compile(r"没有了|没了|没事了?|不用了?|就这些|就这样|就这个|没别的|说完了|^没有|再见|完了$"),
        "repeat": re.compile(r"再说一[遍次]|重复|没听清|听不清|说什么"),
        "objects_recording": re.compile(
            r"(?:不要|别|不想|不同意|不许|不让|不能|拒绝|停止)(?:给我|你们|被|让你们?)?录音"
        ),
    },
    "en": {
        "operator": re.compile(r"\b(?:operator|human|real person|a person|somebody real|agent|representative)\b"),
        "no": re.compile(r"\b(?:no|nope|wrong|not right|incorrect|that's not)\b"),
        "yes": re.compile(r"^(?:um |well |oh )*(?:yes|yeah|yep|right|correct|ok|okay|sure|that's right|i do)\b"),
        "done": re.compile(r"\b(?:that's all|that is all|nothing else|no thanks|no thank you|goodbye|bye)\b|^no\W*$"),
        "repeat": re.compile(r"\b(?:repeat|say (?:that|it) again|pardon|didn't catch)\b"),
        "objects_recording": re.compile(r"(?:don't|do not|stop|not want|no) (?:you to |be |being )?record"),
    },
}  # fmt: skip
_ABOUT: dict[str, dict[str, re.Pattern[str]]] = {
    "zh": {
        "place": re.compile(r"地址|地点|位置|房号|门牌|楼号|单元|几号楼|号楼|楼栋|房间"),
        "phone": re.compile(r"电话|号码|手机"),
        "name": re.compile(r"姓|名字|称呼|名"),
    },
    "en": {
        "place": re.compile(r"\b(?:address|place|building|unit|room|flat|apartment)\b"),
        "phone": re.compile(r"\b(?:phone|number|mobile|telephone)\b"),
        "name": re.compile(r"\b(?:name|called)\b"),
    },
}  # fmt: skip


def intents(text: str, language: str) -> frozenset[str]:
    """What an answer wants of the talk itself: yes, no, done, repeat, operator, objects_recording."""
    plain = text.strip().lower().replace("’", "'")
    found = {name for name, pattern in _INTENTS[language].items() if pattern.search(plain)}
    if "no" in found or "done" in found:
        found.discard("yes")
    return frozenset(found)


def about(text: str, language: str) -> frozenset[str]:
    """Which piece a correction speaks of: place, phone, name."""
    return frozenset(name for name, pattern in _ABOUT[language].items() if pattern.search(text.lower()))


def figure(text: str) -> str:
    """A spoken number as figures: 十二 → 12, 一百零二 → 102, 幺幺零二 → 1102, 3 → 3."""
    if not re.search("[十百]", text):
        return "".join(str(_ZH_DIGIT[c]) if c in _ZH_DIGIT else c for c in text)
    total, digit = 0, 0
    for character in text:
        if character == "百":
            total, digit = total + (digit or 1) * 100, 0
        elif character == "十":
            total, digit = total + (digit or 1) * 10, 0
        else:
            digit = _ZH_DIGIT[character] if character in _ZH_DIGIT else int(character)
    return str(total + digit)


def read_digits(text: str, language: str) -> str:
    """All digits of an answer in a row, however they are said: "幺三八 0013" → 1380013."""
    if language == "zh":
        return "".join(str(_ZH_DIGIT[c]) if c in _ZH_DIGIT else c for c in text if c in _ZH_DIGIT or c in "0123456789")
    out, times = "", 1
    for word in re.findall(r"[a-z]+|\d", text.lower()):
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
        elif word.isdigit() or word in _EN_DIGIT:
            out += (word if word.isdigit() else str(_EN_DIGIT[word])) * times
            times = 1
    return out


def read_phone(text: str, language: str) -> str | None:
    """A telephone number in an answer: a mobile (11 figures from 1), or a fixed one of 7 to 12; else None."""
    plain = read_digits(text, language)
    if plain.startswith("86") and len(plain) == 13:
        plain = plain[2:]
    if len(plain) == 11 and plain.startswith("1"):
        return plain
    return plain if 7 <= len(plain) <= 12 and not plain.startswith("1") else None


def read_name(text: str, language: str) -> str | None:
    """A name in an answer to "may I have your name": a surname or a whole name; None when there is none."""
    plain = text.strip().strip("。，,.! ")
    if language == "en":
        if match := _EN_NAME.search(plain):
            return " ".join(match.group(1).split()[:3]).title()
        words = plain.split()
        return plain.title() if 1 <= len(words) <= 3 and re.fullmatch(r"[A-Za-z' -]+", plain) else None
    for pattern in _NAME:
        if match := pattern.search(plain):
            return match.group(1)
    bare = re.sub(r"^(?:我是|我|嗯|啊|哦|叫)+|(?:吧|啊|呀|呢)$", "", plain)
    return bare if 1 <= len(bare) <= 3 and bare[:1] in SURNAMES else None


def read_place(text: str, language: str, *, known: Place | None = None) -> Place | None:
    """A place in an answer, or a piece of one. A bare number is what `known` still lacks. None: nothing found."""
    if language == "en":
        return _read_place_en(text, known)
    plain = re.sub(r"\s+", "", text)
    if dashed := _DASHED.search(plain):
        first, second, third = dashed.groups()
        if third:
            return Place(figure(first), figure(second), figure(third))
        return Place(figure(first), None, figure(second))
    building, unit, room = (_first(p, plain) for p in (_BUILDING, _UNIT, _ROOM))
    if room is None and (building or unit):
        room = _first(_TAIL, plain)
    if building or unit or room:
        return Place(building, unit, room)
    bare = _BARE.match(plain)
    return _fill(figure(bare.group(1)), known) if bare and not re.search("[点分天次个]", plain) else None


def _first(pattern: re.Pattern[str], text: str) -> str | None:
    matches = pattern.findall(text)
    return figure(matches[-1]) if matches else None


def _fill(value: str, known: Place | None) -> Place | None:
    if known is not None and known.building:
        return Place(None, None, value) if len(value) >= 2 else Place(None, value, None)
    return Place(None, None, value) if len(value) >= 3 else Place(value, None, None)


def _read_place_en(text: str, known: Place | None) -> Place | None:
    plain = text.lower().replace("-", " ")
    found: dict[str, str] = {}
    stretch = r"((?:(?:" + "|".join(sorted(_EN_SMALL, key=len, reverse=True)) + r"|\d+)\b\s*)+)"
    for field, pattern in (
        ("building", r"building(?: number| no)?"),
        ("unit", r"unit(?: number)?"),
        ("room", r"(?:room|flat|apartment)(?: number)?"),
    ):
        if match := re.search(rf"\b{pattern}\s+{stretch}", plain):
            found[field] = _en_figure(match.group(1))
    if found:
        return Place(found.get("building"), found.get("unit"), found.get("room"))
    match = re.fullmatch(rf"(?:\D*?\b)?{stretch}\W*", plain)
    return _fill(_en_figure(match.group(1)), known) if match else None


def _en_figure(text: str) -> str:
    out = ""
    for word in text.split():
        out += word if word.isdigit() else str(_EN_SMALL[word])
    return out
