"""What time does to matters: each effect once, by any number of desks, and no storm after a day of downtime."""

from __future__ import annotations

import asyncio
import shutil
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from desk_node import SITE, FakeSpeech, Linked, labels, linked, served, settings_of, until

from callcenter.config import ROOT, Settings, SiteSettings
from callcenter.desk import acts, clock, jobs, tickets
from callcenter.desk.house import Desk, open_desk
from callcenter.domain.clockwork import tick
from callcenter.domain.effects import Outcome
from callcenter.domain.situation import Situation
from callcenter.domain.tickets import TicketState

NUMBER = 100777


async def emergency(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    """An emergency for the engineers, asked and not accepted."""
    understood = labels("lift", "emergency", "help")
    speech.answers["电梯困人"] = understood
    call = node.line.whole_call("电梯困人", NUMBER, understood)
    await until(lambda: desk.pool.fetchrow("select 1 from call where id = $1 and completed_at is not null", call))
    # a ticket that a job still holds would be looked at later, not now
    await until(lambda: desk.pool.fetchval("select not exists (select from job)"))


async def kinds(desk: Desk) -> list[str]:
    rows = await desk.pool.fetch("select kind from event where ticket = $1 order by id", NUMBER)
    return [r["kind"] for r in rows]


async def look(desk: Desk, at: datetime) -> None:
    while await clock.look(desk, at):
        pass


async def test_who_lets_the_limit_pass_is_passed_over_once(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    await emergency(desk, node, speech)
    before = (await tickets.one(desk, NUMBER)).ticket
    assert before.asked_until is not None
    later = before.asked_until + timedelta(seconds=1)
    await asyncio.gather(*(look(desk, later) for _ in range(4)))
    after = (await tickets.one(desk, NUMBER)).ticket
    assert (await kinds(desk)).count("ticket.pass_over") == 1
    assert after.asked not in {None, before.asked}
    assert after.responsible == before.responsible, "until somebody accepts (R14)"
    asked = await desk.pool.fetchval(
        "select count(*) from outward_message where ticket = $1 and staff = $2 and channel = 'telephone'",
        NUMBER, after.asked,
    )  # fmt: skip
    assert asked == 1, "an emergency is rung"


async def test_a_fault_of_ours_in_one_matter_stops_nobody_elses_clock(
    desk: Desk, node: Linked, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R24: it is looked at again a minute later, and said in the log."""
    await emergency(desk, node, speech)
    broken = NUMBER + 1
    understood = labels("noise", "normal", "complaint", building="5", room="302")
    speech.answers["楼上太吵"] = understood
    node.line.whole_call("楼上太吵", broken, understood)
    await until(lambda: desk.pool.fetchval("select true from ticket where number = $1 and complete", broken))
    await until(lambda: desk.pool.fetchval("select not exists (select from job)"))

    def faulty(around: Situation, state: TicketState) -> Outcome:
        if state.ticket == str(broken):
            raise ValueError("no working day within 60 days")
        return tick(around, state)

    monkeypatch.setattr(clock, "tick", faulty)
    later = datetime.now(UTC) + timedelta(hours=1)
    await desk.pool.execute("update ticket set next_at = $1", later)
    await clock.look(desk, later)
    assert "ticket.pass_over" in await kinds(desk)
    again = await desk.pool.fetchval("select next_at from ticket where number = $1", broken)
    assert again == later + timedelta(seconds=clock.AGAIN_S)


async def test_a_day_of_downtime_is_caught_up_without_a_storm(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    await emergency(desk, node, speech)
    sent = await desk.pool.fetchval("select count(*) from outward_message")
    tomorrow = datetime.now(UTC) + timedelta(days=1, hours=2)
    await look(desk, tomorrow)
    await look(desk, tomorrow)
    more = await desk.pool.fetchval("select count(*) from outward_message") - sent
    assert 0 < more <= 12, "each thing once, not once for every three minutes missed"
    assert (await kinds(desk)).count("ticket.pass_over") == 1
    assert await desk.pool.fetchval("select count(*) from ticket where next_at <= $1", tomorrow) == 0


async def test_overdue_climbs_the_ladder_and_a_finished_matter_rests(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    speech.answers["楼道灯坏了"] = labels("facility", "normal")
    call = node.line.whole_call("楼道灯坏了", NUMBER, labels("facility", "normal"))
    await until(lambda: desk.pool.fetchrow("select 1 from call where id = $1 and completed_at is not null", call))
    asked = str((await tickets.one(desk, NUMBER)).ticket.asked)
    await acts.accept(desk, NUMBER, asked, "key-0001")
    opened = datetime.now(UTC)
    await look(desk, opened + timedelta(hours=19))
    assert "ticket.warn" in await kinds(desk)
    await look(desk, opened + timedelta(hours=25))
    ladder = desk.site(SITE).organisation.ladder
    told = await _escalated(desk)
    assert told
    assert set(told) <= {*ladder, desk.site(SITE).organisation.general_manager}
    detail = await tickets.one(desk, NUMBER)
    assert max(d.level for d in detail.deadlines) >= 1
    responsible = detail.ticket.responsible
    await acts.change_state(desk, NUMBER, responsible, "done", "key-0002", result="换了灯")
    await acts.change_state(desk, NUMBER, responsible, "archived", "key-0003")
    events = len(await kinds(desk))
    await look(desk, opened + timedelta(days=30))
    assert len(await kinds(desk)) == events
    assert await desk.pool.fetchval("select next_at from ticket where number = $1", NUMBER) is None


async def _escalated(desk: Desk) -> list[str]:
    rows = await desk.pool.fetch("select staff from outward_message where body->>'kind' = 'escalate'")
    return [r["staff"] for r in rows]


async def test_exactly_one_person_is_responsible_through_a_month(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    await emergency(desk, node, speech)
    start = datetime.now(UTC)
    first = (await tickets.one(desk, NUMBER)).ticket.first_responder
    known = {s.id for s in desk.site(SITE).organisation.staff}
    for hour in range(0, 24 * 7, 6):
        await look(desk, start + timedelta(hours=hour))
        row = await desk.pool.fetchrow("select * from ticket where number = $1", NUMBER)
        assert row["responsible"] in known
        assert row["first_responder"] == first


async def test_who_left_while_the_house_was_closed_is_relieved_when_it_opens(
    settings: Settings, speech: FakeSpeech, tmp_path: Path
) -> None:
    """R14: the files say so at the next start; the matter's next limit would come much later."""
    async with open_desk(settings) as desk, served(desk) as address:
        async with linked(settings_of(settings.var_dir, str(desk.dsn), [address])) as node:
            await emergency(desk, node, speech)
        asked = str((await tickets.one(desk, NUMBER)).ticket.asked)
        await acts.accept(desk, NUMBER, asked, "key-0001")
    shutil.copytree(ROOT / "config" / "sites", tmp_path / "sites")
    people = tmp_path / "sites" / SITE / "organisation.yaml"
    people.write_text(people.read_text().replace(f"{{id: {asked},", f"{{id: {asked}, active_until: 2020-01-01,", 1))
    changed = settings.model_copy(update={"site": SiteSettings(folder=tmp_path / "sites")})
    async with open_desk(changed, background=False) as desk:
        await look(desk, datetime.now(UTC))
        now_its = (await tickets.one(desk, NUMBER)).ticket.responsible
    assert now_its != asked
    assert now_its in {s.id for s in desk.site(SITE).organisation.staff}


async def test_an_open_matter_is_looked_at_before_the_roster_it_knows_ends(
    desk: Desk, node: Linked, speech: FakeSpeech
) -> None:
    """R14: leave that begins while a matter waits for weeks is seen when it begins."""
    await emergency(desk, node, speech)
    asked = str((await tickets.one(desk, NUMBER)).ticket.asked)
    await acts.accept(desk, NUMBER, asked, "key-0001")
    now = datetime.now(UTC)
    await acts.change_state(
        desk, NUMBER, asked, "waiting", "key-0002", waiting_for="material", until=now + timedelta(days=30)
    )
    for what in ("answered", "contacted"):
        await acts.mark(desk, NUMBER, asked, what, "", f"key-{what}")
    leave = now + timedelta(days=6)
    await desk.pool.execute(
        "insert into absence (site, staff, starts_at, ends_at, reason) values ($1, $2, $3, $4, '')",
        SITE, asked, leave, leave + timedelta(days=10),
    )  # fmt: skip
    moment = now
    while (following := await desk.pool.fetchval("select next_at from ticket where number = $1", NUMBER)) <= leave:
        assert following > moment
        moment = following
        await look(desk, moment)
    assert (await tickets.one(desk, NUMBER)).ticket.responsible != asked


async def test_a_job_survives_a_desk_and_is_done_once(desk: Desk, settings: Any, node: Linked) -> None:
    call = node.line.ring()
    node.line.answer(call)
    node.line.end(call)
    await until(lambda: desk.pool.fetchrow("select 1 from call where id = $1 and completed_at is not null", call))
    await desk.pool.execute("update call set completed_at = null, ticket = ticket where id = $1", call)
    await desk.pool.execute(
        "insert into job (key, kind, body) values ('again', 'intake', jsonb_build_object('call', $1::text))", str(call)
    )
    async with open_desk(settings, background=False) as second:
        await asyncio.gather(jobs.do_one(desk), jobs.do_one(second))
    await until(lambda: desk.pool.fetchval("select count(*) = 0 from job"))
    assert await desk.pool.fetchval("select count(*) from ticket") == 1
    assert await desk.pool.fetchval("select count(*) from callback") == 1
