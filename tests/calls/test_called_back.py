"""The promised call-back comes by itself (R22): bridged to whoever is responsible, or the resident is heard."""

from __future__ import annotations

import io
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
import soundfile

from callcenter.desk import acts
from callcenter.speech.say import synthesise
from callcenter.telephony.voice import SAMPLE_RATE_HZ
from callcenter.telephony.wav import write_wav
from tests.calls.calling import OUR_NUMBER, Calling, Samples, audio_of, likeness
from tests.calls.hotline import PATIENCE_S, says

pytestmark = pytest.mark.asyncio(loop_scope="session")
LIKE = 0.7
"""Likeness of a voice to itself through G.711 and a bridge; of two voices it is below 0.5."""
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


async def test_the_promised_call_back_is_bridged_to_whoever_is_responsible(calling: Calling, tmp_path: Path) -> None:
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


async def test_nobody_takes_the_bridged_call_and_the_resident_is_heard(calling: Calling) -> None:
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


async def test_a_mailbox_is_nobody(calling: Calling, tmp_path: Path) -> None:
    await calling.peace()
    number = await calling.matter()
    before = await calling.ticket(number)
    mailbox = tmp_path / "mailbox.wav"
    write_wav(mailbox, synthesise("您拨打的用户暂时无法接通，请在提示音后留言。", "zh"))
    async with calling.resident(play=str(mailbox)):
        await calling.call_back_is_due(number)
        rung = await calling.call_of(number, "callback", state="due", attempts=1)
    assert rung["result"] == "no_clear_answer", "rung again later"
    assert await calling.desk.pool.fetchval("select state from callback where ticket = $1", number) == "due"
    row = await calling.ticket(number)
    assert (row["content"], row["category"]) == (before["content"], before["category"])


async def test_the_trunk_is_away(calling: Calling) -> None:
    number = await calling.emergency("lift")
    row = await calling.ticket(number)
    await acts.accept(calling.desk, number, row["asked"] or row["responsible"], str(uuid4()))
    await calling.done(number)
    call = await calling.call_of(number, "follow_up", result="unreachable", state="due")
    assert call["attempts"] == 1, "rung again later"
    tasks = await calling.desk.pool.fetch("select state from task where ticket = $1 and kind = 'follow_up'", number)
    assert [task["state"] for task in tasks] == ["open"], "it stays on a person's list meanwhile"


async def test_the_trunk_is_away_at_the_promised_time_and_back_later(calling: Calling) -> None:
    await calling.peace()
    number = await calling.matter()
    await calling.call_back_is_due(number)
    call = await calling.call_of(number, "callback", result="unreachable", state="due")
    assert call["attempts"] == 1
    assert call["next_at"] > datetime.now(UTC) + timedelta(minutes=30), "no storm"
    async with calling.resident(says("走廊到现在还没有人打扫，请你们快一点来")):
        await calling.desk.pool.execute("update resident_call set next_at = now() where ticket = $1", number)
        rung = await calling.call_of(number, "callback", state="done")
    assert (rung["result"], rung["attempts"]) == ("heard", 2)
    made = await calling.desk.pool.fetchval("select count(*) from resident_call where ticket = $1", number)
    assert made == 1, "kept once"
    promised = await calling.desk.pool.fetchrow("select state, attempts from callback where ticket = $1", number)
    assert tuple(promised) == ("done", 1)
    history = await calling.history(number)
    for words in ("没有接通", "住户已接听", "已听取住户的说明"):
        assert history.count(f"给住户回电：{words}。") == 1
