"""Who calls, where that makes a matter major (R15): the press, an authority, or the mayor's hotline (R31).

They say so themselves (我是晚报的记者, this is the police station), or do what only they do (采访你们, 12345转来一个工单).
Whoever only speaks of one is a resident: who threatens with one (我要打12345投诉你们), asks for one (派出所在哪), lives next
to one, or denies being one (我不是记者).
"""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re
from collections.abc import Iterator

from callcenter.domain.labels import RESIDENT, Label
from callcenter.domain.understanding.numerals import by_itself
from callcenter.domain.understanding.text import Utterance, lexicon_of, mend_homophones
from callcenter.domain.understanding.topics import MAYORS_NUMBER

PRESS, AUTHORITY, MAYOR_HOTLINE = "press", "authority", "mayor_hotline"

SAYS_SO = 0.85
"""Who says of themselves what they are."""
ACTS_SO = 0.7
"""Who does what only such a caller does."""
PERHAPS = 0.5
"""Somebody has to listen (待核实)."""
_NOBODY = Label(RESIDENT, SAYS_SO)

_BY_SOUND = """
电视台 广播电台 报社的记者 晚报的记者 栏目组 融媒体 新闻频道 新闻记者 派出所 住建局 街道办 街道办事处 居委会 房管局 城管局 公安局
市场监管局 消防大队 消防支队 应急管理局 环保局 信访局 区政府 市政府 镇政府 市民热线 市长热线 政务热线
"""
"""Names known by their sound as well: three syllables or more, so that no other words are meant."""
_LEXICON = lexicon_of(_BY_SOUND.split())

_NAMES_ZH: tuple[tuple[str, str], ...] = (
    (
        PRESS,
        r"记者|电视台|广播电台|电台|报社|(?<!通)(?:日|晚|早|晨|时|商|京|都市|青年|法治|法制)报(?!警|修|告|销|案|名|停|纸|箱|表|到|价|的?时候)|新闻(?:频道|栏目|中心|热线|部|台|网|社|(?=的))|[^,，。]频道|栏目组?|节目组|融媒体?(?:中心)?|媒体|通讯社|新华社|央视|杂志社",
    ),
    (MAYOR_HOTLINE, MAYORS_NUMBER + r"|市长(?:公开)?(?:热线|电话)|市民(?:服务)?热线|政务(?:服务)?(?:便民)?热线|便民(?:服务)?热线"),
    (
        AUTHORITY,
        r"街道(?:办(?:事处)?|综合|执法|物业|城管|平安)|街道(?=的?(?:工作人员|$|[,，。]|干部|书记|主任)|的(?:想|要|来|找|通知|了解|核实|我|小|老|这))|(?:[区市县镇乡省]|人民)政府|管委会|住(?:建|房)(?:和城乡建设)?(?:局|委|厅|部门)|房(?:管|产)(?:局|所|处)|城管(?!.{0,2}来)|(?:综合)?执法(?:局|大队|中队|支队|队)|派出所|公安(?:局|分局|机关)?|民警|警察|[交刑]警(?:队|大队|支队)?|消防(?:救援|监督)?(?:总队|大队|支队|中队|救援站|部门|机构|局|队)|应急(?:管理)?(?:局|办)|市场监(?:管|督管理)(?:局|所)|工商局|物价局|发改[委局]|(?:生态)?环(?:保|境)局|卫(?:健|生)[委局]|疾控中心?|防疫站|信访(?:局|办)|纪委|监委|法院|检察院|税务局|人大代表|人大|政协|物业(?:科|办)|[安质]监[局站]|园林局|水务局|规划局|自然资源局|司法[局所]|居委会?|居民委员会|社区(?=居委会|民警|网格员|工作站|书记|主任|党委)|网格员|特种设备检验",
    ),
)  # fmt: skip
_NAME_ZH = "|".join(f"(?P<{kind}>{names})" for kind, names in _NAMES_ZH)

_BETWEEN_ZH = r"(?:(?!我|你|您|他|她|要|找|打|去|来|叫|给|让|想|不|没|说|讲|问|跟|在|到|被|把|向(?!阳)|投诉|举报|看|听|见|等|住(?!建|房)|业主|户|租|邻居|退休|以前|原来|原先|曾|假|冒|自称|了|过|着|有(?!线|限)|认识|做|开|干|学|搞|门口?|小区(?!居委|社区|的居委)|号楼|单元|室|家|怕|请|接|收|养|搬|刚从|反映|从|像|归|属|比)[^,，。！？!?;；]){0,14}?"
"""Between 我是 and the name: where it is from, no verb and no other person."""
_NO_MEMBER = r"(?!的?(?:家属|宿舍|职工楼|旁|对面|后面|后头|前面|附近|隔壁|门口|边上|那边|楼上|楼下|小区|院里|路|街|亲戚|朋友|同学|粉丝|观众|读者|听众|推荐|介绍|老(?:师|邻)|退休)|登记|(?:让|叫|要|喊|建议|推荐|介绍)(?:我|咱|俺|过来|大家|业主)|吗|没|不)"
"""After the name: who lives near one, was sent by one, or asks."""
_SELF_ZH = r"(?:(?:我们?|咱们|俺们?|本人|这)(?:这?(?:里|边|儿))?(?:这?是|就是|来自|代表|姓[^,，。是]{1,2}[,，]?是?|叫[^,，。是]{2,3}[,，]?是)|(?:我们?|俺们?)这(?:里|边)|(?:^|[,，。好喂])我们?(?=(?:[^是,，。]{0,4}(?:派出所|街道|居委会|局|电视台|晚报|报社|记者))的?(?:$|[,，。]|小|老)))"

_SAYS_SO_ZH = re.compile(rf"{_SELF_ZH}[,，]?{_BETWEEN_ZH}(?:{_NAME_ZH}){_NO_MEMBER}")
_CALLED_ZH = re.compile(
    rf"(?:{_NAME_ZH})(?:的)?(?:平台|中心|那边|工作人员|同志|民警)?(?:这边|这里)?(?:打来|来电|来函|发来|通知(?:你们|贵|物业|您)|要求(?:你们|贵|物业)|找(?:你们|贵|物业)(?:经理|负责|主任|了解|核实|谈|要|调|，|,|$)|请(?:你们|贵|物业)|给(?:你们|贵)(?:派|转|下|发)|转(?:给你们|(?:过?来|给)(?:一?个|一?件|的|工单|诉求)|办|交|下来)|派(?:单|给你们|来的?单|来一?个|下来|的单|的工单)|(?:的)?(?:工单|督办|交办|转办))"
)
_BEGINS_ZH = re.compile(
    rf"(?:^|[,，。])(?:喂|[您你]好|哎|诶|那个|嗯|请问|是?物业(?:中心|公司|吗)?[吗吧]?|我)*(?![^,，。]{{0,6}}(?:是|儿|爱人|老公|媳妇|爸|妈)){_BETWEEN_ZH}(?:{_NAME_ZH})的?(?:$|[,，。]|麻烦|请(?:你们|通知)|这边有|(?:想|要|来|过来|准备)(?:采访|了解|核实|检查|调(?:取|一下|监控|看)|找(?:你们|贵|经理|负责)|通知)|找(?:你们|贵)?(?:经理|负责人|主任))"
)
_ACTS_ZH: tuple[tuple[str, re.Pattern[str]], ...] = (
    (PRESS, re.compile(r"(?:想|要|需要|希望|打算|准备|能不能|可以|能|前来|过来)(?:对|跟|给|做个|做一?期|做)?(?:你们|贵(?:公司|小区|物业|中心))?[^,，。我]{0,8}(?:采访|专访)(?:一?下)?[^,，。我]{0,8}(?:你们|贵|负责人|经理|主任|物业)|(?:想|要|来)(?:采访|专访)(?:一?下)?(?:$|[,，。])")),
    (PRESS, re.compile(r"(?:有|来了?)(?:好?几|一|两|三|四|五|个|位|名|帮|些|群)+(?:电视台|报社|媒体)?的?(?:记者|人拿着摄像机)|(?:记者|电视台(?:的人)?|媒体)(?:们)?(?:正|就|都|已经|现在)*(?:在|堵在|等在|围在)[^,，。]{0,10}(?:采访|拍)")),
    (AUTHORITY, re.compile(r"我们(?:这边)?(?:接到|收到)(?:群众|市民|居民|上级)?的?(?:举报|信访|转办|投诉件|督办)|(?:请|希望|需要)(?:你们|贵(?:公司|单位|物业))?配合(?:我们)?(?:的)?(?:调查|办案|执法|检查)")),
)  # fmt: skip
_QUOTED_ZH = re.compile(r"(?:如果|要是|假如|就算|以为|当|说|问|怀疑|装|冒充|自称|不是)[^,，。]{0,2}$")
"""Before 我是…: imagined, said by somebody else, or denied."""
_SPOKEN_OF_ZH = re.compile(
    r"(?:如果|要是|假如|就算|以为|说|问|怀疑|装|冒充|自称|让|叫|喊|请|联系|打|拨|给|找|等|向|去|跟|和|到|报|再不|小心|信不信|不是|没有?|未|怕|是不是|有没有|是否|我要|我就|我想|他|她)[^,，。]{0,3}$"
)
"""Before a name or what such a caller does: called in, threatened with, asked for or denied."""
_AT_HOME_ZH = re.compile(r"我们?家|咱家|俺家|我住|我们住|我那?屋|我是(?:(?!有)[^,，。]){0,6}业主|我的房子")
"""Who works there and calls about their own home: a person decides."""

_DIGITS_EN = ("zero", "oh", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_DIGIT_EN = f"(?:{'|'.join(_DIGITS_EN)})"
_NO_DIGIT_BEFORE_EN = "".join(f"(?<!{digit} )" for digit in _DIGITS_EN)
_NAMES_EN: tuple[tuple[str, str], ...] = (
    (PRESS, r"reporters?|journalists?|newspaper|(?:tv|television|radio)(?: station| channel| news)?|(?:evening|daily|morning|city) (?:news|post|times|herald|paper)|news (?:channel|desk|agency|team|crew)|the press|correspondent|(?:film|camera) crew"),
    (MAYOR_HOTLINE, r"(?:mayor'?s?|citizens?'?|government) (?:service )?hotline|" + by_itself("12345") + rf"|{_NO_DIGIT_BEFORE_EN}one two three four five(?! {_DIGIT_EN}\b)"),
    (AUTHORITY, r"police(?: officer| station| department)?|fire (?:brigade|department|bureau|inspectorate)|city (?:hall|government|council)|(?:district|sub-?district|housing|health|environmental?|safety|municipal|town|county|local) (?:protection )?(?:office|bureau|authority|authorities|government|council|department|inspector(?:ate)?)|the council|urban management|the (?:court|prosecutor|government|ministry|tax office)|(?:neighbou?rhood|residents'?) committee|government (?:inspector|official|office)"),
)  # fmt: skip
_NAME_EN = "|".join(f"(?P<{kind}>{names})" for kind, names in _NAMES_EN)
_BETWEEN_EN = r"(?: (?!not\b|no\b|to\b|going\b|gonna\b|will\b|where\b|how\b|when\b|whether\b|if\b|about\b|near\b|next\b|opposite\b|behind\b|beside\b|was\b|used\b|former\b|retired\b|because\b|after\b|told\b|live|living\b|resident|tenant|owner|waiting\b|sure\b|afraid\b|worried\b|married\b|you\b|your\b|they\b|he\b|she\b|so\b|that\b|and i\b)[a-z'-]+){0,7}?"
_SAYS_SO_EN = re.compile(
    rf"\b(?:i am|i'm|we are|we're|this is|it is|it's|here is|my name is [a-z]+(?: [a-z]+)?|calling|i work for){_BETWEEN_EN} (?:{_NAME_EN})\b(?! (?:building|compound|street|road|fan|told|said|asked|drama))"
)
_CALLED_EN = re.compile(
    rf"(?:^|, )(?:hello |hi |good (?:morning|afternoon|evening) )*(?:the )?(?:{_NAME_EN}) (?:here|speaking|calling)\b"
)
_ACTS_EN = re.compile(
    r"\b(?:like|want|need|hope|wish)\w* to (?:interview|film|do an interview with) (?:you|your|the (?:manager|management)|someone|somebody)"
)
_AT_HOME_EN = re.compile(r"\b(?:my (?:flat|apartment|house|home|kitchen|bathroom)|i live)\b")
_QUOTED_EN = re.compile(r"\b(?:if|said|says|think|pretend\w*|claim\w*|suppose|not|isn't)(?: [a-z']+)?,? ?$")


def _found(
    pattern: re.Pattern[str], text: str, sure: float, elsewhere: re.Pattern[str]
) -> Iterator[tuple[str, float, int, int]]:
    for match in pattern.finditer(text):
        if not elsewhere.search(text[max(0, match.start() - 24) : match.start()]):
            kind = match.lastgroup
            assert kind is not None
            yield kind, sure, match.start(), match.end()


def _mandarin(text: str) -> Iterator[tuple[str, float, int, int]]:
    yield from _found(_SAYS_SO_ZH, text, SAYS_SO, _QUOTED_ZH)
    yield from _found(_CALLED_ZH, text, ACTS_SO, _SPOKEN_OF_ZH)
    yield from _found(_BEGINS_ZH, text, PERHAPS, _SPOKEN_OF_ZH)
    for kind, pattern in _ACTS_ZH:
        for match in pattern.finditer(text):
            if not _SPOKEN_OF_ZH.search(text[max(0, match.start() - 8) : match.start()]):
                yield kind, PERHAPS, match.start(), match.end()


def _english(text: str) -> Iterator[tuple[str, float, int, int]]:
    yield from _found(_SAYS_SO_EN, text, SAYS_SO, _QUOTED_EN)
    yield from _found(_CALLED_EN, text, SAYS_SO, _QUOTED_EN)
    if match := _ACTS_EN.search(text):
        yield PRESS, PERHAPS, match.start(), match.end()


def find_source(said: Utterance, language: str = "zh") -> Label[str]:
    """Who calls: resident, press, authority or mayor_hotline; below `CONFIRM_BELOW` a person has to listen."""
    if language == "en":
        found, at_home, text = _english(said.text), _AT_HOME_EN, said.text
    else:
        text = mend_homophones(said.text, _LEXICON)
        found, at_home = _mandarin(text), _AT_HOME_ZH
    best = max(found, key=lambda it: it[1], default=None)
    if best is None:
        return _NOBODY
    kind, sure, start, end = best
    if at_home.search(text):
        sure = min(sure, PERHAPS)
    return Label(kind, sure, said.evidence(start, end))
