"""What residents do on the telephone: each call is heard, kept, and becomes one matter with somebody responsible.

The calls are made together, as on a busy evening; each test looks at one of them.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callcenter.telephony.plan import Action, Turn, When
from tests.calls.hotline import Hotline, Json, Kept, Resident, listens_then_hangs_up, says, stranger

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 4
HUMAN_VOICES = Path(__file__).parents[3] / "shared" / "audio" / "human-8k"
SPOKEN_DIGITS = str.maketrans("零幺二三四五六七八九", "0123456789")


@dataclass(frozen=True)
class Story:
    """Who calls, and what they do."""

    turns: tuple[Turn, ...]
    number: str = field(default_factory=stranger)
    plan: dict[str, Any] = field(default_factory=dict)


STORIES = {
    "repair": Story(
        (says("你好，我要报修，我家厨房的水管漏水了，请派人来修一下"), says("对的"), says("没有了，谢谢")),
        "14000001102",
    ),
    "complaint": Story(
        (says("我要投诉，楼上邻居每天晚上装修，噪音扰民"), says("是的"), listens_then_hangs_up()), "14000000301"
    ),
    "enquiry": Story((says("请问物业费怎么交"), listens_then_hangs_up()), "14000002001"),
    "fire": Story((says("着火了，快来人，三号楼二单元五零二"), listens_then_hangs_up())),
    "key 1": Story((Turn(Action.KEYS, "1", When.TALKING, 1.0), says("有人被困在电梯里了"), listens_then_hangs_up()),
                   "14000000501"),
    "key 1 by INFO": Story((Turn(Action.INFO_KEYS, "1", When.TALKING, 1.0), listens_then_hangs_up()), "14000001203"),
    "silence": Story((), "14000001502"),
    "gives up while it rings": Story((), "14000000402", {"cancel_after_s": 0.5}),
    "hangs up in the greeting": Story((Turn(Action.HANGUP, when=When.TALKING, after_s=1.0),), "14000002708"),
    "hangs up in mid-sentence": Story((says("我要报修，下水道堵了"),
                                       Turn(Action.HANGUP, when=When.NOW)), "14000000602"),
}  # fmt: skip


class Evening:
    """All stories, told to one hotline, at most AT_ONCE at a time; a test waits for its own."""

    def __init__(self, hotline: Hotline, stories: dict[str, Story]) -> None:
        self._free = asyncio.Semaphore(AT_ONCE)
        self._hotline = hotline
        self._told = {name: asyncio.create_task(self._tell(story)) for name, story in stories.items()}

    async def _tell(self, story: Story) -> tuple[Json, Resident]:
        async with self._free:
            resident = await self._hotline.dial(*story.turns, number=story.number, **story.plan)
            return await resident.report(), resident

    async def report(self, name: str) -> Json:
        """How the call went for the caller."""
        return (await self._told[name])[0]

    async def kept(self, name: str, **how: Any) -> Kept:
        """What the desk keeps of it."""
        return await self._hotline.kept((await self._told[name])[1].number, **how)

    async def end(self) -> None:
        for task in self._told.values():
            task.cancel()
        await asyncio.gather(*self._told.values(), return_exceptions=True)


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def evening(hotline: Hotline) -> Any:
    """Everybody calls."""
    made = Evening(hotline, STORIES)
    yield made
    await made.end()


async def test_a_repair_from_greeting_to_goodbye(evening: Evening) -> None:
    report, kept = await evening.report("repair"), await evening.kept("repair")
    assert report["answered"]
    assert report["ended_by"] == "them", "our side says goodbye"
    assert report["rings"] <= 3, "R1"
    kept.expect(kind="repair", category="water_leak", department="engineering")
    kept.expect(building="3", unit="2", room="1102")
    assert kept.ticket["chain"], "R13: it is handed over to the department in charge"
    heard = kept.said.translate(SPOKEN_DIGITS).replace("，", "")
    assert str(kept.ticket["number"]) in heard, "the caller hears the number"
    assert kept.call["recording"]["notice_given"]


async def test_a_complaint(evening: Evening) -> None:
    kept = await evening.kept("complaint")
    kept.expect(kind="complaint", category="noise")
    kept.expect(building="2", unit="1", room="301")
    assert any(d["rule"] == "R18" for d in kept.ticket["deadlines"]), "an answer is due within 24 hours"


async def test_an_enquiry(evening: Evening) -> None:
    kept = await evening.kept("enquiry")
    kept.expect(kind="enquiry", category="fees", urgency="normal")


async def test_an_emergency_by_words(evening: Evening) -> None:
    kept = await evening.kept("fire")
    kept.expect(category="fire", urgency="emergency", major=True)
    kept.expect(building="3", unit="2", room="502")
    assert any(reason["rule"] == "R15" for reason in kept.ticket["reasons"]), "leader and general manager are told"


async def test_an_emergency_by_key_1(evening: Evening) -> None:
    kept = await evening.kept("key 1")
    kept.expect(category="lift", urgency="emergency")
    kept.expect(building="6", unit="1", room="501")


async def test_an_emergency_by_key_1_in_an_info_and_not_a_word(evening: Evening) -> None:
    kept = await evening.kept("key 1 by INFO")
    kept.expect(urgency="emergency", building="6", room="1203")


async def test_somebody_who_says_nothing_is_called_back(evening: Evening, hotline: Hotline) -> None:
    report, kept = await evening.report("silence"), await evening.kept("silence")
    assert report["ended_by"] == "them", "nobody is left in silence, nobody is kept in a loop"
    assert not kept.heard
    callback = await hotline.desk.callback_of(kept.call["id"])
    assert (callback["reason"], callback["ticket"]) == ("silence", kept.ticket["number"])


async def test_somebody_who_gives_up_while_it_rings_is_called_back(evening: Evening, hotline: Hotline) -> None:
    name = "gives up while it rings"
    report, kept = await evening.report(name), await evening.kept(name, recorded=False)
    assert not report["answered"]
    assert kept.call["end_reason"] == "cancelled"
    assert (await hotline.desk.callback_of(kept.call["id"]))["ticket"] == kept.ticket["number"]


async def test_somebody_who_hangs_up_in_the_greeting_is_called_back(evening: Evening, hotline: Hotline) -> None:
    kept = await evening.kept("hangs up in the greeting")
    assert kept.call["end_reason"] == "caller"
    assert any(turn["leg"] == "ours" and turn["interrupted"] for turn in kept.call["turns"])
    assert (await hotline.desk.callback_of(kept.call["id"]))["ticket"] == kept.ticket["number"]


async def test_somebody_who_hangs_up_in_mid_sentence_was_heard(evening: Evening, hotline: Hotline) -> None:
    kept = await evening.kept("hangs up in mid-sentence")
    assert kept.call["end_reason"] == "caller"
    kept.expect(kind="repair", category="drain", building="6", room="602")
    back = await hotline.desk.callback_of(kept.call["id"])
    assert (back["ticket"], back["reason"]) == (kept.ticket["number"], "hang_up"), "R22"


@pytest.mark.skipif(not HUMAN_VOICES.is_dir(), reason="the human voices are not part of the project")
async def test_a_human_voice(hotline: Hotline) -> None:
    voice = min(HUMAN_VOICES.glob("*.wav"), key=lambda path: path.name)
    report, kept = await hotline.call(Turn(Action.PLAY, str(voice)), listens_then_hangs_up())
    assert report["answered"]
    assert kept.heard


async def test_after_all_that_the_next_call_is_answered(hotline: Hotline) -> None:
    await hotline.answers()
