"""libvosk hangs in one stream: the launcher ends the speech role and starts it again, and streams are heard."""

import asyncio
import json
import sys
from pathlib import Path

import pytest
from websockets.asyncio.client import connect

from callcenter.serve import Event, Role, child
from callcenter.serve.plan import RoleSpec

PROGRAM = Path(__file__).with_name("hanging_role.py")


@pytest.mark.parametrize("step", ["decode", "make"])
async def test_a_role_that_hangs_is_started_again(
    tmp_path: Path, speech: bytes, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    monkeypatch.setattr(child, "ALIVE_TIMEOUT_S", 5.0)
    config, mark = tmp_path / "callcenter.toml", tmp_path / "hung"
    config.write_text(f'[node]\nvar_dir = "{tmp_path}/var"\n[speech]\nport = 0\n', encoding="utf-8")
    events: asyncio.Queue[Event] = asyncio.Queue()
    log: list[str] = []

    async def told(kind: str) -> Event:
        async with asyncio.timeout(60):
            while (event := await events.get()).kind != kind:
                pass
        return event

    argv = (sys.executable, str(PROGRAM), step, str(mark), "--config", str(config))
    role = child.Child(RoleSpec("speech", Role.SPEECH, argv), events.put_nowait, lambda _, line: log.append(line))
    running = asyncio.create_task(role.run())
    try:
        port = (await told("ready")).body["ports"]["transcribe"]
        async with connect(f"ws://127.0.0.1:{port}") as stuck:
            await stuck.send(json.dumps({"config": {"replies": "news"}}))
            await stuck.send(speech[:3200])
            await told("hung")
            assert mark.exists()
            assert any("decoding_stuck" in line for line in log), "whoever reads the log learns why"
        port = (await told("ready")).body["ports"]["transcribe"]
        async with connect(f"ws://127.0.0.1:{port}") as live:
            await live.send(json.dumps({"config": {"replies": "news"}}))
            await live.send(speech)
            await live.send('{"eof" : 1}')
            assert any(json.loads(message).get("text") for message in [m async for m in live])
    finally:
        role.kill()
        await running
