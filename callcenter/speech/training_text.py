"""Training sentences: hand-written templates expanded, put into whole calls, and misheard as a recogniser mishears.

Everything is drawn from a seeded generator: the same files give the same sentences.
"""

# ruff: noqa: E501 — tables of expressions read better whole

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from callcenter.domain.understanding.syllables import CHARACTERS, SYLLABLES
from callcenter.errors import SpeechError
from callcenter.speech.features import folded

EXPANSIONS = 12
"""Expansions drawn of one template, at most."""
SPOKEN_WEIGHT = 1.5
"""What a sentence somebody thought of counts against an expansion."""
SPOKEN_MISHEARD = 3
"""How often each of these is misheard, besides being said as written and in a call."""

_GROUP = re.compile(r"\(([^()]*)\)")
_NAME = re.compile(r"<(\w+)>")
_COMMON_PER_SYLLABLE = 14


@dataclass(frozen=True)
class Sentence:
    """A text with its labels and language."""

    text: str
    kind: str
    category: str
    urgency: str
    language: str = "zh"
    weight: float = 1.0
    """How much it counts in training."""


@dataclass(frozen=True)
class Template:
    """One line of a training file."""

    text: str
    kind: str
    category: str
    urgency: str
    language: str


def read_words(path: Path) -> dict[str, list[str]]:
    """`name = word word …` lines."""
    words = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.strip() and not line.startswith("#"):
            name, _, listed = line.partition("=")
            words[name.strip()] = listed.split()
    return words


def read_templates(folder: Path) -> list[Template]:
    """Templates of all files in a folder; `*.en.txt` are English. Raises SpeechError with file and line."""
    templates = []
    for path in sorted(folder.glob("*.txt")):
        if path.name == "words.txt":
            continue
        language = "en" if path.name.endswith(".en.txt") else "zh"
        labels: list[str] = []
        for number, line in enumerate(path.read_text(encoding="utf-8").splitlines(), 1):
            if line.startswith("## "):
                labels = line[3:].split()
            elif line.strip():
                if len(labels) != 3 or line.count("(") != line.count(")"):
                    raise SpeechError(
                        "training.template", "a template without kind, category and urgency, or with an open bracket",
                        where=f"{path}:{number}",
                    )  # fmt: skip
                templates.append(Template(line.strip(), labels[0], labels[1], labels[2], language))
    return templates


def read_lexicon(folder: Path) -> list[Sentence]:
    """Every thing of `lexicon.lst` in every carrier of its kind (`carriers.lst`)."""
    carriers = read_words(folder / "carriers.lst")
    sentences = []
    for labels, things in read_words(folder / "lexicon.lst").items():
        kind, category, urgency = labels.split()
        sentences += [
            Sentence(carrier.replace("*", thing), kind, category, urgency)
            for thing in things
            for carrier in carriers[kind]
        ]
    return sentences


def read_spoken(folder: Path) -> list[Sentence]:
    """Sentences written one by one (`folder/spoken`), each of its own."""
    return [
        Sentence(t.text, t.kind, t.category, t.urgency, t.language, SPOKEN_WEIGHT)
        for t in read_templates(folder / "spoken")
    ]


def expand(template: Template, words: Mapping[str, Sequence[str]], random: Random) -> list[str]:
    """Up to `EXPANSIONS` different sentences of a template."""
    found: dict[str, None] = {}
    for _ in range(EXPANSIONS * 2):
        text = template.text
        while match := _GROUP.search(text):
            text = text[: match.start()] + random.choice(match.group(1).split("|")) + text[match.end() :]
        text = _NAME.sub(lambda m: random.choice(words[m.group(1)]), text)
        found[text] = None
        if len(found) == EXPANSIONS:
            break
    return list(found)


_OPENINGS = [
    "你好",
    "喂",
    "喂你好",
    "您好",
    "那个",
    "哎",
    "师傅",
    "物业吗",
    "你好物业",
    "我跟你说",
    "麻烦一下",
    "是这样的",
    "我想反映一下",
    "我要反映个情况",
    "就是",
    "嗯",
    "喂是物业吗",
    "你们好",
    "不好意思打扰了",
    "我是业主",
    "我是#",
    "我住#",
    "#的",
    "我们家#",
]
_CLOSINGS = [
    "谢谢",
    "麻烦了",
    "好吧",
    "对吧",
    "就这样",
    "啊",
    "呀",
    "呢",
    "嘛",
    "哦",
    "行不行",
    "好不好",
    "谢谢你",
    "辛苦了",
    "你看怎么办",
    "知道吧",
    "是吧",
    "了都",
    "哈",
    "我是#",
    "在#",
    "地址是#",
    "我电话#",
]
_RAMBLING = (
    "我在这住了好多年了", "刚下班到家", "打了半天电话才打通", "你听我把话说完", "我也不想麻烦你们", "家里就我一个人", "我不知道该找谁", "前面那个人说让我打这个电话",
    "我跟我家里人都说了", "你们忙不忙", "这个事情是这样子的", "我现在在外面", "我们是老业主", "上回也是打的这个号码", "说实话", "反正就是这么个情况", "我是租户啊",
)  # fmt: skip
_CALM = (
    "没有着火没有漏气就是", "不是什么急事就是", "不紧急", "没人受伤", "没有危险", "不是着火", "没有人被困", "没有漏水", "不着急", "没爆管", "不用叫救护车", "没打架",
)  # fmt: skip
_TURNS = ("不过", "还有", "另外", "对了", "还有就是", "本来想说", "但是现在", "哎呀不好了", "等等", "先不说这个")
_FILLERS = "嗯啊呃那个就是然后这个"
_EN_OPENINGS = ("hello", "hi", "good morning", "excuse me", "um", "yes hi", "hello is this the service centre")
_EN_CLOSINGS = ("please", "thank you", "thanks", "can you help", "i live in #", "as soon as possible", "bye")

_COMMON = {syllable: group[:_COMMON_PER_SYLLABLE] for syllable, group in CHARACTERS.items()}
_BY_SOUND: dict[str, str] = {}
for _group in _COMMON.values():
    _sound = folded(_group[0])
    _BY_SOUND[_sound] = _BY_SOUND.get(_sound, "") + _group[:6]


def misheard(text: str, share: float, random: Random) -> str:
    """About `share` of the characters replaced by others of the same, or nearly the same, sound."""
    out = []
    for character in text:
        syllable = SYLLABLES.get(character)
        if syllable is None or random.random() >= share:
            out.append(character)
        elif random.random() < 0.75:
            out.append(random.choice(_COMMON[syllable]))
        elif random.random() < 0.85:
            out.append(random.choice(_BY_SOUND[folded(character)]))
        # else the recogniser swallowed it
    return "".join(out)


def in_a_call(text: str, random: Random) -> str:
    """A matter as it stands in a call: greeted, padded, hesitated over."""
    before, after = [], []
    if random.random() < 0.5:
        before.append(random.choice(_OPENINGS))
    if random.random() < 0.15:
        before.append(random.choice(_RAMBLING))
    if random.random() < 0.35:
        after.append(random.choice(_CLOSINGS))
    if random.random() < 0.08:
        after.append(random.choice(_RAMBLING))
    if random.random() < 0.15 and len(text) > 4:
        at = random.randrange(1, len(text))
        text = text[:at] + random.choice(_FILLERS) + text[at:]
    comma = random.choice(("", "", ",", "，"))
    return comma.join((*before, text, *after))


def spoken_variations(sentence: Sentence, random: Random) -> Iterator[Sentence]:
    """A sentence as written, in a call, and misheard more and more."""
    yield sentence
    yield _with(sentence, in_a_call(sentence.text, random))
    for nth in range(SPOKEN_MISHEARD):
        text = in_a_call(sentence.text, random) if nth % 2 else sentence.text
        yield _with(sentence, misheard(text, random.uniform(0.05, 0.35), random))


def _in_an_english_call(text: str, random: Random) -> str:
    if random.random() < 0.4:
        text = f"{random.choice(_EN_OPENINGS)} {text}"
    return f"{text} {random.choice(_EN_CLOSINGS)}" if random.random() < 0.3 else text


def _worse(first: Sentence, second: Sentence) -> Sentence:
    order = ("emergency", "important", "normal")
    return min((first, second), key=lambda s: order.index(s.urgency))


def augmented(plain: Sequence[Sentence], random: Random) -> Iterator[Sentence]:
    """Each sentence as written, in a call, and misheard; calls of two matters, where the worse one counts."""
    chinese = [s for s in plain if s.language == "zh"]
    calm = [s for s in chinese if s.urgency != "emergency" and s.kind not in ("none", "praise")]
    urgent = [s for s in chinese if s.urgency == "emergency"]
    for sentence in plain:
        yield sentence
        if sentence.language == "en":
            for _ in range(2):
                yield _with(sentence, _in_an_english_call(sentence.text, random))
            continue
        if sentence.kind == "none":
            yield _with(sentence, misheard(sentence.text, 0.2, random))
            continue
        if random.random() < 0.6:
            yield _with(sentence, in_a_call(sentence.text, random))
        yield _with(sentence, misheard(in_a_call(sentence.text, random), random.uniform(0.1, 0.35), random))
        if random.random() < 0.6:
            yield _with(sentence, misheard(sentence.text, random.uniform(0.15, 0.45), random))
        if sentence.urgency != "emergency" and random.random() < 0.12:
            yield _with(sentence, random.choice(_CALM) + sentence.text)
    for first, groups in ((urgent, calm), (calm, urgent)):
        for sentence in random.sample(first, len(urgent) // 3):
            other = random.choice(groups)
            text = sentence.text + random.choice(_TURNS) + other.text
            worse = _worse(sentence, other)
            yield Sentence(
                misheard(text, random.choice((0.0, 0.15)), random), worse.kind, worse.category, worse.urgency
            )


def _with(sentence: Sentence, text: str) -> Sentence:
    return replace(sentence, text=text)


def shared_spans(training: Iterable[str], evaluation: Iterable[str], length: int = 8) -> dict[str, str]:
    """Spans of `length` characters that a training text shares with an evaluation text: span → evaluation text.

    English texts share spans of as many words.
    """

    def spans(text: str) -> Iterator[str]:
        units = text.split() if text.isascii() else list(text)
        glue = " " if text.isascii() else ""
        return (glue.join(units[i : i + length]) for i in range(len(units) - length + 1))

    tested = {span: text for text in evaluation for span in spans(text)}
    return {span: tested[span] for text in training for span in spans(text) if span in tested}
