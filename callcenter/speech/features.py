"""From words to features: characters and toneless syllables, one to three in a row, topics, what the rules saw; hashed.

Training and use share this file: changing it means training again.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from itertools import pairwise

from callcenter.domain.understanding.dangers import find_dangers
from callcenter.domain.understanding.syllables import SYLLABLES
from callcenter.domain.understanding.text import Utterance
from callcenter.domain.understanding.topics import (
    CATEGORY_PATTERNS,
    IMPORTANT_EN,
    IMPORTANT_ZH,
    KIND_PATTERNS,
    TOLD_ABOUT,
)
from callcenter.domain.understanding.vocabulary import TOPICS

BITS = 17
SIZE = 1 << BITS
LONGEST = 3
RULE_WEIGHT = 0.22
"""Weight of one thing the rules saw, where all n-grams together have length 1."""
TOPIC_WEIGHT = 0.25
"""Weight of a topic spoken of."""
FAINT_WEIGHT = 0.1
"""Weight of two topics one after the other, and of a topic known by the sound of its word alone."""

_N = "[0-9零〇一二三四五六七八九十百千两幺]"
_SLOTS = re.compile(rf"(?:{_N}{{1,4}}(?:号楼|栋|幢|单元|座|室|号房))+{_N}{{0,5}}|{_N}{{3,}}")
_WORD = re.compile(r"[a-z']+")
_PUNCTUATION = re.compile(r"[^\w\u3400-\u9fff#]+")
_RETROFLEX = re.compile(r"^([zcs])h")
_STEMS = re.compile(r"(?:ing|ed|es|s)$")


def folded(character: str) -> str:
    """A character's sound as many regions say it: zh/z, ch/c, sh/s and -ng/-n alike; other characters themselves."""
    syllable = SYLLABLES.get(character)
    if syllable is None:
        return character
    syllable = _RETROFLEX.sub(r"\1", syllable)
    return syllable.removesuffix("g") if syllable.endswith("ng") else syllable


class _Words:
    """Finds the words of the vocabulary in a row of tokens, the longest from the left."""

    def __init__(self, words: dict[tuple[str, ...], tuple[str, ...]]) -> None:
        self._words = words
        self._longest = max(map(len, words))

    def topics(self, tokens: Sequence[str]) -> list[tuple[str, ...]]:
        """The topics of each word found, in the order said."""
        found, start = [], 0
        while start < len(tokens):
            for end in range(min(len(tokens), start + self._longest), start, -1):
                if topics := self._words.get(tuple(tokens[start:end])):
                    found.append(topics)
                    start = end
                    break
            else:
                start += 1
        return found


@cache
def _vocabulary() -> tuple[_Words, _Words]:
    """The words as written, and those of two characters and more as they sound."""
    written: dict[tuple[str, ...], tuple[str, ...]] = {}
    sounded: dict[tuple[str, ...], tuple[str, ...]] = {}
    for topic, listed in TOPICS.items():
        for word in listed.lower().split():
            written[tuple(word)] = (*written.get(tuple(word), ()), topic)
            if len(word) > 1:
                sound = tuple(folded(c) for c in word)
                sounded[sound] = tuple(dict.fromkeys((*sounded.get(sound, ()), topic)))
    return _Words(written), _Words(sounded)


def masked(text: str) -> str:
    """Without places and long numbers, which say nothing of the matter."""
    return _SLOTS.sub("#", text)


def _grams(tokens: list[str], mark: str) -> Iterator[str]:
    padded = ["^", *tokens, "$"]
    for length in range(1, LONGEST + 1):
        for start in range(len(padded) - length + 1):
            gram = padded[start : start + length]
            if length > 1 or gram[0] not in "^$":
                yield mark + "\x1f".join(gram)


def _seen_by_rules(said: Utterance, language: str) -> Iterator[str]:
    for danger in find_dangers(said, language):
        yield f"!{danger.category}:{danger.standing}"
        yield f"!{danger.standing}"
    for category, pattern in CATEGORY_PATTERNS[language].items():
        if pattern.search(said.mended):
            yield f"@{category}"
    for kind, pattern in KIND_PATTERNS[language]:
        if pattern.search(said.mended):
            yield f"%{kind}"
    if (IMPORTANT_ZH if language == "zh" else IMPORTANT_EN).search(said.mended):
        yield "&important"
    if language == "zh" and TOLD_ABOUT.search(said.mended):
        yield "&told"


def _topics(said: Utterance, characters: list[str]) -> tuple[set[str], set[str]]:
    """The topics spoken of; and, fainter, what follows on what and what only sounds like a topic."""
    written, sounded = _vocabulary()
    told = written.topics([c for c in _PUNCTUATION.sub("", masked(said.mended)) if not c.isspace()])
    clear = {f"t:{topic}" for topics in told for topic in topics}
    faint = {f"p:{one}>{next_}" for a, b in pairwise(told) for one in a for next_ in b}
    return clear, faint | {f"z:{t}" for topics in sounded.topics([folded(c) for c in characters]) for t in topics}


def _hashed(grams: Iterable[str]) -> set[int]:
    return {zlib.crc32(gram.encode()) & (SIZE - 1) for gram in grams}


def features(said: Utterance, language: str) -> dict[int, float]:
    """Hashed features of a text with their weights."""
    text = _PUNCTUATION.sub(" ", masked(said.text))
    characters = [c for c in text if not c.isspace()]
    if language == "en":
        words = _WORD.findall(text)
        seen = _hashed(_grams(words, "w")) | _hashed(
            _grams([_STEMS.sub("", w) if len(w) > 4 else w for w in words], "v")
        )
    else:
        seen = _hashed(_grams(characters, "c")) | _hashed(_grams([folded(c) for c in characters], "s"))
    weights = dict.fromkeys(seen, len(seen) ** -0.5 if seen else 0.0)
    extra: list[tuple[Iterable[str], float]] = [(_seen_by_rules(said, language), RULE_WEIGHT)]
    if language == "zh":
        clear, faint = _topics(said, characters)
        extra += [(clear, TOPIC_WEIGHT), (faint, FAINT_WEIGHT)]
    for names, weight in extra:
        for index in _hashed(names):
            weights[index] = weights.get(index, 0.0) + weight
    return weights
