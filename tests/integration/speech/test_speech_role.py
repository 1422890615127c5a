"""The speech role as the launcher starts it."""

import asyncio
import contextlib
import json
import os
import shutil
import signal
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from websockets.asyncio.client import connect

from callcenter.errors import SpeechError
from callcenter.speech.services import SpeechServices

ROOT = Path(__file__).parents[3]


@dataclass
class Role:
    """A running role and what it told."""

    process: asyncio.subprocess.Process
    var: Path

    async def told(self, event: str) -> dict[str, Any]:
        """The next message of a kind."""
        assert self.process.stdout is not None
        async with asyncio.timeout(60):
            while line := await self.process.stdout.readline():
                message: dict[str, Any] = json.loads(line)
                if message["event"] == event:
                    return message
        raise AssertionError(f"the role ended without {event!r}")

    async def logged(self, event: str) -> None:
        """Wait for a log line."""
        assert self.process.stderr is not None
        async with asyncio.timeout(60):
            while event.encode() not in await self.process.stderr.readline():
                continue

    @property
    def socket(self) -> Path:
        return self.var / "run" / "speech.sock"


@contextlib.asynccontextmanager
async def start(folder: Path, settings: str = "") -> AsyncIterator[Role]:
    config = folder / "callcenter.toml"
    config.write_text(f'[node]\nvar_dir = "{folder}/var"\n[speech]\nport = 0\n{settings}', encoding="utf-8")
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "callcenter.speech", "--config", str(config),
        stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.PIPE, cwd=ROOT,
    )  # fmt: skip
    try:
        yield Role(process, folder / "var")
    finally:
        if process.returncode is None:
            process.kill()
        await process.wait()


async def test_it_serves_and_drains(tmp_path: Path, speech: bytes) -> None:
    async with start(tmp_path) as role:
        ready = await role.told("ready")
        port = ready["ports"]["transcribe"]
        found = json.loads((role.var / "run" / "speech.json").read_text())
        assert found == {"pid": role.process.pid, "ports": {"transcribe": port}}
        assert role.socket.stat().st_mode & 0o777 == 0o600
        await role.told("alive")

        async with SpeechServices(role.socket, answer_within_s=10) as services:
            told = await services.understand("三号楼二单元一一零二水管爆了水喷得到处都是", site="xingfu")
            assert (told.category.value, told.urgency.value, told.by) == ("water_leak", "emergency", "model")
            assert str(told.place) == "3号楼2单元1102室"
            assert (await services.say("您好"))[:4] == b"RIFF"
            with pytest.raises(SpeechError, match="at most"):
                await services.say("好" * 3000)
            with pytest.raises(SpeechError, match="did not answer"):
                await services.say("您好" * 200, within_s=0.001)

        async with connect(f"ws://127.0.0.1:{port}") as live:
            await live.send(speech[:3200])
            await live.recv()
            role.process.send_signal(signal.SIGTERM)
            for at in range(3200, len(speech), 3200):
                await live.send(speech[at : at + 3200])
                await live.recv()
            await live.send('{"eof" : 1}')
            assert json.loads(await live.recv())["text"]
        async with asyncio.timeout(20):
            assert await role.process.wait() == 0


async def test_a_second_signal_ends_it_at_once(tmp_path: Path, speech: bytes) -> None:
    async with start(tmp_path) as role:
        port = (await role.told("ready"))["ports"]["transcribe"]
        async with connect(f"ws://127.0.0.1:{port}") as live:
            await live.send(speech[:3200])
            await live.recv()
            role.process.send_signal(signal.SIGTERM)
            await role.logged("draining")
            role.process.send_signal(signal.SIGTERM)
            async with asyncio.timeout(20):
                assert await role.process.wait() == 0
            await live.wait_closed()
            assert live.close_code == 1012


async def refusal(folder: Path, settings: str) -> str:
    async with start(folder, settings) as role:
        out, err = await role.process.communicate()
        assert role.process.returncode == 78
        assert b'"ready"' not in out
        assert not role.socket.exists()
        return err.decode().splitlines()[-1]


async def test_a_missing_model_is_one_sentence_before_anything_listens(tmp_path: Path) -> None:
    told = await refusal(tmp_path, 'model = "no-such-model"\n')
    assert told.startswith("speech: ")
    assert "no-such-model" in told
    assert "callcenter model" in told


async def test_a_damaged_model_is_one_sentence(tmp_path: Path) -> None:
    copy = tmp_path / "model"
    shutil.copytree(ROOT / "models" / "builtin-zh-8k", copy)
    network = copy / "am" / "final.mdl"
    os.truncate(network, 1000)
    assert "damaged" in await refusal(tmp_path, f'model = "{copy}"\n')


async def test_a_model_of_another_language_is_one_sentence(tmp_path: Path) -> None:
    told = await refusal(tmp_path, '[line]\ndialplans = { "*" = "hotline.en" }\n')
    assert "en" in told
    assert "callcenter model" in told


async def test_no_answer_is_a_retryable_error(tmp_path: Path) -> None:
    async with SpeechServices(tmp_path / "none.sock") as services:
        with pytest.raises(SpeechError) as away:
            await services.understand("你好")
        assert away.value.retryable
