"""Decoding a recording afterwards, or the rest of one, with the chunks a live call would have sent."""

from __future__ import annotations

import asyncio
import contextlib
import json
import wave
from array import array
from pathlib import Path

from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import WebSocketException

from callcenter.errors import SpeechError
from callcenter.speech.client import CONNECT_TIMEOUT_S, SEND_EVERY_MS
from callcenter.speech.events import Final, final_from


def read_channel(path: Path, channel: int = 0, from_ms: int = 0) -> tuple[bytes, int]:
    """16-bit samples of one channel from `from_ms` on, and the sample rate. WAV, or FLAC and others by soundfile."""
    try:
        if path.suffix.lower() == ".wav":
            with wave.open(str(path)) as file:
                if file.getsampwidth() != 2:
                    raise SpeechError("file.format", "not 16-bit", where=str(path), mend="convert it to 16-bit PCM")
                rate, channels = file.getframerate(), file.getnchannels()
                file.setpos(min(file.getnframes(), rate * from_ms // 1000))
                samples = array("h", file.readframes(file.getnframes()))
            picked = samples[channel::channels] if channel < channels else array("h")
        else:
            import soundfile

            data, rate = soundfile.read(str(path), dtype="int16", always_2d=True)
            channels = data.shape[1]
            picked = array("h", data[rate * from_ms // 1000 :, min(channel, channels - 1)].tobytes())
    except (OSError, EOFError, wave.Error, RuntimeError) as error:
        raise SpeechError("file.unreadable", "not an audio file that can be read", where=str(path)) from error
    if channel >= channels:
        raise SpeechError("file.channel", f"has {channels} channels, there is no {channel}", where=str(path))
    return picked.tobytes(), int(rate)


async def transcribe_pcm(url: str, pcm: bytes, sample_rate_hz: int = 8000, offset_ms: int = 0) -> tuple[Final, ...]:
    """All utterances of `pcm` by the transcriber at `url`, as fast as it takes them; times start at `offset_ms`."""
    finals: list[Final] = []
    until_ms = offset_ms + len(pcm) * 1000 // (2 * sample_rate_hz)
    try:
        async with connect(url, compression=None, max_queue=None, proxy=None, open_timeout=CONNECT_TIMEOUT_S) as server:
            config = {"sample_rate": sample_rate_hz, "words": True, "replies": "news"}
            await server.send(json.dumps({"config": config}))
            sending = asyncio.create_task(_send_all(server, pcm, sample_rate_hz))
            try:
                async for message in server:
                    told = json.loads(message)
                    if "error" in told:
                        raise SpeechError("client.refused", str(told["error"]), retryable=True)
                    if told.get("text") or told.get("alternatives"):
                        finals.append(final_from(told, offset_ms, until_ms))
            finally:
                finished = sending.done()
                sending.cancel()
                with contextlib.suppress(asyncio.CancelledError, WebSocketException):
                    await sending
            if not finished:
                raise SpeechError("client.lost", "the transcriber closed the stream early", retryable=True)
    except (OSError, TimeoutError, WebSocketException, ValueError) as error:
        raise SpeechError("client.lost", "the transcriber was lost", where=url, retryable=True) from error
    return tuple(f for f in finals if f.text)


async def _send_all(server: ClientConnection, pcm: bytes, sample_rate_hz: int) -> None:
    step = sample_rate_hz * SEND_EVERY_MS // 1000 * 2
    for at in range(0, len(pcm), step):
        await server.send(pcm[at : at + step])
    await server.send('{"eof" : 1}')


async def transcribe_file(url: str, path: Path, *, channel: int = 0, from_ms: int = 0) -> tuple[Final, ...]:
    """All utterances of one channel of a recording from `from_ms` on; times are the recording's.

    Raises SpeechError: `file.*` for the file, `client.*` (`retryable`) for the transcriber.
    """
    pcm, rate = await asyncio.to_thread(read_channel, path, channel, from_ms)
    return await transcribe_pcm(url, pcm, rate, from_ms)
