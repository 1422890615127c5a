"""A house that calls: its people's phones, and residents behind a carrier's trunk."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import numpy as np
import numpy.typing as npt
from pydantic import SecretStr
from scipy.signal import fftconvolve

from callcenter.desk import acts, resident_calls
from callcenter.desk.house import Desk, open_desk
from callcenter.domain.responsibility import chain
from callcenter.speech.say import synthesise
from callcenter.store.pool import AWAY
from callcenter.telephony.caller import RunningPhone, running_phone
from callcenter.telephony.plan import Action, PhonePlan, Turn, When
from callcenter.telephony.voice import SAMPLE_RATE_HZ
from tests.calls.hotline import DIALLED, PATIENCE_S, Hotline, Json, running_hotline, says, stranger
from tests.harness.ports import free_port
from tests.harness.sip import Invite, Peer
from tests.harness.ticks import ticks

PASSWORD = "an example, of no phone"
OUR_NUMBER = "4001234567"
"""What those see whom we call."""
Samples = npt.NDArray[np.float64]
RESIDENTS = "1400009"
"""What strangers' numbers begin with: the trunk takes no others, so mobiles of our people are not dialled."""


@dataclass
class Calling:
    """A house with a trunk, its database, and the carrier's port."""

    hotline: Hotline
    desk: Desk
    carrier: int
    _phones: set[str] = field(default_factory=set)
    _one_caller: asyncio.Lock = field(default_factory=asyncio.Lock)

    # -- our people ----------------------------------------------------------------------------------------------

    async def first_asked(self, department: str, but: str = "") -> str:
        """Whose telephone rings first for an emergency of this department; `but` refuses or is away."""
        site = self.desk.site(self.hotline.house.loaded.site.default)
        at = datetime.now(UTC)
        roster = site.roster(at, at)
        asked, _ = chain(
            department, site.organisation, roster, site.rules_at(at), at, urgency="emergency", without=(but,)
        )
        return asked[0].staff

    @contextlib.asynccontextmanager
    async def phone_of(self, staff: str, **plan: Any) -> AsyncIterator[RunningPhone]:
        """That person's telephone, registered."""
        extension = self.desk.site(self.hotline.house.loaded.site.default).organisation.person(staff).extension
        assert extension is not None
        if extension not in self._phones:
            await self.hotline.give_phone(extension, PASSWORD, staff)
            self._phones.add(extension)
        host, port = self.hotline.house.sip
        async with running_phone(PhonePlan(f"{host}:{port}", extension, PASSWORD, **plan)) as phone:
            yield phone

    async def emergency(self, category: str) -> int:
        """Somebody presses 1 and hangs up; the operator corrects it to an emergency of that category."""
        caller = stranger()
        async with self._one_caller:  # two lines take four callers, and a test may want many
            number = await self._presses_one(caller)
        row = await self.ticket(number)
        changes = {"category": category, "urgency": "emergency"}
        await acts.correct(self.desk, number, row["first_responder"], changes, str(uuid4()))
        return number

    async def _presses_one(self, caller: str) -> int:
        peer = await Peer.open()
        try:
            call = Invite(peer, self.hotline.house.sip, user=DIALLED, caller=caller)
            call.send()
            assert (await call.wait_final(60)).status == 200
            call.within("ACK")
            call.within("INFO", body="Signal=1\r\nDuration=160\r\n", kind="application/dtmf-relay")
            await call.wait_final(30)
            await self.until(lambda: self._opened_by(caller))
            call.within("BYE")
            await call.wait_final(30)
        finally:
            peer.close()
        return int(await self.until(lambda: self._opened_by(caller, complete=True)))

    async def _opened_by(self, caller: str, *, complete: bool = False) -> Any:
        sql = (
            "select t.number from ticket t join call c on c.id = t.call"
            " where c.from_number like '%' || $1 and (t.complete or not $2)"
        )
        return await self.desk.pool.fetchval(sql, caller, complete)

    async def accepted(self, number: int) -> str:
        """Who has taken the matter, once somebody has."""

        async def look() -> Any:
            seen[:] = [dict(await self.ticket(number))]
            return seen[0]["accepted_by"]

        seen: list[Json] = []
        return str(await self.until(look, seen))

    async def rung(self, number: int, staff: str, state: str, times: int = 1) -> None:
        """Until a call to this person about this matter has come so far, so often."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks(0.2):
                records = [r["body"] for r in self.hotline.house.records("person.call")]
                mine = [b for b in records if b["ticket"] == str(number) and b["to_staff"] == staff]
                if sum(b["state"] == state for b in mine) >= times:
                    return

    async def database_is_back(self) -> None:
        """Until the database, which went with its desk, answers again."""
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks(0.2):
                with contextlib.suppress(*AWAY):
                    await self.desk.pool.fetchval("select 1")
                    return

    async def acts_of(self, number: int) -> list[str]:
        """Kinds of the events of a matter."""
        rows = await self.desk.pool.fetch("select kind from event where ticket = $1 order by id", number)
        return [row["kind"] for row in rows]

    # -- residents -----------------------------------------------------------------------------------------------

    @contextlib.asynccontextmanager
    async def resident(self, *turns: Turn, **plan: Any) -> AsyncIterator[RunningPhone]:
        """Whoever is called by the trunk picks up and does this."""
        async with running_phone(PhonePlan(None, "carrier", "", turns=turns, sip_port=self.carrier, **plan)) as phone:
            yield phone

    async def peace(self) -> None:
        """Nobody of ours is rung any more because of what was before, and nobody is on the telephone with a line."""
        sql = "update outward_message set state = 'failed' where channel = 'telephone' and state in ('due', 'sending')"
        await self.desk.pool.execute(sql)
        async with asyncio.timeout(PATIENCE_S):
            async for _ in ticks(0.2):
                states: dict[str, str] = {}
                for record in self.hotline.house.records("person.call"):
                    if record["body"]["to_staff"]:
                        states[record["call"]] = record["body"]["state"]
                if not {"ringing", "answered"} & set(states.values()):
                    return

    async def call_back_is_due(self, number: int) -> None:
        """The time that was promised for the call-back has come."""
        changed = await self.desk.pool.execute("update callback set due_at = now() where ticket = $1", number)
        assert changed == "UPDATE 1"

    async def written(self, number: int, kind: str, **where: Any) -> Json:
        """The first record of our call-back about this matter of that kind whose body matches `where`."""
        seen: list[Json] = []

        async def look() -> Json | None:
            ringing = self.hotline.house.records("call.ringing")
            calls = {r["call"] for r in ringing if r["body"].get("ticket") == str(number)}
            seen[:] = [r for r in self.hotline.house.records(kind) if r["call"] in calls]
            return next((r for r in seen if where.items() <= r["body"].items()), None)

        return await self.hotline.desk.wait(f"{kind} {where}", look, seen)

    async def matter(self) -> int:
        """A complaint whose caller hung up in the middle."""
        resident = await self.hotline.dial(
            says("我要投诉，三号楼二单元的楼道很脏，没有人打扫"), Turn(Action.HANGUP, when=When.NOW)
        )
        await resident.report()
        kept = await self.hotline.kept(resident.number)
        return int(kept.ticket["number"])

    async def until(self, look: Callable[[], Awaitable[Any]], seen: list[Json] | None = None) -> Any:
        """What `look` finds in the database."""

        async def found() -> Any:
            return await look() or None

        return await self.hotline.desk.wait("in the database", found, seen if seen is not None else [])

    async def ticket(self, number: int) -> Any:
        return await self.desk.pool.fetchrow("select * from ticket where number = $1", number)

    async def seen(self, number: int) -> Json:
        """What is known of a matter and of our calls about it, for a failing test."""
        calls = await resident_calls.of_ticket(self.desk, number)
        sql = "select leg, text from utterance where call = $1 order by start_ms"
        said = [[tuple(row) for row in await self.desk.pool.fetch(sql, call["call"])] for call in calls]
        return {"status": (await self.ticket(number))["status"], "calls": calls, "said": said}

    async def status(self, number: int, wanted: str) -> None:
        """Until the matter is in that state."""

        async def look() -> bool:
            seen[:] = [await self.seen(number)]
            return str(seen[0]["status"]) == wanted

        seen: list[Json] = []
        await self.until(look, seen)

    async def done(self, number: int) -> None:
        """Whoever is responsible has done it."""
        row = await self.ticket(number)
        await acts.change_state(self.desk, number, row["responsible"], "done", str(uuid4()), result="打扫干净了")

    async def call_of(self, number: int, purpose: str, **where: Any) -> Any:
        """The call of ours about a matter, once it looks so."""

        async def look() -> Any:
            seen[:] = [await self.seen(number)]
            for row in reversed(seen[0]["calls"]):
                if row["purpose"] == purpose and where.items() <= row.items():
                    return row
            return None

        seen: list[Json] = []
        return await self.until(look, seen)

    async def kept(self, call: Any) -> Json:
        """A call of ours as the desk keeps it: over, written down, recorded."""

        async def look() -> Json | None:
            one: Json = await self.hotline.desk.get(f"/calls/{call}")
            stored = one["recording"] and one["recording"]["state"] == "stored"
            return one if one["ended_at"] and one["text_complete"] and stored else None

        return await self.hotline.desk.wait("the whole call", look)

    async def history(self, number: int) -> str:
        """The sentences of a matter's history."""
        rows = await self.desk.pool.fetch("select body from event where ticket = $1 order by id", number)
        return "\n".join(str(row["body"].get("zh", "")) for row in rows)


def audio_of(text: str, voice: str) -> Samples:
    """What a scripted phone sends when it says a text."""
    return samples(synthesise(text, "zh", voice))


def samples(pcm: bytes) -> Samples:
    """16-bit mono as numbers."""
    return np.frombuffer(pcm, "<i2").astype(np.float64)


def likeness(heard: Samples, said: Samples) -> float:
    """How surely `heard` holds what was `said`, 0 to 1: the median over its half seconds of the best correlation.

    In pieces, since a jitter buffer may leave out or repeat a frame between them.
    """
    length = SAMPLE_RATE_HZ // 2
    pieces = [said[at : at + length] for at in range(0, len(said) - length + 1, length)]
    loudest = max(np.linalg.norm(piece) for piece in pieces)
    energy = np.concatenate(([0.0], np.cumsum(heard**2)))
    around = np.sqrt(np.maximum(energy[length:] - energy[:-length], 1.0))
    found = [
        float(np.max(fftconvolve(heard, piece[::-1], "valid") / (around * np.linalg.norm(piece))))
        for piece in pieces
        if np.linalg.norm(piece) > loudest / 3
    ]
    return float(np.median(found))


@contextlib.asynccontextmanager
async def calling_house() -> AsyncIterator[Calling]:
    """Two lines, a trunk that takes residents' numbers, and hours that never end."""
    port = free_port()
    settings: dict[str, dict[str, Any]] = {
        "edge": {
            "trunks": [{"name": "carrier", "address": "127.0.0.9", "outbound": f"127.0.0.1:{port}"}],
            "outbound_prefixes": [RESIDENTS], "outbound_calls_per_min": 60, "caller_number": OUR_NUMBER,
        },
        "line": {"callers_per_line": 2},
        "residents": {"hours": "00:00-23:59", "follow_up_after_min": 0, "attempts": 2, "calls_per_min": 20},
    }  # fmt: skip
    async with running_hotline(lines=2, settings=settings) as hotline:
        loaded = hotline.house.loaded
        dsn = f"postgresql://callcenter@/callcenter?host={hotline.house.var_dir / 'postgres' / 'socket'}"
        database = loaded.database.model_copy(update={"dsn": SecretStr(dsn)})
        async with open_desk(loaded.model_copy(update={"database": database}), background=False) as desk:
            yield Calling(hotline, desk, port)
            # a line that drains waits for calls of ours: nobody is rung any more
            await desk.pool.execute("update outward_message set state = 'failed' where state in ('due', 'sending')")
