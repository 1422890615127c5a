"""The two questions of a follow-up call (回访, R23): is it solved, and how satisfied is the resident.

Unlike a confirmation, silence says nothing here: only a clear answer, by key or in words, archives or reopens a matter.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from callcenter.dialplan import answers
from callcenter.dialplan.conversation import MAX_ASKS, Conversation
from callcenter.dialplan.model import Gather

KEYS = {"solved": {"1": "yes", "2": "no"}, "score": {key: key for key in "12345"}}
"""What the keys of a question mean."""
_FILLER = re.compile(r"[\s,，。.!！?？、]+")
_UNSOLVED = {
    "zh": re.compile(
        r"没有?(?:完全|彻底|真正|给我?|人)?(?:解决|修|弄|处理|来|好|通|搞)|未解决|不行|不满意|还(?:是|在|没|有)|"
        r"(?:又|仍|依然|照样|老样子)|解决不了|没用|没人"
    ),
    "en": re.compile(r"\b(?:not|isn't|wasn't|hasn't|never|nobody|still|unsolved|worse|again)\b"),
}
_SOLVED = {
    "zh": re.compile(r"解决|修好|弄好|处理好|搞好|好了|可以了|没问题|没事|正常|完成|通了|来过了"),
    "en": re.compile(r"\b(?:solved|fixed|resolved|repaired|done|fine|good|works|working|all right)\b"),
}
_BARE = {
    "zh": (re.compile(r"(?:嗯|对|是|是的|对的|好|好的|有|行|可以)+"), re.compile(r"(?:没|没有|不|不是|否|没呢|还没)+")),
    "en": (re.compile(r"(?:yes|yeah|yep|it is|it has)(?: thanks| thank you)?"), re.compile(r"(?:no|nope)")),
}
_SCORES = {
    "zh": (
        ("1", re.compile(r"(?:非常|很|极其?|十分|特别)不满意?|太差|很差|极差")),
        ("2", re.compile(r"不(?:太|大|够|是很)?(?:满意|好|行)|较差|差评|^差")),
        ("3", re.compile(r"一般|还行|还可以|凑合|过得去|马马虎虎")),
        ("5", re.compile(r"(?:非常|很|特别|十分|相当|超级|挺)满意|(?:非常|特别|十分)好|满分")),
        ("4", re.compile(r"满意|(?:很|挺|还|蛮)好|不错")),
    ),
    "en": (
        ("1", re.compile(r"very (?:un|dis)satisfied|terrible|very bad")),
        ("2", re.compile(r"not (?:very |really )?satisfied|(?:un|dis)satisfied|\bbad\b|\bpoor\b")),
        ("3", re.compile(r"\bokay\b|\bok\b|so so|average|all right")),
        ("5", re.compile(r"very (?:satisfied|good|happy)|excellent|perfect")),
        ("4", re.compile(r"satisfied|\bgood\b|\bhappy\b|\bfine\b")),
    ),
}
_POINTS = {
    "zh": re.compile(r"([一二两三四五1-5])(?:分|颗?星|$)"),
    "en": re.compile(r"\b(one|two|three|four|five|[1-5])\b"),
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
    yes, no = _BARE[language]
    if no.fullmatch(plain) or _UNSOLVED[language].search(plain):
        return "no"
    if yes.fullmatch(plain) or _SOLVED[language].search(plain):
        return "yes"
    return None


def read_score(text: str, language: str) -> str | None:
    """`1` (very dissatisfied) to `5` (very satisfied) in an answer; None where there is none."""
    plain = _FILLER.sub("" if language == "zh" else " ", text.lower()).strip()
    for score, words in _SCORES[language]:
        if words.search(plain):
            return score
    found = _POINTS[language].search(plain)
    if found is not None:
        return _FIGURES.get(found.group(1), found.group(1))
    return "4" if "yes" in answers.intents(text, language) else None


READERS: dict[str, Callable[[str, str], str | None]] = {"solved": read_solved, "score": read_score}
