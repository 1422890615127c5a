"""The launcher: order, restarts, the watch-dog, draining, and ends that leave nobody behind."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path

import psutil  # type: ignore[import-untyped]
import pytest

from callcenter.errors import CallCenterError, ConfigError
from callcenter.serve import Launcher, Role, child, launcher
from callcenter.serve.child import TRANSITIONS, Child, ChildState
from callcenter.serve.show import where_to_look
from tests.harness.scripted import Scripted


async def test_stages_start_in_order_and_end_in_order(tmp_path: Path) -> None:
    house = Scripted(tmp_path)
    await house.launcher.start()
    assert house.launcher.ready
    state = json.loads(house.launcher.state_file.read_text(encoding="utf-8"))
    assert {name: role["state"] for name, role in state["roles"].items()} == dict.fromkeys(
        ["speech", "desk", "line-1", "line-2", "edge"], "ready"
    )
    await house.launcher.drain()
    written = house.written()
    starts = [line.split()[0] for line in written if line.endswith("start")]
    assert set(starts[:2]) == {"speech", "desk"}
    assert set(starts[2:4]) == {"line-1", "line-2"}
    assert starts[4] == "edge"
    stops = [line.split()[0] for line in written if line.endswith("stop1")]
    assert stops[0] == "edge"
    assert set(stops[1:3]) == {"line-1", "line-2"}
    assert stops[3:] == ["speech", "desk"]
    assert all(child.state is ChildState.STOPPED for child in house.launcher.children.values())
    assert not house.launcher.state_file.exists()


async def test_a_role_that_dies_comes_back_and_takes_nobody_along(tmp_path: Path) -> None:
    house = Scripted(tmp_path)
    await house.launcher.start()
    before = {name: role.pid for name, role in house.launcher.children.items()}
    pid = before["line-1"]
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    exited = await house.seen("line-1", "exited")
    assert exited.body["status"] == -signal.SIGKILL
    await house.seen("line-1", "ready", 2)
    after = {name: role.pid for name, role in house.launcher.children.items()}
    assert after.pop("line-1") != before.pop("line-1")
    assert after == before
    await house.launcher.drain()


async def test_a_role_that_dies_before_it_is_ready_is_tried_again(tmp_path: Path) -> None:
    house = Scripted(tmp_path, speech="crash-once")
    await house.launcher.start()
    assert house.launcher.ready
    assert house.launcher.children["speech"].restarts == 1
    await house.launcher.drain()


async def test_the_house_goes_on_without_a_role_that_keeps_dying(tmp_path: Path) -> None:
    house = Scripted(tmp_path, speech="crash")
    await house.launcher.start()
    assert not house.launcher.ready
    states = {name: role.state for name, role in house.launcher.children.items()}
    assert states.pop("speech") is not ChildState.READY
    assert set(states.values()) == {ChildState.READY}
    delays = [e.body["again_in_s"] for e in house.events if e.role == "speech" and e.kind == "exited"]
    assert delays[:3] == [0.1, 0.2, 0.4]
    assert house.events[-1].role != "speech" or "no good" in str(house.events)
    await house.launcher.drain()


async def test_where_to_look_is_told_and_what_is_not_up(tmp_path: Path) -> None:
    house = Scripted(tmp_path, speech="crash")
    await house.launcher.start()
    told = where_to_look(house.launcher)
    await house.launcher.drain()
    assert "The hotline is up in part" in told
    assert "sip:hotline@127.0.0.1:5071  (2 路 lines, 4 方 callers, Kamailio)" in told
    assert "Not ready  speech (still being tried" in told
    assert str(house.launcher.state_file) in told
    assert "Ctrl-C" in told


async def test_what_a_person_must_mend_stops_the_start_with_its_message(tmp_path: Path) -> None:
    house = Scripted(tmp_path, speech="fatal")
    with pytest.raises(ConfigError, match="no such model: x — choose one of the catalogue") as caught:
        await house.launcher.start()
    assert caught.value.code == "serve.role_failed"
    assert [e for e in house.events if e.role == "line-1"] == []
    assert all(c.pid is None for c in house.launcher.children.values())
    again = Scripted(tmp_path)
    await again.launcher.start()  # the locks were given back
    await again.launcher.drain()


async def test_a_hung_role_is_killed_and_started_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(child, "ALIVE_TIMEOUT_S", 5.0)
    house = Scripted(tmp_path, line_2="hang-once")
    await house.launcher.start()
    assert (await house.seen("line-2", "hung")).body["silent_s"] >= 5.0
    await house.seen("line-2", "ready", 2)
    assert not [e for e in house.events if e.kind == "hung" and e.role != "line-2"]
    await house.launcher.drain()


async def test_noise_on_the_pipes_is_survived(tmp_path: Path) -> None:
    house = Scripted(tmp_path, desk="noisy")
    await house.launcher.start()
    assert house.launcher.ready
    await house.launcher.drain()


async def test_a_full_disk_keeps_nothing_from_starting_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the state file nor the log can be written: roles are heard, started again and ended all the same."""
    house = Scripted(tmp_path, desk="noisy")
    await house.launcher.start()
    house.launcher.state_file.with_suffix(".tmp").symlink_to("/dev/full")
    with Path("/dev/full").open("w", encoding="utf-8") as full:  # noqa: ASYNC230 - opening it takes no time
        monkeypatch.setattr(sys, "stderr", full)
        for name in ("line-1", "desk"):
            pid = house.launcher.children[name].pid
            assert pid is not None
            os.kill(pid, signal.SIGKILL)
            await house.seen(name, "ready", 2)
        running = asyncio.create_task(house.launcher.run())
        house.launcher.signal()
        await asyncio.wait_for(running, 30)
        monkeypatch.undo()
        with contextlib.suppress(OSError):
            full.close()
    assert all(role.state is ChildState.STOPPED for role in house.launcher.children.values())


async def test_a_role_that_cannot_be_started_just_now_is_tried_again(tmp_path: Path) -> None:
    house = Scripted(tmp_path)
    await house.launcher.start()
    line = house.launcher.children["line-1"]
    good, line.spec = line.spec, replace(line.spec, argv=(str(tmp_path / "no-such-program"),))
    assert line.pid is not None
    os.kill(line.pid, signal.SIGKILL)
    exited = await house.seen("line-1", "exited", 3)
    assert exited.body["status"] == os.EX_OSERR
    assert "could not be started" in exited.body["said"]
    line.spec = good
    await house.seen("line-1", "ready", 2)
    await house.launcher.drain()


async def test_draining_waits_for_a_line_and_a_second_signal_hurries_it(tmp_path: Path) -> None:
    house = Scripted(tmp_path, line_1="two-signals")
    await house.launcher.start()
    running = asyncio.create_task(house.launcher.run())
    house.launcher.signal()
    written = await house.noted("line-2 end")
    assert "line-1 stop1" in written
    assert "line-1 end" not in written
    assert not [line for line in written if line.startswith("desk stop")], "the desk outlives the lines"
    house.launcher.signal()
    async with asyncio.timeout(launcher.END_S + 5):
        await running
    assert "line-1 end" in house.written()


async def test_whoever_ignores_both_signals_is_killed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "END_S", 1.0)
    house = Scripted(tmp_path, line_1="deaf", desk="deaf")
    await house.launcher.start()
    pids = [c.pid for c in house.launcher.children.values()]
    await house.launcher.hurry()
    assert not [pid for pid in pids if pid and psutil.pid_exists(pid)]


async def test_children_die_with_a_launcher_that_is_killed(tmp_path: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "tests.harness.scripted", str(tmp_path), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    children = [psutil.Process(int(pid)) for pid in (await process.stdout.readline()).split()]
    assert len(children) == 5
    process.kill()
    await process.wait()
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, 10)
    assert not alive


async def test_a_role_whose_children_hold_its_pipes_comes_back(tmp_path: Path) -> None:
    house = Scripted(tmp_path, line_1="parent")
    await house.launcher.start()
    pid = house.launcher.children["line-1"].pid
    assert pid is not None
    (orphan,) = psutil.Process(pid).children()
    os.kill(pid, signal.SIGKILL)
    await house.seen("line-1", "ready", 2)
    assert not orphan.is_running() or orphan.status() == psutil.STATUS_ZOMBIE, "what it left was ended"
    await house.launcher.drain()


async def test_a_second_start_on_the_same_folder_is_refused(tmp_path: Path) -> None:
    house = Scripted(tmp_path)
    await house.launcher.start()
    with pytest.raises(ConfigError, match=rf"already runs on this folder \(process {os.getpid()}\)"):
        await Scripted(tmp_path).launcher.start()
    with pytest.raises(ConfigError, match="role desk already runs"):
        await Launcher(house.settings, {Role.DESK}, plan=house.launcher.plan).start()
    assert house.launcher.ready, "the first one goes on"
    await house.launcher.drain()


async def test_states_change_only_as_the_table_says(tmp_path: Path) -> None:
    spec = Scripted(tmp_path).launcher.plan.specs[0]
    role = Child(spec, lambda _: None, lambda _, __: None)
    with pytest.raises(CallCenterError, match="may not become ready"):
        role._change(ChildState.READY)
    assert set(TRANSITIONS) == set(ChildState)
