"""The committed test sets, read: sentences, digit strings, addresses, pauses, and what is held out."""

from __future__ import annotations

import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).resolve().parent


@dataclass(frozen=True)
class TestSentence:
    """What is said, and the group (`open`, `domain`, `digits`, `addresses`) and kind it is counted under."""

    __test__ = False

    group: str
    kind: str
    text: str


@dataclass(frozen=True)
class PausedTurn:
    """Parts of one turn with the silence in seconds after each but the last; `kind` is inside or between."""

    kind: str
    parts: tuple[str, ...]
    pauses_s: tuple[float, ...]


@dataclass(frozen=True)
class HeldOut:
    """`heldout.toml`: what only the evaluation hears, and how speech is made from the sets."""

    voices: tuple[str, ...]
    noises: tuple[str, ...]
    snr_db: float
    rates: tuple[int, ...]
    pitches: tuple[int, ...]
    ranges: tuple[int, ...]
    seed: int
    domain_sentences: int
    domain_seed: int
    span_characters: int
    courtesies: tuple[str, ...]
    number_characters: frozenset[str]


def _rows(name: str) -> list[list[str]]:
    lines = (FOLDER / name).read_text("utf-8").splitlines()
    return [line.split("\t") for line in lines if line and not line.startswith("#")]


def sentences(*groups: str) -> list[TestSentence]:
    """The sentences of the named groups (files of the same name), in order."""
    return [
        TestSentence(group, kind, re.sub(r"[^一-鿿]", "", text))
        for group in groups
        for kind, text in _rows(f"{group}.tsv")
    ]


def paused_turns() -> list[PausedTurn]:
    """The turns of `pauses.tsv`."""
    out = []
    for kind, text in _rows("pauses.tsv"):
        pieces = re.split(r"\{([\d.]+)\}", text)
        parts = tuple(re.sub(r"[^一-鿿]", "", part) for part in pieces[::2])
        out.append(PausedTurn(kind, parts, tuple(float(p) for p in pieces[1::2])))
    return out


def held_out() -> HeldOut:
    """`heldout.toml`."""
    with (FOLDER / "heldout.toml").open("rb") as file:
        table = tomllib.load(file)
    speech, overlap = table["speech"], table["overlap"]
    return HeldOut(
        voices=tuple(table["voices"]["test"]),
        noises=tuple(table["noises"]["test"]),
        snr_db=float(table["noises"]["snr_db"]),
        rates=tuple(speech["rates"]),
        pitches=tuple(speech["pitches"]),
        ranges=tuple(speech["ranges"]),
        seed=int(speech["seed"]),
        domain_sentences=int(table["domain"]["sentences"]),
        domain_seed=int(table["domain"]["seed"]),
        span_characters=int(overlap["span_characters"]),
        courtesies=tuple(overlap["courtesies"]),
        number_characters=frozenset(overlap["number_characters"]),
    )
