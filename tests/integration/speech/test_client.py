"""The line's side of transcription, against our transcriber and against one that is only vosk-server."""

import asyncio
import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from transcriber_node import Node, Nodes
from websockets.asyncio.server import ServerConnection, serve

from callcenter.errors import SpeechError
from callcenter.speech.client import KEEP_MS, TranscriberClient, TranscriberStream
from callcenter.speech.events import Away, Back, Event, Final, Partial
from callcenter.speech.files import transcribe_file
from callcenter.speech.recognition import SpeechModel
from callcenter.speech.say import wav_of
from tests.harness.ports import free_port

FRAME = 320


def feed(stream: TranscriberStream, pcm: bytes) -> None:
    for at in range(0, len(pcm), FRAME):
        stream.feed(pcm[at : at + FRAME])


async def until(stream: TranscriberStream, kind: type[Event]) -> list[Event]:
    """Events up to and with the first of a kind."""
    seen: list[Event] = []
    async with asyncio.timeout(20):
        async for event in stream:
            seen.append(event)
            if isinstance(event, kind):
                return seen
    raise AssertionError(f"the stream ended without {kind}")


async def rest(stream: TranscriberStream) -> list[Event]:
    async with asyncio.timeout(20):
        return [event async for event in stream]


def finals(events: list[Event]) -> str:
    return "".join(e.text for e in events if isinstance(e, Final))


async def test_audio_becomes_partials_and_a_final_with_times(
    node: Node, speech: bytes, bare_text: Callable[[bytes, int], str]
) -> None:
    stream = TranscriberClient(node.url).open()
    feed(stream, speech)
    closing = asyncio.create_task(stream.close(20))
    events = await rest(stream)
    await closing
    assert finals(events) == bare_text(speech, 3200).replace(" ", "")
    final = next(e for e in events if isinstance(e, Final))
    assert 0 <= final.start_ms < final.end_ms <= len(speech) // 16
    assert [w.word for w in final.words]
    assert not stream.is_away
    assert stream.position_ms == len(speech) // 16


async def test_flush_ends_a_turn_at_once(node: Node, speech: bytes) -> None:
    stream = TranscriberClient(node.url).open()
    feed(stream, speech[: len(speech) - 16000])
    final = await stream.flush(20)
    assert final is not None
    assert final.flushed
    told = await until(stream, Final)
    assert told[-1] == final
    feed(stream, bytes(16000))
    empty = await stream.flush(20)
    assert empty is not None
    assert empty.text == ""
    assert stream.done_ms == stream.position_ms
    await stream.close()


async def test_feeding_never_waits_and_keeps_a_bounded_past(unused_port: int) -> None:
    stream = TranscriberClient(f"ws://127.0.0.1:{unused_port}").open()
    for _ in range(4 * KEEP_MS // 1000):
        feed(stream, bytes(16000))
    away = (await until(stream, Away))[-1]
    assert isinstance(away, Away)
    assert away.from_ms == 0
    assert sum(len(p) for p in stream._kept) <= KEEP_MS * 16
    assert await stream.flush() is None
    await stream.close()
    assert await rest(stream) == []


async def test_a_transcriber_that_dies_is_told_and_gets_again_what_it_had_not_finished(
    nodes: Nodes, speech: bytes, bare_text: Callable[[bytes, int], str]
) -> None:
    first = await nodes.start()
    stream = TranscriberClient(first.url).open()
    feed(stream, speech[: len(speech) // 2 & ~1])
    before = await until(stream, Partial)
    await first.transcriber.close()
    away = (await until(stream, Away))[-1]
    feed(stream, speech[len(speech) // 2 & ~1 :])
    await nodes.start(port=first.port)
    back = await until(stream, Back)
    assert isinstance(away, Away)
    assert isinstance(back[-1], Back)
    assert back[-1].from_ms == back[-1].resumes_ms == away.from_ms
    closing = asyncio.create_task(stream.close(20))
    after = await rest(stream)
    await closing
    assert finals(before + back + after) == bare_text(speech, 3200).replace(" ", "")


async def test_what_is_lost_beyond_the_kept_past_is_said(nodes: Nodes, unused_port: int, speech: bytes) -> None:
    stream = TranscriberClient(f"ws://127.0.0.1:{unused_port}").open()
    feed(stream, bytes(2 * KEEP_MS * 16))
    await until(stream, Away)
    await nodes.start(port=unused_port)
    back = (await until(stream, Back))[-1]
    assert isinstance(back, Back)
    assert back.resumes_ms >= KEEP_MS
    feed(stream, speech)
    final = await stream.flush(20)
    assert final is not None
    assert final.start_ms >= 2 * KEEP_MS - 200
    await stream.close()


async def test_a_full_transcriber_counts_as_away(nodes: Nodes, speech: bytes) -> None:
    node = await nodes.start(max_streams=1)
    first = TranscriberClient(node.url).open()
    feed(first, speech)
    await until(first, Partial)
    second = TranscriberClient(node.url).open()
    feed(second, speech)
    away = (await until(second, Away))[-1]
    assert isinstance(away, Away)
    assert "1 streams" in away.reason
    await first.close()
    await until(second, Back)
    await second.close()


async def vosk_server(model: SpeechModel, connection: ServerConnection) -> None:
    """The original's behaviour: a reply to each message, no flush, an error for text it does not know."""
    import vosk

    recognizer: Any = None
    async for message in connection:
        if isinstance(message, str):
            asked = json.loads(message)
            if "config" in asked:
                recognizer = vosk.KaldiRecognizer(model.handle, float(asked["config"]["sample_rate"]))
                recognizer.SetWords(True)
                continue
            assert "eof" in asked
            await connection.send(recognizer.FinalResult())
            return
        done = recognizer.AcceptWaveform(message)
        await connection.send(recognizer.Result() if done else recognizer.PartialResult())


async def test_any_vosk_server_can_stand_in(model: SpeechModel, speech: bytes) -> None:
    async with serve(lambda c: vosk_server(model, c), "127.0.0.1", 0) as server:
        port = next(iter(server.sockets)).getsockname()[1]
        stream = TranscriberClient(f"ws://127.0.0.1:{port}").open()
        feed(stream, speech[:-16000])
        first = await stream.flush(20)
        assert first is not None
        assert first.text
        assert first.end_ms <= stream.position_ms
        begin = stream.position_ms
        feed(stream, bytes(3200) + speech)
        second = await stream.flush(20)
        assert second is not None
        assert begin <= second.start_ms < second.end_ms <= stream.position_ms
        await stream.close()


async def test_a_recording_is_decoded_afterwards(
    node: Node, speech: bytes, tmp_path: Path, bare_text: Callable[[bytes, int], str]
) -> None:
    stereo = bytearray(2 * len(speech))
    stereo[2::4], stereo[3::4] = speech[0::2], speech[1::2]
    file = tmp_path / "call.wav"
    file.write_bytes(wav_of(bytes(stereo), 8000).replace(b"\x01\x00\x01\x00\x40\x1f", b"\x01\x00\x02\x00\x40\x1f", 1))
    whole = await transcribe_file(node.url, file, channel=1)
    assert "".join(f.text for f in whole) == bare_text(speech, 3200).replace(" ", "")
    assert await transcribe_file(node.url, file, channel=0) == ()
    later = await transcribe_file(node.url, file, channel=1, from_ms=1500)
    assert later[0].start_ms >= 1500
    assert later[-1].text[-2:] == whole[-1].text[-2:]


async def test_a_recording_that_cannot_be_read_is_said(node: Node, tmp_path: Path) -> None:
    (tmp_path / "broken.wav").write_bytes(b"RIFF")
    with pytest.raises(SpeechError, match="not an audio file"):
        await transcribe_file(node.url, tmp_path / "broken.wav")
    (tmp_path / "mono.wav").write_bytes(wav_of(bytes(3200)))
    with pytest.raises(SpeechError, match="there is no 1"):
        await transcribe_file(node.url, tmp_path / "mono.wav", channel=1)


@pytest.fixture
def unused_port() -> int:
    """A port nobody listens on."""
    return free_port(socket.SOCK_STREAM)
