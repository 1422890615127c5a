"""The transcriber as its clients see it: vosk-server's protocol over real libvosk."""

import asyncio
import contextlib
import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import websockets
from transcriber_node import Node, Nodes
from websockets.asyncio.client import ClientConnection

from callcenter.errors import SpeechError
from callcenter.speech.decoding import GATHER_MS, DecodingPool, Outcome
from callcenter.speech.protocol import StreamConfig
from callcenter.speech.recognition import Recognizer, SpeechModel, load_model
from callcenter.speech.transcriber import StreamConnection, Transcriber

MODEL = Path(__file__).parents[3] / "models" / "builtin-zh-8k"
CHUNK = 320
"""20 ms at 8 kHz."""


async def lock_step(url: str, pcm: bytes, chunk: int, config: dict[str, Any]) -> list[dict[str, Any]]:
    """As vosk-server's own test client: wait for a reply after every message."""
    replies = []
    async with websockets.connect(url) as ws:
        await ws.send(json.dumps({"config": config}))
        for at in range(0, len(pcm), chunk):
            await ws.send(pcm[at : at + chunk])
            replies.append(json.loads(await ws.recv()))
        await ws.send('{"eof" : 1}')
        replies.append(json.loads(await ws.recv()))
        await ws.wait_closed()
        assert ws.close_code == 1000
    return replies


def text_of(replies: list[dict[str, Any]]) -> str:
    return " ".join(r["text"] for r in replies if r.get("text"))


async def refused(url: str, *messages: str | bytes) -> tuple[dict[str, Any], int | None]:
    """The error told and the closing code."""
    async with websockets.connect(url) as ws:
        for message in messages:
            await ws.send(message)
        told = json.loads(await ws.recv())
        while "error" not in told:
            told = json.loads(await ws.recv())
        await ws.wait_closed()
        return told, ws.close_code


@pytest.mark.parametrize("chunk", [CHUNK, 8000, 3200])
async def test_a_lock_step_client_gets_one_reply_per_message_and_libvosks_words(
    node: Node, speech: bytes, bare_text: Callable[[bytes, int], str], chunk: int
) -> None:
    replies = await lock_step(node.url, speech, chunk, {"sample_rate": 8000})
    gathered = max(chunk, 8000 * 2 * GATHER_MS // 1000)
    assert len(replies) == -(-len(speech) // chunk) + 1
    assert text_of(replies) == bare_text(speech, gathered)
    assert any(r.get("partial") for r in replies)
    words = [w for r in replies for w in r.get("result", ())]
    assert [w["word"] for w in words] == text_of(replies).split()
    assert all(0 <= w["start"] <= w["end"] <= len(speech) / 16000 for w in words)


async def collect(ws: ClientConnection) -> list[dict[str, Any]]:
    return [json.loads(message) async for message in ws]


async def test_only_news_is_told_to_those_who_ask_for_it(
    node: Node, speech: bytes, bare_text: Callable[[bytes, int], str]
) -> None:
    async with websockets.connect(node.url) as ws:
        await ws.send(json.dumps({"config": {"sample_rate": 8000, "replies": "news"}}))
        for at in range(0, len(speech), CHUNK):
            await ws.send(speech[at : at + CHUNK])
        await ws.send('{"eof" : 1}')
        told = await collect(ws)
    assert told[0] == {"server": "callcenter", "flush": True}
    partials = [t["partial"] for t in told if "partial" in t]
    assert all(a != b for a, b in pairwise(partials))
    assert text_of(told) == bare_text(speech, 3200)


async def test_a_live_stream_of_small_messages_is_not_read_once_per_message(
    node: Node, speech: bytes, bare_text: Callable[[bytes, int], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    reads = 0
    read = StreamConnection.data_received

    def counted(self: StreamConnection, data: bytes) -> None:
        nonlocal reads
        reads += 1
        read(self, data)

    monkeypatch.setattr(StreamConnection, "data_received", counted)
    async with websockets.connect(node.url) as ws:
        await ws.send(json.dumps({"config": {"sample_rate": 8000, "replies": "news"}}))
        messages = range(0, len(speech), CHUNK)
        for at in messages:
            await ws.send(speech[at : at + CHUNK])
            await asyncio.sleep(0.02)
        await ws.send('{"eof" : 1}')
        told = await collect(ws)
        assert ws.close_code == 1000
    assert reads < len(messages) / 2
    assert text_of(told) == bare_text(speech, 3200)


async def test_flush_gives_the_text_now_and_the_stream_goes_on(node: Node, speech: bytes) -> None:
    async with websockets.connect(node.url) as ws:
        await ws.send(json.dumps({"config": {"sample_rate": 8000, "replies": "news"}}))
        half = len(speech) // 2 & ~1
        await ws.send(speech[:half])
        await ws.send('{"flush" : 1}')
        told = json.loads(await ws.recv())
        while not told.get("flushed"):
            told = json.loads(await ws.recv())
        assert told["text"]
        first_end = told["result"][-1]["end"]
        await ws.send(speech[half:])
        await ws.send('{"eof" : 1}')
        rest = await collect(ws)
    later = [w for t in rest for w in t.get("result", ())]
    assert later[0]["start"] >= first_end - 0.1
    assert later[-1]["end"] <= len(speech) / 16000


@pytest.mark.parametrize(
    ("message", "code"),
    [
        ('{"config": {"sample_rate": 1e9}}', "transcribe.sample_rate"),
        ('{"config": {"sample_rate": NaN}}', "transcribe.sample_rate"),
        ('{"config": {"sample_rate": 0}}', "transcribe.sample_rate"),
        ('{"config": {"sample_rate": -8000}}', "transcribe.sample_rate"),
        ('{"config": {"sample_rate": "8000"}}', "transcribe.sample_rate"),
        ('{"config": {"model": "model-en"}}', "transcribe.model"),
        ('{"config": {"phrase_list": 3}}', "transcribe.phrase_list"),
        (json.dumps({"config": {"phrase_list": ["一"] * 501}}), "transcribe.phrase_list"),
        ('{"config": {"max_alternatives": 1000000}}', "transcribe.max_alternatives"),
        ('{"config": 5}', "transcribe.config"),
        ('{"something": 1}', "transcribe.unknown"),
        ("[1]", "transcribe.not_object"),
        ("{", "transcribe.not_json"),
        ("[" * 60000, "transcribe.not_json"),
        ('{"config": "' + "x" * 70000 + '"}', "transcribe.too_long"),
    ],
)
async def test_what_cannot_be_done_is_refused_with_a_reason(node: Node, message: str, code: str) -> None:
    told, closed = await refused(node.url, message)
    assert told["code"] == code
    assert told["error"]
    assert closed == 1008


async def test_configuration_after_audio_is_refused_and_others_go_on(node: Node, speech: bytes) -> None:
    told, closed = await refused(node.url, bytes(320), '{"config": {"sample_rate": 16000}}')
    assert (told["code"], closed) == ("transcribe.config", 1008)
    assert text_of(await lock_step(node.url, speech, 3200, {"sample_rate": 8000}))


async def test_an_oversized_message_closes_with_its_code(node: Node) -> None:
    async with websockets.connect(node.url) as ws:
        await ws.send(bytes(3 << 20))
        await ws.wait_closed()
        assert ws.close_code == 1009


async def test_odd_bytes_and_no_audio_do_no_harm(node: Node, speech: bytes) -> None:
    replies = await lock_step(node.url, speech, 321, {"sample_rate": 8000})
    assert text_of(replies)
    assert text_of(await lock_step(node.url, b"", 320, {})) == ""


async def test_more_streams_than_allowed_are_told_to_come_later(nodes: Nodes, speech: bytes) -> None:
    node = await nodes.start(max_streams=1)
    async with websockets.connect(node.url) as first:
        await first.send(speech[:320])
        await first.recv()
        told, closed = await refused(node.url, speech[:320])
        assert (told["code"], closed) == ("transcribe.full", 1013)
        await first.send('{"eof" : 1}')
        await first.wait_closed()
    await node.transcriber.drain(timeout_s=5)
    assert node.transcriber.streams == 0


async def test_a_stream_far_behind_is_told_and_loses_nothing(
    nodes: Nodes, speech: bytes, bare_text: Callable[[bytes, int], str]
) -> None:
    node = await nodes.start(threads=1)
    long = speech * 4
    async with websockets.connect(node.url) as ws:
        await ws.send(json.dumps({"config": {"sample_rate": 8000, "replies": "news"}}))
        for at in range(0, len(long), CHUNK):
            await ws.send(long[at : at + CHUNK])
        await ws.send('{"eof" : 1}')
        told = await collect(ws)
    behind = [t["behind_ms"] for t in told if "behind_ms" in t]
    assert behind[0] >= 4000
    assert behind[-1] == 0
    assert text_of(told) == bare_text(long, 3200)


async def test_a_client_that_vanishes_frees_its_place(nodes: Nodes, speech: bytes) -> None:
    node = await nodes.start(max_streams=1)
    ws = await websockets.connect(node.url)
    await ws.send(speech)
    await ws.recv()
    ws.transport.abort()
    async with asyncio.timeout(10):
        while True:
            replies = None
            try:
                replies = await lock_step(node.url, speech, 3200, {})
            except (websockets.ConnectionClosed, KeyError):
                continue
            if text_of(replies):
                break
    assert text_of(replies)


async def test_streams_side_by_side_hear_their_own_words(node: Node, speech: bytes) -> None:
    alone = text_of(await lock_step(node.url, speech, 3200, {}))
    shifted = [bytes(1600 * n) + speech for n in range(6)]
    together = await asyncio.gather(*(lock_step(node.url, pcm, 3200, {}) for pcm in shifted))
    assert text_of(together[0]) == alone
    starts = [next(w for r in replies for w in r.get("result", ()))["start"] for replies in together]
    assert starts == sorted(starts)


@dataclass(frozen=True)
class SlowToMake(SpeechModel):
    """A model whose recognizers are not made before `gate` opens."""

    gate: threading.Event = field(default_factory=threading.Event)

    def recognizer(self, config: StreamConfig) -> Recognizer:
        assert self.gate.wait(60)
        return super().recognizer(config)


async def test_a_live_stream_does_not_wait_for_200_newcomers(
    model: SpeechModel, speech: bytes, bare_text: Callable[[bytes, int], str]
) -> None:
    slow = SlowToMake(model.folder, model.sample_rate_hz, model.language, model.handle)

    async def newcomer(url: str) -> bool:
        async with websockets.connect(url, open_timeout=60) as ws:
            await ws.send(json.dumps({"config": {"sample_rate": 8000}}))
            await ws.send(speech[:3200])
            connected.release()
            return "partial" in json.loads(await ws.recv())

    connected = asyncio.Semaphore(0)
    async with contextlib.AsyncExitStack() as exits:
        node = await Nodes(slow, exits).start(max_streams=256)
        exits.callback(slow.gate.set)
        async with websockets.connect(node.url) as live:
            await live.send(json.dumps({"config": {"sample_rate": 8000}}))
            slow.gate.set()
            await live.send(speech[:3200])
            replies = [json.loads(await live.recv())]
            slow.gate.clear()
            newcomers = [asyncio.create_task(newcomer(node.url)) for _ in range(200)]
            for _ in newcomers:
                await connected.acquire()
            for at in range(3200, len(speech), 3200):
                await live.send(speech[at : at + 3200])
                replies.append(json.loads(await live.recv()))
            await live.send('{"eof" : 1}')
            replies.append(json.loads(await live.recv()))
            assert not any(task.done() for task in newcomers), "they were meant to wait"
        assert text_of(replies) == bare_text(speech, 3200)
        slow.gate.set()
        assert all(await asyncio.gather(*newcomers)), "nobody is forgotten"


def test_a_stream_with_much_to_decode_does_not_keep_the_others_waiting(model: SpeechModel) -> None:
    pool = DecodingPool(model, 1)
    order: list[str] = []
    begun, go_on, done = threading.Event(), threading.Event(), threading.Event()

    def deliver(name: str, *, all_of: int) -> Callable[[Outcome], None]:
        def take(outcome: Outcome) -> None:
            assert outcome.error is None
            begun.set()
            assert go_on.wait(60)
            order.append(name)
            if len(order) == all_of:
                done.set()

        return take

    chunk, many = bytes(16 * GATHER_MS), 40
    greedy = pool.open(StreamConfig(sample_rate_hz=8000), deliver("greedy", all_of=many + 2))
    modest = pool.open(StreamConfig(sample_rate_hz=8000), deliver("modest", all_of=many + 2))
    modest.feed(chunk)
    assert begun.wait(60)
    for _ in range(many):
        greedy.feed(chunk)
    modest.feed(chunk)
    go_on.set()
    assert done.wait(60)
    pool.close()
    assert order.count("greedy") == many
    second = [n for n, name in enumerate(order) if name == "modest"][1]
    assert second <= 2, f"one turn each: {order}"


async def test_draining_takes_nobody_new(node: Node, speech: bytes) -> None:
    await node.transcriber.drain(timeout_s=5)
    told, closed = await refused(node.url, speech[:320])
    assert (told["code"], closed) == ("transcribe.draining", 1013)


async def test_a_port_in_use_is_said(node: Node, model: SpeechModel) -> None:
    pool = DecodingPool(model, 1)
    with pytest.raises(SpeechError, match=f"port {node.port} is taken"):
        await Transcriber(pool, max_streams=1).listen("127.0.0.1", node.port)
    pool.close()


async def test_an_eight_khz_model_hears_a_sixteen_khz_stream(node: Node, speech: bytes) -> None:
    import numpy as np
    import soxr

    wide = soxr.resample(np.frombuffer(speech, "<i2"), 8000, 16000).tobytes()
    narrow = text_of(await lock_step(node.url, speech, 3200, {"sample_rate": 8000}))
    assert text_of(await lock_step(node.url, wide, 6400, {"sample_rate": 16000})) == narrow


@pytest.fixture(scope="module")
def wide_model(tmp_path_factory: pytest.TempPathFactory) -> SpeechModel:
    """The built-in model told that it was trained at 16 kHz, its filters kept where they were."""
    folder = tmp_path_factory.mktemp("model") / "wide"
    shutil.copytree(MODEL, folder)
    conf = folder / "conf" / "mfcc.conf"
    text = conf.read_text().replace("--sample-frequency=8000", "--sample-frequency=16000")
    conf.write_text(text.replace("--high-freq=-200", "--high-freq=3800"))
    wide = load_model(folder)
    assert wide.sample_rate_hz == 16000
    return wide


async def test_a_sixteen_khz_model_hears_an_eight_khz_call(wide_model: SpeechModel, speech: bytes, node: Node) -> None:
    narrow = await lock_step(node.url, speech, CHUNK, {"sample_rate": 8000})
    async with contextlib.AsyncExitStack() as exits:
        wide = await Nodes(wide_model, exits).start()
        heard = await lock_step(wide.url, speech, CHUNK, {"sample_rate": 8000})
    assert text_of(heard).split()[:6] == text_of(narrow).split()[:6]
    times = [w["start"] for r in narrow for w in r.get("result", ())][:6]
    assert [w["start"] for r in heard for w in r.get("result", ())][:6] == pytest.approx(times, abs=0.1)
