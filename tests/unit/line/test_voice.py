"""Frames, the leg's clock, and who is speaking."""

import math
import random
from array import array

from callcenter.telephony.voice import FRAME_BYTES, SILENCE, Voice, to_frames
from callcenter.telephony.voice_activity import VoiceActivity, loudness


def tone(amplitude: int, frames: int) -> list[bytes]:
    samples = array("h", (round(amplitude * math.sin(n * 0.6)) for n in range(frames * 160)))
    return to_frames(samples.tobytes())


def noise(level: int, frames: int) -> list[bytes]:
    dice = random.Random(7)
    return to_frames(array("h", (dice.randint(-level, level) for _ in range(frames * 160))).tobytes())


def test_the_last_frame_is_filled_up():
    frames = to_frames(b"\x01\x02" * 200)
    assert [len(f) for f in frames] == [FRAME_BYTES, FRAME_BYTES]
    assert frames[1].endswith(bytes(FRAME_BYTES - 80))
    assert to_frames(b"") == []


def test_what_is_said_goes_out_once_and_is_counted():
    voice = Voice()
    voice.say([b"a" * FRAME_BYTES, b"b" * FRAME_BYTES])
    assert voice.next_frame()[:1] == b"a"
    voice.paused = True
    assert voice.next_frame() == SILENCE
    voice.paused = False
    assert voice.hush() == 1
    assert voice.next_frame() == SILENCE
    assert voice.said == 1


def test_time_runs_with_frames_heard_or_not():
    voice = Voice()
    for _ in range(50):
        voice.take(SILENCE)
    assert voice.now_ms == 1000


def test_loudness_of_silence_and_of_a_tone():
    assert loudness(SILENCE) == 0
    assert loudness(b"") == 0
    assert 600 < loudness(tone(1000, 1)[0]) < 680


def test_a_click_is_not_speech_and_a_word_is():
    activity = VoiceActivity()
    for frame in [SILENCE] * 20 + tone(8000, 3) + [SILENCE] * 20:
        assert not activity.feed(frame)
    heard = [activity.feed(frame) for frame in tone(3000, 20)]
    assert heard[-1]
    assert activity.spoken_ms >= 400


def test_silence_is_counted_from_the_last_word():
    activity = VoiceActivity()
    for frame in [*tone(3000, 30), *[SILENCE] * 60]:
        activity.feed(frame)
    assert activity.silent_ms == 1200
    assert not activity.speaking
    activity.reset()
    assert activity.silent_ms == 0


def test_a_steady_noise_becomes_the_floor():
    activity = VoiceActivity()
    for frame in noise(900, 1500):
        activity.feed(frame)
    assert not activity.speaking
    assert any(activity.feed(frame) for frame in tone(9000, 20)), "speech over the noise is not heard"


def test_an_echo_of_our_own_prompt_does_not_stop_it():
    activity = VoiceActivity()
    assert not any(activity.feed(frame, we_speak=True) for frame in tone(450, 50))
    assert any(activity.feed(frame, we_speak=True) for frame in tone(4000, 50))
