"""Training speech: text, voice, telephone, features and the phone of every frame, one utterance at a time.

An utterance depends on (seed, index) alone, so that chunks can be made in any order, by any number of child
processes, and again after a crash: libespeak crashes rarely, and then only the utterance in hand is made anew.
Only the breath that some voices have is libespeak's own noise, another at each making.
"""

from __future__ import annotations

import math
import multiprocessing
from collections.abc import Sequence
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from pathlib import Path
from random import Random
from typing import Literal

import numpy as np
import scipy.signal
from numpy.typing import NDArray

from models.recipe import channel, features, lexicon, spoken_numbers, voices
from models.recipe.espeak import Espeak, EspeakError, Phoneme, Voice
from models.recipe.phones import all_syllables, phone_names, readings, syllable_phones
from models.recipe.progress import Progress

Manner = Literal["training", "development", "hard", "sharp"]
CHUNK = 400
_ATTEMPTS = 6
_BABBLE_VOICES = 48


@dataclass(frozen=True)
class Utterance:
    """Features [frames, 40] float16, and per frame the phone's number (0 silence, k = phone_names()[k-1])."""

    frames: NDArray[np.float16]
    labels: NDArray[np.int16]


class SynthesisError(RuntimeError):
    """An utterance could not be made in several attempts."""


class TrainingText:
    """What is said: common words, any syllables, digits and addresses. Not the language model's sentences: the
    network is to hear every sound in every neighbourhood, not the hotline's phrases by heart."""

    def __init__(self) -> None:
        dictionary = lexicon.jieba_dictionary()
        self._words = [*lexicon.general_words(), *lexicon.first_level_characters()]
        self._weights = np.cumsum([math.sqrt(dictionary[w].count + 50) if w in dictionary else 20 for w in self._words])
        self._readings = [lexicon.pronunciations(word) for word in self._words]
        self._syllables = all_syllables()

    def _word(self, random: Random) -> tuple[str, ...]:
        position = int(np.searchsorted(self._weights, random.random() * self._weights[-1]))
        return random.choice(self._readings[min(position, len(self._readings) - 1)])[1]

    def draw(self, random: Random) -> list[str]:
        """Syllables of one utterance."""
        kind = random.random()
        if kind < 0.48:
            return [s for _ in range(random.randint(2, 7)) for s in self._word(random)]
        if kind < 0.70:
            drawn = [random.choice(self._syllables) for _ in range(random.randint(2, 10))]
            return [s[:-1] + "5" if random.random() < 0.06 else s for s in drawn]
        if kind < 0.82:
            return readings(
                random.choice((spoken_numbers.mobile, spoken_numbers.digits, spoken_numbers.digits))(random)
            )
        if kind < 0.92:
            return readings(spoken_numbers.address(random))
        number = random.choice((spoken_numbers.room, spoken_numbers.short_code, spoken_numbers.landline))
        return [*self._word(random), *readings(number(random)), *self._word(random)]


def align(events: Sequence[Phoneme], length: int, syllables: Sequence[str]) -> list[tuple[int, int, str]] | None:
    """(first sample, end, phone) of every phone; None when espeak's syllables are not ours."""
    groups: list[list[Phoneme]] = []
    for event in events:
        if event.name is None:
            groups.append([])
        elif groups:
            groups[-1].append(event)
    if len(groups) != len(syllables):
        return None
    out = []
    for index, (group, syllable) in enumerate(zip(groups, syllables, strict=True)):
        sounds = [e for e in group if e.name and not e.name.startswith("_")]
        if not sounds:
            return None
        ends = [e.sample for e in group if e.name and e.name.startswith("_") and e.sample > sounds[-1].sample]
        following = groups[index + 1] if index + 1 < len(groups) else []
        end = ends[0] if ends else (following[0].sample if following else length)
        start = sounds[0].sample
        initial, final = syllable_phones(syllable)
        if len(sounds) > 1 and initial != "Q":
            middle = sounds[1].sample
        else:  # no glide or consonant of its own: the first 60 ms, at most a third, are the onset
            middle = start + min((end - start) // 3, 1323) if initial in "Qyw" else (start + end) // 2
        out += [(start, middle, initial), (middle, end, final)]
    return out


class Speaker:
    """Makes utterances in this process."""

    def __init__(
        self,
        data: Path,
        text: TrainingText,
        seed: int,
        manner: Manner = "training",
        own: str = voices.OWN[0],
        crashes: int = 0,
    ) -> None:
        self._data, self._own = data, own
        self._espeak = Espeak(data)
        self._text = text
        self._seed = seed
        self._manner = manner
        self._numbers = {name: i + 1 for i, name in enumerate(phone_names())}
        self._babble: list[NDArray[np.float64]] = []
        random = Random(f"{seed}/{crashes}" if crashes else seed)  # what spoilt libespeak's memory is not said again
        while len(self._babble) < _BABBLE_VOICES:
            sound, _ = self._espeak.say(" ".join(text.draw(random)), self._voice(random))
            self._babble.append(
                scipy.signal.resample_poly(sound, 160, 441 * self._espeak.sample_rate_hz // 22050).astype(np.float64)
            )

    def _voice(self, random: Random) -> Voice:
        if self._manner == "sharp" and random.random() < 0.85:
            variant = voices.reinvent(self._data, self._own, random)
        else:
            wild = self._manner in ("hard", "sharp")
            variant = voices.pick(random, development=self._manner == "development", wild=wild)
        return Voice(variant, random.randint(115, 240), random.randint(15, 85), random.randint(20, 80))

    def utterance(self, index: int, crashes: int = 0) -> Utterance:
        """The utterance with this index; raises SynthesisError.

        After two crashes over it the next words and voice of its seed are taken: the first ones do not work.
        """
        for attempt in range(max(0, crashes - 1), _ATTEMPTS):
            random = Random(f"{self._seed}/{index}/{attempt}")
            syllables = self._text.draw(random)
            spoken = " ".join(s.replace("ü", "v") + ("," if random.random() < 0.06 else "") for s in syllables)
            try:
                sound, events = self._espeak.say(spoken, self._voice(random))
            except EspeakError:
                continue
            phones = align(events, len(sound), syllables)
            if len(sound) < 4000 or phones is None:
                continue
            numpy_random = np.random.default_rng([self._seed, index, attempt])
            samples, lead, factor = channel.telephone(
                sound, self._espeak.sample_rate_hz, numpy_random, self._babble, manner=self._manner
            )
            frames = features.mfcc(samples)
            labels = np.zeros(len(frames), np.int16)
            for start, end, phone in phones:
                first = round((lead + start * factor - features.FIRST_CENTRE_SAMPLES) / features.SHIFT_SAMPLES)
                last = round((lead + end * factor - features.FIRST_CENTRE_SAMPLES) / features.SHIFT_SAMPLES)
                labels[max(0, first) : max(last, first + 1)] = self._numbers[phone]
            return Utterance(frames.astype(np.float16), labels)
        raise SynthesisError(f"utterance {index} failed {_ATTEMPTS} times")


def _child(
    pipe: Connection, data: Path, text: TrainingText, seed: int, manner: Manner, indices: dict[int, int]
) -> None:
    own = voices.OWN[min(indices) // CHUNK % len(voices.OWN)]  # no two children have the same at a time
    speaker = Speaker(data, text, seed, manner, own, max(indices.values()))
    for index, crashes in indices.items():
        made = speaker.utterance(index, crashes)
        pipe.send((index, made.frames, made.labels))
    pipe.close()


def _save(path: Path, made: dict[int, Utterance]) -> None:
    ordered = [made[i] for i in sorted(made)]
    partial = path.with_suffix(".partial.npz")
    np.savez(
        partial,
        frames=np.concatenate([u.frames for u in ordered]),
        labels=np.concatenate([u.labels for u in ordered]),
        lengths=np.array([len(u.frames) for u in ordered]),
    )
    partial.rename(path)


def load(folder: Path) -> list[Utterance]:
    """Every utterance of a folder of chunks, in order."""
    out = []
    for path in sorted(folder.glob("chunk-*.npz")):
        if ".partial" in path.name:
            continue
        with np.load(path) as chunk:
            frames, labels, ends = chunk["frames"], chunk["labels"], np.cumsum(chunk["lengths"])
        for end, length in zip(ends, np.diff(ends, prepend=0), strict=True):
            out.append(Utterance(frames[end - length : end], labels[end - length : end]))
    return out


def synthesise(
    folder: Path, data: Path, utterances: int, seed: int, manner: Manner = "training", *, processes: int = 2
) -> int:
    """Fill `folder` with chunks; chunks already there are kept. Returns how many child processes crashed.

    A crashed child's unfinished utterances go to a new child; one that has crashed a child `_ATTEMPTS` times
    raises SynthesisError, so that none is ever lost silently.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = TrainingText()
    context = multiprocessing.get_context("fork")
    chunks = {c: range(c * CHUNK, min((c + 1) * CHUNK, utterances)) for c in range(-(-utterances // CHUNK))}
    waiting = [c for c in chunks if not (folder / f"chunk-{c:04d}.npz").exists()]
    made: dict[int, dict[int, Utterance]] = {c: {} for c in waiting}
    failures: dict[int, int] = {}
    running: dict[Connection, tuple[int, multiprocessing.process.BaseProcess]] = {}
    crashes = 0
    progress = Progress(f"speech, {folder.name}", utterances)
    progress.advance(utterances - sum(len(chunks[c]) for c in waiting))
    while waiting or running:
        while waiting and len(running) < processes:
            c = waiting.pop(0)
            todo = {i: failures.get(i, 0) for i in chunks[c] if i not in made[c]}
            receive, send = context.Pipe(duplex=False)
            process: multiprocessing.process.BaseProcess = context.Process(
                target=_child, args=(send, data, text, seed, manner, todo)
            )
            process.start()
            send.close()
            running[receive] = (c, process)
        for pipe in wait(list(running)):
            assert isinstance(pipe, Connection)
            c, process = running[pipe]
            try:
                index, frames, labels = pipe.recv()
                made[c][index] = Utterance(frames, labels)
                progress.advance(1)
            except (EOFError, OSError):
                process.join()
                del running[pipe]
                missing = [i for i in chunks[c] if i not in made[c]]
                if not missing:
                    _save(folder / f"chunk-{c:04d}.npz", made.pop(c))
                    continue
                crashes += 1
                failures[missing[0]] = failures.get(missing[0], 0) + 1
                if failures[missing[0]] >= _ATTEMPTS:
                    raise SynthesisError(f"utterance {missing[0]} ended {_ATTEMPTS} child processes") from None
                waiting.insert(0, c)
    progress.done(f"{crashes} crashes of libespeak retried" if crashes else "")
    return crashes
