"""`callcenter demo`: the whole house on embedded defaults, and one resident's call from ringing to the ticket.

Everything is real: SIP and RTP through the edge, pjsua2, Vosk, PostgreSQL, the pages. It has a folder of its own
(`var/demo`), so that trying it never touches a service's calls.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import signal
import ssl
import sys
import time
from pathlib import Path
from typing import Annotated, Any

import aiohttp
import typer
from rich.console import Console

from callcenter.config import Settings, load_settings
from callcenter.errors import CallCenterError
from callcenter.log import setup_logging
from callcenter.serve.child import Event
from callcenter.serve.launcher import Launcher
from callcenter.serve.plan import Role, resolve_edge_mode
from callcenter.serve.ports import find_trouble, ports_needed
from callcenter.serve.show import where_to_look
from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, CallReport, Turn, When

CALLER = "14000001102"
"""A number of the example site's households (3号楼2单元1102室, fictitious)."""
DIALLED = "4001"
SAYS = ("你好，我家厨房水管爆了，到处都是水，三号楼二单元一一零二，快派人来", "三号楼二单元", "没有了，谢谢")
"""What the resident says, each once our side has fallen silent."""
TICKET_S = 60.0
PROGRESS = {
    "ringing": "振铃 ringing",
    "answered": "接听 answered",
    "said": "居民说话 the resident speaks",
    "gone": "挂机 hung up",
}

console = Console(stderr=True, highlight=False)


def demo_settings(settings: Settings) -> Settings:
    """`settings` for a try-out: a folder of its own, calls from this machine, free ports where the usual are taken."""
    var_dir = settings.var_dir / "demo"
    settings = settings.model_copy(
        update={
            "node": settings.node.model_copy(update={"var_dir": var_dir, "name": "demo"}),
            "edge": settings.edge.model_copy(update={"loopback_trunk": True}),
            "log": settings.log.model_copy(update={"level": "warning"}),
        }
    )
    for _ in range(20):
        settings, moved = _out_of_the_way(settings)
        if not moved:
            break
    return settings


def _out_of_the_way(settings: Settings) -> tuple[Settings, bool]:
    """`settings` with other ports where theirs are in use, and whether anything was changed."""
    needs = ports_needed(settings, frozenset(Role), resolve_edge_mode(settings))
    taken = {need.setting for need in needs if find_trouble(need) is not None}
    free = {"edge.sip_port": 0, "desk.port": 0, "speech.port": 0, "line.sip_port_first": 0}
    free["line.rtp_port_first"] = settings.line.rtp_port_first + 1000
    for setting in taken & free.keys():
        section, field = setting.split(".")
        changed = getattr(settings, section).model_copy(update={field: free[setting]})
        settings = settings.model_copy(update={section: changed})
    return settings, bool(taken & free.keys())


class Door:
    """The administrator's login of the demo, kept in its folder because the desk shows the password only once."""

    def __init__(self, settings: Settings) -> None:
        self.path = settings.var_dir / "secrets" / "demo-login"
        self.login, self.password = "admin", ""
        self.first = False
        """The password is the one the desk made, which must be changed first."""
        if self.path.is_file():
            self.login, self.password = self.path.read_text(encoding="utf-8").split("\n")[:2]

    def hear(self, event: Event) -> None:
        """Take the first password when the desk shows it."""
        if event.kind == "notice" and event.body.get("password"):
            self.login, self.password, self.first = str(event.body["login"]), str(event.body["password"]), True

    def keep(self, login: str, password: str) -> None:
        """Write the login down, for the next start."""
        self.login, self.password, self.first = login, password, False
        self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.path.touch(mode=0o600)
        self.path.write_text(f"{login}\n{password}\n", encoding="utf-8")


class Desk:
    """The desk's API, as a program of a service centre would use it."""

    def __init__(self, url: str, certificate: Path) -> None:
        self.url = url
        self.tls: ssl.SSLContext | bool = True
        if certificate.is_file():
            self.tls = ssl.create_default_context(cafile=str(certificate))
        self.http = aiohttp.ClientSession()
        self.token = ""

    async def get(self, path: str) -> Any:
        """JSON of an address of the API."""
        headers = {"Authorization": f"Bearer {self.token}"}
        async with self.http.get(f"{self.url}/api/v1{path}", headers=headers, ssl=self.tls) as answer:
            answer.raise_for_status()
            return await answer.json()

    async def log_in(self, door: Door) -> None:
        """Get a token, for a first password by changing it. Raises CallCenterError when it was changed since."""
        body, address = {"login": door.login, "password": door.password}, "tokens"
        if door.first:
            body, address = body | {"new": secrets.token_urlsafe(9)}, "passwords"
        async with self.http.post(f"{self.url}/api/v1/{address}", json=body, ssl=self.tls) as answer:
            if answer.status != 201:
                raise CallCenterError(
                    "demo.login", "the desk does not take the demo's password", where=str(door.path),
                    mend="remove the demo's folder (var/demo) and start again",
                )  # fmt: skip
            self.token = (await answer.json())["token"]
        if door.first:
            door.keep(door.login, body["new"])

    async def become_operator(self) -> None:
        """Let the demo's account be the operator on duty, so that its visitor may do what an operator does."""
        me, duty = await self.get("/me"), await self.get("/duty")
        operator = next((row["staff"] for row in duty["now"] if row["role"] == "operator"), None)
        headers = {"Authorization": f"Bearer {self.token}"}
        address = f"{self.url}/api/v1/accounts/{me['id']}/person"
        body = {"staff": operator or duty["last_resort"]}
        async with self.http.post(address, json=body, headers=headers, ssl=self.tls) as answer:
            answer.raise_for_status()

    async def newest_call(self) -> dict[str, Any]:
        """The call that was made last, whole."""
        call = (await self.get("/calls?limit=1"))["calls"][0]
        whole: dict[str, Any] = await self.get(f"/calls/{call['id']}")
        return whole

    async def completed(self, hung_up: float) -> tuple[dict[str, Any], dict[str, Any], float]:
        """The last call and its ticket once both are complete, and the ms since `hung_up` (monotonic seconds)."""
        async with asyncio.timeout(TICKET_S):
            while True:
                call = await self.newest_call()
                if call["text_complete"] and call["ticket"] is not None:
                    ticket = await self.get(f"/tickets/{call['ticket']}")
                    return call, ticket, (time.monotonic() - hung_up) * 1000
                await asyncio.sleep(0.02)

    async def recorded(self, call: str) -> dict[str, Any]:
        """The call once its recording lies in the store."""
        async with asyncio.timeout(TICKET_S):
            while True:
                whole: dict[str, Any] = await self.get(f"/calls/{call}")
                if whole["recording"] and whole["recording"]["state"] == "stored":
                    return whole
                await asyncio.sleep(0.05)


def result(call: dict[str, Any], ticket: dict[str, Any], hangup_to_ticket_ms: float) -> dict[str, Any]:
    """What came of the call, as the demo's last line says it."""
    return {
        "rings": call["rings"],
        "answer_ms": call["answer_ms"],
        "heard": " ".join(turn["text"] for turn in call["turns"] if turn["leg"] == "caller" and turn["text"]),
        "kind": ticket["kind"],
        "category": ticket["category"],
        "urgency": ticket["urgency"],
        "place": {part: ticket[part] for part in ("building", "unit", "room")},
        "ticket": str(ticket["number"]),
        "first_responder": ticket["first_responder"],
        "responsible": ticket["responsible"],
        "reasons": [f"{reason['rule']} {reason['zh']}" for reason in ticket["reasons"]],
        "recording_s": round(call["recording"]["duration_ms"] / 1000, 1),
        "hangup_to_ticket_ms": round(hangup_to_ticket_ms),
    }


def _progress(event: dict[str, Any]) -> None:
    if text := PROGRESS.get(str(event["event"])):
        console.print(f"  [dim]{event.get('t', '')}[/] {text}")


async def make_call(launcher: Launcher) -> tuple[CallReport, float]:
    """The resident's call, and when it ended (monotonic seconds)."""
    plan = CallPlan(
        uri=f"sip:{DIALLED}@{launcher.sip_address}",
        turns=tuple(Turn(Action.SAY, text, When.QUIET) for text in SAYS),
        from_number=CALLER,
        voice="f4",
        max_s=180,
    )
    ended: list[float] = []

    def on_progress(event: dict[str, Any]) -> None:
        if event["event"] == "gone":
            ended.append(time.monotonic())
        _progress(event)

    report = await place_call(plan, on_progress)
    if not report.answered:
        raise CallCenterError(
            "demo.unanswered", f"the call was not answered: SIP status {report.status}",
            mend="run `callcenter doctor`; the log above says what the roles met",
        )  # fmt: skip
    return report, ended[0] if ended else time.monotonic()


async def run_demo(settings: Settings, *, once: bool, config: Path | None) -> int:
    """Start the house, make the call, show what came of it; stay up unless `once`. The exit status."""
    door = Door(settings)
    launcher = Launcher(settings, config=config, listener=door.hear)
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, launcher.signal)
    console.print("[bold]启动热线 Starting the hotline[/] …")
    started = time.monotonic()
    await launcher.start()
    if launcher.closing:
        await launcher.run()
        return 1
    if not launcher.ready:
        await launcher.drain()
        raise CallCenterError("demo.not_ready", "the hotline did not become ready", mend="the log above says why")
    console.print(f"  [dim]{time.monotonic() - started:.1f}[/] 就绪 ready")
    desk = Desk(launcher.desk_url or "", settings.var_dir / "secrets" / "tls.crt")
    try:
        await desk.log_in(door)
        await desk.become_operator()
        console.print("[bold]居民来电 A resident calls[/]")
        _, hung_up = await make_call(launcher)
        call, ticket, took_ms = await desk.completed(hung_up)
        call = await desk.recorded(call["id"])
    finally:
        await desk.http.close()
    line = json.dumps(result(call, ticket, took_ms), ensure_ascii=False)
    if once:
        await launcher.drain()
        print(line, flush=True)
        return 0
    print(where_to_look(launcher))
    print(f"  工单 Ticket      {launcher.desk_url}/tickets/{ticket['number']}")
    print(f"  登录 Log in      {door.login}  {door.password}")
    print(line, flush=True)
    await launcher.run()
    return 0


def demo(
    once: Annotated[bool, typer.Option("--once", help="One call, then stop; the last line is JSON.")] = False,
    config: Annotated[Path | None, typer.Option(help="Settings file; default config/callcenter.toml.")] = None,
) -> None:
    """A resident's call from ringing to the routed ticket, on embedded defaults; the pages stay open to visit."""
    try:
        settings = demo_settings(load_settings(config))
        setup_logging("demo", "warning")
        status = asyncio.run(run_demo(settings, once=once, config=config))
    except (CallCenterError, TimeoutError) as error:
        sys.stderr.write(f"callcenter demo: {error or 'the ticket did not arrive in time'}\n")
        raise typer.Exit(1) from error
    raise typer.Exit(status)
