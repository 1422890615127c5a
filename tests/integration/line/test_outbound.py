"""A desk has a person of ours rung: accepted, refused, engaged, by keys, through a real edge."""

from __future__ import annotations

import asyncio
import hashlib
import json
import signal
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from aiohttp import web
from line_node import LineNode

from callcenter.config import load_settings
from callcenter.edge.phones import keep_phones
from callcenter.node.link import Phone
from callcenter.speech.say import SAMPLE_RATE_HZ, synthesise, wav_of
from callcenter.telephony.caller import running_phone
from callcenter.telephony.plan import Action, PhonePlan, Turn, When
from tests.harness.edge import Edge

OUR_NUMBER = "4001234567"
USER, PASSWORD = "8899", "an example, of no phone"


class OrderingDesk:
    """A desk's end of the link that only gives orders and stores records."""

    def __init__(self) -> None:
        self.records: list[dict[str, Any]] = []
        self.done: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.linked = asyncio.Event()
        self._news = asyncio.Condition()
        self._socket: web.WebSocketResponse | None = None
        self._runner: web.AppRunner | None = None
        self.port = 0

    async def start(self) -> None:
        app = web.Application()
        app.router.add_get("/line/v1", self._serve)
        self._runner = web.AppRunner(app)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", 0)
        await site.start()
        self.port = site._server.sockets[0].getsockname()[1]  # type: ignore[union-attr]

    async def close(self) -> None:
        assert self._runner is not None
        await self._runner.cleanup()

    async def _serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        async for message in socket:
            told = json.loads(message.data)
            if told["type"] == "hello" and told["role"] == "line":
                self._socket = socket
                self.linked.set()
            elif told["type"] == "record":
                record = told["record"]
                async with self._news:
                    self.records.append(record)
                    self._news.notify_all()
                await socket.send_json({"type": "ack", "journal": record["journal"], "seq": record["seq"]})
            elif told["type"] == "done":
                self.done.put_nowait(told)
        return socket

    async def order(self, identity: str, **fields: Any) -> dict[str, Any]:
        """Give one command and wait for its result."""
        assert self._socket is not None
        await self._socket.send_json({"type": "command", "id": identity, **fields})
        async with asyncio.timeout(20):
            return (await self.done.get())["result"]

    async def wait_answer(self) -> str:
        """The first `person.answer`."""
        async with asyncio.timeout(60), self._news:
            await self._news.wait_for(lambda: any(r["kind"] == "person.answer" for r in self.records))
        return next(r["body"]["answer"] for r in self.records if r["kind"] == "person.answer")

    @property
    def states(self) -> list[str]:
        return [r["body"]["state"] for r in self.records if r["kind"] == "person.call"]


async def start_voice(run_dir: Path) -> web.AppRunner:
    """The speech role's local socket with its real voice; understanding is not asked here."""

    async def say(request: web.Request) -> web.Response:
        asked = await request.json()
        pcm = await asyncio.to_thread(synthesise, asked["text"], asked["language"])
        return web.Response(body=wav_of(pcm), content_type="audio/wav")

    app = web.Application()
    app.router.add_post("/say", say)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.UnixSite(runner, str(run_dir / "speech.sock")).start()
    return runner


@pytest_asyncio.fixture
async def ordering(
    request: pytest.FixtureRequest, start_line: Any, tmp_path: Path
) -> AsyncIterator[tuple[OrderingDesk, Edge, LineNode]]:
    """A line linked to a desk that gives orders, behind an edge that knows one phone."""
    desk = OrderingDesk()
    await desk.start()
    run_dir = tmp_path / "var" / "run"
    run_dir.mkdir(parents=True)
    voice = await start_voice(run_dir)
    environment = {
        "CALLCENTER_NODE__DESKS": json.dumps([f"http://127.0.0.1:{desk.port}"]),
        "CALLCENTER_EDGE__CALLER_NUMBER": OUR_NUMBER,
        **getattr(request, "param", {}),
    }
    node = await start_line(mode="kamailio", environment=environment)
    settings = load_settings(node.config)
    ha1 = hashlib.md5(f"{USER}:{settings.edge.realm}:{PASSWORD}".encode()).hexdigest()
    keep_phones(settings, 1, [Phone(USER, ha1)])
    edge = Edge(node.var, {"edge": {"mode": "kamailio", "sip_port": 0}})
    try:
        await edge.start()
        await edge.wait_lines([node.port])
        await desk.linked.wait()
        yield desk, edge, node
    finally:
        await edge.stop()
        await voice.cleanup()
        await desk.close()


ORDER = {
    "command": "dial", "to": USER, "purpose": "emergency", "text": "三号楼一单元漏水。", "ticket": "100001",
    "to_staff": "somebody",
}  # fmt: skip


@pytest.mark.parametrize(("key", "answer"), [("1", "accepted"), ("2", "refused")])
async def test_a_person_takes_or_refuses_by_key(ordering, key, answer):
    desk, edge, _ = ordering
    async with running_phone(PhonePlan(f"127.0.0.1:{edge.sip[1]}", USER, PASSWORD, keys=key)) as phone:
        result = await desk.order("order-1", **ORDER)
        assert result["ok"]
        again = await desk.order("order-1", **ORDER)
        assert again == result, "the same order twice is one call"
        assert (await phone.wait_for("ringing"))["number"] == OUR_NUMBER
        await phone.wait_for("heard")
        assert await desk.wait_answer() == answer
        await phone.wait_for("gone")
    assert desk.states[:2] == ["ringing", "answered"]
    assert desk.states.count("ringing") == 1
    told = next(r["body"] for r in desk.records if r["kind"] == "person.answer")
    assert told["question"] == "take"
    assert f"按{key}" in told["zh"]
    read_out = [r["body"]["note"] for r in desk.records if r["kind"] == "person.call" and "note" in r["body"]]
    assert read_out == [ORDER["text"]], "what was said stands in the history"


LONG_ORDER = {**ORDER, "text": "紧急事项：三号楼一单元漏水，水一直往外喷，地板全泡了，请马上派人来。" * 3}


async def test_who_presses_while_it_is_read_out_need_not_hear_the_rest(ordering):
    desk, edge, _ = ordering
    takes_it = (Turn(Action.KEYS, "1", When.TALKING, after_s=1),)
    async with running_phone(PhonePlan(f"127.0.0.1:{edge.sip[1]}", USER, PASSWORD, turns=takes_it)) as phone:
        await desk.order("order-1", **LONG_ORDER)
        assert await desk.wait_answer() == "accepted"
        await phone.wait_for("gone")
    at = {r["body"].get("state") or r["body"]["answer"]: datetime.fromisoformat(r["at"]) for r in desk.records}
    reading_s = len(synthesise(LONG_ORDER["text"])) / (2 * SAMPLE_RATE_HZ)
    assert (at["accepted"] - at["answered"]).total_seconds() < reading_s / 2


async def test_who_presses_while_it_is_read_out_and_hangs_up_has_answered(ordering):
    desk, edge, _ = ordering
    turns = (
        Turn(Action.KEYS, "91", When.TALKING),  # a slip, and the answer
        Turn(Action.HANGUP, when=When.NOW, after_s=2),
    )
    async with running_phone(PhonePlan(f"127.0.0.1:{edge.sip[1]}", USER, PASSWORD, turns=turns)):
        await desk.order("order-1", **LONG_ORDER)
        assert await desk.wait_answer() == "accepted"
    assert desk.states == ["ringing", "answered", "ended"]


async def test_an_engaged_phone_is_no_answer(ordering):
    desk, edge, _ = ordering
    async with running_phone(PhonePlan(f"127.0.0.1:{edge.sip[1]}", USER, PASSWORD, refuse_status=486)):
        await desk.order("order-1", **ORDER)
        assert await desk.wait_answer() == "none"
    assert desk.states == ["ringing", "busy"]


async def test_a_line_that_dies_while_it_rings_somebody_says_so_when_it_is_back(ordering):
    desk, edge, node = ordering
    async with running_phone(PhonePlan(f"127.0.0.1:{edge.sip[1]}", USER, PASSWORD, answer_after_s=None)) as phone:
        call = (await desk.order("order-1", **ORDER))["call"]
        await phone.wait_for("ringing")
        node.signal(signal.SIGKILL)
        await node.exit_code()
        await node.stop()
        await node.start()
        assert await desk.wait_answer() == "lost"
    answers = [r for r in desk.records if r["kind"] == "person.answer"]
    assert [(r["call"], r["body"]["to_staff"]) for r in answers] == [(call, ORDER["to_staff"])]
    assert answers[0]["body"]["zh"] == f"电话通知{ORDER['to_staff']}：线路中断，再次呼叫。"


@pytest.mark.parametrize("ordering", [{"CALLCENTER_LINE__CALLERS_PER_LINE": "4"}], indirect=True)
async def test_legs_are_kept_for_callers_and_that_is_no_answer_of_the_persons(ordering):
    desk, _, _ = ordering
    assert await desk.order("order-1", **ORDER) == {"ok": False, "error": "telephony.no_leg"}
    assert not desk.records, "nothing is written of a person who was not rung"


async def test_without_a_voice_the_person_is_rung_all_the_same(ordering):
    desk, edge, node = ordering
    (node.var / "run" / "speech.sock").unlink()
    async with running_phone(PhonePlan(f"127.0.0.1:{edge.sip[1]}", USER, PASSWORD, keys="1")) as phone:
        assert (await desk.order("order-1", **ORDER))["ok"]
        await phone.wait_for("heard")
        assert await desk.wait_answer() == "accepted"
    assert desk.states[:2] == ["ringing", "answered"]


async def test_a_bad_order_is_refused_with_its_reason(ordering):
    desk, _, _ = ordering
    assert await desk.order("order-2", command="dial", to="8899") == {"ok": False, "error": "line.bad_dial"}
    assert await desk.order("order-3", command="dance") == {"ok": False, "error": "line.command_unknown"}
