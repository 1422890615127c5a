"""The words the model knows, and how they are read.

Three layers: the hotline's own words (the words of `text/`), the most frequent words of jieba's dictionary
(MIT licence), and every common character as a word of its own, so that nothing a caller says
is unspellable. `[unk]` is any one syllable: a runtime grammar needs it to soak up what it does not list.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path

import jieba

from models.recipe.phones import UnknownSyllableError, all_syllables, readings, syllable_phones

UNKNOWN = "[unk]"
GENERAL_WORDS = 16000
_LONGEST_WORD = 6
_NUMERALS = "零一二三四五六七八九十百千万月号"
_SKIPPED_TAGS = frozenset(("nrt", "nrfg", "x", "eng", "nt", "zg"))
_NAME_TAGS = frozenset(("nr", "ns", "nz"))
_DIGITS = frozenset("零一二三四五六七八九十幺")
_TEXT = Path(__file__).parent / "text"


@dataclass(frozen=True)
class Entry:
    """A word of jieba's dictionary: how often it was counted, and its part of speech."""

    count: int
    tag: str


def is_han(text: str) -> bool:
    """Whether every character is a CJK ideograph of the basic block."""
    return bool(text) and all("一" <= character <= "鿿" for character in text)


@functools.cache
def jieba_dictionary() -> dict[str, Entry]:
    """Every purely Han entry of jieba's dictionary."""
    out = {}
    for line in files(jieba).joinpath("dict.txt").read_text("utf-8").splitlines():
        word, count, tag = line.split()
        if is_han(word):
            out[word] = Entry(int(count), tag)
    return out


def _readable(word: str) -> bool:
    try:
        readings(word)
    except UnknownSyllableError:
        return False
    return True


@functools.cache
def first_level_characters() -> tuple[str, ...]:
    """The 3755 characters of GB 2312's first level."""
    out = []
    for high in range(0xB0, 0xD8):
        for low in range(0xA1, 0xFF):
            try:
                out.append(bytes([high, low]).decode("gb2312"))
            except UnicodeDecodeError:
                continue
    return tuple(out)


@functools.cache
def common_characters() -> tuple[str, ...]:
    """Readable characters of GB 2312's first level, those jieba counted often, and all of the hand-written text."""
    wanted = {word for word, entry in jieba_dictionary().items() if len(word) == 1 and entry.count >= 200}
    for path in _TEXT.glob("*.txt"):
        wanted.update(character for character in path.read_text("utf-8") if is_han(character))
    wanted.update(first_level_characters())
    return tuple(sorted(character for character in wanted if is_han(character) and _readable(character)))


@functools.cache
def general_words(limit: int = GENERAL_WORDS) -> tuple[str, ...]:
    """The `limit` most frequent words of two characters and more, without rare proper names."""
    entries = sorted(jieba_dictionary().items(), key=lambda item: (-item[1].count, item[0]))
    out = []
    for word, entry in entries:
        if not 2 <= len(word) <= 4 or entry.tag in _SKIPPED_TAGS:
            continue
        if entry.tag in _NAME_TAGS and entry.count < 1500:
            continue
        if set(word) <= _DIGITS:  # digits are said one by one
            continue
        if _readable(word):
            out.append(word)
        if len(out) == limit:
            break
    return tuple(out)


@functools.cache
def hotline_words() -> tuple[str, ...]:
    """The words of `text/words.txt`: compounds of the trade that jieba does not know or has as rare."""
    lines = (_TEXT / "words.txt").read_text("utf-8").splitlines()
    found = {word for line in lines if not line.startswith("#") for word in line.split()}
    for word in found:
        readings(word)  # raises on what cannot be read
    return tuple(sorted(found))


@functools.cache
def vocabulary() -> tuple[str, ...]:
    """All words, sorted, without `[unk]`."""
    return tuple(sorted({*common_characters(), *general_words(), *hotline_words()}))


@functools.cache
def _segmentation_costs() -> dict[str, float]:
    dictionary = jieba_dictionary()
    total = sum(entry.count for entry in dictionary.values())
    costs = {w: -math.log((dictionary[w].count if w in dictionary else 1) / total + 1e-9) for w in vocabulary()}
    for word in hotline_words():  # a word of the trade is worth keeping whole
        costs[word] = min(costs[word], 9.0 + 0.1 * len(word))
    return costs


def segment(text: str) -> list[str]:
    """The most probable split of a Han text into words of the vocabulary; raises ValueError on an unknown character."""
    costs = _segmentation_costs()
    best: list[tuple[float, int]] = [(0.0, 0)]
    for end in range(1, len(text) + 1):
        options = [
            (best[start][0] + costs[text[start:end]], start)
            for start in range(max(0, end - _LONGEST_WORD), end)
            if text[start:end] in costs
        ]
        if not options:
            raise ValueError(f"no word of the vocabulary ends at {text[:end]!r}")
        best.append(min(options))
    words: list[str] = []
    end = len(text)
    while end:
        start = best[end][1]
        words.append(text[start:end])
        end = start
    return words[::-1]


@functools.cache
def _other_readings() -> dict[str, tuple[str, ...]]:
    """`text/readings.txt`: characters that are read in more than one way when they stand alone."""
    lines = (_TEXT / "readings.txt").read_text("utf-8").splitlines()
    return {line[0]: tuple(line[1:].split()) for line in lines if line and not line.startswith("#")}


def with_sandhi(word: str, syllables: Sequence[str]) -> tuple[str, ...]:
    """A word's reading as it is spoken: third tone before third tone is second; 一 and 不 change."""
    out = list(syllables)
    for i, syllable in enumerate(out[:-1]):
        following = out[i + 1][-1]
        if syllable[-1] == "3" and following == "3":
            out[i] = syllable[:-1] + "2"
        elif word[i] == "不" and following == "4":
            out[i] = "bu2"
        elif word[i] == "一" and word[i + 1] not in _NUMERALS:
            out[i] = "yi2" if following in "45" else "yi4"
    return tuple(out)


def pronunciations(word: str) -> list[tuple[float, tuple[str, ...]]]:
    """(cost in nats, syllables) of each reading: the plain one free, tone sandhi and others at a small price."""
    plain = tuple(readings(word))
    out: dict[tuple[str, ...], float] = {plain: 0.0}
    if len(word) == 1:
        for syllable in _other_readings().get(word, ()):
            out.setdefault((syllable,), 0.5)
    else:
        out.setdefault(with_sandhi(word, plain), 0.7)
    return [(cost, syllables) for syllables, cost in out.items()]


def phones_of(syllables: Iterable[str]) -> tuple[str, ...]:
    """The phones of a reading."""
    return tuple(phone for syllable in syllables for phone in syllable_phones(syllable))


def lexicon(words: Sequence[str]) -> list[tuple[str, float, tuple[str, ...]]]:
    """(word, cost, phones) of every reading of every word, and of `[unk]` as any one syllable."""
    out = []
    for word in words:
        for cost, syllables in pronunciations(word):
            out.append((word, cost, phones_of(syllables)))
    out.extend((UNKNOWN, 2.5, syllable_phones(syllable)) for syllable in all_syllables())
    return out
