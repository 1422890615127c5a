"""Finding words: every page of a search holds its rows, however the stretches of time fall; filters lose nothing."""

from __future__ import annotations

from datetime import timedelta

import pytest
from desk_node import SITE, FakeSpeech, Linked, labels, until

from callcenter.desk import calls, finding, tickets
from callcenter.desk.house import Desk
from callcenter.desk.models import CallFilter, TicketFilter


async def told(desk: Desk, node: Linked, speech: FakeSpeech, count: int) -> list[int]:
    """`count` matters a day apart, every third about a lamp, the newest first."""
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
            100300 + n, timedelta(days=n),
        )  # fmt: skip
        await desk.pool.execute(
            "update search_text s set at = now() - $2::interval from ticket t where t.number = $1 "
            "and s.key in (t.number::text, t.call::text)", 100300 + n, timedelta(days=n),
        )  # fmt: skip
    return [100300 + n for n in range(count)]


@pytest.mark.parametrize("first_rows", [1, 5, 1000])
async def test_pages_of_a_search_hold_every_row_once(
    desk: Desk, node: Linked, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch, first_rows: int
) -> None:
    monkeypatch.setattr(finding, "FIRST_ROWS", first_rows)
    monkeypatch.setattr(finding, "LAST_ROWS", max(20, first_rows + 1))
    numbers = await told(desk, node, speech, 12)
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
