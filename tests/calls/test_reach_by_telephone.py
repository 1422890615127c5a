"""Emergencies ring our phones until somebody takes them (R13); a resident is called back and followed up (R22, R23).

One house; what takes its time (nobody answers for a minute, a mailbox talks, a matter from call to archive) goes
on side by side, and each test waits for its own.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from uuid import uuid4

import pytest
import pytest_asyncio

from callcenter.desk import acts, resident_calls
from callcenter.speech.say import Synthesiser
from callcenter.telephony.wav import write_wav
from tests.calls.calling import Calling
from tests.calls.hotline import PATIENCE_S, listens_then_hangs_up, says

pytestmark = pytest.mark.asyncio(loop_scope="session")


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
    async with calling.resident(says("走廊到现在还没有人打扫，请你们快一点来")) as phone:
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
    async with calling.resident(says("没有解决，还没有人来打扫"), listens_then_hangs_up()):
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
