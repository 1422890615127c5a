"""What the transcriber costs beside bare libvosk, and what a live call feels while 200 connections open.

The real role (`python -m callcenter.speech`) in its own process, eight streams at real pace in 20 ms messages; bare
libvosk in its own process, the same audio, chunks and pace.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import connect

from callcenter.config import ROOT, load_settings
from callcenter.speech.say import synthesise

LIMITS = {"transcriber_cpu_ratio": ("<=", 1.15), "live_delay_storm_p99_ms": ("<=", 250.0)}
STREAMS = 8
FRAME = 320
FRAME_S = 0.02
CONNECTIONS = 200
TEXT = (
    "你好，我是三号楼二单元一一零二的业主，我姓王。我家厨房的水管从昨天晚上开始漏水，现在地板都湿了，麻烦你们派个师傅来看一下。"
    "我的电话是幺三八零零幺三八零零零。还有楼道里的灯也不亮了，晚上回家看不见路，老人容易摔倒。"
)  # fmt: skip


def _cpu_s(pid: int) -> float:
    """User and system time of all threads of a process so far."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _speech() -> bytes:
    return synthesise(TEXT, voice="f5") + bytes(2 * 8000)


@contextlib.contextmanager
def _role(folder: Path) -> Iterator[tuple[int, int]]:
    """The speech role on a free port: its process id and port."""
    config = folder / "bench.toml"
    config.write_text(f'[node]\nvar_dir = "{folder}"\n[speech]\nport = 0\nmax_streams = 128\n')
    role = subprocess.Popen(
        [sys.executable, "-m", "callcenter.speech", "--config", str(config)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    )
    try:
        assert role.stdout is not None
        for line in role.stdout:
            told = json.loads(line)
            if told["event"] == "ready":
                break
        else:
            raise RuntimeError("the speech role did not start")
        drain = subprocess.Popen(["cat"], stdin=role.stdout, stdout=subprocess.DEVNULL)
        yield role.pid, int(told["ports"]["transcribe"])
    finally:
        role.terminate()
        role.wait(timeout=20)
        with contextlib.suppress(UnboundLocalError):
            drain.wait(timeout=5)


async def _paced(pcm: bytes) -> Any:
    begun = time.monotonic()
    for number, at in enumerate(range(0, len(pcm), FRAME)):
        wait = begun + number * FRAME_S - time.monotonic()
        if wait > 0:
            await asyncio.sleep(wait)
        yield pcm[at : at + FRAME]


async def _stream(port: int, pcm: bytes, late_s: float) -> str:
    """One stream as our client sends it, except that every 20 ms frame is a message of its own; returns its text."""
    await asyncio.sleep(late_s)
    texts: list[str] = []
    async with connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None) as server:
        await server.send(json.dumps({"config": {"sample_rate": 8000, "replies": "news"}}))

        async def receive() -> None:
            async for message in server:
                told = json.loads(message)
                if told.get("text"):
                    texts.append(told["text"])

        receiving = asyncio.create_task(receive())
        async for frame in _paced(pcm):
            await server.send(frame)
        await server.send('{"eof" : 1}')
        await receiving
    return " ".join(texts)


async def _streams(port: int, pcm: bytes) -> list[str]:
    return await asyncio.gather(*(_stream(port, pcm, n * FRAME_S / STREAMS) for n in range(STREAMS)))


def bare(file: str) -> None:
    """Child: bare libvosk over `file`, eight recognizers, 20 ms chunks, real pace. Prints CPU seconds."""
    import vosk

    from callcenter.speech.models import checked_model_folder
    from callcenter.speech.recognition import load_model

    pcm = Path(file).read_bytes()
    model = load_model(checked_model_folder(load_settings()))
    recognizers = [vosk.KaldiRecognizer(model.handle, 8000.0) for _ in range(STREAMS)]
    for recognizer in recognizers:
        recognizer.SetWords(True)
    begun, used = time.monotonic(), time.process_time()
    for number, at in enumerate(range(0, len(pcm), FRAME)):
        wait = begun + number * FRAME_S - time.monotonic()
        if wait > 0:
            time.sleep(wait)
        for recognizer in recognizers:
            if recognizer.AcceptWaveform(pcm[at : at + FRAME]):
                recognizer.Result()
    for recognizer in recognizers:
        recognizer.FinalResult()
    print(time.process_time() - used)


async def _one_of_storm(port: int, pcm: bytes) -> bool:
    try:
        async with connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None, open_timeout=30) as server:
            await server.send(json.dumps({"config": {"sample_rate": 8000}}))
            await server.send(pcm[:3200])
            told = json.loads(await server.recv())
            return "error" not in told
    except OSError:
        return False


async def _storm(port: int, pcm: bytes) -> int:
    return sum(await asyncio.gather(*(_one_of_storm(port, pcm) for _ in range(CONNECTIONS))))


def storm(port: str, file: str) -> None:
    """Child: opens 200 connections at once, each with audio; prints how many were served and how long it took."""
    pcm = Path(file).read_bytes()
    begun = time.monotonic()
    served = asyncio.run(_storm(int(port), pcm))
    print(json.dumps({"served": served, "took_s": time.monotonic() - begun}))


async def _live(port: int, pcm: bytes, during: asyncio.Event, over: asyncio.Event) -> tuple[list[float], list[float]]:
    """Reply delays (ms) of a live lock-step stream before the storm and during it."""
    calm: list[float] = []
    stormy: list[float] = []
    async with connect(f"ws://127.0.0.1:{port}", compression=None, proxy=None) as server:
        await server.send(json.dumps({"config": {"sample_rate": 8000}}))
        frames = [pcm[at : at + FRAME] for at in range(0, len(pcm) - FRAME, FRAME)]
        number, begun, after = 0, time.monotonic(), 0
        while after < 50:
            wait = begun + number * FRAME_S - time.monotonic()
            if wait > 0:
                await asyncio.sleep(wait)
            sent = time.monotonic()
            await server.send(frames[number % len(frames)])
            await server.recv()
            (stormy if during.is_set() else calm).append((time.monotonic() - sent) * 1000)
            number += 1
            after += over.is_set()
            if number == 150:
                during.set()
    return calm, stormy


async def _under_storm(port: int, pcm: bytes, file: Path) -> dict[str, float]:
    during, over = asyncio.Event(), asyncio.Event()
    live = asyncio.create_task(_live(port, pcm, during, over))
    await during.wait()
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "bench.transcriber", "storm", str(port), str(file), stdout=subprocess.PIPE, cwd=ROOT
    )
    out, _ = await child.communicate()
    over.set()
    calm, stormy = await live
    told = json.loads(out)
    return {
        "live_delay_p99_ms": _percentile(calm, 0.99),
        "live_delay_storm_p50_ms": _percentile(stormy, 0.5),
        "live_delay_storm_p99_ms": _percentile(stormy, 0.99),
        "live_delay_storm_max_ms": round(max(stormy), 1),
        "storm_served": told["served"],
        "storm_s": round(told["took_s"], 2),
    }


def _percentile(values: list[float], share: float) -> float:
    return round(sorted(values)[min(len(values) - 1, int(len(values) * share))], 1)


def run() -> dict[str, Any]:
    """Figures of the transcriber."""
    with tempfile.TemporaryDirectory(prefix="bench-") as name:
        folder = Path(name)
        pcm = _speech()
        file = folder / "speech.pcm"
        file.write_bytes(pcm)
        audio_s = STREAMS * len(pcm) / 16000
        alone = [sys.executable, "-m", "bench.transcriber", "bare", str(file)]
        bare_s = [float(subprocess.run(alone, capture_output=True, check=True, text=True, cwd=ROOT).stdout)]
        with _role(folder) as (pid, port):
            asyncio.run(_stream(port, pcm[:32000], 0))
            before = _cpu_s(pid)
            texts = asyncio.run(_streams(port, pcm))
            ours_s = _cpu_s(pid) - before
            delays = asyncio.run(_under_storm(port, pcm, file))
        bare_s.append(float(subprocess.run(alone, capture_output=True, check=True, text=True, cwd=ROOT).stdout))
    if len(set(texts)) != 1 or not texts[0]:
        raise RuntimeError("the same audio was heard differently by streams side by side")
    bare_mean = sum(bare_s) / len(bare_s)
    return {
        "transcriber_cpu_ratio": round(ours_s / bare_mean, 3),
        "cpu_per_audio_s": round(ours_s / audio_s, 4),
        "bare_cpu_per_audio_s": round(bare_mean / audio_s, 4),
        "streams": STREAMS,
        **delays,
    }


if __name__ == "__main__":
    if sys.argv[1] == "bare":
        bare(sys.argv[2])
    else:
        storm(sys.argv[2], sys.argv[3])
