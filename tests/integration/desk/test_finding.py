"""Finding words: every page of a search holds its rows, however the stretches of time fall; filters lose nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk_node import SITE, FakeSpeech, Linked, labels, until

from callcenter.desk import acts, calls, tickets
from callcenter.desk.house import Desk
from callcenter.desk.models import CallFilter, TicketFilter


async def told(desk: Desk, node: Linked, speech: FakeSpeech, count: int, days: int) -> list[int]:
    """`count` matters so many days apart, every third about a lamp, the newest first."""
    for n in range(count):
        lamp = n % 3 == 0
        text = f"楼道灯坏了第{n}次" if lamp else f"水管漏水第{n}次"
        category = "facility" if lamp else "water_leak"
        understood = labels(category, "normal", building="3", unit="1", room=f"{n + 3}01")
        speech.answers[text] = understood
        node.line.whole_call(text, 100300 + n, understood)
    await until(lambda: desk.pool.fetchval("select count(*) = $1 from call where completed_at is not null", count))
    for n in range(count):
        await desk.pool.execute(
            "with moved as (update ticket set opened_at = now() - $2::interval where number = $1 "
            "returning call, opened_at) update call set ringing_at = m.opened_at from moved m where id = m.call",
            100300 + n, timedelta(days=n * days),
        )  # fmt: skip
    await desk.pool.execute(
        "update search_text set at = opened_at, facets = ticket_facets(t) from ticket t where key = number::text"
    )
    await desk.pool.execute(
        "update search_text set at = ringing_at, facets = call_facets(c) from call c where key = id::text"
    )
    return [100300 + n for n in range(count)]


@pytest.mark.parametrize("days", [1, 20, 100])
async def test_pages_of_a_search_hold_every_row_once(
    desk: Desk, node: Linked, speech: FakeSpeech, days: int
) -> None:
    numbers = await told(desk, node, speech, 12, days)
    for chosen, wanted in (
        (TicketFilter(text="漏水"), [n for i, n in enumerate(numbers) if i % 3]),
        (TicketFilter(text="楼道灯", open_only=True), numbers[::3]),
        (TicketFilter(text="漏水", category="facility"), []),
        (TicketFilter(text="3号楼"), numbers),
        (TicketFilter(text="4号楼"), []),
        (TicketFilter(text="漏水 3号楼"), [n for i, n in enumerate(numbers) if i % 3]),
        (TicketFilter(text=str(numbers[4])), [numbers[4]]),
    ):  # fmt: skip
        found, before = [], None
        while True:
            page = await tickets.page(desk, SITE, chosen, before=before, limit=3)
            found += [row.number for row in page.rows]
            before = page.next
            if before is None:
                break
        assert found == wanted, chosen
    heard = (await calls.page(desk, SITE, CallFilter(text="漏税"), limit=50)).rows
    assert len(heard) == 8, "what is read the same is found"


async def test_a_matter_is_found_by_what_it_is_now(desk: Desk, node: Linked, speech: FakeSpeech) -> None:
    [number] = await told(desk, node, speech, 1, 1)

    async def found(**chosen: object) -> list[int]:
        page = await tickets.page(desk, SITE, TicketFilter(text="楼道灯", **chosen))  # type: ignore[arg-type]
        return [row.number for row in page.rows]

    assert await found(open_only=True) == await found(category="facility") == [number]
    who = (await tickets.one(desk, number)).ticket.first_responder
    await acts.correct(desk, number, who, {"category": "water_leak"}, "correct-it-1")
    assert await found(category="facility") == []
    assert await found(category="water_leak") == [number]
    await desk.pool.execute("update ticket set status = 'archived', closed_at = now() where number = $1", number)
    assert await found(open_only=True) == []
    assert await found(state="archived") == [number]
