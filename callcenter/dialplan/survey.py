"""The two questions of a follow-up call (回访, R23): is it solved, and how satisfied is the resident.

Unlike a confirmation, silence says nothing here: only a clear answer, by key or in words, archives or reopens a matter.
"""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re
from collections.abc import Callable

from callcenter.dialplan import answers
from callcenter.dialplan.conversation import MAX_ASKS, Conversation
from callcenter.dialplan.model import Gather
from callcenter.domain.understanding.announcements import announced
from callcenter.domain.understanding.text import lexicon_of, mend_homophones

KEYS = {"solved": {"1": "yes", "2": "no"}, "score": {key: key for key in "12345"}}
"""What the keys of a question mean."""
_FILLER = re.compile(r"[\s,，。.!！?？、]+")
_WORDS = """
没解决 没有解决 没修好 没有修好 没弄好 没处理好 没人来 没有人来 没人修 没来 解决了 解决 修好了 修好 弄好 处理好
"""
_LEXICON = lexicon_of(_WORDS.split())
"""Words of an answer that a recogniser writes otherwise: 每解决 for 没解决."""
_FINE = {
    "zh": re.compile(
        r"没有?(?:什么|啥|其他|其它|别的|任何|大)?的?(?:问题|事情|事儿?|毛病)|(?:不|没有?)(?:再|怎么)?(?:漏水?|渗水?|滴水?|堵|吵|臭)了?过?"
    ),
    "en": re.compile(
        r"\b(?:no|not any|without)(?: more| longer| other| further)? (?:problem|issue|complaint|leak|trouble)s?\b|"
        r"\b(?:not|no longer|isn't|doesn't|stopped) leak(?:ing)?\b(?: any ?more)?|\bno longer (?:broken|blocked)\b"
    ),
}
"""A denial of what was wrong is good news."""
_OPEN = {
    "zh": re.compile(r"(?:解决|[修弄搞]好|处理好?|好|完)了?(?:吗|么|没有?|不)$"),
    "en": re.compile(
        r"\b(?:not|isn't) (?:sure|certain|here|home|at home|in|available|me)\b|\b(?:do not|don't) know\b|"
        r"\b(?:say (?:that|it)|call(?: me)?) (?:again|back)\b|\bwrong (?:number|person)\b|^(?:is|was|has) it\b"
    ),
}
"""Who asks back, or cannot say, has not answered; nor has a mailbox."""
_UNSOLVED = {
    "zh": re.compile(
        r"没有?(?:完全|彻底|真正|全部?|都|给我?|人)?(?:解决|修|弄|处理|来|好|通|搞|打扫|清|扫|换|动静|变化|效果|看?见到?人|水|电)|"
        r"(?:未|尚未|不算?|无法)解决|解决(?:什么|啥|个|不)|(?:解决|修|弄|处理)了?(?:一半|一部分|一点)|只(?:解决|修|弄|处理)|"
        r"(?:谁说|哪里?|哪儿)(?:解决|修|处理|来|有)|哪有|(?:修|弄|搞|处理)[得的]?不好|"
        r"不(?:太|大|怎么|是很)?(?:行|满意|正常|通|能用|可以用|灵|管用|好(?!意思))|[用修弄开关]不了|"
        r"还(?:是|在|没|有|[漏渗滴堵吵臭坏]|不(?!错|知道|清楚|了解))|(?:又(?!好)|仍|依[然旧]|照样|照旧|老样子)|没用|没人|坏了|严重了|[跟和]?(?:以前|之前|原来)一样|"
        r"(?:赶紧|赶快|快点|快些|尽快|早点|什么时候|啥时候|几时|能不能|可不可以|希望|要求|必须|帮我|要是|如果|请你?们?)"
        r"[^了]{0,8}(?:解决|修|处理|弄|搞)"
    ),
    "en": re.compile(
        r"\b(?:not|isn't|wasn't|hasn't|haven't|doesn't|didn't|won't|can't|cannot|never|nobody|no one|nothing|still|unsolved|"
        r"worse|again|partly|half|broken)\b|\b(?:is|are|came|come) back\b|^(?:well |unfortunately |sorry )*(?:no|nope)\b|"
        r"\bunfortunately no\b|\b(?:when|will|want|need|please)\b.*\b(?:solved?|fix(?:ed)?|repair(?:ed)?|done)\b"
    ),
}
"""Also who asks for it to be solved: it is not."""
_SOLVED = {
    "zh": re.compile(
        r"解决[了啦好完掉]|(?:已经?|都|全部?|早就?|彻底|完全|真)(?:给我?)?(?:解决|处理)|^[嗯对是的我们就问题]*解决的?$|"
        r"修好|弄好|处理[好完了]|搞好|搞定|修[完过]了|好了|可以[用了]|能用|[有来]电了|电来了|有水了|恢复|干净了|没问题|没事|正常|完成|"
        r"通了|来过了|满意|[挺很]好"
    ),
    "en": re.compile(r"\b(?:solved|fixed|resolved|repaired|done|fine|good|works|working|all right)\b"),
}
_BARE = {
    "zh": (re.compile(r"(?:嗯|对|是|是的|对的|好|好的|有|行|可以)+"), re.compile(r"(?:没|没有|不|不是|否|没呢|还没)+")),
    "en": (
        re.compile(
            r"(?:(?:yes|yeah|yep|yup|sure|absolutely|correct|it is|it has(?: been)?|that's right|that is right|"
            r"thanks|thank you)(?: |$))+"
        ),
        re.compile(r"(?:no|nope)"),
    ),
}
_SCORES = {
    "zh": (
        ("4", re.compile(r"没有?(?:什么|啥)?不满意|没有?(?:什么|啥)不好")),
        ("1", re.compile(r"(?:非常|很|极其?|十分|特别)不(?:满意?|好|行)|(?:太|很|极|非常|特别)差")),
        ("2", re.compile(r"不(?:太|大|够|是很|怎么)?(?:满意|好(?!意思)|行)|不怎么样|较差|差评|^差(?!不多)")),
        ("3", re.compile(r"一般|还行|还可以|凑合|过得去|马马虎虎|差不多")),
        ("5", re.compile(r"(?:非常|很|特别|十分|相当|超级|挺)满意|(?:非常|特别|十分)好|满分")),
        ("4", re.compile(r"满意|(?:很|挺|还|蛮)好|不错")),
    ),
    "en": (
        ("3", re.compile(r"\bnot (?:too |so |that )?bad\b")),
        ("1", re.compile(r"\bvery (?:un|dis)(?:satisfied|happy)\b|\b(?:terrible|awful|horrible|very bad|worst)\b|\bnot .*\bat all\b")),
        ("2", re.compile(
            r"\b(?:not|isn't|wasn't|never)(?: \w+){0,2} (?:satisfied|good|happy|pleased|great|fine)\b|"
            r"\b(?:un|dis)satisfied\b|\bunhappy\b|\b(?:bad|poor|disappointed)\b")),
        ("3", re.compile(r"\bokay\b|\bok\b|so so|average|all right")),
        ("5", re.compile(r"\bvery (?:satisfied|good|happy)\b|excellent|perfect")),
        ("4", re.compile(r"\bsatisfied\b|\bgood\b|\bhappy\b|\bfine\b")),
    ),
}  # fmt: skip
_POINTS = {
    "zh": re.compile(r"(?<![一二两三四五六七八九十百零幺点0-9])([一二两三四五1-5])(?:分|颗?星|$)"),
    "en": re.compile(
        r"^(?:(?:i|i'd|would|say|give|it|you|that|maybe|perhaps|it's|a) )*(one|two|three|four|five|[1-5])(?: thanks| thank you)?$|"
        r"\b(one|two|three|four|five|[1-5]) (?:stars?|points?|out of)\b"
    ),
}
_FIGURES = {"一": "1", "二": "2", "两": "2", "三": "3", "四": "4", "五": "5"} | dict(
    zip(("one", "two", "three", "four", "five"), "12345", strict=True)
)


async def ask(talk: Conversation, action: Gather) -> str | None:
    """Put one of the questions; a clear answer is kept in `Talk.answers`. The step to go to, None to go on."""
    state, question = talk.talk, action.gather
    silent = False
    while state.asked[action.ask] < min(action.times, MAX_ASKS):
        again = state.asked[action.ask] > 0
        state.asked[action.ask] += 1
        clips = talk.clips((action.again if again else None) or action.ask)
        if again and not silent:
            clips = [*talk.clips(talk.plan.script.phrases.again), *clips]
        heard = await talk.ask(clips, talk.limits_of(action), frozenset(KEYS[question]))
        silent = not heard.spoke and not heard.key
        value = KEYS[question][heard.key] if heard.key else READERS[question](heard.text, talk.language)
        if value is not None:
            state.answers[question] = value
            return {"yes": action.yes, "no": action.no}.get(value)
    return action.silence


def read_solved(text: str, language: str) -> str | None:
    """`yes` or `no` to "is it solved"; None where an answer is not clear. Whoever says both means no."""
    plain = _FILLER.sub("" if language == "zh" else " ", text.lower().replace("’", "'")).strip()
    if language == "zh":
        plain = mend_homophones(plain, _LEXICON)
    yes, no = _BARE[language]
    rest, fine = _FINE[language].subn(" ", plain)
    if no.fullmatch(plain):
        return "no"
    if _OPEN[language].search(plain) or announced(text):
        return None
    if _UNSOLVED[language].search(rest):
        return "no"
    if fine or yes.fullmatch(plain) or _SOLVED[language].search(plain):
        return "yes"
    return None


def read_score(text: str, language: str) -> str | None:
    """`1` (very dissatisfied) to `5` (very satisfied) in an answer; None where there is none."""
    plain = _FILLER.sub("" if language == "zh" else " ", text.lower()).strip()
    if announced(text):
        return None
    for score, words in _SCORES[language]:
        if words.search(plain):
            return score
    found = _POINTS[language].search(plain)
    if found is not None:
        said = next(group for group in found.groups() if group)
        return _FIGURES.get(said, said)
    return "4" if "yes" in answers.intents(text, language) else None


READERS: dict[str, Callable[[str, str], str | None]] = {"solved": read_solved, "score": read_score}
