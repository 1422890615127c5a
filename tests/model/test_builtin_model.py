"""The committed model through libvosk: real decoding of held-out voices, light enough for every run."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import vosk

from models.evaluation import sets, speech
from models.evaluation.__main__ import sums
from models.evaluation.recognise import load, recognise
from models.evaluation.scoring import ErrorRate, Word, expected_calibration_error, right_words
from models.recipe.espeak import Voice

MODEL = Path(__file__).resolve().parents[2] / "models" / "builtin-zh-8k"
SPOKEN = {
    "digits": ("幺幺零", "二一一四", "一一零二", "幺三八零零幺三八零零零"),
    "matter": ("我家水管爆了", "三号楼电梯困人了"),
    "person": ("我要找人工", "我想跟人说话", "我家门锁坏了我要找人工"),
    "pauses": ("我家停电了", "请派人来看看"),
}


@pytest.fixture(scope="module")
def model() -> vosk.Model:
    """The built-in model, loaded once."""
    return load(MODEL)


@pytest.fixture(scope="module")
def audio(tmp_path_factory: pytest.TempPathFactory) -> dict[str, np.ndarray]:
    """What is said, in a voice the model never heard, band-limited and A-law coded."""
    wanted = {text: speech.Request(text, Voice("m6", 160, 45, 45)) for texts in SPOKEN.values() for text in texts}
    made = speech.synthesise(list(wanted.values()), tmp_path_factory.mktemp("speech"))
    return {text: made[request] for text, request in wanted.items()}


def _call(sound: np.ndarray) -> np.ndarray:
    return speech.condition(sound, "clean", sets.held_out(), 0, [])


@pytest.mark.parametrize("text", [*SPOKEN["digits"], *SPOKEN["matter"], *SPOKEN["person"]])
def test_digits_matters_and_the_wish_for_a_person_are_heard_whole(
    model: vosk.Model, audio: dict[str, np.ndarray], text: str
) -> None:
    assert recognise(model, _call(audio[text])).text == text


def test_a_pause_between_sentences_ends_an_utterance(model: vosk.Model, audio: dict[str, np.ndarray]) -> None:
    first, second = (audio[text] for text in SPOKEN["pauses"])
    together = _call(np.concatenate([first, np.zeros(12000), second]))
    heard = recognise(model, together)
    assert heard.results == 2
    assert heard.text == "".join(SPOKEN["pauses"])


def test_a_runtime_grammar_soaks_up_the_rest_in_unk(model: vosk.Model, audio: dict[str, np.ndarray]) -> None:
    grammar = json.dumps(["漏水", "停电", "[unk]"], ensure_ascii=False)
    recogniser = vosk.KaldiRecognizer(model, 8000, grammar)
    recogniser.AcceptWaveform(_call(audio["我家停电了"]).tobytes())
    heard = json.loads(recogniser.FinalResult())["text"].split()
    assert "停电" in heard
    assert "[unk]" in heard
    assert "漏水" not in heard


def test_the_hotlines_words_are_in_the_word_list() -> None:
    words = {line.split(" ")[0] for line in (MODEL / "graph" / "words.txt").read_text("utf-8").splitlines()}
    assert {"[unk]", "幺", "电梯", "漏水", "物业费", "煤气味", "高空抛物", "单元", "栋", "欧", "阳"} <= words
    assert len(words) > 15_000


def test_it_weighs_at_most_20_mb() -> None:
    assert sum(p.stat().st_size for p in MODEL.rglob("*") if p.is_file()) <= 20_000_000


def test_its_figures_are_its_own_and_within_their_limits() -> None:
    figures = json.loads((MODEL / "figures.json").read_text("utf-8"))
    assert figures["model_sha256"] == sums(MODEL), "measure it again: make model-eval"
    assert figures["limits_missed"] == []


def test_error_rate_and_calibration_are_counted_as_they_are_named() -> None:
    rate = ErrorRate()
    assert rate.add("电梯坏了", "电梯快了") == 1
    assert rate.rate == 0.25
    judged = right_words("电梯坏了", [Word("电梯", 0.9), Word("快", 0.4), Word("了", 1.0)])
    assert judged == [(0.9, True), (0.4, False), (1.0, True)]
    assert expected_calibration_error([(0.75, True)] * 3 + [(0.75, False)]) == 0.0
    assert expected_calibration_error([(1.0, False)] * 4) == 1.0
