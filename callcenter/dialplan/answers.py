"""Reading the answer to a question: a place, a name, a number, yes or no, when one knows what was asked.

An answer is short and leaves out what the question said ("幺幺零二", "王"). The rules that find pieces in free speech
are the domain's; here is what only the question makes clear.
"""

from __future__ import annotations

import re

from callcenter.domain.places import Gazetteer, Place
from callcenter.domain.understanding.contact import find_name, find_phone
from callcenter.domain.understanding.intents import find_intents
from callcenter.domain.understanding.numerals import DIGITS, NUMBER, read_number
from callcenter.domain.understanding.spoken_place import ROOM, find_place
from callcenter.domain.understanding.text import utterance

SURE = 0.6
"""An intent less sure than this is not acted on."""
SURNAMES = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪"
    "范金石廖贾夏韦付方白邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔向汤"
)
"""Commonest first; the first of them have a recorded part each."""
_FILLER = re.compile(r"[\s,，。.!！?？、]+")
_DONE = {
    "zh": re.compile(
        r"(?:嗯|哦|好的?|那|行|对|就|我|算了)*"
        r"(?:没有?(?:其他|其它|别的|什么|啥)?的?(?:问题|事情|事儿|事)?[了啦]?|没事儿?了?|不用了?|不需要了?|"
        r"就这些|就这样|就这个|算了|说完了|讲完了|可以了|行了|再见|拜拜|挂了)"
        r"(?:了|啊|吧|哈|谢谢你?们?|再见|拜拜|好的?|就这样)*"
    ),
    "en": re.compile(
        r"(?:ok |okay |no |well |thanks )*(?:no|nope|that's all|that is all|nothing else|nothing|no more|goodbye|bye|"
        r"that'll be all|no thanks|no thank you)(?: thanks| thank you| goodbye| bye| for now)*"
    ),
}
_LAST_WORD = {
    "zh": re.compile(r"(?:就这样|就这些|就是这样|说完了|讲完了|就这个事)[了吧啊]?$"),
    "en": re.compile(r"\b(?:that's all|that is all|that's it)$"),
}
_BARE_NO = re.compile(r"(?:(?:well|oh) )?(?:no|nope)(?: no)*")
_GREETING = {
    "zh": re.compile(
        r"(?:[嗯啊哦呃哎诶]|请问|那个)*(?:喂|您好|你好|哈喽|在吗|有人(?:在)?吗|(?:是|这里是|这是)?物业(?:中心|公司)?(?:吗|吧)|"
        r"(?:您|你|你们)?(?:能)?听[得的]?[到见](?:我)?(?:说话|的?声音)?(?:吗|了吗|不)?)"
        r"(?:喂|[嗯啊哦呃哎诶呀]|您好|你好|在吗|有人(?:在)?吗|请问|那个|(?:您|你|你们)?(?:能)?听[得的]?[到见](?:我)?(?:说话|的?声音)?(?:吗|了吗|不)?)*"
    ),
    "en": re.compile(
        r"(?:(?:hello|hi|hey|good morning|good afternoon|good evening|are you there|can you hear me|"
        r"(?:is )?any(?:body|one)(?: there)?)(?: |$))+"
    ),
}
_ASKED_AGAIN = {
    "zh": re.compile(
        r"再(?:说|讲|重复)一?[遍次下]|重复一?[遍次下]|重新(?:说|讲)一?[遍次下]?|"
        r"(?:没|没有|听)(?:太)?(?:听)?(?:不)?(?:清楚?|懂|明白|见|到)|说(?:的是|的|了|是)?(?:什么|啥)"
    ),
    "en": re.compile(
        r"\b(?:say (?:that|it|this) (?:again|once more|one more time)|repeat|pardon|come again|what did you say|"
        r"(?:did not|didn't|could not|couldn't|can't|cannot) (?:hear|catch|understand))\b"
    ),
}
_ASKING_AGAIN = {
    "zh": re.compile(
        rf"(?:{_ASKED_AGAIN['zh'].pattern}|[嗯啊哦呃哎诶喂呢吗吧了呀请您你我能可麻烦]|可以|能不能|可不可以|不好意思|对不起|抱歉|刚才|刚刚|一下|好不好|好吗|行吗|"
        r"谢谢|什么|问题|的?话)+"
    ),
    "en": re.compile(
        rf"(?:(?:{_ASKED_AGAIN['en'].pattern}|i'm|i am|i|am|sorry|excuse me|hello|hi|please|could|can|would|"
        r"will|you|me|that|it|the|question|again|once more|one more time|what|for me|thanks|thank you)(?: |$))+"
    ),
}
_WRONG_NUMBER = {
    "zh": re.compile(r"^.{0,6}(?:打错|拨错|按错)(?:了|电话|号码).{0,6}$"),
    "en": re.compile(r"\b(?:wrong number|misdial(?:l?ed)?)\b"),
}
_MISDIALLED = {
    "zh": re.compile(r"^.{0,6}(?:打错|拨错)(?:了|电话).{0,6}$"),
    "en": re.compile(
        r"\b(?:i|we)(?: have|'ve)?(?: must have)?(?: got| dialled| dialed| called| rung)? (?:the |a )?wrong number\b|"
        r"\bmisdial(?:l?ed)?\b"
    ),
}
"""Said in answer to a question of ours: "that is the wrong number" is about the number that we read back."""
_ABOUT: dict[str, dict[str, re.Pattern[str]]] = {
    "zh": {
        "place": re.compile(r"地址|住址|住处|地点|位置|房号|门牌|楼号|单元|几号楼|号楼|楼栋|房间"),
        "phone": re.compile(r"电话|号码|手机"),
        "name": re.compile(r"姓|名字|称呼|名"),
    },
    "en": {
        "place": re.compile(r"\b(?:address|place|building|unit|room|flat|apartment)\b"),
        "phone": re.compile(r"\b(?:phone|number|mobile|telephone)\b"),
        "name": re.compile(r"\b(?:name|called)\b"),
    },
}
_AFFIRMS = {
    "zh": re.compile(
        r"(?:就是|就|是)(?:这|那)(?:一?个|里|儿)?(?:电话|手机|号码?|地址|房号|名字?)?[的了啊呀吧嘛呢]*$|就?是(?:我的?|本机|它)|"
        r"(?:没错|没问题|没变|对|对的|正确|可以|就行|就好|就可以)[的了啊呀吧嘛呢]*$|^(?:嗯|啊|哦)*(?:对|是的|没错|正确|好的?|可以|行)|"
        r"(?:打|用|留|联系|拨)(?:这|那)一?个"
    ),
    "en": re.compile(
        r"\b(?:that's|that is|this is|it's|it is|is|are|that one is) (?:all )?(?:right|correct|fine|ok|okay|good|it|"
        r"the (?:right )?(?:number|phone|one|address|name)|my (?:number|phone|mobile|name|address|flat|room))\b|"
        r"^(?:yes|yeah|yep|correct|right|sure|ok|okay)\b|\b(?:use|call|ring) (?:me on )?(?:this|that)\b"
    ),
}
_DENIES = {
    "zh": re.compile(r"(?<!没)错|不(?!好意思)|改|换|没有"),
    "en": re.compile(r"\b(?:not|no|isn't|wrong|incorrect|but|change|instead)\b"),
}
_BARE = re.compile(rf"^(?:\D*?(?<!{NUMBER}))?({NUMBER}+)(?!{NUMBER})\D*$")
_EN_WORDS = ["zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven", "twelve"]
_EN_DIGIT = {word: str(value) for value, word in enumerate(_EN_WORDS)} | {"oh": "0", "o": "0"}
_NO_COUNT = re.compile("[点分天次个年月块元]")


def intents(text: str, language: str, *, asked: bool = False) -> frozenset[str]:
    """What an answer wants of the talk itself: yes, no, done, repeat, operator, resident_data, objects_recording,
    wrong_number. `asked`: it answers a question of ours.

    "done" only where nothing else is said: "没有了" is, "水没有了" is not.
    """
    found = {label.value for label in find_intents(utterance(text), language) if label.confidence >= SURE}
    found.discard("done")
    if (_MISDIALLED if asked else _WRONG_NUMBER)[language].search(_plain(text, language)):
        found.add("wrong_number")
    if asks_again(text, language):
        found.add("repeat")
    if _DONE[language].fullmatch(_plain(text, language)):
        found = (found - {"yes"}) | {"done"}
    return frozenset(found)


def nothing(text: str, language: str) -> bool:
    """Whether an answer says that there is nothing (没有了, no thanks); a bare English "no" denies instead."""
    plain = _plain(text, language)
    return bool(_DONE[language].fullmatch(plain)) and not (language == "en" and _BARE_NO.fullmatch(plain))


def greets(text: str, language: str) -> bool:
    """Whether a turn is nothing but a greeting, or asks whether anybody is there: 喂, 听得到吗."""
    return bool(_GREETING[language].fullmatch(_plain(text, language)))


def asks_again(text: str, language: str) -> bool:
    """Whether a turn is nothing but the wish to hear it again: 再说一遍, say that again."""
    plain = _plain(text, language)
    return bool(_ASKED_AGAIN[language].search(plain) and _ASKING_AGAIN[language].fullmatch(plain))


def affirms(text: str, language: str) -> bool:
    """Whether an answer says of a piece that it is right as it was read back: 号码就是这个, that is my number."""
    plain = _plain(text, language)
    return bool(about(text, language) and _AFFIRMS[language].search(plain) and not _DENIES[language].search(plain))


def finished(text: str, language: str) -> bool:
    """Whether a telling ends with words that say so: 就这样, that's all."""
    return bool(_LAST_WORD[language].search(_plain(text, language)))


def _plain(text: str, language: str) -> str:
    return _FILLER.sub("" if language == "zh" else " ", text.lower().replace("’", "'")).strip()


def about(text: str, language: str) -> frozenset[str]:
    """Which piece a correction speaks of: place, phone, name."""
    return frozenset(name for name, pattern in _ABOUT[language].items() if pattern.search(text.lower()))


def read_digits(text: str, language: str) -> str:
    """All digits of an answer in a row, however they are said: "幺三八 0013" → 1380013."""
    if language == "zh":
        return "".join(DIGITS[c] for c in text if c in DIGITS)
    out, times = "", 1
    for word in re.findall(r"[a-z]+|\d", text.lower()):
        if word in ("double", "triple"):
            times = 2 if word == "double" else 3
        elif word.isdigit() or len(_EN_DIGIT.get(word, "")) == 1:
            out += (word if word.isdigit() else _EN_DIGIT[word]) * times
            times = 1
    return out


def read_phone(text: str, language: str) -> str | None:
    """A telephone number in an answer: a mobile (11 figures from 1), or a fixed one of 7 to 12; else None."""
    found, _ = find_phone(utterance(text), language)
    if found.value:
        return found.value
    plain = read_digits(text, language)
    if plain.startswith("86") and len(plain) == 13:
        plain = plain[2:]
    if len(plain) == 11 and plain.startswith("1"):
        return plain
    return plain if 7 <= len(plain) <= 12 and not plain.startswith("1") else None


def read_name(text: str, language: str) -> str | None:
    """A name in an answer to "may I have your name": a surname or a whole name; None when there is none."""
    found = find_name(utterance(text), language, asked=True)
    if found.value:
        return found.value
    plain = text.strip(" 。，,.!")
    if language == "en":
        words = plain.split()
        return plain.title() if 1 <= len(words) <= 3 and re.fullmatch(r"[A-Za-z' -]+", plain) else None
    bare = re.sub(r"^(?:我是|我|嗯|啊|哦|叫|免贵|姓)+|(?:吧|啊|呀|呢|的)$", "", plain)
    return bare if 1 <= len(bare) <= 3 and bare[:1] in SURNAMES else None


def read_place(
    text: str, language: str, gazetteer: Gazetteer | None = None, *, known: Place | None = None
) -> Place | None:
    """A place in an answer, or a piece of one. A bare number is what `known` still lacks, or a door of the site that is
    told in a row ("three two one one zero two"). None: nothing found."""
    said = utterance(text)
    _, numbers = find_phone(said, language)
    if numbers:
        return None
    place = Place.spoken(find_place(said, language, gazetteer)[0])
    if place != Place():
        return place
    if language == "en":
        words = [_EN_DIGIT.get(w, w) for w in re.findall(r"[a-z]+|\d+", text.lower())]
        digits = [w for w in words if w.isdigit()]
        return _fill("".join(digits), gazetteer, known) if digits and len(words) - len(digits) <= 2 else None
    bare = _BARE.match(_plain(text, language))
    value = read_number(bare.group(1)) if bare else None
    return _fill(value, gazetteer, known) if value and not _NO_COUNT.search(text) else None


def _fill(value: str, gazetteer: Gazetteer | None, known: Place | None) -> Place | None:
    """Where a bare number belongs: long ones are doors or rooms, short ones what is missing first."""
    if gazetteer is not None and len(value) >= ROOM:
        here = gazetteer.door(value, known.building) if known is not None and known.building else None
        if door := here or gazetteer.door(value):
            return door
    if len(value) > ROOM:
        return None
    if len(value) >= 3:
        return Place(room=value)
    if known is not None and known.building:
        return Place(unit=value) if known.unit is None else None
    return Place(building=value)
