"""Real libespeak-ng in its child process."""

import asyncio
import os
import signal
import wave
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from callcenter.errors import SpeechError
from callcenter.speech.say import SAMPLE_RATE_HZ, Synthesiser, synthesise_to_wav
from callcenter.speech.say_child import loudness_lufs


@pytest.fixture(scope="module")
def voice() -> Iterator[Synthesiser]:
    with Synthesiser() as synthesiser:
        yield synthesiser


def test_mandarin_is_at_telephone_level_and_band(voice: Synthesiser) -> None:
    pcm = voice.say("您好，幸福小区物业服务中心，请问有什么可以帮您？")
    audio = np.frombuffer(pcm, "<i2") / 32768
    assert 3 * SAMPLE_RATE_HZ < len(audio) < 12 * SAMPLE_RATE_HZ
    assert loudness_lufs(audio, SAMPLE_RATE_HZ) == pytest.approx(-20, abs=1)
    power = np.abs(np.fft.rfft(audio)) ** 2
    hertz = np.fft.rfftfreq(len(audio), 1 / SAMPLE_RATE_HZ)
    assert power[(hertz < 140) | (hertz > 3860)].sum() < 0.001 * power.sum()


def test_a_clause_is_followed_by_a_pause(voice: Synthesiser) -> None:
    audio = np.abs(np.frombuffer(voice.say("好，好"), "<i2").astype(int))
    loud = np.flatnonzero(audio > 200)
    assert np.diff(loud).max() == pytest.approx(0.32 * SAMPLE_RATE_HZ, rel=0.25)


def test_voices_and_languages_differ(voice: Synthesiser) -> None:
    assert voice.say("您好", voice="f2") != voice.say("您好", voice="m3")
    assert len(voice.say("Hello, this is the service centre.", "en")) > SAMPLE_RATE_HZ


def test_nothing_to_say_is_no_audio(voice: Synthesiser) -> None:
    assert voice.say("……") == b""


def test_a_killed_child_is_replaced(voice: Synthesiser) -> None:
    before = len(voice.say("您好"))
    pid, restarts = voice.pid, voice.restarts
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    assert len(voice.say("您好")) == pytest.approx(before, rel=0.05)
    assert voice.pid != pid
    assert voice.restarts == restarts + 1


def test_refusals_say_why(voice: Synthesiser) -> None:
    with pytest.raises(SpeechError, match="no voice"):
        voice.say("您好", voice="nobody")
    with pytest.raises(SpeechError, match="language"):
        voice.say("bonjour", "fr")
    with pytest.raises(SpeechError, match="at most"):
        voice.say("好" * 5000)
    assert voice.say("您好")


def test_wav_file(tmp_path: Path) -> None:
    file = tmp_path / "a.wav"
    length_ms = synthesise_to_wav(file, "您好")
    with wave.open(str(file)) as opened:
        assert (opened.getframerate(), opened.getnchannels(), opened.getsampwidth()) == (8000, 1, 2)
        assert opened.getnframes() * 1000 // 8000 == length_ms
    assert list(tmp_path.iterdir()) == [file]


def _until_busy(pid: int | None) -> None:
    """Wait until a process has used a little more processor time than now."""

    def used() -> int:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        return int(fields[11])

    before = used()
    while used() <= before:
        os.sched_yield()


async def test_closing_does_not_wait_for_a_long_text() -> None:
    with Synthesiser() as voice:
        voice.say("好")
        child = voice.pid
        saying = asyncio.create_task(asyncio.to_thread(voice.say, "请您稍等片刻，" * 280))
        await asyncio.to_thread(_until_busy, child)
        voice.close()
        with pytest.raises(SpeechError, match="closed"):
            await saying
        assert voice.say("好")
