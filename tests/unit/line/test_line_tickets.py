"""The ticket of a call: opened once, spoken true, on the disk, with or without snapshot and numbers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from callcenter.config import load_settings
from callcenter.domain.labels import Label, SpokenPlace, Understanding
from callcenter.domain.matters import OpenMatter
from callcenter.domain.places import Place
from callcenter.domain.records import RecordKind
from callcenter.domain.snapshot import SiteSnapshot
from callcenter.line.tickets import TicketDesk
from callcenter.site.load import load_sites

AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)


class Records:
    """A call's records, kept in memory."""

    def __init__(self, numbers: list[str]) -> None:
        self.written: list[tuple[RecordKind, dict[str, Any]]] = []
        self.settled = 0
        self._numbers = numbers

    def write(self, kind: RecordKind, body: dict[str, Any]) -> None:
        self.written.append((kind, body))

    async def settle(self) -> None:
        self.settled += 1

    def take_number(self) -> str | None:
        return self._numbers.pop(0) if self._numbers else None


@pytest.fixture(scope="module")
def site() -> SiteSnapshot:
    settings = load_settings()
    return load_sites(settings.sites_dir, settings.rules, AT)["xingfu"].snapshot(AT)


def leak(urgency: str = "normal") -> Understanding:
    return Understanding(
        Label("repair", 0.9), Label("water_leak", 0.9), Label(urgency, 0.9), Label("engineering", 0.9),
        SpokenPlace(Label("3", 0.9), Label("2", 0.9), Label("1102", 0.9)),
    )  # fmt: skip


async def test_what_is_spoken_is_what_is_written(site):
    records = Records(["100007"])
    desk = TicketDesk(records, "+8613800000000", "zh")
    ticket = await desk.open(site, 4, leak(), {"text": "漏水"}, AT)
    (kind, body) = records.written[0]
    assert kind is RecordKind.TICKET_OPENED
    assert (body["ticket"], ticket.number) == ("100007", "100007")
    assert body["snapshot"] == 4
    assert body["spoken"] is True
    assert body["decision"]["first_responder"] == ticket.first_responder
    assert ticket.department == "工程部"
    assert ticket.facts["responsible_title"].startswith("工程部")
    assert records.settled == 1, "it is on the disk before the caller hears it"


async def test_who_calls_again_about_a_matter_of_somebody_who_was_taken_out_of_the_file_is_told(site):
    """R14, R17: the first responder and whoever is responsible have left."""
    gone = OpenMatter(
        "100077", "repair", "water_leak", "normal", "engineering", Place("3", "2", "1102"), "gone_wang", "gone_gao",
        "in_progress", AT, ("+8613800000000",),
    )  # fmt: skip
    records = Records(["100008"])
    desk = TicketDesk(records, "+8613800000000", "zh")
    ticket = await desk.open(replace(site, open_matters=(gone,)), 4, leak(), {"text": "漏水"}, AT)
    assert (ticket.joined, ticket.first_responder) == (True, "gone_wang")
    assert ticket.facts["responsible_title"]


async def test_a_call_has_one_ticket(site):
    records = Records(["100007", "100008"])
    desk = TicketDesk(records, None, "zh")
    first = await desk.open(site, 1, leak(), {"text": "漏水"}, AT)
    second = await desk.open(site, 1, leak("emergency"), {"text": "漏水，很大"}, AT)
    assert first.number == second.number == "100007"
    assert [kind for kind, _ in records.written] == [RecordKind.TICKET_OPENED, RecordKind.TICKET_AMENDED]
    assert desk.opened == second


async def test_without_snapshot_and_number_the_matter_is_taken_all_the_same():
    records = Records([])
    ticket = await TicketDesk(records, None, "en").open(None, 0, leak(), {"text": "a leak"}, AT)
    _, body = records.written[0]
    assert (body["ticket"], body["decision"], body["spoken"]) == (None, None, False)
    assert ticket.number == ""
    assert (ticket.answer_by - AT).total_seconds() == 24 * 3600
    assert body["labels"]["category"]["value"] == "water_leak"


async def test_an_emergency_goes_to_the_leader_whoever_is_on_duty(site):
    records = Records(["100009"])
    await TicketDesk(records, None, "zh").open(site, 1, leak("emergency"), {}, AT)
    assert any(tell["rule"] == "R15" for tell in records.written[0][1]["decision"]["tell"])
