"""Starts the roles in order, keeps them running, and ends them in order."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from callcenter.config import Settings
from callcenter.edge.lines import remote_lines
from callcenter.edge.render import check_settings
from callcenter.edge.trunks import check_trunks
from callcenter.errors import CallCenterError, ConfigError
from callcenter.log import STDERR, get_logger
from callcenter.serve.child import Child, ChildState, Event
from callcenter.serve.lock import hold_roles
from callcenter.serve.plan import Plan, Role, RoleSpec, make_plan
from callcenter.serve.ports import check_ports
from callcenter.speech.models import checked_model_folder

log = get_logger("serve")

STAGE_PATIENCE_S = 150.0
"""A stage that is not ready by then no longer keeps the next one from starting."""
EDGE_ALONE_S = 10.0
"""An edge is ready when it sees a line; with none of ours up there is little to wait for."""
EDGE_CLOSES_S = 2.0
"""For the edge to say that it refuses new calls, before the lines are told to drain."""
END_S = 5.0
"""From the second signal to the end of everything."""

Listener = Callable[[Event], None]


class Launcher:
    """A house (or some of its roles) on this machine.

    `start` returns when every stage is ready or has given up waiting; `drain` ends it in peace, `hurry` within
    5 s; `run` waits for the end. Raises CallCenterError before anything starts when it cannot work: a port in
    use, a second start on the same folder, a demanded Kamailio or a speech model that is missing.
    """

    def __init__(
        self,
        settings: Settings,
        roles: Iterable[Role] | None = None,
        *,
        config: Path | None = None,
        listener: Listener | None = None,
        plan: Plan | None = None,
    ) -> None:
        self.settings = settings
        self.roles = frozenset(roles) if roles is not None else frozenset(Role)
        self.plan = plan or make_plan(settings, self.roles, config)
        self.children: dict[str, Child] = {}
        self.notices: list[str] = []
        """What roles asked to be shown to a person; kept in memory alone (a first password is among them)."""
        self._listeners: list[Listener] = [listener] if listener else []
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._held = contextlib.ExitStack()
        self._closing = asyncio.Event()
        self._ending: asyncio.Task[None] | None = None
        self._hurry = asyncio.Event()
        self._started_at = datetime.now(UTC)
        self._draining: set[str] = set()

    # -- what it tells ------------------------------------------------------------------------------------------

    def listen(self, listener: Listener) -> None:
        """Call `listener` in the event loop for every event of a child from now on."""
        self._listeners.append(listener)

    @property
    def closing(self) -> bool:
        """It was told to end."""
        return self._closing.is_set()

    @property
    def ready(self) -> bool:
        """Every child is ready now."""
        return len(self.children) == len(self.plan.specs) and all(
            child.state is ChildState.READY for child in self.children.values()
        )

    def ports(self, role: str) -> dict[str, int]:
        """Ports that `role` (`edge`, `line-1`) said it listens on; empty while it has said nothing."""
        child = self.children.get(role)
        return dict(child.ports) if child else {}

    @property
    def sip_address(self) -> str | None:
        """Where a call goes in: `host:port` of the edge, in direct mode of line 1; None when neither runs here."""
        direct = self.plan.edge_mode == "direct"
        port = self.ports("line-1" if direct else "edge").get("sip")
        if port is None:
            return None
        host = self.settings.edge.bind_host
        if direct and not (host.is_loopback or self.settings.edge.direct_bind_any):
            return f"127.0.0.1:{port}"
        return f"{host}:{port}"

    @property
    def desk_url(self) -> str | None:
        """Address of the pages; None when no desk runs here."""
        port = self.ports("desk").get("https") or self.ports("desk").get("http")
        if port is None:
            return None
        scheme = "http" if self.settings.desk.tls == "off" else "https"
        return self.settings.desk.public_url or f"{scheme}://{self.settings.desk.bind_host}:{port}"

    @property
    def state_file(self) -> Path:
        """`run_dir/serve.json`, or `serve-<roles>.json` when only some roles run."""
        if self.roles == frozenset(Role):
            return self.settings.run_dir / "serve.json"
        return self.settings.run_dir / f"serve-{'+'.join(sorted(self.roles))}.json"

    def _write_state(self) -> None:
        """What runs, for `doctor` and for people; holds nothing secret."""
        state: dict[str, Any] = {
            "pid": os.getpid(),
            "started_at": self._started_at.isoformat(),
            "edge_mode": self.plan.edge_mode,
            "ready": self.ready,
            "roles": {
                name: {"state": str(c.state), "pid": c.pid, "ports": c.ports, "restarts": c.restarts}
                for name, c in self.children.items()
            },
        }
        temporary = self.state_file.with_suffix(".tmp")
        try:
            temporary.write_text(json.dumps(state, indent=1), encoding="utf-8")
            temporary.replace(self.state_file)
        except OSError as error:  # a full disk must not keep us from starting again what died
            log.warning("serve.state_unwritten", error=str(error))

    def _on_event(self, event: Event) -> None:
        if event.kind == "notice":
            self.notices.append(str(event.body.get("message", "")))
        elif event.kind == "draining":
            self._draining.add(event.role)
        elif event.kind == "hung":
            log.error("role.hung", child=event.role, **event.body)
        elif event.kind == "exited" and not self._closing.is_set():
            log.warning("role.died", child=event.role, **event.body)
        elif event.kind == "failed":
            log.error("role.failed", child=event.role, message=event.body.get("message"))
        elif event.kind == "ready":
            log.info("role.ready", child=event.role, ports=self.children[event.role].ports)
        self._write_state()
        for listener in self._listeners:
            listener(event)

    @staticmethod
    def _pass_log(role: str, line: str) -> None:
        STDERR.write(f"{role:>8} | {line}\n")

    # -- life ---------------------------------------------------------------------------------------------------

    async def start(self) -> None:
        """Check, lock, then start stage by stage. Raises CallCenterError, with everything ended again."""
        self._held.enter_context(hold_roles(self.settings, self.roles))
        try:
            if Role.EDGE in self.roles and self.plan.edge_mode != "direct":
                check_settings(self.settings)
                check_trunks(self.settings)
                remote_lines(self.settings)
            if Role.SPEECH in self.roles:
                await asyncio.to_thread(checked_model_folder, self.settings)
            check_ports(self.settings, self.roles, self.plan.edge_mode)
            for notice in self.plan.notices:
                log.warning("serve.notice", message=notice)
            for stage in self.plan.stages:
                if self._closing.is_set():
                    return
                await self._start_stage(stage)
        except BaseException:
            await self.hurry()
            raise

    async def _start_stage(self, stage: tuple[RoleSpec, ...]) -> None:
        children = [Child(spec, self._on_event, self._pass_log) for spec in stage]
        for child in children:
            self.children[child.spec.name] = child
            self._tasks[child.spec.name] = asyncio.create_task(child.run(), name=child.spec.name)
        lines = self._of(Role.LINE)
        hopeless = stage[0].role is Role.EDGE and lines and all(c.state is not ChildState.READY for c in lines)
        patience_s = EDGE_ALONE_S if hopeless else STAGE_PATIENCE_S
        waits = {asyncio.create_task(child.settled.wait()) for child in children}
        try:
            async with asyncio.timeout(patience_s):
                while waits and not any(child.state is ChildState.FAILED for child in children):
                    # `settled` is set as well when a child is told to end.
                    _, waits = await asyncio.wait(waits, return_when=asyncio.FIRST_COMPLETED)
        except TimeoutError:
            late = [child.spec.name for child in children if not child.settled.is_set()]
            log.error("serve.stage_late", children=late, waited_s=patience_s)
        finally:
            for wait in waits:
                wait.cancel()
        failed = [child for child in children if child.state is ChildState.FAILED]
        if failed and not self._closing.is_set():
            raise ConfigError(
                "serve.role_failed", failed[0].trouble or "it gave up", where=failed[0].spec.name,
                mend="mend that and start again; `callcenter doctor` checks the machine",
            )  # fmt: skip
        for child in children:
            if child.state is not ChildState.READY and not self._closing.is_set():
                log.error("serve.goes_on_without", child=child.spec.name, failures=child.failures)

    async def run(self) -> None:
        """Wait until every child has ended: after `drain`, `hurry`, or when all have failed for good."""
        while self._tasks:
            await asyncio.wait(self._tasks.values())
            if all(task.done() for task in self._tasks.values()):
                break
        if self._ending is not None:
            await self._ending
        self._close()

    def _close(self) -> None:
        self._held.close()
        self.state_file.unlink(missing_ok=True)

    def signal(self) -> None:
        """What SIGTERM and Ctrl-C do: drain; the second time end within 5 s; the third time at once."""
        if self._hurry.is_set():
            for child in self.children.values():
                child.kill()
        elif self._closing.is_set():
            log.warning("serve.hurry", within_s=END_S)
            self._hurry.set()
        else:
            log.info("serve.drain", hint="calls in progress end in peace; once more: everything ends within 5 s")
            self._begin_end()

    def _begin_end(self) -> None:
        self._closing.set()
        if self._ending is None:
            self._ending = asyncio.create_task(self._end(), name="end")

    async def drain(self) -> None:
        """End in peace: the edge refuses new calls, lines finish theirs, then edge, speech and desk end."""
        self._begin_end()
        await self.run()

    async def hurry(self) -> None:
        """End within 5 s; lines say goodbye and finish their recordings."""
        self._hurry.set()
        await self.drain()

    def _of(self, *roles: Role) -> list[Child]:
        return [child for child in self.children.values() if child.spec.role in roles]

    async def _gone(self, children: list[Child], timeout_s: float | None) -> None:
        """Wait until these have ended, the time is over, or we are told to hurry."""
        tasks = {self._tasks[child.spec.name] for child in children if not self._tasks[child.spec.name].done()}
        hurry = asyncio.create_task(self._hurry.wait())
        try:
            deadline = None if timeout_s is None else asyncio.get_running_loop().time() + timeout_s
            while tasks and not self._hurry.is_set():
                left = None if deadline is None else deadline - asyncio.get_running_loop().time()
                if left is not None and left <= 0:
                    return
                await asyncio.wait({*tasks, hurry}, timeout=left, return_when=asyncio.FIRST_COMPLETED)
                tasks = {task for task in tasks if not task.done()}
        finally:
            hurry.cancel()

    async def _edge_closed(self, edges: list[Child]) -> None:
        loop = asyncio.get_running_loop()
        until = loop.time() + EDGE_CLOSES_S
        while loop.time() < until and not self._hurry.is_set():
            if all(c.spec.name in self._draining or c.state is ChildState.STOPPED for c in edges):
                return
            await asyncio.sleep(0.05)

    async def _end(self) -> None:
        """In peace, step by step; as soon as we are told to hurry, within END_S."""
        edges, lines = self._of(Role.EDGE), self._of(Role.LINE)
        for child in edges:
            child.drain()
        await self._edge_closed(edges)
        for child in lines:
            child.drain()
        await self._gone(lines, None)
        if not self._hurry.is_set() and lines:
            for child in edges:  # with the lines gone it has nothing to wait for
                child.drain()
        await self._gone(edges, END_S if lines else None)
        for role, patience_s in ((Role.SPEECH, 10.0), (Role.DESK, 30.0)):
            if not self._hurry.is_set():
                for child in self._of(role):
                    child.drain()
                await self._gone(self._of(role), patience_s)
        await self._end_now()

    async def _end_now(self) -> None:
        """What is left ends within END_S: lines first (they say goodbye through the edge), the desk last."""
        loop = asyncio.get_running_loop()
        until = loop.time() + END_S
        for roles, share in (({Role.LINE}, 0.6), ({Role.EDGE, Role.SPEECH}, 0.5), ({Role.DESK}, 1.0)):
            left = [child for child in self._of(*roles) if not self._tasks[child.spec.name].done()]
            if not left:
                continue
            # Signals do not queue: the second must come after the first was seen.
            for _ in range(2):
                for child in left:
                    child.drain()
                await asyncio.sleep(0.1)
            tasks = [self._tasks[child.spec.name] for child in left]
            await asyncio.wait(tasks, timeout=max(0.1, (until - loop.time()) * share))
        for child in self.children.values():
            if not self._tasks[child.spec.name].done():
                log.error("role.killed", child=child.spec.name)
                child.kill()


async def serve(
    settings: Settings,
    roles: Iterable[Role] | None = None,
    *,
    config: Path | None = None,
    listener: Listener | None = None,
    on_ready: Callable[[Launcher], None] | None = None,
) -> int:
    """Run `roles` (default: all) until SIGTERM or Ctrl-C; the exit status for the shell.

    0: ended in peace; 1: could not start (the message says why), or a role failed for good.
    """
    launcher = Launcher(settings, roles, config=config, listener=listener)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, launcher.signal)
    try:
        await launcher.start()
        if on_ready is not None and launcher.children and not launcher.closing:
            on_ready(launcher)
        await launcher.run()
    except CallCenterError as error:
        sys.stderr.write(f"callcenter serve: {error}\n")
        return 1
    finally:
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.remove_signal_handler(number)
    return 1 if any(child.state is ChildState.FAILED for child in launcher.children.values()) else 0
