"""What all calls of a line share: telephone, journal, link, voices, scripts, the way to people's phones."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from callcenter.config import Settings
from callcenter.dialplan.load import Dialplan
from callcenter.dialplan.prompts import PromptSet
from callcenter.domain.labels import Understanding
from callcenter.domain.numbers import by_dialled
from callcenter.domain.records import RecordKind
from callcenter.domain.snapshot import SiteSnapshot, Snapshot
from callcenter.domain.understanding import understand_by_rules
from callcenter.errors import CallCenterError, SpeechError, StoreError
from callcenter.line.leg_events import LegEvents, LegHandler
from callcenter.line.sounds import Sounds
from callcenter.line.surroundings import site_of
from callcenter.log import get_logger
from callcenter.node.journal import Journal
from callcenter.node.link import LinkClient
from callcenter.role import read_port
from callcenter.speech.services import SpeechServices
from callcenter.telephony.endpoint import Endpoint

log = get_logger("line")


@dataclass
class House:
    """One line process's shared parts."""

    settings: Settings
    number: int
    endpoint: Endpoint
    journal: Journal
    link: LinkClient
    services: SpeechServices
    sounds: Sounds
    dialplans: dict[str, Dialplan]
    legs: LegEvents = field(default_factory=LegEvents)
    low_disk: bool = False
    record_dir: Path | None = None
    """Where calls are recorded while they run."""
    fallback: dict[str, SiteSnapshot] = field(default_factory=dict)
    """Sites read from their files, for a node that no desk ever told anything."""

    def watch(self, leg: int, handler: LegHandler | None) -> None:
        """Send a leg's events to `handler`; None: to nobody any more."""
        self.legs.watch(leg, handler)

    @property
    def snapshot(self) -> Snapshot | None:
        """The last snapshot, from the desk or from this node's disk."""
        return self.link.snapshot

    def site(self, name: str) -> SiteSnapshot | None:
        """A site as the last snapshot has it."""
        return site_of(self.snapshot, name) or self.fallback.get(name)

    def dialled_site(self, number: str) -> str:
        """Which site a dialled number belongs to."""
        return by_dialled(self.settings.site.dialled, number) or self.settings.site.default

    def dialplan(self, number: str) -> Dialplan:
        """The script for a dialled number."""
        table = self.settings.line.dialplans
        return self.dialplans[by_dialled(table, number) or table.get("*", next(iter(self.dialplans)))]

    def prompts(self, language: str) -> PromptSet:
        """The recorded phrases of a language; those of the first script where this house has none in it."""
        plans = self.dialplans.values()
        return next((plan for plan in plans if plan.language == language), next(iter(plans))).prompts

    def transcriber_url(self) -> str:
        """Where the transcriber listens: as set, as it wrote itself down, else where it will."""
        speech = self.settings.speech
        if speech.url:
            return speech.url
        port = read_port(self.settings.run_dir, "speech", "transcribe") or speech.port
        host = str(speech.bind_host)
        return f"ws://{'127.0.0.1' if host == '0.0.0.0' else host}:{port}"  # noqa: S104

    def person_address(self, extension: str) -> str | None:
        """SIP address of a person's phone at the edge; None in direct mode, which has no registrar."""
        edge = self.settings.edge
        if edge.mode == "direct":
            return None
        run_dir = self.settings.run_dir  # behind NAT the edge has a port for us that names no public address
        port = read_port(run_dir, "edge", "inside") or read_port(run_dir, "edge", "sip") or edge.sip_port
        host = str(edge.bind_host)
        return f"sip:{extension}@{'127.0.0.1' if host == '0.0.0.0' else host}:{port}" if port else None  # noqa: S104

    async def understand(self, text: str, language: str, site: str) -> Understanding:
        """Labels of a text: by the speech service, by rules when it is slow or away."""
        try:
            return await self.services.understand(text, language=language, site=site)
        except SpeechError as error:
            log.info("understood_by_rules", reason=error.code)
            return self.understand_alone(text, language, site)

    def understand_alone(self, text: str, language: str, site: str) -> Understanding:
        """Labels by rules alone, within a few milliseconds."""
        known = self.site(site)
        departments = None
        if known is not None:
            departments = {key: category.department for key, category in known.taxonomy.categories.items()}
        return understand_by_rules(text, language, known.gazetteer if known else None, departments)

    async def say(self, text: str, language: str) -> bytes:
        """A WAV of a text. Raises SpeechError after 300 ms without an answer."""
        return await self.services.say(text, language=language)


class CallJournal:
    """One call's hand on the journal and the ticket numbers."""

    def __init__(self, house: House, call: UUID, site: str) -> None:
        self._house, self._call, self._site = house, call, site

    def write(self, kind: RecordKind, body: dict[str, Any]) -> None:
        """Append one record; a disk that takes none is told as an alarm, the call goes on."""
        try:
            self._house.journal.append(kind, site=self._site, call=self._call, body=body, at=datetime.now(UTC))
        except StoreError as error:
            log.error("record_lost", kind=kind.value, error=error.code)

    async def settle(self) -> None:
        """Return when everything written is on the disk. Raises StoreError while it takes nothing."""
        await self._house.journal.settle()

    def take_number(self) -> str | None:
        """The next leased ticket number; None when none is left."""
        try:
            return str(self._house.link.take_number())
        except CallCenterError as error:
            log.error("no_ticket_number", error=error.code)
            return None
