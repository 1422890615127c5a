"""Emergencies ring our phones until somebody takes them (R13); residents are called back, followed up (R22, R23).

One house; what takes its time (nobody answers for a minute, a mailbox talks, a matter from call to archive) goes
on side by side, and each test waits for its own.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio
import soundfile

from callcenter.desk import acts, resident_calls
from callcenter.speech.say import Synthesiser
from callcenter.telephony.voice import SAMPLE_RATE_HZ
from callcenter.telephony.wav import write_wav
from tests.calls.calling import OUR_NUMBER, Calling, Samples, audio_of, calling_house, likeness
from tests.calls.hotline import PATIENCE_S, listens_then_hangs_up, says

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIKE = 0.7
"""Likeness of a voice to itself through G.711 and a bridge; of two voices it is below 0.5."""


async def nobody_answers(calling: Calling) -> None:
    first = await calling.first_asked("environment")
    async with calling.phone_of(first, answer_after_s=None) as phone:
        number = await calling.emergency("cleaning")
        await phone.wait_for("ringing", PATIENCE_S)
        await calling.rung(number, first, "no_answer")
        row = await calling.until(lambda: asked_instead(calling, number, first))
    assert row["responsible"] == row["first_responder"], "until somebody accepts (R14)"
    assert (await calling.acts_of(number)).count("ticket.pass_over") >= 1
    await acts.accept(calling.desk, number, row["asked"], str(uuid4()))


async def asked_instead(calling: Calling, number: int, first: str) -> object:
    row = await calling.ticket(number)
    return row if row["asked"] not in (None, first) else None


async def a_mailbox_answers(calling: Calling, speech: Path) -> None:
    first = await calling.first_asked("finance")
    async with calling.phone_of(first, play=str(speech)) as phone:
        number = await calling.emergency("fees")
        await phone.wait_for("answered", PATIENCE_S)
        await calling.rung(number, first, "ended")
    assert (await calling.ticket(number))["accepted_by"] is None, "a mailbox presses no key"
    answers = [r["body"] for r in calling.hotline.house.records("person.answer") if r["body"]["ticket"] == str(number)]
    assert {b["answer"] for b in answers if b["to_staff"] == first} == {"none"}
    row = await calling.ticket(number)
    await acts.accept(calling.desk, number, row["asked"] or row["responsible"], str(uuid4()))


async def engaged(calling: Calling) -> None:
    first = await calling.first_asked("security")
    async with calling.phone_of(first, refuse_status=486):
        number = await calling.emergency("fire")
        await calling.rung(number, first, "busy", times=2)
    assert "ticket.pass_over" not in await calling.acts_of(number), "rung again first"
    await acts.accept(calling.desk, number, first, str(uuid4()))


async def refused(calling: Calling) -> None:
    """Hung up while it is read out, rung again, refused; the next takes it."""
    first = await calling.first_asked("engineering")
    following = await calling.first_asked("engineering", but=first)
    async with calling.phone_of(first) as phone, calling.phone_of(following, keys="1") as other:
        number = await calling.emergency("lift")
        await phone.wait_for("heard", PATIENCE_S)
        await phone.hangup()
        await phone.wait_for("answered", PATIENCE_S, count=2)
        await phone.press("2")
        await other.wait_for("answered", PATIENCE_S)
        assert await calling.accepted(number) == following
    row = await calling.ticket(number)
    assert row["responsible"] == following
    assert row["refusals"] == 1
    happened = await calling.acts_of(number)
    assert happened.count("ticket.accept") == 1
    assert {"person.call", "person.answer", "ticket.refuse"} <= set(happened), "everything is in the history"
    history = await calling.history(number)
    organisation = calling.desk.site(row["site"]).organisation
    for staff, words in ((first, "已接听"), (first, "没有按键"), (first, "按2，不能处理"), (following, "按1，接受")):
        assert f"电话通知{organisation.person(staff).called()}：{words}" in history


async def a_resident(calling: Calling) -> None:
    """From the call-back to the archive: heard, not solved, opened again, solved."""
    number = await calling.matter()
    row = await calling.ticket(number)
    callback = await calling.desk.pool.fetchrow("select * from callback where ticket = $1", number)
    assert callback["reason"] == "hang_up", "whoever hung up in the middle is called back"

    # the person responsible presses the button; they have no telephone: the resident is heard
    async with calling.resident(says("电梯旁边的走廊也很脏，请你们快一点来")) as phone:
        await resident_calls.ring_now(calling.desk, row["responsible"], str(uuid4()), callback=callback["id"])
        await phone.wait_for("answered", PATIENCE_S)
        rung = await calling.call_of(number, "callback", state="done")
    assert rung["result"] == "heard"
    call = await calling.kept(rung["call"])
    ours = "".join(turn["text"] for turn in call["turns"] if turn["leg"] == "ours")
    assert "给您回电" in ours
    assert "录音" in ours
    assert any(turn["leg"] == "caller" and turn["text"] for turn in call["turns"])
    assert await calling.desk.pool.fetchval("select state from callback where id = $1", callback["id"]) == "done"
    assert "回电" in await calling.history(number)
    shown = await calling.hotline.desk.get(f"/tickets/{number}")
    assert [c["id"] for c in shown["calls"]].count(str(rung["call"])) == 1

    # done: followed up the same day; not solved, said aloud, opens it again to the first responder
    async with calling.resident(says("没有解决，还是很脏"), listens_then_hangs_up()):
        await calling.done(number)
        await calling.status(number, "reopened")
    row = await calling.ticket(number)
    assert row["responsible"] == row["first_responder"]
    assert await calling.call_of(number, "follow_up", result="unsolved")
    assert "没有解决" in await calling.history(number)

    # done again: solved, five of five, by keys: archived
    async with calling.resident(keys="15"):
        await calling.done(number)
        await calling.status(number, "archived")
    rung = await calling.call_of(number, "follow_up", result="solved")
    assert rung["score"] == 5
    sql = "select count(*) from ticket where caller_number = $1"
    assert await calling.desk.pool.fetchval(sql, row["caller_number"]) == 1, "a call of ours opens no matter"


Stories = dict[str, "asyncio.Task[None]"]


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def calling() -> AsyncIterator[Calling]:
    async with calling_house() as house:
        yield house


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def stories(calling: Calling, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stories]:
    """Everything that can go on at the same time, begun."""
    speech = tmp_path_factory.mktemp("mailbox") / "mailbox.wav"
    with Synthesiser() as synthesiser:
        write_wav(speech, synthesiser.say("您拨打的用户暂时无法接通，请在提示音后留言。" * 6))
    works = {
        "resident": a_resident(calling), "refused": refused(calling), "engaged": engaged(calling),
        "nobody": nobody_answers(calling), "mailbox": a_mailbox_answers(calling, speech),
    }  # fmt: skip
    tasks = {name: asyncio.create_task(work) for name, work in works.items()}
    async with AsyncExitStack() as stack:
        for task in tasks.values():
            stack.callback(task.cancel)
        yield tasks
    await asyncio.gather(*tasks.values(), return_exceptions=True)


async def test_engaged_is_rung_again(stories: Stories) -> None:
    await stories["engaged"]


async def test_hung_up_while_listening_then_refused_then_the_next_accepts(stories: Stories) -> None:
    await stories["refused"]


async def test_nobody_answers_and_the_next_is_asked(stories: Stories) -> None:
    await stories["nobody"]


async def test_a_mailbox_accepts_nothing(stories: Stories) -> None:
    await stories["mailbox"]


async def test_a_resident_from_the_call_back_to_the_archive(stories: Stories) -> None:
    await stories["resident"]


OURS, THEIRS = "您好，我是物业的值班员，您的楼道今天下午就打扫", "好的谢谢你们，请把电梯旁边也扫一扫"


def tracks(flac: bytes) -> tuple[Samples, Samples]:
    """The recording's two tracks: the resident, and our side."""
    audio, rate = soundfile.read(io.BytesIO(flac), dtype="float64")
    assert rate == SAMPLE_RATE_HZ
    return audio[:, 0], audio[:, 1]


def heard_by(wav: Path) -> Samples:
    """What a scripted phone heard."""
    audio, _ = soundfile.read(wav, dtype="float64")
    heard: Samples = audio[:, 0]
    return heard


async def test_the_promised_call_back_is_bridged_to_whoever_is_responsible(
    calling: Calling, stories: Stories, tmp_path: Path
) -> None:
    del stories  # over by now
    await calling.peace()
    number = await calling.matter()
    responsible = (await calling.ticket(number))["responsible"]
    at_home, at_desk = tmp_path / "resident.wav", tmp_path / "person.wav"
    async with (
        calling.phone_of(responsible, voice="f2", record=str(at_desk)) as person,
        calling.resident(voice="f4", record=str(at_home)) as resident,
    ):
        await calling.call_back_is_due(number)
        assert (await resident.wait_for("ringing", PATIENCE_S))["number"] == OUR_NUMBER
        await person.wait_for("answered", PATIENCE_S)
        await calling.written(number, "call.transfer", state="answered")
        await person.say(OURS)
        await person.wait_for("said", PATIENCE_S)
        await resident.say(THEIRS)
        await resident.wait_for("said", PATIENCE_S)
        for leg in ("agent", "caller"):
            await calling.written(number, "call.heard", leg=leg)
        await person.hangup()
        await resident.wait_for("saved", PATIENCE_S)
        await person.wait_for("saved", PATIENCE_S)
        rung = await calling.call_of(number, "callback", state="done")
    assert rung["result"] == "bridged"
    ours, theirs = audio_of(OURS, "f2"), audio_of(THEIRS, "f4")
    assert likeness(heard_by(at_home), ours) > LIKE, "the resident heard the person"
    assert likeness(heard_by(at_desk), theirs) > LIKE, "and the person the resident"
    call = await calling.kept(rung["call"])
    caller, our_side = tracks(await calling.hotline.desk.get(f"/calls/{rung['call']}/recording"))
    assert likeness(caller, theirs) > LIKE
    assert likeness(our_side, ours) > LIKE
    assert likeness(caller, ours) < LIKE, "each on a track of their own"
    said = "".join(turn["text"] for turn in call["turns"] if turn["leg"] == "ours")
    assert "给您回电" in said, "the resident hears why"
    assert "再见" in said, "and a goodbye"
    assert {turn["leg"] for turn in call["turns"] if turn["text"]} == {"ours", "caller", "agent"}
    assert call["receiver"] == responsible
    callback = await calling.desk.pool.fetchrow("select * from callback where ticket = $1", number)
    assert callback["state"] == "done"
    person_called = calling.desk.site(callback["site"]).organisation.person(responsible).called()
    assert f"回电：已接通{person_called}" in await calling.history(number)


async def test_nobody_takes_the_bridged_call_and_the_resident_is_heard(calling: Calling, stories: Stories) -> None:
    del stories
    await calling.peace()
    number = await calling.matter()
    responsible = (await calling.ticket(number))["responsible"]
    async with calling.phone_of(responsible, answer_after_s=None) as person, calling.resident() as resident:
        await calling.call_back_is_due(number)
        await person.wait_for("ringing", PATIENCE_S)
        await calling.written(number, "call.said", prompt="sorry_waited")
        await calling.written(number, "call.said", prompt="callback_please")
        await resident.say("垃圾桶旁边也没有人打扫，已经三天了")
        rung = await calling.call_of(number, "callback", state="done")
        await person.wait_for("gone", PATIENCE_S)
    assert rung["result"] == "heard"
    call = await calling.kept(rung["call"])
    records = calling.hotline.house.records("call.transfer")
    assert [r["body"]["state"] for r in records if r["call"] == str(rung["call"])] == ["ringing", "no_answer"]
    assert "久等" in "".join(turn["text"] for turn in call["turns"] if turn["leg"] == "ours"), "R3"
    heard = "".join(turn["text"] for turn in call["turns"] if turn["leg"] == "caller")
    assert heard
    assert heard in (await calling.history(number)).replace("，", ""), "what was said is in the matter"
    assert await calling.desk.pool.fetchval("select state from callback where ticket = $1", number) == "done"


async def test_the_desk_dies_between_dialling_and_the_answer(calling: Calling, stories: Stories) -> None:
    del stories  # over by now
    first = await calling.first_asked("engineering")
    async with calling.phone_of(first, answer_after_s=6) as phone:
        number = await calling.emergency("lift")
        await phone.wait_for("ringing", PATIENCE_S)
        mark = calling.hotline.house.kill("desk")
        await phone.wait_for("heard", PATIENCE_S)
        await phone.press("1")
        await calling.hotline.house.wait("desk", "ready", after=mark, timeout_s=PATIENCE_S)
        await calling.database_is_back()
        assert await calling.accepted(number) == first
    assert (await calling.acts_of(number)).count("ticket.accept") == 1, "taken once, however often it rang"


async def test_the_trunk_is_away(calling: Calling) -> None:
    number = await calling.emergency("lift")
    row = await calling.ticket(number)
    await acts.accept(calling.desk, number, row["asked"] or row["responsible"], str(uuid4()))
    await calling.done(number)
    call = await calling.call_of(number, "follow_up", result="unreachable", state="due")
    assert call["attempts"] == 1, "rung again later"
    tasks = await calling.desk.pool.fetch("select state from task where ticket = $1 and kind = 'follow_up'", number)
    assert [task["state"] for task in tasks] == ["open"], "it stays on a person's list meanwhile"
