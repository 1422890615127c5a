"""What residents do on the telephone: each call is heard, kept, and becomes one matter with somebody responsible.

The calls are made together, as on a busy evening; each test looks at one of them.
"""

from __future__ import annotations

import asyncio
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from callcenter.config import ROOT
from callcenter.dialplan.load import load_dialplan
from callcenter.telephony.plan import Action, Turn, When
from callcenter.telephony.voice import SAMPLE_RATE_HZ
from tests.calls.hotline import (
    DIALLED,
    PATIENCE_S,
    Hotline,
    Json,
    Kept,
    Resident,
    listens_then_hangs_up,
    says,
    stranger,
)

pytestmark = pytest.mark.asyncio(loop_scope="session")

AT_ONCE = 4
HUMAN_VOICES = Path(__file__).parents[3] / "shared" / "audio" / "human-8k"
SCRIPT = load_dialplan(ROOT / "dialplans" / "hotline.zh.yaml").script
QUESTIONS = {SCRIPT.phrases.silence} | {
    name for actions in SCRIPT.steps.values() for action in actions
    for name in (getattr(action, "ask", None), getattr(action, "again", None)) if name
}  # fmt: skip
"""After these it is the caller's turn."""
SILENT_AT_MOST_MS = 3000
"""R3: so long our side may be silent when it is its turn; that begins when the caller's has ended (R4)."""
TURN_ENDS_MS = round((SCRIPT.limits.end_silence_s or 0) * 1000)
"""A caller who has said nothing for so long has ended their turn."""
SPOKEN_DIGITS = str.maketrans("零幺二三四五六七八九", "0123456789")


@dataclass(frozen=True)
class Story:
    """Who calls, and what they do."""

    turns: tuple[Turn, ...]
    number: str = field(default_factory=stranger)
    gives_up: bool = False
    """Does not wait for the answer."""


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
    "gives up while it rings": Story((), "14000000402", gives_up=True),
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
            resident = await self._hotline.dial(*story.turns, number=story.number)
            if story.gives_up:
                await resident.wait("ringing")
                await resident.hang_up()
            return await resident.report(), resident

    async def report(self, name: str) -> Json:
        """How the call went for the caller."""
        return (await self._told[name])[0]

    async def resident(self, name: str) -> Resident:
        """Who called, when the call is over."""
        return (await self._told[name])[1]

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


def heard_of(resident: Resident) -> list[Json]:
    """What the caller was heard to say, utterance by utterance."""
    return [r["body"] for r in resident.records("call.heard") if r["body"]["leg"] == "caller" and r["body"]["text"]]


def silences_of_ours(resident: Resident) -> list[tuple[str, int]]:
    """Each sentence of ours and the silence before it, in ms, where it was our turn: no question unanswered."""
    said = [record["body"] for record in resident.records("call.said")]
    words = [word for utterance in heard_of(resident) for word in utterance["words"]]
    found = []
    for number, sentence in enumerate(said):
        ours = said[number - 1]["end_ms"] if number else 0
        theirs = max((end + TURN_ENDS_MS for _, begin, end, _ in words if begin < sentence["start_ms"]), default=0)
        if theirs > ours or number == 0 or said[number - 1]["prompt"] not in QUESTIONS:
            found.append((sentence["prompt"], sentence["start_ms"] - max(ours, theirs)))
    return found


async def test_a_caller_is_never_left_in_silence(evening: Evening) -> None:
    silences = silences_of_ours(await evening.resident("repair"))
    assert len(silences) > 8, "a whole talk was meant"
    assert all(silent_ms <= SILENT_AT_MOST_MS for _, silent_ms in silences), silences


async def test_a_caller_who_pauses_is_asked_to_go_on_and_nothing_else(evening: Evening) -> None:
    resident = await evening.resident("repair")
    first = heard_of(resident)[0]
    said = [record["body"] for record in resident.records("call.said")]
    assert next(one["prompt"] for one in said if one["start_ms"] >= first["end_ms"]) == SCRIPT.phrases.go_on, "R4"


async def test_a_call_by_the_command(evening: Evening, hotline: Hotline, tmp_path: Path) -> None:
    del evening  # it is one of many
    (host, port), number, wav = hotline.house.sip, stranger(), tmp_path / "call.wav"
    transcriber = f"ws://127.0.0.1:{hotline.house.ports('speech')['transcribe']}"
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callcenter", "call", f"sip:{DIALLED}@{host}:{port}", "--from", number,
        "--text", "我要报修，我家水管漏水了", "--hangup-after", "25", "--record", str(wav),
        "--transcriber", transcriber,
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    async with asyncio.timeout(PATIENCE_S):
        told, progress = await process.communicate()
    assert process.returncode == 0, progress.decode()
    lines = [line.split()[0] for line in progress.decode().splitlines() if line.startswith("  ")]
    assert list(dict.fromkeys(lines)) == ["dialled", "ringing", "answered", "turn", "gone"]
    report = dict(line.split(": ", 1) for line in told.decode().splitlines() if ": " in line)
    assert "answered after" in told.decode()
    assert len(report["heard"]) > 10, "what our side said"
    assert report["recorded"] == str(wav)
    assert wav.stat().st_size > 25 * 2 * 2 * SAMPLE_RATE_HZ * 0.9
    assert "漏水" in (await hotline.kept(number)).heard


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
