"""What every telephone of a dialplan promises: the one on the line, the terminal, and the scripted caller of tests."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

import pytest
import pytest_asyncio
from fake_phone import FakeCaller, FakePhone, HangsUp, Keys, Says, Silent, Turn
from fake_understanding import fake_understand
from line_phone import Leg, example_site

from callcenter.dialplan.phone import CallerGone, Clip, ListenEnd, Phone, PlayEnd, TransferEnd
from callcenter.dialplan.terminal import TerminalPhone

NOW = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
CLIP = Clip("hello", "您好", None)
Make = Callable[..., Phone]


def scripted(turns: Sequence[Turn], transfer: TransferEnd = TransferEnd.NO_ANSWER) -> Phone:
    left: Iterator[Turn] = iter(turns)
    return FakePhone(FakeCaller(otherwise=lambda _: next(left, Silent())), fake_understand, operator=transfer)


def typed(turns: Sequence[Turn], transfer: TransferEnd = TransferEnd.NO_ANSWER) -> Phone:
    def line(turn: Turn) -> str:
        match turn:
            case Says(text):
                return text or "/noise"
            case Keys(keys):
                return f"/{keys}"
            case HangsUp():
                return "/hangup"
        return ""

    lines = iter([line(turn) for turn in turns])
    return TerminalPhone(
        lambda: next(lines, ""), fake_understand, lambda who, text: None, NOW, rules={}, operator=transfer
    )


SITE = example_site()
LEGS: list[Leg] = []


def line(turns: Sequence[Turn], transfer: TransferEnd = TransferEnd.NO_ANSWER) -> Phone:
    LEGS.append(Leg(turns, SITE, transfer))
    return LEGS[-1].phone


@pytest_asyncio.fixture(autouse=True)
async def _legs_end() -> AsyncIterator[None]:
    yield
    while LEGS:
        await LEGS.pop().close()


ALL = pytest.mark.parametrize("make", [scripted, typed, line], ids=["scripted", "terminal", "line"])
INTERRUPTIBLE = pytest.mark.parametrize("make", [scripted, line], ids=["scripted", "line"])
"""Telephones that hear while they speak; one reads a terminal only after what it said."""


async def listen(phone: Phone) -> Any:
    return await phone.listen(start_timeout_s=1.5, end_silence_s=0.4, max_s=60)


@ALL
async def test_a_prompt_is_played_to_its_end(make: Make) -> None:
    played = await make([]).play([CLIP])
    assert (played.end, played.key) == (PlayEnd.FINISHED, None)


@ALL
async def test_nothing_can_be_played(make: Make) -> None:
    assert (await make([]).play([])).end is PlayEnd.FINISHED


@INTERRUPTIBLE
async def test_speech_stops_a_prompt_and_is_heard(make: Make) -> None:
    phone = make([Says("喂", over=True)])
    assert (await phone.play([CLIP])).end is PlayEnd.SPEECH
    assert (await listen(phone)).text == "喂"


@INTERRUPTIBLE
async def test_a_key_stops_a_prompt_and_is_told_once(make: Make) -> None:
    phone = make([Keys("1", over=True)])
    played = await phone.play([CLIP])
    assert (played.end, played.key) == (PlayEnd.KEY, "1")
    assert (await listen(phone)).key is None


@INTERRUPTIBLE
async def test_a_prompt_that_must_be_heard_is_not_stopped(make: Make) -> None:
    phone = make([Says("喂", over=True)])
    assert (await phone.play([CLIP], barge_in=False)).end is PlayEnd.FINISHED


@ALL
async def test_a_turn_is_heard_to_its_end(make: Make) -> None:
    phone = make([Says("家里漏水了")])
    await phone.play([CLIP])
    heard = await listen(phone)
    assert (heard.text, heard.end, heard.spoke, heard.key) == ("家里漏水了", ListenEnd.SILENCE, True, None)


@ALL
async def test_silence_is_no_speech(make: Make) -> None:
    phone = make([Silent()])
    await phone.play([CLIP])
    heard = await listen(phone)
    assert (heard.text, heard.end, heard.spoke) == ("", ListenEnd.NO_SPEECH, False)


@ALL
async def test_speech_without_words_is_speech(make: Make) -> None:
    phone = make([Says("")])
    await phone.play([CLIP])
    heard = await listen(phone)
    assert (heard.text, heard.spoke) == ("", True)


@ALL
async def test_a_key_ends_listening_and_the_rest_is_gathered(make: Make) -> None:
    phone = make([Keys("138#")])
    await phone.play([CLIP])
    heard = await listen(phone)
    assert (heard.end, heard.key) == (ListenEnd.KEY, "1")
    assert await phone.gather(max_digits=12, timeout_s=1) == "38"


@ALL
async def test_gathering_without_keys_is_empty(make: Make) -> None:
    assert await make([]).gather(max_digits=12, timeout_s=1) == ""


@ALL
async def test_words_are_understood(make: Make) -> None:
    assert (await make([]).understand("家里漏水了")).category.value == "water_leak"


@ALL
@pytest.mark.parametrize("end", list(TransferEnd))
async def test_what_becomes_of_a_transfer(make: Make, end: TransferEnd) -> None:
    assert await make([], end).transfer("8001", timeout_s=20) is end


@ALL
async def test_a_call_has_one_ticket(make: Make) -> None:
    phone = make([])
    first = await phone.open_ticket(fake_understand("家里漏水了"), {"text": "家里漏水了"})
    second = await phone.open_ticket(fake_understand("家里漏水了"), {"text": "家里漏水了，快点"})
    assert first.number == second.number
    assert first.answer_by.tzinfo is not None


@ALL
async def test_a_ticket_joins_the_matter_it_names(make: Make) -> None:
    ticket = await make([]).open_ticket(fake_understand("漏水"), {"joins": "100077"})
    assert (ticket.number, ticket.joined) == ("100077", True)


@ALL
async def test_after_the_caller_left_everything_says_so(make: Make) -> None:
    phone = make([HangsUp()])
    await phone.play([CLIP])
    with pytest.raises(CallerGone):
        await listen(phone)
    for again in (
        lambda: phone.play([CLIP]),
        lambda: listen(phone),
        lambda: phone.gather(max_digits=1, timeout_s=1),
        lambda: phone.transfer("8001", timeout_s=1),
    ):
        with pytest.raises(CallerGone):
            await again()
    await phone.hangup("done")


@ALL
async def test_last_words_are_understood_and_recorded_after_the_caller_left(make: Make) -> None:
    phone = make([HangsUp()])
    await phone.play([CLIP])
    with pytest.raises(CallerGone):
        await listen(phone)
    labels = await phone.understand("家里漏水了")
    assert (await phone.open_ticket(labels, {"text": "家里漏水了"})).number


@ALL
async def test_hanging_up_may_be_done_twice(make: Make) -> None:
    phone = make([])
    await phone.hangup("done")
    await phone.hangup("done")
    with pytest.raises(CallerGone):
        await phone.play([CLIP])
