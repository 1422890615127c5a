"""Call-back numbers and names, as callers say them."""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re

from callcenter.domain.labels import Label
from callcenter.domain.understanding.numerals import DIGITS, HOMOPHONES
from callcenter.domain.understanding.text import Utterance

Span = tuple[int, int]

_FILLER = re.compile(r"[\s,，、。.\-—–()（）嗯啊呃额哦噢呀吧然后再来是]")
_REPEATED = re.compile(r"([二两三四五六2-6])个([0-9零一二三四五六七八九幺])")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(?:10|2\d|[3-9]\d{2})\d{7,8}|[48]00\d{7}")
_LOCAL = re.compile(r"[2-9]\d{6,7}")
_ABOUT_PHONES = re.compile(r"电话|手机|座机|号码|打给我|联系|回电|拨|call|phone|number|reach me", re.IGNORECASE)
_CORRECTED = re.compile(r"不对|说错|错了|应该是|更正|sorry|i mean")
_EN_DIGIT = {"zero": "0", "oh": "0", "one": "1", "two": "2", "three": "3", "four": "4", "five": "5", "six": "6",
             "seven": "7", "eight": "8", "nine": "9"}  # fmt: skip
_EN_WORD = re.compile(r"[a-z][a-z'.-]*[a-z]|[a-z]")
_EN_RUN = re.compile(rf"(?:\b(?:double |triple )?(?:{'|'.join(_EN_DIGIT)})\b[\s,.-]*){{5,}}")


def _runs(text: str) -> list[list[tuple[str, int, bool]]]:
    """Runs of digits with fillers between: (figure, position, believed). Homophones enter only inside a run."""
    runs: list[list[tuple[str, int, bool]]] = []
    run: list[tuple[str, int, bool]] = []
    gap = 0
    position = 0
    while position < len(text):
        character = text[position]
        if repeated := _REPEATED.match(text, position):
            run += [(DIGITS[repeated.group(2)], position, True)] * int(DIGITS[repeated.group(1)])
            position, gap = repeated.end(), 0
            continue
        if character in DIGITS:
            run.append((DIGITS[character], position, True))
            gap = 0
        elif character in HOMOPHONES and (run or text[position + 1 : position + 2] in DIGITS):
            run.append((HOMOPHONES[character], position, False))
            gap = 0
        elif run and _FILLER.match(character) and gap < 4:
            gap += 1
        else:
            runs.append(run)
            run, gap = [], 0
        position += 1
    runs.append(run)
    return [r for r in runs if len(r) >= 7]


def _read_run(run: list[tuple[str, int, bool]], pattern: re.Pattern[str], guessed: int) -> tuple[str, Span, int] | None:
    """A number of `pattern` in a run with at most `guessed` digits that were heard as other characters.

    Characters that only sound like digits are left out first: 要幺三八… is 138… with a word before it.
    """
    believed = [r for r in run if r[2]]
    for digits in (believed, run):
        figures = "".join(d for d, _, _ in digits)
        for match in pattern.finditer(figures):
            inside = digits[match.start() : match.end()]
            wrong = sum(not sure for _, _, sure in inside)
            if wrong <= guessed:
                return match.group(), (inside[0][1], inside[-1][1] + 1), wrong
    return None


def _english_runs(text: str) -> str:
    """English digit words as figures, padded to the same length."""

    def figures(match: re.Match[str]) -> str:
        out, times = [], 1
        for word in re.findall(r"[a-z]+", match.group()):
            if word in ("double", "triple"):
                times = 2 if word == "double" else 3
            else:
                out.append(_EN_DIGIT[word] * times)
                times = 1
        return "".join(out).ljust(len(match.group()))

    return _EN_RUN.sub(figures, text)


def find_phone(said: Utterance, language: str = "zh") -> tuple[Label[str | None], tuple[Span, ...]]:
    """The call-back number in figures, and the spans that hold numbers (not to be read as places).

    The last one counts where the caller corrects himself, else the first.
    """
    text = _english_runs(said.text) if language == "en" else said.text
    found: list[tuple[str, Span, float]] = []
    for run in _runs(text):
        if mobile := _read_run(run, _MOBILE, guessed=3):
            found.append((mobile[0], mobile[1], 0.95 - 0.12 * mobile[2]))
        elif landline := _read_run(run, _LANDLINE, guessed=1):
            found.append((landline[0], landline[1], 0.9 - 0.15 * landline[2]))
        elif (local := _read_run(run, _LOCAL, guessed=0)) and _ABOUT_PHONES.search(text[: local[1][0]][-14:]):
            found.append((local[0], local[1], 0.75))
    if not found:
        return Label(None, 0.0), ()
    number, span, confidence = found[-1] if _CORRECTED.search(text) else found[0]
    return Label(number, round(confidence, 2), said.evidence(*span)), tuple(s for _, s, _ in found)


_SURNAMES = (
    "王李张刘陈杨赵黄周吴徐孙胡朱高林何郭马罗梁宋郑谢韩唐冯于董萧程曹袁邓许傅沈曾彭吕苏卢蒋蔡贾丁魏薛叶阎余潘杜戴夏钟汪田任姜范方石姚谭廖邹熊金陆郝孔白崔康毛"
    "邱秦江史顾侯邵孟龙万段雷钱汤尹黎易常武乔贺赖龚文庞樊兰殷施陶洪翟安颜倪严牛温芦季俞章鲁葛伍韦申尤毕聂焦向柳邢路岳齐梅莫庄辛管祝左涂谷祁时舒耿牟卜詹关苗凌费纪"
    "靳盛童欧项曲成游阳裴席卫查屈鲍位覃霍翁隋植甘景薄单包司柏宁柯阮桂闵解强柴华车冉房边辜吉饶刁瞿戚丘古米池滕佟"
)
_DOUBLE = "欧阳|司马|上官|诸葛|司徒|东方|独孤|南宫|夏侯|皇甫|尉迟|公孙|慕容|令狐|端木"
_S = rf"(?:{_DOUBLE}|[{_SURNAMES}])"
_STOP = "的在是住电话有要想说呢吧啊呀嘛了跟从打找报投咨个就先女师号这那我你他手机幺零一二三四五六七八九十"
_GIVEN = rf"(?:(?!家[住里在]|来[自电]|小区|和我)[^\W\d_a-z{_STOP}]){{1,2}}"
_TITLE = "先生|女士|小姐|太太|阿姨|大爷|大妈|老师|师傅|奶奶|爷爷"
_NAMES = (
    (re.compile(rf"(?:我叫|我的名字叫|我名字叫|名字是|全名是|我是叫)(?:做)?(?P<name>{_S}{_GIVEN}|[^\W\d_a-z{_STOP}]{{2,3}})"), 0.88),
    (re.compile(rf"(?:免贵|我|本人|业主|这里|这边)[姓性幸醒](?P<name>{_S})(?!{_TITLE}?的)"), 0.9),
    (re.compile(rf"(?:我是|我是业主|这里是|这边是|叫我|我叫)(?P<name>(?:老|小)?{_S}(?:{_TITLE}))"), 0.85),
    (re.compile(rf"(?:叫我|我是)(?P<name>(?:老|小){_S})(?![^\s,，。])"), 0.75),
    (re.compile(rf"^(?:嗯|啊|呃|哦)?[姓性](?P<name>{_S})"), 0.85),
    (re.compile(rf"(?<![他她它])姓(?P<name>{_S})(?:[,，。 ]|$|叫|电话)"), 0.75),
    (re.compile(rf"我是(?P<name>{_S}{_GIVEN})(?:[,，。 ]|$|住|电话)"), 0.65),
)  # fmt: skip
_ANSWERS = (
    (re.compile(rf"^(?:嗯|啊|呃|哦|我是|我叫|叫)?(?P<name>{_S}(?:{_TITLE}))(?:吧|啊|呀)?$"), 0.85),
    (re.compile(rf"^(?:嗯|啊|呃|哦|我是|我叫|叫)?(?P<name>{_S}{_GIVEN})$"), 0.7),
    (re.compile(rf"^(?P<name>{_S})$"), 0.7),
)
_NO_NAMES = frozenset(
    [
        "谢谢",
        "高兴",
        "安静",
        "没有",
        "方便",
        "方法",
        "时候",
        "时间",
        "成了",
        "关了",
        "解决",
        "白天",
        "马上",
        "何必",
        "常常",
        "文件",
        "金额",
        "温度",
        "路上",
        "向上",
        "单元",
        "房子",
        "车位",
        "包裹",
        "万一",
        "于是",
        "任何",
        "安全",
        "安排",
        "强烈",
        "万分",
        "房东",
        "房客",
        "房主",
        "车主",
        "管家",
        "司机",
        "安保",
        "高层",
        "单身",
        "钟点工",
        "安装工",
    ]
)
"""Words that begin like a surname: 我是房东 says what somebody is, not what they are called."""
_EN_NAMES = (
    re.compile(r"\b(?:my name is|my name's|name is|this is|i am called|call me)(?! about| the| a | not| for)(?: mr| mrs| ms| miss| mister)?\.? (?P<name>[a-z][a-z'-]+(?: [a-z][a-z'-]+)?)"),
    re.compile(r"\bi(?: a|')m (?P<name>(?:mr|mrs|ms|miss|mister)\.? [a-z][a-z'-]+)"),
)  # fmt: skip
_NOT_CALLED = """
from calling and in at on here urgent an a the emergency to about i my please with living
back again later soon now today tonight tomorrow monday tuesday wednesday thursday friday saturday sunday when if after
before as asap anytime immediately what why how where who that it still already also just because not no only really very
so too getting happening going coming making driving leaking building block tower flat apartment unit room floor number
resident tenant owner neighbor neighbour ridiculous unacceptable terrible awful horrible bad crazy serious important
dangerous wrong right correct fine ok okay good great something someone somebody me us him her them you your our their
"""
"""What follows "this is", "call me" and "my name is" and is no name."""
_EN_NO_NAMES = frozenset(_NOT_CALLED.split())


def find_name(said: Utterance, language: str = "zh", *, asked: bool = False) -> Label[str | None]:
    """The caller's own name as said (陈, 王先生, 林小梅); with `asked` the whole text may be just a name."""
    if language == "en":
        return _english_name(said)
    for pattern, confidence in _NAMES + (_ANSWERS if asked else ()):
        for match in pattern.finditer(said.text):
            name = match.group("name")
            if name not in _NO_NAMES and not name.endswith("人"):  # 我是温州人
                return Label(name, confidence, said.evidence(match.start(), match.end()))
    return Label(None, 0.0)


_INTRODUCING = """
    hello hi hey good morning afternoon evening yes well ok okay um uh er please sorry there my name name's is this it
    it's that's i i'm i've am we we're are mr mrs ms miss mister calling speaking from here in at on of the a an to and
    live living phone mobile telephone cell number number's building block tower unit entrance flat apartment room floor
    you can reach me resident tenant owner double triple ten eleven twelve thirteen fourteen fifteen sixteen seventeen
    eighteen nineteen
"""
_EN_INTRODUCING = frozenset(_INTRODUCING.split()) | frozenset(_EN_DIGIT)


def only_introduces(said: Utterance) -> bool:
    """Whether an English text says who calls, from where and with what number, and nothing else: it tells no matter."""
    name = find_name(said, "en").value
    known = _EN_INTRODUCING | frozenset(name.lower().split() if name else ())
    words = _EN_WORD.findall(said.text)
    return bool(words) and all(word in known for word in words)


def _english_name(said: Utterance) -> Label[str | None]:
    for pattern in _EN_NAMES:
        for match in pattern.finditer(said.text):
            words = match.group("name").split()
            while words and words[-1] in _EN_NO_NAMES:
                words.pop()
            if words and words[0] not in _EN_NO_NAMES:
                name = " ".join(w.capitalize() for w in words)
                return Label(name, 0.8, said.evidence(match.start(), match.end()))
    return Label(None, 0.0)
