"""Measure a model: `python -m models.evaluation [MODEL]`; the last line is JSON with the figures that have limits.

Writes figures.json into the model's folder: everything measured, of which files (their SHA-256), and with what it was
measured. Exit status 1 when a figure misses its limit; the lines before the last say which.
"""

from __future__ import annotations

import argparse
import csv
import json
import platform
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import vosk

from callcenter.speech.catalogue import hash_file, model_files
from models.evaluation import sets, speech
from models.evaluation.endpointing import measure_pauses
from models.evaluation.recognise import real_time_factor, recognise, recognise_all
from models.evaluation.scoring import ErrorRate, expected_calibration_error, right_words

ROOT = Path(__file__).resolve().parents[2]
LIMITS = {
    "cer_domain": 0.05,
    "cer_open": 0.15,
    "cer_digits": 0.05,
    "rtf": 0.05,
    "load_s": 1.0,
    "rss_mb": 200.0,
    "size_mb": 20.0,
}
GROUPS = ("domain", "open", "digits", "addresses")
_VOICES_EACH = {"domain": 2, "open": 2, "digits": 4, "addresses": 4}
_FIGURE_CONDITION = "noise_alaw"
_RTF_EVERY = 8
"""One utterance in so many is decoded again, alone, for the speed."""
_RTF_PASSES = 5
"""The median of so many: a shared machine's speed changes by a quarter within a minute."""


def _say(text: str) -> None:
    print(text, flush=True)


def measure_start(model: Path) -> dict[str, float]:
    """Seconds to load and resident memory after it, in a process that does nothing else."""
    program = (
        "import json,sys,time,vosk\n"
        "vosk.SetLogLevel(-1)\n"
        "t=time.perf_counter(); m=vosk.Model(sys.argv[1]); s=time.perf_counter()-t\n"
        "rss=[int(l.split()[1])/1000 for l in open('/proc/self/status') if l.startswith('VmRSS')][0]\n"
        "print(json.dumps({'load_s':round(s,3),'rss_mb':round(rss,1)}))\n"
    )
    done = subprocess.run([sys.executable, "-c", program, str(model)], check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return measured


def measure_sets(model: vosk.Model, cache: Path) -> dict[str, Any]:
    """Character error rates by group and condition, confidence, speed."""
    held_out = sets.held_out()
    sentences = sets.sentences(*GROUPS)
    requests = [
        (index, sentence, speech.Request(sentence.text, voice))
        for index, sentence in enumerate(sentences)
        for voice in speech.voices_for(held_out, index, _VOICES_EACH[sentence.group])
    ]
    audio = speech.synthesise([request for _, _, request in requests], cache)
    others = [audio[request] for _, _, request in requests[:: max(1, len(requests) // 40)]]
    figures: dict[str, Any] = {"cer": {}, "cer_by_voice": {}, "cer_by_category": {}, "sentence_error": {}}
    judged: list[tuple[float, bool]] = []
    wrong: list[dict[str, str]] = []
    for condition in speech.CONDITIONS:
        rates = {group: ErrorRate() for group in GROUPS}
        by_voice: dict[str, ErrorRate] = {}
        by_category: dict[str, ErrorRate] = {}
        # the other conditions are for comparison: every third utterance
        chosen = requests if condition == _FIGURE_CONDITION else requests[::3]
        streams = [
            speech.condition(audio[request], condition, held_out, index, others) for index, _, request in chosen
        ]
        if condition == _FIGURE_CONDITION:
            passes = [round(real_time_factor(model, streams[::_RTF_EVERY]), 4) for _ in range(_RTF_PASSES)]
            figures |= {"rtf": statistics.median(passes), "rtf_passes": passes}
        for (_, sentence, request), heard in zip(chosen, recognise_all(model, streams), strict=True):
            errors = rates[sentence.group].add(sentence.text, heard.text)
            if condition == _FIGURE_CONDITION:
                judged += right_words(sentence.text, heard.words)
                by_voice.setdefault(request.voice.variant, ErrorRate()).add(sentence.text, heard.text)
                if sentence.group == "open":
                    by_category.setdefault(sentence.kind, ErrorRate()).add(sentence.text, heard.text)
                if errors:
                    wrong.append(
                        {
                            "group": sentence.group,
                            "voice": request.voice.variant,
                            "said": sentence.text,
                            "heard": heard.text,
                        }
                    )
        figures["cer"][condition] = {group: round(rate.rate, 4) for group, rate in rates.items()}
        if condition == _FIGURE_CONDITION:
            figures["sentence_error"] = {g: round(r.wrong_sentences / r.sentences, 4) for g, r in rates.items()}
            figures["characters"] = {group: rate.characters for group, rate in rates.items()}
            both = rates["digits"].errors + rates["addresses"].errors
            figures["cer_digits"] = round(both / (rates["digits"].characters + rates["addresses"].characters), 4)
            figures["cer_domain"] = round(rates["domain"].rate, 4)
            figures["cer_open"] = round(rates["open"].rate, 4)
            figures["cer_by_voice"] = {voice: round(rate.rate, 4) for voice, rate in sorted(by_voice.items())}
            figures["cer_by_category"] = {k: round(rate.rate, 4) for k, rate in sorted(by_category.items())}
        _say(f"  {condition:<12}" + "  ".join(f"{g} {100 * r.rate:5.1f} %" for g, r in rates.items()))
    figures["ece"] = round(expected_calibration_error(judged), 4)
    figures["words_right"] = round(sum(right for _, right in judged) / max(1, len(judged)), 4)
    figures["mean_confidence"] = round(float(np.mean([c for c, _ in judged])), 4) if judged else 0.0
    (cache / "errors.json").write_text(json.dumps(wrong, ensure_ascii=False, indent=1), "utf-8")
    return figures


def measure_people(model: vosk.Model, folder: Path) -> dict[str, float | int]:
    """CER on recordings of real people; expected to be bad."""
    total = ErrorRate()
    with (folder / "manifest.tsv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file, delimiter="\t"):
            if not row["language"].startswith(("cmn", "zh")):
                continue
            samples, rate = soundfile.read(folder / row["file"], dtype="int16")
            reference = "".join(c for c in row["text"] if "一" <= c <= "鿿")
            if reference:
                total.add(reference, recognise(model, samples, rate).text)
    return {"cer": round(total.rate, 4), "recordings": total.sentences}


def size_mb(model: Path) -> float:
    """What the folder weighs."""
    return round(sum(file.stat().st_size for file in model.rglob("*") if file.is_file()) / 1e6, 2)


def sums(model: Path) -> dict[str, str]:
    """SHA-256 of the model's files by their path in its folder, as SHA256SUMS lists them."""
    return {path.relative_to(model).as_posix(): hash_file(path) for path in model_files(model)}


def missed(figures: dict[str, Any]) -> list[str]:
    """The figures that miss their limits, each with the limit; one that is no number misses it."""
    return [f"{name} {figures[name]} > {limit}" for name, limit in LIMITS.items() if not figures[name] <= limit]


def evaluate(model_path: Path, cache: Path, people: Path | None) -> dict[str, Any]:
    """Everything that is measured of a model."""
    figures: dict[str, Any] = {"model_sha256": sums(model_path)} | measure_start(model_path)
    figures["size_mb"] = size_mb(model_path)
    _say(f"load {figures['load_s']} s, {figures['rss_mb']} MB resident, {figures['size_mb']} MB on disk")
    vosk.SetLogLevel(-1)
    model = vosk.Model(str(model_path))
    _say("character error rate (unseen voices)")
    figures |= measure_sets(model, cache)
    _say(f"  real-time factor {figures['rtf']}; expected calibration error {figures['ece']}")
    figures["endpointing"] = measure_pauses(model, cache)
    _say(f"  pauses: {figures['endpointing']}")
    if people and (people / "manifest.tsv").exists():
        figures["human_8k"] = measure_people(model, people)
        _say(f"  real people, 8 kHz: CER {100 * figures['human_8k']['cer']:.1f} %")
    else:
        _say("  no recordings of real people beside the project: their figure is left out")
    figures["measured_with"] = {
        "python": platform.python_version(),
        "vosk": _version("vosk"),
        "espeakng-loader": _version("espeakng-loader"),
        "pypinyin": _version("pypinyin"),
        "machine": platform.machine(),
    }
    return figures


def _version(package: str) -> str:
    from importlib.metadata import version

    return version(package)


def conclude(figures: dict[str, Any], model: Path, *, write: bool) -> int:
    """Keep the figures in the model's folder if asked to, say which limits they miss, print the line of JSON.

    Returns the exit status: 1 when a limit is missed.
    """
    figures["limits_missed"] = missed(figures)
    if write:
        text = json.dumps(figures, ensure_ascii=False, indent=1, sort_keys=True)
        (model / "figures.json").write_text(text + "\n", "utf-8")
    for line in figures["limits_missed"]:
        _say(f"over its limit: {line}")
    _say(json.dumps({name: figures[name] for name in LIMITS}))
    return 1 if figures["limits_missed"] else 0


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and conclude; the exit status."""
    parser = argparse.ArgumentParser(prog="python -m models.evaluation", description=__doc__)
    parser.add_argument("model", nargs="?", type=Path, default=ROOT / "models" / "builtin-zh-8k")
    parser.add_argument("--cache", type=Path, default=ROOT / "build" / "model-eval")
    parser.add_argument("--people", type=Path, default=ROOT.parent / "shared" / "audio" / "human-8k")
    parser.add_argument("--no-write", action="store_true", help="do not write figures.json")
    options = parser.parse_args(arguments)
    options.cache.mkdir(parents=True, exist_ok=True)
    figures = evaluate(options.model, options.cache, options.people)
    return conclude(figures, options.model, write=not options.no_write)


if __name__ == "__main__":
    sys.exit(main())
