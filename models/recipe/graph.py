"""The decoding graphs: HCLr.fst (sounds to words, with look-ahead) and Gr.fst (the language model), and the word list.

libvosk composes the two while it decodes, so the files stay small and a runtime grammar can replace the second.
"""

from __future__ import annotations

import math
import os
import subprocess
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pynini

from models.recipe.kaldi_files import Transitions
from models.recipe.language_model import BEGIN, END, BackOff, History
from models.recipe.phones import SILENCE, phone_names

_PLUGINS = "/usr/lib/x86_64-linux-gnu/fst/22"
_PLACES = {"B": "begin", "E": "end", "I": "internal", "S": "singleton"}
Pronunciation = tuple[str, float, tuple[str, ...]]


class ToolMissingError(RuntimeError):
    """OpenFst's programs are not installed."""


@dataclass(frozen=True)
class Costs:
    """Prices in nats of the graph; `scale` multiplies every price, the language model's too.

    The scale changes no ranking (the acoustic scale is multiplied alike) but how sure the lattice is: it is what
    confidence is calibrated with. `word` below nought is a premium: without it short words drop out of long numbers.
    """

    scale: float = 1.0
    silence: float = 0.5
    no_silence: float = 0.5
    pause_in_word: float = 0.7
    stay_in_pause: float = 0.05
    word: float = -0.5


@dataclass(frozen=True)
class Phones:
    """Phones with their place in the word, numbered from 1 (silence), and the pdf each shares."""

    number: dict[str, int]
    pdf: dict[int, int]


def phones() -> Phones:
    """Silence, then every phone as _B, _E, _I and _S."""
    number, pdf = {SILENCE: 1}, {1: 0}
    for index, name in enumerate(phone_names(), 1):
        for place in _PLACES:
            number[f"{name}_{place}"] = len(number) + 1
            pdf[len(number)] = index
    return Phones(number, pdf)


def _placed(names: Sequence[str]) -> list[str]:
    if len(names) == 1:
        return [f"{names[0]}_S"]
    return [f"{names[0]}_B", *(f"{name}_I" for name in names[1:-1]), f"{names[-1]}_E"]


def _arc(fst: pynini.Fst, source: int, reads: int, writes: int, cost: float, target: int) -> None:
    fst.add_arc(source, pynini.Arc(reads, writes, pynini.Weight("tropical", cost), target))


def lexicon_fst(
    entries: Sequence[Pronunciation], words: dict[str, int], numbering: Phones, costs: Costs
) -> tuple[pynini.Fst, int, int]:
    """Phones to words with optional silence between words; returns it with the first and last disambiguation label."""
    readers: dict[tuple[str, ...], list[tuple[float, str]]] = defaultdict(list)
    for word, cost, sounds in entries:
        readers[tuple(_placed(sounds))].append((cost, word))
    prefixes = {sounds[:k] for sounds in readers for k in range(1, len(sounds))}
    first = len(numbering.number) + 1  # the label of G's back-off; the others follow
    most = 0
    fst = pynini.Fst()
    fst.add_states(3)  # 0 start, 1 between words, 2 silence to come
    fst.set_start(0)
    fst.set_final(1, pynini.Weight("tropical", 0))
    paths: list[tuple[str, float, list[int]]] = []
    for sounds, homophones in readers.items():
        for index, (cost, word) in enumerate(sorted(homophones, key=lambda h: h[1]), 1):
            labels = [numbering.number[sound] for sound in sounds]
            if len(homophones) > 1 or sounds in prefixes:
                labels.append(first + index)
                most = max(most, index)
            paths.append((word, cost, labels))
    last = first + most + 1  # after silence
    scale = costs.scale

    def silence(source: int, cost: float) -> None:
        state = fst.add_state()
        _arc(fst, source, 1, 0, cost, state)
        _arc(fst, state, last, 0, 0, 1)

    _arc(fst, 0, 0, 0, costs.no_silence * scale, 1)
    silence(0, costs.silence * scale)
    silence(2, 0)
    for word, cost, labels in paths:
        state = 1
        for position, label in enumerate(labels):
            writes = words[word] if not position else 0
            price = (cost + costs.word) * scale if not position else 0.0
            if position == len(labels) - 1:
                _arc(fst, state, label, writes, price + costs.no_silence * scale, 1)
                _arc(fst, state, label, writes, price + costs.silence * scale, 2)
            else:
                following = fst.add_state()
                _arc(fst, state, label, writes, price, following)
                state = following
    _arc(fst, 1, first, words["#0"], 0, 1)
    return fst, first, last


def hmm_fst(transitions: Transitions, disambiguation: range, costs: Costs) -> tuple[pynini.Fst, list[int]]:
    """Transition ids to phones, in Kaldi's reordered form (forward transition, then self-loops)."""
    fst = pynini.Fst()
    fst.add_state()
    fst.set_start(0)
    fst.set_final(0, pynini.Weight("tropical", 0))
    ids, scale = transitions.id, costs.scale
    state = fst.add_state()
    _arc(fst, 0, ids[(1, 0, 1)], 1, 0, state)
    _arc(fst, state, ids[(1, 0, 0)], 0, 0, state)
    _arc(fst, state, 0, 0, 0, 0)
    for phone in range(2, transitions.phones + 1):
        state = fst.add_state()
        _arc(fst, 0, ids[(phone, 0, 2)], phone, 0, state)
        _arc(fst, state, ids[(phone, 0, 0)], 0, 0, state)
        _arc(fst, state, 0, 0, 0, 0)
        before_pause, pause = fst.add_state(), fst.add_state()
        _arc(fst, 0, ids[(phone, 0, 1)], phone, costs.pause_in_word * scale, before_pause)
        _arc(fst, before_pause, ids[(phone, 0, 0)], 0, 0, before_pause)
        _arc(fst, before_pause, ids[(phone, 1, 2)], 0, 0, pause)
        _arc(fst, pause, ids[(phone, 1, 1)], 0, costs.stay_in_pause * scale, pause)
        _arc(fst, pause, 0, 0, 0, 0)
    labels = [transitions.count + 1 + k for k in range(len(disambiguation))]
    for label, phone in zip(labels, disambiguation, strict=True):
        _arc(fst, 0, label, phone, 0, 0)
    return fst, labels


def language_fst(model: BackOff, words: dict[str, int], scale: float) -> pynini.Fst:
    """The back-off model as an acceptor over word numbers; back-off arcs are epsilon."""
    fst = pynini.Fst()
    states: dict[History, int] = {}
    for history, explicit in model.explicit.items():
        if explicit or not history:
            states[history] = fst.add_state()

    def state_of(history: History) -> int:
        while history not in states:
            history = history[1:]
        return states[history]

    longest = max(map(len, states))
    for history, source in states.items():
        for word, probability in model.explicit[history].items():
            cost = -math.log(max(probability, 1e-12)) * scale
            if word == END:
                fst.set_final(source, pynini.Weight("tropical", cost))
            else:
                target = state_of((*history, word)[-longest:] if longest else ())
                _arc(fst, source, words[word], words[word], cost, target)
        if history:
            weight, shorter = model.weight[history], history[1:]
            while shorter not in states:  # a history without n-grams of its own only passes its weight on
                weight *= model.weight.get(shorter, 1.0)
                shorter = shorter[1:]
            _arc(fst, source, 0, 0, -math.log(weight) * scale, states[shorter])
    fst.set_start(state_of((BEGIN,)))
    return fst.arcsort("ilabel")


def _convert(arguments: list[str]) -> None:
    environment = {**os.environ, "LD_LIBRARY_PATH": _PLUGINS}
    try:
        subprocess.run(["fstconvert", *arguments], check=True, env=environment)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        raise ToolMissingError(
            "OpenFst's fstconvert with look-ahead is needed; mend: apt-get install libfst-tools libfst22-plugins-base"
        ) from error


def _relabelled(words: dict[str, int], pairs: Path) -> dict[str, int]:
    """Word numbers after OpenFst renumbered them for look-ahead; words it never saw get new numbers."""
    rows = (line.split() for line in pairs.read_text().splitlines())
    changed = {int(old): int(new) for old, new in rows}
    out: dict[str, int] = {}
    used: set[int] = set()
    following = max([*changed.values(), *words.values()]) + 1
    for word, number in words.items():
        wanted = changed.get(number, number)
        if wanted in used:
            wanted, following = following, following + 1
        used.add(wanted)
        out[word] = wanted
    return out


def write_graph(
    folder: Path, entries: Sequence[Pronunciation], model: BackOff, transitions: Transitions, costs: Costs
) -> None:
    """`graph/` of a model: HCLr.fst, Gr.fst, disambig_tid.int, words.txt, phones.txt, phones/word_boundary.int."""
    (folder / "phones").mkdir(parents=True, exist_ok=True)
    numbering = phones()
    words = {"<eps>": 0}
    for word, _, _ in entries:
        words.setdefault(word, len(words))
    words["#0"] = len(words)
    lexicon, first, last = lexicon_fst(entries, words, numbering, costs)
    lexicon = pynini.determinize(lexicon.rmepsilon()).arcsort("ilabel")
    hmm, labels = hmm_fst(transitions, range(first, last + 1), costs)
    plain = folder / "plain.tmp"
    pairs = folder / "pairs.tmp"
    pynini.compose(hmm.arcsort("olabel"), lexicon).rmepsilon().arcsort("olabel").write(str(plain))
    _convert(["--fst_type=olabel_lookahead", f"--save_relabel_opairs={pairs}", str(plain), str(folder / "HCLr.fst")])
    numbers = _relabelled(words, pairs)
    language_fst(model, numbers, costs.scale).write(str(plain))
    _convert(["--fst_type=const", str(plain), str(folder / "Gr.fst")])
    plain.unlink()
    pairs.unlink()
    (folder / "disambig_tid.int").write_text("".join(f"{label}\n" for label in labels))
    ordered = sorted(numbers.items(), key=lambda item: item[1])
    (folder / "words.txt").write_text("".join(f"{word} {number}\n" for word, number in ordered), "utf-8")
    named = numbering.number.items()
    (folder / "phones.txt").write_text("<eps> 0\n" + "".join(f"{name} {number}\n" for name, number in named))
    places = ((n, "nonword" if name == SILENCE else _PLACES[name[-1]]) for name, n in named)
    (folder / "phones" / "word_boundary.int").write_text("".join(f"{n} {place}\n" for n, place in places))
