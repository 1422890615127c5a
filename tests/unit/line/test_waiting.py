"""A line on a machine so busy that its loop sees ten frames at once: it waits by the call's clock, not by its looks."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any, cast

import pytest
import pytest_asyncio

from callcenter.dialplan.phone import ListenEnd
from callcenter.line.ear import Ear
from callcenter.line.phone import CallPhone, PhoneWires
from callcenter.telephony.voice import FRAME_MS, SILENCE, Voice

FRAMES_AT_ONCE = 10
LATE_MS = 3 * FRAMES_AT_ONCE * FRAME_MS
"""A wait is over when somebody looks: so much later at most."""


class NoWords:
    """A transcriber's stream that hears nothing."""

    done_ms = position_ms = 0

    def __init__(self) -> None:
        self._closed = asyncio.Event()

    def feed(self, pcm: bytes) -> None:
        """Nothing comes of it."""

    async def flush(self, timeout_s: float = 1.0) -> None:
        """No words."""

    async def close(self, timeout_s: float = 5.0) -> None:
        self._closed.set()

    async def __aiter__(self) -> AsyncIterator[Any]:
        await self._closed.wait()
        return
        yield


@pytest_asyncio.fixture
async def ear() -> AsyncIterator[Ear]:
    """A leg on which nothing is said."""
    voice = Voice()
    stream = cast("Any", NoWords())
    made = Ear(voice, stream, on_final=lambda _: None, on_partial=lambda _: None, on_gap=lambda _: None)

    async def clock() -> None:
        while not made.gone:
            await asyncio.sleep(FRAME_MS / 1000)
            for _ in range(FRAMES_AT_ONCE):
                voice.next_frame()
                voice.take(SILENCE)

    tasks = [asyncio.create_task(made.run()), asyncio.create_task(clock())]
    yield made
    made.close()
    await asyncio.gather(*tasks)


@pytest.fixture
def phone(ear: Ear) -> CallPhone:
    """The script's telephone over it; nothing of the line is asked for while it waits."""
    return CallPhone(ear, cast("PhoneWires", None))


async def test_nobody_speaks(ear: Ear, phone: CallPhone) -> None:
    heard = await phone.listen(start_timeout_s=2.5, end_silence_s=1.2, max_s=60)
    assert heard.end is ListenEnd.NO_SPEECH
    assert 2500 <= ear.voice.now_ms <= 2500 + LATE_MS, "R3: our side says something again within 3 s"


async def test_no_key_is_pressed(ear: Ear, phone: CallPhone) -> None:
    assert await phone.gather(max_digits=4, timeout_s=2.0) == ""
    assert 2000 <= ear.voice.now_ms <= 2000 + LATE_MS


async def test_ticks_add_up_to_the_calls_time(ear: Ear) -> None:
    began_ms = ear.voice.now_ms
    passed_ms = sum([await ear.tick() for _ in range(10)])
    assert abs(passed_ms - (ear.voice.now_ms - began_ms)) <= FRAME_MS
    assert passed_ms >= 5 * FRAMES_AT_ONCE * FRAME_MS
