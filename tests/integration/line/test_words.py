"""What the caller says reaches the journal, with the transcriber there, away, or back again."""

from __future__ import annotations

import asyncio
import socket

from websockets.asyncio.server import ServerConnection, serve

from callcenter.speech.decoding import DecodingPool
from callcenter.speech.transcriber import Transcriber
from callcenter.telephony.caller import Child, place_call
from callcenter.telephony.plan import Action, CallPlan, Turn, When
from tests.harness.ports import free_port
from tests.harness.ticks import ticks

PATIENCE_S = 120
"""A busy machine writes words down late."""
SENTENCE = "三号楼二单元一一零二水管漏水了"


async def test_words_are_written_down_with_their_times(start_line, transcriber):
    node = await start_line(url=transcriber)
    caller = await Child.start("call", CallPlan(node.uri, turns=(Turn(Action.SAY, SENTENCE),)))
    try:
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks():
                heard = node.records("call.heard")
                if "漏水" in "".join(r["body"]["text"] for r in heard if r["body"]["leg"] == "caller"):
                    break
        await caller.tell("hangup")
        ended = await node.wait_record("call.ended")
    finally:
        await caller.end()
    assert [r["body"]["utterance"] for r in heard] == list(range(len(heard)))
    recording = await node.wait_record("call.recording")
    for record in heard:
        for _, start_ms, end_ms, confidence in record["body"]["words"]:
            assert 0 <= start_ms <= end_ms <= recording["body"]["duration_ms"]
            assert 0 <= confidence <= 1
    opened = node.records("ticket.opened")
    assert len(opened) == 1
    assert opened[0]["call"] == ended["call"]
    assert opened[0]["body"]["decision"]["first_responder"]
    assert opened[0]["at"] <= ended["at"]


async def test_what_was_said_while_the_transcriber_was_away_is_decoded_afterwards(start_line, model):
    port = free_port(socket.SOCK_STREAM)
    node = await start_line(url=f"ws://127.0.0.1:{port}")
    plan = CallPlan(node.uri, turns=(Turn(Action.SAY, SENTENCE), Turn(Action.HANGUP, when=When.NOW, after_s=1.0)))
    await place_call(plan)
    await node.wait_record("call.gap")
    ended = await node.wait_record("call.ended")
    assert node.records("call.heard") == []
    pool = DecodingPool(model, 1)
    server = Transcriber(pool, max_streams=8)
    try:
        await server.listen("127.0.0.1", port)
        rest = await node.wait_record("call.transcribed")
    finally:
        await server.close()
        pool.close()
    assert rest["call"] == ended["call"]
    assert rest["body"]["from_ms"] == 0
    assert "漏水" in "".join(u["text"] for u in rest["body"]["utterances"])


async def test_last_words_that_come_too_late_are_a_gap_before_the_call_has_ended(start_line):
    async def never_answers(connection: ServerConnection) -> None:
        async for _ in connection:
            pass

    async with serve(never_answers, "127.0.0.1", 0) as server:
        node = await start_line(url=f"ws://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        await place_call(CallPlan(node.uri, turns=(Turn(Action.SAY, SENTENCE), Turn(Action.HANGUP, when=When.NOW))))
        ended = await node.wait_record("call.ended")
    assert [r["seq"] < ended["seq"] for r in node.records("call.gap")] == [True], "the desk must wait for the rest"


async def test_caller_interrupts_the_greeting_by_speaking(start_line, transcriber):
    node = await start_line(url=transcriber)
    turns = (
        Turn(Action.SAY, SENTENCE, When.TALKING, 4.5),
        Turn(Action.HANGUP, when=When.NOW, after_s=2.0),
    )
    await place_call(CallPlan(node.uri, turns=turns))
    await node.wait_record("call.ended")
    said = {r["body"]["prompt"]: r["body"]["interrupted"] for r in node.records("call.said")}
    assert said["recording_notice"] is False
    assert said["greeting"] is True or said.get("press_one") is True
