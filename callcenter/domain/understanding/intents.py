"""What the caller wants of the conversation itself, by rules alone: these must work with every service away."""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re

from callcenter.domain.labels import Label
from callcenter.domain.understanding.person_wanted import find_operator
from callcenter.domain.understanding.text import Utterance

_TELL_ZH = r"(?:告诉我|跟我说|给我(?!打)|查一?下|查查|帮我查|问一?下|问问|想知道|[想我能]要(?!是)|有没有|提供|能不能给|是多少|报一?下|知道)"
_NOT_TO_DO = r"(?:(?!登记|变更|更新|改|换|报修|投诉|反映|漏|打|留|还|送|交|退|办|找|联系|通知|转告|叫|让|催|吵|[,，。]).){0,12}"
"""Between asking and what is asked for: nothing that is to be done (给楼上打个电话, 登记租客的电话)."""
_RESIDENT_ZH = r"(?:业主|住户|邻居|租客|房东|房主|楼上|楼下|隔壁|对门|车主|那家|那户|他家|她家|人家|[他她])"
_OF_THEIRS = r"(?:(?![打接拨漏没不吵响关坏堵停说留给有了过去来,，。]).){0,6}?"
_DATA_ZH = r"(?:电话(?!一直|老|总|都|也|又|没|不|打|响|吵|坏|线|声|里|那头|机)|手机号码?|手机(?=是?多少|给我|告诉)|号码|联系方式|名字|姓名|微信(?!群)|身份证|住哪|地址)"
_OURS_ZH = r"(?:物业|中心|客服|师傅|[^一]部|公司|派出所|经理|管家|保安|电工|水工|维修|开锁|快递|外卖|热线|社区|居委|街道|医院|供电|自来水|燃气)"
_TELL_EN = r"\b(?:(?:give|tell|send|read) me|what is|what's|do you (?:have|know)|(?:can|could|may) i (?:have|get|know)|i (?:need|want|would like)(?: to (?:know|have|get))?|i'd like(?: to (?:know|have|get))?)"
_RESIDENT_EN = r"(?:neighbou?r|resident|tenant|owner|landlord|upstairs|downstairs|next door|their|his|her)(?:'?s)?"
_DATA_EN = r"(?: (?:phone|telephone|mobile|cell|contact|last|first|full|email))* (?:number|phone|name|contact|details|email|address)\b"
_ZH = (
    ("objects_recording", r"(?:不要|别|不想|不同意|不许|不准|拒绝|反对|停止|关掉|不能|不让|不愿意?)(?:你们|给我|被|再|把)?(?:(?!光|只|老|总|净).){0,3}录音|录音.{0,3}(?:关|停|删)", 0.9),
    ("resident_data", rf"{_TELL_ZH}{_NOT_TO_DO}{_RESIDENT_ZH}{_OF_THEIRS}{_DATA_ZH}|{_RESIDENT_ZH}{_OF_THEIRS}{_DATA_ZH}(?:[^,，。打]{{0,3}}(?:多少|是什么)|[^,，。打]{{0,4}}(?:告诉|给|报|发)(?:给|一?下)?我|叫什么)|把(?!我|你们|您们|.{{0,6}}{_OURS_ZH}){_NOT_TO_DO}(?:电话|手机号码?|号码|联系方式|微信|住址|地址).{{0,2}}(?:给|告诉|发|报)(?:给|一?下)?我|(?:谁住|住的是谁|住着谁)(?!.{{0,12}}(?:吵|闹|响|漏|跳|臭|烦))|住的(?:是)?什么人(?=[?？呢]?$)", 0.85),
    ("repeat", r"再说一[遍次下]|(?:没|没有)听(?:清|懂|明白|见)|听不(?:清|懂|见)|重复一?[遍次下]|说什么|什么来着|再讲一[遍次]|(?:^|[,，。])(?:啊|什么|嗯)[?？]", 0.85),
    ("done", r"(?:没有|没)(?:别的|其他|其它|什么)?(?:的)?(?:事|问题|了)(?:情)?(?:了|啦)?|就这(?:些|样|个|事)|不用了?(?:谢谢)?$|可以了|行了|好了就|先这样|挂了|再见|拜拜", 0.85),
)  # fmt: skip
_ZH_YES = re.compile(
    r"^(?:嗯+|啊|哎|诶|欸|对+|对的|是+|是的|是啊|对啊|没错|正确|好+|好的|好啊|行|可以|要|需要|同意|没问题|可以的|嗯对|嗯是|对对|是是|好吧|行吧|中|得|确认|就是|满意|解决了|有)(?:的|啊|呀|了|吧|嘛|呢|哦|噢|谢谢|对|是|好|没错|就是|[,，。 ])*$"
)
_ZH_NO = re.compile(
    r"^(?:嗯|啊|呃|哦|那|[,，。 ])*(?:不+|不是|不对|不行|不用|不要|不需要|没有|没|错了|不正确|不可以|不好|否|没对|说错了|不满意|没解决|还没)(?:的|啊|呀|了|吧|嘛|呢|哦|谢谢|是|对|用|要|没有|不|[,，。 ])*$"
)
_ZH_NO_BEGIN = re.compile(r"^(?:嗯|啊|呃|哦|[,，。 ])*(?:不对|不是|错了|说错了|不正确|弄错)")
_ZH_YES_BEGIN = re.compile(r"^(?:嗯|啊|呃|哦|[,，。 ])*(?:对的|对对|没错|是的|正确|好的)")

_EN = (
    ("objects_recording", r"\b(?:(?:do not|don't|dont)(?! have| see| find| hear)|stop|refuse|object|turn off|switch off|not (?:want|agree|consent|like|be|allow))\b.{0,25}\b(?:recording|recorded|record(?: (?:me|this|the call|my|it|us|our)\b|$))|\bno recording\b", 0.9),
    ("resident_data", rf"{_TELL_EN}(?: (?!(?:my|our)\b(?! {_RESIDENT_EN})|you\b|to\b|some)[a-z0-9']+){{0,6}}? {_RESIDENT_EN}(?: (?:neighbou?r|flat|apartment|unit|person|people|family|lady|man|woman|owner|resident|tenant)(?:'?s)?)?{_DATA_EN}|{_TELL_EN}(?: (?!my\b|our\b|you\b|your\b)[a-z']+){{0,4}}?{_DATA_EN} (?:of|for)(?: [a-z0-9']+){{0,3}}? (?:neighbou?r|resident|tenant|owner|landlord|lady|man|woman|family|person|people|mr|mrs|ms|miss)\b|\bwho (?:lives|is living) (?:in|at|above|below|next|upstairs|downstairs)\b", 0.85),
    ("repeat", r"\b(?:say (?:that|it) again|repeat|pardon|come again|did not (?:hear|catch)|didn't (?:hear|catch)|can't hear|cannot hear)\b", 0.85),
    ("done", r"\b(?:that is all|that's all|nothing else|no more|that will be all|that'll be all|goodbye|bye)\b", 0.85),
)  # fmt: skip
_EN_YES = re.compile(
    r"^(?:yes|yeah|yep|yup|correct|right|sure|ok|okay|that is right|that's right|exactly|please do|of course|that is correct|that's correct)\b[ ,.a-z]{0,20}$"
)
_EN_NO = re.compile(
    r"^(?:no|nope|not really|wrong|that is wrong|that's wrong|incorrect|not correct|not at all)\b[ ,.a-z']{0,20}$"
)

_COMPILED: dict[str, tuple[tuple[str, re.Pattern[str], float], ...]] = {
    "zh": tuple((intent, re.compile(pattern), sure) for intent, pattern, sure in _ZH),
    "en": tuple((intent, re.compile(pattern), sure) for intent, pattern, sure in _EN),
}


def find_intents(said: Utterance, language: str = "zh") -> tuple[Label[str], ...]:
    """Intents of one turn, surest first: operator, yes, no, done, repeat, resident_data (R10), objects_recording."""
    found: dict[str, Label[str]] = {}
    if (operator := find_operator(said, language)) is not None:
        found["operator"] = operator
    for intent, pattern, confidence in _COMPILED[language]:
        if match := pattern.search(said.mended):
            found[intent] = Label(intent, confidence, said.evidence(match.start(), match.end()))
    text = said.mended.strip(" ,，。.!！?？")
    yes, no = (_ZH_YES, _ZH_NO) if language == "zh" else (_EN_YES, _EN_NO)
    if no.match(text):
        found["no"] = Label("no", 0.92, said.raw)
    elif yes.match(text):
        found["yes"] = Label("yes", 0.92, said.raw)
    elif language == "zh" and len(text) <= 30:
        if _ZH_NO_BEGIN.match(text):
            found["no"] = Label("no", 0.75, said.raw)
        elif _ZH_YES_BEGIN.match(text):
            found["yes"] = Label("yes", 0.7, said.raw)
    return tuple(sorted(found.values(), key=lambda label: -label.confidence))
