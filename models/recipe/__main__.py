"""`python -m models.recipe [STEP…]`: build the model from nothing, or some steps of it.

Steps: text (check the training text), speech, train (and beside it wild), harden, sharpen, graph, calibrate, install.
Each leaves its result in the build folder and is left out when that is there and nothing it was made from has changed.
"""

from __future__ import annotations

import argparse
import functools
import hashlib
import json
import multiprocessing
import os
import shutil
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from importlib.metadata import version
from pathlib import Path

from models.evaluation import sets
from models.recipe import development, export, grammar, language_model, lexicon, network, overlap, synthesis, voices
from models.recipe.graph import Pronunciation

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
TARGET = ROOT / "models" / "builtin-zh-8k"


@dataclass(frozen=True)
class Recipe:
    """Every number of the build. `utterances` of training speech; seeds; scales to try when calibrating."""

    utterances: int = 18000
    development_utterances: int = 400
    hard_utterances: int = 10000
    speech_seed: int = 1
    development_seed: int = 11
    hard_seed: int = 23
    sharp_utterances: int = 12000
    sharp_seed: int = 37
    text_seed: int = 1
    schedule: network.Schedule = field(default_factory=network.Schedule)
    hard_schedule: network.Schedule = field(
        default_factory=lambda: network.Schedule(epochs=4, learning_rate=1e-3, seed=5, edges=None)
    )
    sharp_schedule: network.Schedule = field(
        default_factory=lambda: network.Schedule(epochs=2, learning_rate=4e-4, seed=9, edges=None, sequence=1.0)
    )
    language: language_model.Settings = field(default_factory=language_model.Settings)
    decoding: export.Decoding = field(default_factory=export.Decoding)
    scales: tuple[float, ...] = (0.8, 1.0)


def _gently(action: Callable[[], None]) -> None:
    os.nice(10)
    action()


@contextmanager
def _beside(action: Callable[[], None]) -> Iterator[None]:
    """Do `action` in a process of its own meanwhile. Ends the program when that fails."""
    process = multiprocessing.get_context("fork").Process(target=_gently, args=(action,))
    process.start()
    try:
        yield
    except BaseException:
        process.terminate()
        raise
    finally:
        process.join()
    if process.exitcode:
        sys.exit(f"what was done beside this step ended with status {process.exitcode}; see above")


class Build:
    """The steps, over one build folder."""

    def __init__(self, folder: Path, recipe: Recipe) -> None:
        self.folder = folder
        self.recipe = recipe
        folder.mkdir(parents=True, exist_ok=True)

    def _stamp(self, step: str, made_from: str) -> bool:
        """Whether the step was done from the same inputs."""
        path = self.folder / f"{step}.stamp"
        return path.exists() and path.read_text() == made_from

    def _result_of(self, step: str) -> str:
        """What an earlier step was made from. Ends the program when it was left out."""
        path = self.folder / f"{step}.stamp"
        if not path.exists():
            sys.exit(f"{self.folder}: the step {step!r} has not been done; name it as well, or none for all")
        return path.read_text()

    def _done(self, step: str, made_from: str) -> None:
        (self.folder / f"{step}.stamp").write_text(made_from)

    def _begin(self, step: str, made_from: str, *folders: str) -> None:
        """Clear what the step had begun from other inputs; what it had begun from these stays."""
        begun = self.folder / f"{step}.begun"
        if not begun.exists() or begun.read_text() != made_from:
            for name in folders:
                shutil.rmtree(self.folder / name, ignore_errors=True)
            begun.write_text(made_from)

    def _sources(self, *names: str) -> str:
        digest = hashlib.sha256()
        for name in names:
            for path in sorted((HERE / name).rglob("*")) if (HERE / name).is_dir() else [HERE / name]:
                if path.is_file() and path.suffix in (".py", ".txt"):
                    digest.update(path.read_bytes())
        return digest.hexdigest()

    def text(self) -> None:
        """Read all hand-written text; fail on a mistake in it or on overlap with the test sets."""
        sentences = [*grammar.sentences(self.recipe.text_seed), *development.sentences()]
        overlap.check(sentences)
        for sentence in sentences:
            lexicon.segment("".join(c for c in sentence if lexicon.is_han(c)))
        print(f"text: {len(grammar.lines())} templates, {len(sentences)} sentences, no overlap with the test sets")

    def speech(self) -> None:
        """Training and development speech."""
        modules = ("espeak", "synthesis", "channel", "voices", "phones", "features", "lexicon", "spoken_numbers")
        made_from = self._sources(*(f"{name}.py" for name in modules), "text/readings.txt")
        recipe = self.recipe
        made_from += f" {recipe.utterances} {recipe.speech_seed} {recipe.development_utterances}"
        made_from += f" {recipe.development_seed} {lexicon.GENERAL_WORDS}"
        if not self._stamp("speech", made_from):
            self._begin("speech", made_from, "training", "development")
            data = voices.prepare(self.folder / "espeak-data")
            synthesis.synthesise(
                self.folder / "development",
                data,
                recipe.development_utterances,
                recipe.development_seed,
                "development",
            )
            synthesis.synthesise(self.folder / "training", data, recipe.utterances, recipe.speech_seed)
            self._done("speech", made_from)

    def wild(self) -> None:
        """The speech of the steps after `train`: wilder voices, stronger and more kinds of noise."""
        recipe = self.recipe
        made_from = self._result_of("speech") + f" {recipe.hard_utterances} {recipe.hard_seed}"
        made_from += f" {recipe.sharp_utterances} {recipe.sharp_seed}"
        if not self._stamp("wild", made_from):
            self._begin("wild", made_from, "hard", "sharp")
            data = voices.prepare(self.folder / "espeak-data-wild", wild=True)
            synthesis.synthesise(self.folder / "hard", data, recipe.hard_utterances, recipe.hard_seed, "hard")
            synthesis.synthesise(self.folder / "sharp", data, recipe.sharp_utterances, recipe.sharp_seed, "sharp")
            self._done("wild", made_from)

    def train(self) -> None:
        """The network; goes on at the last finished epoch. It leaves half a core idle: `wild` is done beside it."""
        made_from = self._sources("network.py") + self._result_of("speech") + str(self.recipe.schedule)
        if not self._stamp("train", made_from):
            self._begin("train", made_from, "network")
            training = synthesis.load(self.folder / "training")
            held = synthesis.load(self.folder / "development")
            with _beside(self.wild):
                network.train(self.folder / "network", training, held, self.recipe.schedule)
            self._done("train", made_from)

    def _go_on(self, step: str, made_from: str, speech: str, start: str, schedule: network.Schedule) -> None:
        """Train on from the network in folder `start`, into the folder `<speech>-network`."""
        if not self._stamp(step, made_from):
            self._begin(step, made_from, f"{speech}-network")
            held = synthesis.load(self.folder / "development")
            training = synthesis.load(self.folder / speech)
            before = self.folder / start / "network.npz"
            network.train(self.folder / f"{speech}-network", training, held, schedule, before)
            self._done(step, made_from)

    def harden(self) -> None:
        """Go on training, with a low rate, on wild voices in strong noise of more kinds."""
        self.wild()
        made_from = self._result_of("train") + self._result_of("wild") + str(self.recipe.hard_schedule)
        self._go_on("harden", made_from, "hard", "network", self.recipe.hard_schedule)

    def sharpen(self) -> None:
        """Go on with the sequence criterion, on speech of which nearly every utterance has a voice of its own."""
        self.wild()
        made_from = self._result_of("harden") + self._sources("sequence.py") + str(self.recipe.sharp_schedule)
        self._go_on("sharpen", made_from, "sharp", "hard-network", self.recipe.sharp_schedule)

    @functools.cached_property
    def _language(self) -> tuple[list[Pronunciation], language_model.BackOff]:
        sentences = [lexicon.segment(s) for s in grammar.sentences(self.recipe.text_seed)]
        words = lexicon.vocabulary()
        return lexicon.lexicon(words), language_model.estimate(sentences, words, self.recipe.language)

    def _export(self, folder: Path, decoding: export.Decoding) -> Path:
        self._result_of("sharpen")
        entries, model = self._language
        return export.export(folder, self.folder / "sharp-network" / "network.npz", entries, model, decoding)

    def graph(self) -> None:
        """Lexicon, language model, graphs; a model that decodes, its confidence not yet calibrated."""
        self._export(self.folder / "model", self.recipe.decoding)

    def calibrate(self) -> None:
        """Choose the scale at which confidence on the development speech means what it says; rebuild with it."""
        speech = development.items(self.folder / "development-audio")
        found: dict[float, development.Score] = {}
        for scale in self.recipe.scales:
            decoding = replace(self.recipe.decoding, costs=replace(self.recipe.decoding.costs, scale=scale))
            score = development.score(self._export(self.folder / "model", decoding), speech)
            found[scale] = score
            print(
                f"scale {scale}: calibration error {score.calibration_error:.3f}, CER {100 * score.cer:.1f} %, "
                f"numbers {100 * score.cer_numbers:.1f} %",
                flush=True,
            )
        best = min(found, key=lambda s: (found[s].calibration_error, s))
        self._export(
            self.folder / "model", replace(self.recipe.decoding, costs=replace(self.recipe.decoding.costs, scale=best))
        )
        made = {
            "scale": best,
            "development": asdict(found[best]),
            "recipe": asdict(self.recipe),
            "packages": {name: version(name) for name in ("torch", "pynini", "pypinyin", "jieba", "espeakng-loader")},
        }
        (self.folder / "model" / "recipe.json").write_text(json.dumps(made, indent=1, sort_keys=True) + "\n")

    def domain(self) -> None:
        """Draw the closed-domain test set anew: sentences of the grammar that are held back from the training text."""
        held_out = sets.held_out()
        training = frozenset(grammar.sentences(self.recipe.text_seed))
        drawn = grammar.draw_unseen(held_out.domain_seed, held_out.domain_sentences, training)
        head = "# Drawn from the recipe's grammar with a seed of its own: held back, never in the training text.\n"
        rows = "".join(f"{file}\t{sentence}\n" for file, sentence in drawn)
        (ROOT / "models" / "evaluation" / "domain.tsv").write_text(head + rows, "utf-8")

    def install(self) -> None:
        """Copy the model to its place in the repository, with its sums."""
        from callcenter.speech.catalogue import write_sums

        for name in ("am", "conf", "graph"):
            shutil.rmtree(TARGET / name, ignore_errors=True)
            shutil.copytree(self.folder / "model" / name, TARGET / name)
        shutil.copy(self.folder / "model" / "recipe.json", TARGET)
        write_sums(TARGET)
        print(f"installed: {TARGET.relative_to(ROOT)}")


STEPS = ("text", "speech", "train", "wild", "harden", "sharpen", "graph", "calibrate", "install")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the steps asked for, or all, and print what each took."""
    parser = argparse.ArgumentParser(prog="python -m models.recipe", description=__doc__)
    parser.add_argument(
        "steps", nargs="*", choices=[*STEPS, "domain", []], help="default: all, in order; domain: draw a test set"
    )
    parser.add_argument("--build", type=Path, default=ROOT / "build" / "model")
    options = parser.parse_args(arguments)
    build = Build(options.build, Recipe())
    for step in options.steps or STEPS:
        started = time.monotonic()
        action: Callable[[], None] = getattr(build, step)
        action()
        print(f"== {step}: {time.monotonic() - started:.0f} s", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
