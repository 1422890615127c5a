"""The wish to speak to a person (R5), which nobody may be refused because a recogniser heard it wrong.

人工 is heard as 人公 or 人通, 和人说话 as 何人说话: what sounds like the request is taken for it where the words around it say
nothing else. 找人通下水道 is a repair, 人工费多少 a question, 人工湖 a place.
"""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re

from callcenter.domain.labels import Label
from callcenter.domain.understanding.syllables import SYLLABLES
from callcenter.domain.understanding.text import Utterance, lexicon_of, mend_homophones

IN_WORDS = 0.9
BY_SOUND = 0.7
LONGEST = 16
"""Characters of a clause that is nothing but the request."""

_WORDS = """
人工服务 人工客服 人工坐席 真人客服 接线员 值班员 工作人员 客服人员 物业前台 找人工 转人工 接人工
"""
_LEXICON = lexicon_of(_WORDS.split())
"""Put right by their sound wherever they stand; what else may sound like one is in `_NOT_MENDED`."""
_NOT_MENDED = re.compile(r"[找转接][人仁][公供][安司寓开平正道布告园证示交关共摊厕]")
_PERSON = "(?:人|客服|接线员|值班员|工作人员|前台)"
_PATTERNS = {
    "zh": (
        r"人工(?:客服|服务(?!费)|坐席|台(?!阶|灯)|热线|电话)|(?:转|接通?|找|换|按|呼叫)(?:到|成|一?下|个)?人工(?!费|湖|智能|草|岛|[授受]精|挖|清|搬|种|修剪|疏通|洗|打扫|造|呼吸|材料|和材料)",
        r"(?<!包)(?<!含)(?<!材料)(?<!材料和)(?<!算)(?<!出)人工(?!费|湖|智能|成本|降雨|增雨|草|呼吸|[授受]精|合成|翻译|喂|养|价|钱|流产|关节|挖|清|搬|种|收|岛|沙滩|瀑布|喷泉|景|河|造|岗|[^,，。按]{0,4}多少|的?怎么[算收要]|一天|一小时|一个小时|[太很好挺]?贵|便宜|另算|打扫|疏通|巡|开门|放行|抬杆|值守|泳池|操作|免费|洞|和?材料|加材料|刨|除|修剪|投喂|洗)",
        r"转人(?!行|民|家)|(?<!认)(?<!当)真人(?!民|口|才|事|秀|大小|版|一样)|(?<!生)(?<!干)(?<!做)(?<!这)(?<!那)活人(?!家|口|手)",
        r"^(?:喂|[你您]好|请|我|要|找|转|接)*(?:接线员|总机|客服)(?:吧|啊|呢|呀|谢谢)*$",
        rf"(?:找|要|换|转|叫|接)(?:一?个|你们)?{_PERSON}(?!才|家|民|格)(?:来)?(?:说|讲|接|听|$)",
        rf"(?:^|[,，。]|想|要|能|可以|让我|得|必须|还是|直接|给我)(?:和|跟|同|与)(?:一?[个位]|你们的?)?[活真]?{_PERSON}(?:直接)?(?:说|讲|谈|聊|沟通|对话|通话|交流)(?!话?.{{0,2}}(?:态度|很|那么|这么|太|凶|不客气|大声|不好|没礼貌|的))",
        r"不(?:想|要|愿意?)?(?:跟|和|同)(?:你这?个?)?机器|别(?:让|跟|和)?机器",
    ),
    "en": (
        r"\b(?<!crane )(?<!lift )(?<!elevator )operator\b|\b(?<!estate )(?<!letting )(?<!cleaning )(?<!travel )(?<!delivery )agent\b|\brepresentative\b|\breceptionist\b",
        r"\b(?:real|live|actual) (?:person|human)\b|\b(?:want|need|get me|give me|put me through to|connect me to|connect me with|transfer me to) (?:a|an) (?:person|human)\b|^(?:a |an )?(?:person|human)(?: please)?$|\bsomeone real\b|\bhuman (?:being|please)\b",
        r"\b(?:speak|talk|speaking|talking) (?:to|with) (?:someone|somebody|(?:a|an|the|your|one of your) (?:real |live |actual )?(?:person|people|human|manager|supervisor|staff|colleagues?|boss|duty))\b",
    ),
}
_COMPILED = {language: tuple(re.compile(p) for p in patterns) for language, patterns in _PATTERNS.items()}

_CLAUSE = re.compile(r"[^,，。.!！?？;；、\s]+")
_BEFORE = r"(?:wo|wo men|xiang|yao|qing|bang|gei|neng|neng bu neng|ke yi|ke bu ke yi|jiu|jiu yao|shi|na ge|wei|ni hao|nin hao|en|a|e|ai|ma fan|kuai|gan jin|zhi jie|bu|bu shi|ni|ni men|nin|xian|hai shi|dou|shuo le)"
_AFTER = r"(?:ba|a|ya|ma|ne|le|xie xie|xie xie ni|hao ma|hao bu hao|xing ma|xing bu xing|ke yi ma|ni hao|wei|en)"
_SOUNDS_LIKE = tuple(
    re.compile(rf"^ (?:{_BEFORE} )*?{request} (?:{_AFTER} )*$")
    for request in (
        r"(?:zhao|zao|zhuan|zuan|jie) (?:dao |ge |yi ge |yi xia )?ren (?:ren )?(?:gong|tong|dong|kong|hong|zhong)(?: fu wu| ke fu| zuo xi| tai)?",
        r"(?:yao|huan|jiao|qing) (?:ge |yi ge )?ren (?:ren )?gong(?: fu wu| ke fu| zuo xi| tai)?",
        r"ren gong(?: fu wu| ke fu| zuo xi| tai)?",
        r"(?:he|gen|yu|tong|xiang|zhao|rang|jiao) (?:ge |yi ge |yi wei |zhen |huo )*ren (?:lai )?(?:zhi jie )?(?:(?:shuo|jiang|tan)(?: ge| yi| ju| ji ju)?(?: hua| shuo| jiang| tan| yi xia)+|tong hua|dui hua)",
        r"(?:zhao|zhuan|jie|huan) (?:ge |yi ge |dao )?(?:zhen|huo) ren",
        r"(?:zhao|zhuan|jie) (?:ge |yi ge |dao )?(?:ke fu|qian tai)",
    )
)
"""Whole clauses, by their syllables."""
_DRAIN = re.compile(r"堵|下水|马桶|地漏|管道|厕所|疏通|水池|洗菜|洗手|返水|反水|化粪|淤|不通")
"""Where drains are spoken of 找人通 means what it says."""
_NOT_HUMAN = re.compile(r"[通同动洞冻栋东懂]")


def find_operator(said: Utterance, language: str = "zh") -> Label[str] | None:
    """The wish for a person, with confidence and the words it came from; None where there is none."""
    text = said.text
    if language == "zh":
        text = said.mended if _NOT_MENDED.search(said.text) else mend_homophones(said.mended, _LEXICON)
    for pattern in _COMPILED[language]:
        if match := pattern.search(text):
            return Label("operator", IN_WORDS, said.evidence(match.start(), match.end()))
    if language == "zh":
        for clause in _CLAUSE.finditer(said.text):
            if _sounds_like_it(clause.group(), said.text):
                return Label("operator", BY_SOUND, said.evidence(*clause.span()))
    return None


def _sounds_like_it(clause: str, text: str) -> bool:
    if len(clause) > LONGEST:
        return False
    sounds = f" {' '.join(SYLLABLES.get(character, character) for character in clause)} "
    if not any(pattern.match(sounds) for pattern in _SOUNDS_LIKE):
        return False
    return not (_NOT_HUMAN.search(clause) and _DRAIN.search(text))

