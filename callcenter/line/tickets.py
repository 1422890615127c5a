"""The ticket opens while the caller is on the phone: number, first responder, who does what by when (R6, R11–R17)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any, Protocol

from callcenter.dialplan.phone import OpenedTicket
from callcenter.domain.codec import to_plain
from callcenter.domain.deadlines import Clock
from callcenter.domain.labels import Understanding
from callcenter.domain.matters import Matter
from callcenter.domain.places import Place
from callcenter.domain.records import RecordKind
from callcenter.domain.responsibility import Decision, decide
from callcenter.domain.snapshot import SiteSnapshot
from callcenter.errors import CallCenterError
from callcenter.line.surroundings import FIRST_RESPONDER, POSTS
from callcenter.log import get_logger

log = get_logger("line.tickets")
ANSWER_WITHIN = timedelta(hours=24)
"""R18, when no snapshot says otherwise."""
COMES = frozenset({"repair", "help", "home_service"})
"""Kinds for which somebody comes; the others are called back."""
ACTIONS = {True: ("上门处理", "come to you"), False: ("电话联系您", "call you")}


class CallRecords(Protocol):
    """One call's hand on the journal and the leased numbers."""

    def write(self, kind: RecordKind, body: dict[str, Any]) -> None:
        """Append one record of this call."""

    async def settle(self) -> None:
        """Return when everything written is on the disk."""

    def take_number(self) -> str | None:
        """The next ticket number; None when none is left (the desk will give one)."""


@dataclass(frozen=True)
class _Opened:
    ticket: OpenedTicket
    decision: Decision | None


class TicketDesk:
    """Opens or amends the one ticket of one call."""

    def __init__(self, records: CallRecords, number: str | None, language: str) -> None:
        self._records, self._number, self._language = records, number, language
        self._opened: _Opened | None = None

    @property
    def opened(self) -> OpenedTicket | None:
        """The call's ticket, None while there is none."""
        return self._opened.ticket if self._opened else None

    async def open(
        self,
        site: SiteSnapshot | None,
        version: int,
        understanding: Understanding,
        fields: dict[str, Any],
        at: datetime,
    ) -> OpenedTicket:
        """Open the ticket, or amend the one that is open; it is on the disk when this returns.

        A disk that takes nothing does not stop the call: the record is shipped from memory.
        """
        labels = to_plain(understanding)
        decision = self._decide(site, understanding, fields, at)
        if self._opened is not None:
            body = {"ticket": self._opened.ticket.number or None, "labels": labels, "fields": fields}
            self._records.write(RecordKind.TICKET_AMENDED, body)
            ticket = self._spoken(site, self._opened.ticket.number, decision, at, understanding)
        else:
            joins = decision.joins if decision else None
            number = joins or self._records.take_number() or ""
            ticket = self._spoken(site, number, decision, at, understanding)
            self._records.write(
                RecordKind.TICKET_OPENED,
                {
                    "ticket": number or None, "labels": labels, "fields": fields, "joins": joins,
                    "decision": to_plain(decision) if decision else None, "snapshot": version, "spoken": bool(number),
                },
            )  # fmt: skip
        self._opened = _Opened(ticket, decision)
        try:
            await self._records.settle()
        except CallCenterError as error:
            log.error("ticket_not_on_disk", error=error.code)
        return ticket

    def _decide(
        self, site: SiteSnapshot | None, understanding: Understanding, fields: dict[str, Any], at: datetime
    ) -> Decision | None:
        if site is None:
            return None
        place = site.gazetteer.complete(Place.spoken(understanding.place))
        matter = Matter.understood(understanding, place)
        by = fields.get("callback_by")
        matter = replace(
            matter,
            to_confirm=matter.to_confirm or bool(fields.get("confirm")) or site.gazetteer.lacks(place),
            about=str(fields["joins"]) if fields.get("joins") else None,
            call_back_at=datetime.fromisoformat(str(by)) if by else None,
        )
        call = site.call(self._number)
        try:
            return decide(
                call, matter, site.organisation, site.roster, site.rules, at,
                site.open_for(call, place) if not _names_open(site, matter) else site.open_matters,
            )  # fmt: skip
        except CallCenterError as error:
            log.error("rule_failed", error=error.code)
            return None

    def _spoken(
        self,
        site: SiteSnapshot | None,
        number: str,
        decision: Decision | None,
        at: datetime,
        understanding: Understanding,
    ) -> OpenedTicket:
        english = self._language == "en"
        action = ACTIONS[understanding.kind.value in COMES][english]
        if site is None or decision is None:
            return OpenedTicket(number, False, "", "", "", at + ANSWER_WITHIN, {"action": action})
        organisation = site.organisation
        department = organisation.once_department(decision.department)
        answer = next((d.due_at for d in decision.deadlines if d.clock is Clock.ANSWER), at + ANSWER_WITHIN)
        name = department.en if english else department.zh
        if decision.handed_to:
            asked = decision.handed_to[0]
            post = POSTS[asked.place][english]
            theirs = organisation.department(organisation.person(asked.staff).department)
            owner = theirs.en if english else theirs.zh
        else:
            person = organisation.person_or_manager(decision.responsible, department.id)
            theirs = organisation.department(person.department)
            owner, post = (theirs.en if english else theirs.zh), FIRST_RESPONDER[english]
        title = f"{owner} {post}" if english else owner + post
        return OpenedTicket(
            number=number,
            joined=decision.joins is not None,
            first_responder=decision.first_responder,
            responsible=decision.responsible,
            department=name,
            answer_by=answer,
            facts={"action": action, "responsible_title": title},
        )


def _names_open(site: SiteSnapshot, matter: Matter) -> bool:
    return matter.about is not None and any(m.ticket == matter.about for m in site.open_matters)
