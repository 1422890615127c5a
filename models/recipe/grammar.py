"""Hand-written sentences with slots, and their expansion.

A line of `text/*.txt` is a sentence: `{a|b}` is one of, `[a|b]` one of or nothing, `<name>` a class of
`text/classes.txt` or a spoken number. Brackets may hold brackets. `#` begins a comment line.
"""

from __future__ import annotations

import functools
import re
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

from models.recipe import spoken_numbers

TEXT = Path(__file__).parent / "text"
NUMBER_SLOTS: dict[str, Callable[[Random], str]] = {
    "address": spoken_numbers.address,
    "building": spoken_numbers.building,
    "unit": spoken_numbers.unit,
    "floor": spoken_numbers.floor,
    "room": spoken_numbers.room,
    "mobile": spoken_numbers.mobile,
    "landline": spoken_numbers.landline,
    "short": spoken_numbers.short_code,
    "digits": spoken_numbers.digits,
    "plate": spoken_numbers.plate_digits,
    "hour": spoken_numbers.hour,
    "amount": spoken_numbers.amount,
    "count": lambda random: "两" if (n := random.randint(1, 30)) == 2 else spoken_numbers.cardinal(n),
}
HELD_BACK_ONE_IN = 50
_NOT_WORDS = frozenset(("words.txt", "classes.txt", "readings.txt"))


class GrammarError(ValueError):
    """A line of the hand-written text is wrong; the message names file, line and what."""


@dataclass(frozen=True)
class Line:
    """A template and where it stands."""

    file: str
    number: int
    template: str


@functools.cache
def classes() -> dict[str, tuple[str, ...]]:
    """`name = a | b | c` lines of classes.txt; a line that begins with `+` goes on with the class above."""
    out: dict[str, list[str]] = {}
    name = ""
    for number, line in enumerate((TEXT / "classes.txt").read_text("utf-8").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        if line.startswith("+"):
            members = line[1:]
        elif "=" in line:
            name, _, members = line.partition("=")
            name = name.strip()
        else:
            raise GrammarError(f"classes.txt:{number}: expected NAME = a | b")
        out.setdefault(name, []).extend(m.strip() for m in re.split(r"[|\s]+", members) if m.strip())
    return {key: tuple(dict.fromkeys(value)) for key, value in out.items()}


@functools.cache
def lines() -> tuple[Line, ...]:
    """Every sentence template of `text/`, in order of file and line."""
    out = []
    for path in sorted(TEXT.glob("*.txt")):
        if path.name in _NOT_WORDS:
            continue
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1):
            text = line.strip().replace(" ", "")
            if text and not text.startswith("#"):
                out.append(Line(path.name, number, text))
    return tuple(out)


def _split(text: str) -> list[str]:
    """Alternatives at the top level of brackets."""
    parts, depth, start = [], 0, 0
    for position, character in enumerate(text):
        depth += (character in "{[") - (character in "}]")
        if character == "|" and not depth:
            parts.append(text[start:position])
            start = position + 1
    return [*parts, text[start:]]


def _pieces(template: str, line: Line) -> Iterator[tuple[str, str]]:
    """(kind, body) in order: kind is text, one, maybe or slot."""
    position = 0
    while position < len(template):
        character = template[position]
        if character in "{[":
            depth, end = 1, position + 1
            while depth:
                if end >= len(template):
                    raise GrammarError(f"{line.file}:{line.number}: a bracket is not closed in {template!r}")
                depth += (template[end] in "{[") - (template[end] in "}]")
                end += 1
            yield ("one" if character == "{" else "maybe"), template[position + 1 : end - 1]
            position = end
        elif character == "<":
            end = template.find(">", position)
            if end < 0:
                raise GrammarError(f"{line.file}:{line.number}: '<' without '>' in {template!r}")
            yield "slot", template[position + 1 : end]
            position = end + 1
        else:
            end = position
            while end < len(template) and template[end] not in "{[<":
                end += 1
            yield "text", template[position:end]
            position = end


def expand(template: str, random: Random, line: Line) -> str:
    """One sentence of a template, chosen by `random`."""
    out = []
    for kind, body in _pieces(template, line):
        if kind == "text":
            if set(body) & set("}]>|"):
                raise GrammarError(f"{line.file}:{line.number}: stray bracket or bar in {template!r}")
            out.append(body)
        elif kind == "one":
            out.append(expand(random.choice(_split(body)), random, line))
        elif kind == "maybe":
            if random.random() < 0.5:
                out.append(expand(random.choice(_split(body)), random, line))
        elif body in NUMBER_SLOTS:
            out.append(NUMBER_SLOTS[body](random))
        elif body in classes():
            out.append(expand(random.choice(classes()[body]), random, line))
        else:
            raise GrammarError(f"{line.file}:{line.number}: no class <{body}> in classes.txt")
    return "".join(out)


def combinations(template: str, line: Line) -> int:
    """How many different sentences a template stands for (numbers count as 200), at most 10**9."""
    total = 1
    for kind, body in _pieces(template, line):
        if kind in ("one", "maybe"):
            total *= sum(combinations(option, line) for option in _split(body)) + (kind == "maybe")
        elif kind == "slot":
            total *= 200 if body in NUMBER_SLOTS else sum(combinations(m, line) for m in classes().get(body, ("",)))
        total = min(total, 10**9)
    return total


def held_back(sentence: str) -> bool:
    """Whether a sentence is kept for the closed-domain test set: one in `HELD_BACK_ONE_IN`, by its checksum.

    The training text leaves these out without looking at the test set, and however many lines are added.
    """
    return zlib.crc32(sentence.encode()) % HELD_BACK_ONE_IN == 0


def sentences(seed: int, most: int = 150) -> list[str]:
    """The training text: every template, with as many expansions as the root of its combinations, 1 to `most`.

    A line that stands for one sentence alone is counted twice: it is somebody's way to say it. Of the other lines the
    sentences that are held back are left out. Every line has a random stream of its own, so that a new line changes
    nothing of the others.
    """
    out: list[str] = []
    for line in lines():
        count = combinations(line.template, line)
        if count == 1:
            out.extend([expand(line.template, Random(seed), line)] * 2)
            continue
        random = Random(f"{seed} {line.template}")
        drawn = (expand(line.template, random, line) for _ in range(min(most, 3 + int(2 * count**0.5))))
        out.extend(sentence for sentence in drawn if not held_back(sentence))
    return out


def draw_unseen(seed: int, count: int, training: frozenset[str]) -> list[tuple[str, str]]:
    """(file, sentence) of the grammar, held back, that `training` does not hold: the closed-domain test set.

    Lines that stand for one sentence, and the patterns of spoken.txt, which are no sentences, are not drawn from.
    """
    random = Random(seed)
    templates = [n for n in lines() if combinations(n.template, n) > 20 and n.file not in ("spoken.txt", "agent.txt")]
    out: dict[str, str] = {}
    while len(out) < count:
        line = random.choice(templates)
        sentence = expand(line.template, random, line)
        if 4 <= len(sentence) <= 26 and held_back(sentence) and sentence not in training:
            out.setdefault(sentence, line.file.removesuffix(".txt"))
    return [(file, sentence) for sentence, file in out.items()]
