"""Roles that follow a script instead of doing their work: for tests of the launcher alone."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

from callcenter.config import Settings
from callcenter.log import setup_logging
from callcenter.serve import Event, Launcher, Role
from callcenter.serve.plan import Plan, RoleSpec
from tests.harness.ports import free_rtp_first
from tests.harness.ticks import ticks

PROGRAM = """
import json, os, signal, sys, time
name, manner, diary = sys.argv[1:4]
stops = 0
def note(word):
    with open(diary, "a") as file:
        file.write(f"{name} {word}\\n")
def tell(**message):
    print(json.dumps(message), flush=True)
def stop(*_):
    global stops
    stops += 1
    note(f"stop{stops}")
    if name == "edge":
        tell(event="draining")
signal.signal(signal.SIGTERM, stop)
note("start")
starts = sum(1 for line in open(diary) if line.split() == [name, "start"])
if manner == "crash" or (manner == "crash-once" and starts == 1):
    print("no good", file=sys.stderr, flush=True); sys.exit(3)
if manner == "fatal":
    tell(event="fatal", message="speech.model: no such model: x \\u2014 choose one of the catalogue"); sys.exit(78)
if manner == "noisy":
    print("not json", flush=True); print("x" * 2_000_000, file=sys.stderr, flush=True)
if manner == "parent":
    import subprocess
    subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"])
tell(event="ready", role=name, ports={"sip": 5071})
needed = {"two-signals": 2, "deaf": 99}.get(manner, 1)
while stops < needed:
    if not (manner == "hang-once" and starts == 1):
        tell(event="alive")
    time.sleep(0.05)
note("end")
"""

NAMES = {"speech": Role.SPEECH, "desk": Role.DESK, "line-1": Role.LINE, "line-2": Role.LINE, "edge": Role.EDGE}


class Scripted:
    """A launcher over scripted roles; `manners` says how a role misbehaves."""

    def __init__(self, folder: Path, **manners: str) -> None:
        self.diary = folder / "diary"
        self.settings = Settings.model_validate(
            {
                "node": {"var_dir": folder / "var"},
                "speech": {"port": 0},
                "desk": {"port": 0},
                "edge": {"sip_port": 0},
                "line": {"rtp_port_first": free_rtp_first(2)},
            }
        )
        specs = {name: self._spec(name, manners.get(name.replace("-", "_"), "good")) for name in NAMES}
        stages = (("speech", "desk"), ("line-1", "line-2"), ("edge",))
        plan = Plan(tuple(tuple(specs[name] for name in stage) for stage in stages), "kamailio", ())
        self.events: list[Event] = []
        self._news = asyncio.Event()
        self.launcher = Launcher(self.settings, plan=plan, listener=self._listen)

    def _spec(self, name: str, manner: str) -> RoleSpec:
        argv = (sys.executable, "-c", PROGRAM, name, manner, str(self.diary))
        return RoleSpec(name, NAMES[name], argv)

    def _listen(self, event: Event) -> None:
        self.events.append(event)
        self._news.set()

    async def noted(self, line: str) -> list[str]:
        """What was noted, once `line` is among it."""
        async with asyncio.timeout(30):
            async for _ in ticks(0.02):
                if line in (written := self.written()):
                    return written
        raise AssertionError("unreachable")

    async def seen(self, role: str, kind: str, times: int = 1) -> Event:
        """The `times`-th event of this kind."""
        async with asyncio.timeout(30):
            while True:
                found = [e for e in self.events if e.role == role and e.kind == kind]
                if len(found) >= times:
                    return found[times - 1]
                self._news.clear()
                await self._news.wait()

    def written(self) -> list[str]:
        """What the roles noted, in order: `name start|stop1|stop2|end`."""
        return self.diary.read_text(encoding="utf-8").splitlines()


async def _main(folder: Path) -> None:
    setup_logging("serve")
    house = Scripted(folder)
    await house.launcher.start()
    sys.stdout.write(" ".join(str(child.pid) for child in house.launcher.children.values()) + "\n")
    sys.stdout.flush()
    await house.launcher.run()


if __name__ == "__main__":
    asyncio.run(_main(Path(sys.argv[1])))
