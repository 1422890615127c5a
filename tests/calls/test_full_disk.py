"""The disk is down to its reserve: nothing can be recorded, so calls go to people, and none is lost (R5)."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from callcenter.telephony.caller import running_phone
from callcenter.telephony.plan import PhonePlan
from tests.calls.hotline import PATIENCE_S, Hotline, running_hotline, says

pytestmark = pytest.mark.asyncio(loop_scope="session")

PASSWORD = "an example, of no phone"
MORE_THAN_ANY_DISK_MB = 10**9


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def full(request: pytest.FixtureRequest) -> AsyncIterator[Hotline]:
    """A hotline that finds less free than it was told to keep."""
    async with running_hotline(lines=1, settings={"line": {"reserve_mb": MORE_THAN_ANY_DISK_MB}}) as running:
        yield running


async def test_the_person_in_charge_is_told(full: Hotline) -> None:
    alarm = next(notice for notice in full.house.notices if "ALARM" in notice)
    assert "line.reserve_mb" in alarm
    assert "Free space" in alarm


async def test_nobody_can_be_reached_and_the_caller_is_called_back(full: Hotline) -> None:
    resident = await full.dial(number="14000001102")
    assert (await resident.report())["ended_by"] == "them", "R3: with an apology and a goodbye"
    kept = await full.kept(resident.number, recorded=False)
    assert kept.call["recording"] is None
    assert kept.said
    assert (await full.desk.callback_of(kept.call["id"]))["ticket"] == kept.ticket["number"]


async def test_a_person_takes_the_call(full: Hotline) -> None:
    staff, extension = await full.operator()
    await full.give_phone(extension, PASSWORD)
    host, port = full.house.sip
    async with running_phone(PhonePlan(f"{host}:{port}", extension, PASSWORD)) as phone:
        resident = await full.dial(says("我要报修，我家水管漏水了，请派人来修一下"), number="14000000301", max_s=200)
        await phone.wait_for("answered", PATIENCE_S)
        await resident.was_heard()
        await phone.hangup()
        await resident.report()
    kept = await full.kept(resident.number, recorded=False)
    assert "漏水" in kept.heard, "what is said is still written down"
    kept.expect(category="water_leak", first_responder=staff)
    await full.answers()
