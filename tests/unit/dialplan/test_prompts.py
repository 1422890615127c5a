"""Prompts: pieces, parts, recordings by staff, rendering what changed."""

from __future__ import annotations

import wave
from collections.abc import Callable
from pathlib import Path

import pytest

from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.prompts import CLAUSE_PAUSE_MS, Prompt, load_prompts
from callcenter.dialplan.render import State, check_recording, parts, render, trim
from callcenter.errors import DialplanError

TEXTS = """\
goodbye: {text: 再见。, rule: R2, pause_ms: 200}
number: "编号是{ticket}，请记下。"
place: "{place}的事。"
one: 一
two: 二
building: 号楼
"""


class Voice:
    """A voice that hums; remembers what it was asked to say."""

    def __init__(self, samples: bytes = b"\x00\x10" * 1600) -> None:
        self.said: list[str] = []
        self._samples = samples

    def __call__(self, text: str, language: str) -> bytes:
        self.said.append(text)
        return self._samples


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "texts.yaml").write_text(TEXTS)
    return tmp_path


def write_wav(path: Path, samples: bytes, rate: int = 8000, channels: int = 1) -> None:
    path.parent.mkdir(exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(channels)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(samples)


def test_a_prompt_falls_into_recorded_pieces_and_values() -> None:
    prompt = Prompt("number", "编号是{ticket}，请记下。")
    assert [(p.file, p.slot) for p in prompt.pieces] == [("number.1", ""), ("", "ticket"), ("number.2", "")]
    assert prompt.pieces[1].pause_ms == CLAUSE_PAUSE_MS // 2, "the comma after the value"
    assert prompt.slots == ("ticket",)


def test_punctuation_alone_is_no_piece() -> None:
    pieces = Prompt("x", "地点是{place}。").pieces
    assert [(p.file, p.slot, p.pause_ms) for p in pieces] == [("x.1", "", 0), ("", "place", CLAUSE_PAUSE_MS)]


def test_clips_of_a_filled_prompt(folder: Path) -> None:
    render(load_prompts(folder, "zh"), Voice())
    clips = load_prompts(folder, "zh").clips("number", {"ticket": ["一", "，", "二"]})
    assert [clip.text for clip in clips] == ["编号是", "一，", "二", "，请记下。"]
    assert [clip.audio.name if clip.audio else None for clip in clips] == [
        "number.1.wav",
        "one.wav",
        "two.wav",
        "number.2.wav",
    ]
    assert clips[1].pause_ms > 0
    assert clips[1].prompt == "number/one"


def test_a_word_is_joined_from_parts_or_said_whole(folder: Path) -> None:
    render(load_prompts(folder, "zh"), Voice())
    prompts = load_prompts(folder, "zh")
    assert [c.text for c in prompts.say_words("place", ["二号楼"])] == ["二", "号楼"]
    [whole] = prompts.say_words("place", ["二号院"])
    assert (whole.text, whole.audio) == ("二号院", None)


def test_only_what_changed_is_rendered(folder: Path) -> None:
    voice = Voice()
    assert len(render(load_prompts(folder, "zh"), voice)) == 7
    assert render(load_prompts(folder, "zh"), voice) == []
    (folder / "texts.yaml").write_text(TEXTS.replace("再见。", "谢谢，再见。"))
    assert [part.prompt for part in render(load_prompts(folder, "zh"), voice)] == ["goodbye"]
    assert voice.said[-1] == "谢谢，再见。"


def test_what_no_text_asks_for_is_removed(folder: Path) -> None:
    render(load_prompts(folder, "zh"), Voice())
    (folder / "texts.yaml").write_text(TEXTS.replace("two: 二\n", ""))
    render(load_prompts(folder, "zh"), Voice())
    assert not (folder / "two.wav").exists()
    assert (folder / "one.wav").exists()


def test_just_one_may_be_rendered(folder: Path) -> None:
    voice = Voice()
    done = render(load_prompts(folder, "zh"), voice, only=["number"])
    assert [part.piece.file for part in done] == ["number.1", "number.2"]
    with pytest.raises(DialplanError, match="no prompt"):
        render(load_prompts(folder, "zh"), voice, only=["numbre"])


def test_recordings_by_staff_win_and_stay(folder: Path) -> None:
    write_wav(folder / "recorded" / "goodbye.wav", b"\x00\x10" * 4000)
    voice = Voice()
    render(load_prompts(folder, "zh"), voice, again=True)
    prompts = load_prompts(folder, "zh")
    assert "再见。" not in voice.said
    assert prompts.audio_of("goodbye") == folder / "recorded" / "goodbye.wav"
    assert {p.piece.file: p.state for p in parts(prompts)}["goodbye"] is State.RECORDED
    assert folder / "recorded" / "goodbye.wav" in prompts.wav_files()


def test_a_voice_that_says_nothing_is_an_error(folder: Path) -> None:
    with pytest.raises(DialplanError) as caught:
        render(load_prompts(folder, "zh"), Voice(b"\x00\x00" * 800))
    assert caught.value.code == "dialplan.prompt_silent"


def test_silence_at_the_edges_is_cut() -> None:
    pcm = b"\x00\x00" * 4000 + b"\x00\x20" * 800 + b"\x00\x00" * 4000
    assert 800 * 2 <= len(trim(pcm)) <= 800 * 2 + 5 * 80 * 2


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda p: write_wav(p, b"\x00\x10" * 8000), None),
        (lambda p: write_wav(p, b"\x00\x10" * 8000, rate=16000), "is 16000 Hz, 1 channel(s), 16 bit"),
        (lambda p: write_wav(p, b"\x00\x10" * 8000, channels=2), "is 8000 Hz, 2 channel(s), 16 bit"),
        (lambda p: write_wav(p, b"\x00\x10" * 80), "is 0.01 s long"),
        (lambda p: write_wav(p, b"\x10\x00" * 8000), "is too soft (-66 dBFS)"),
        (lambda p: write_wav(p, b"\xff\x7f" * 8000), "is too loud or clipped (-0 dBFS)"),
        (lambda p: p.write_bytes(b"this is not a wav file"), "is no WAV file (file does not start with RIFF id)"),
    ],
)
def test_recordings_are_checked(tmp_path: Path, make: Callable[[Path], None], message: str | None) -> None:
    path = tmp_path / "goodbye.wav"
    make(path)
    assert [problem.message for problem in check_recording(path)] == ([message] if message else [])


def test_an_unknown_prompt_cannot_be_said(folder: Path) -> None:
    with pytest.raises(DialplanError) as caught:
        load_prompts(folder, "zh").clips("nothing")
    assert caught.value.code == "dialplan.prompt_missing"


@pytest.mark.parametrize("language", ["zh", "en"])
def test_everything_that_ships_is_recorded_and_fresh(zh: Dialplan, en: Dialplan, language: str) -> None:
    prompts = (zh if language == "zh" else en).prompts
    assert [p.piece.file for p in parts(prompts) if p.state is State.STALE] == []
    for path in prompts.wav_files():
        with wave.open(str(path), "rb") as file:
            assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (8000, 1, 2)


def test_what_ships_stays_small(zh: Dialplan, en: Dialplan) -> None:
    """Both languages, with what our own calls to residents say."""
    files = [*zh.prompts.wav_files(), *en.prompts.wav_files()]
    assert sum(path.stat().st_size for path in files) < 15_000_000


def test_both_languages_have_the_same_phrases(zh: Dialplan, en: Dialplan) -> None:
    phrases = [{i for i, p in plan.prompts.prompts.items() if p.rule or p.slots} for plan in (zh, en)]
    assert phrases[0] == phrases[1]
    for name in phrases[0]:
        assert set(zh.prompts.prompts[name].slots) == set(en.prompts.prompts[name].slots), name


@pytest.mark.parametrize("language", ["zh", "en"])
def test_the_phrases_of_the_house_are_there(zh: Dialplan, en: Dialplan, language: str) -> None:
    prompts = (zh if language == "zh" else en).prompts.prompts
    assert {p.rule for p in prompts.values()} >= {"R2", "R3", "R4", "R10", "R17", "R22", "R29", "R32"}
    if language == "zh":
        said = {p.text for p in prompts.values()}
        assert {
            "对不起，请您再说一遍。",
            "对不起，请您稍候。",
            "对不起，让您久等了。",
            "请问您贵姓？",
            "您请讲。",
            "您好，请讲。",
        } <= said
