"""Who cannot be reached by telephone: an emergency does not wait for them, somebody else is told.

Whoever is asked to take it and has no number is as good as one who does not answer (R13). Whoever only had to know
and has not, for half an hour, leaves it to the person above (R24).
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any

from callcenter.desk import matters
from callcenter.desk.events import DeskEvent, write_event
from callcenter.domain.clockwork import not_answering
from callcenter.domain.effects import EffectKind
from callcenter.domain.rules import EMERGENCY
from callcenter.log import get_logger
from callcenter.store.pool import Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.unanswered")
_sql = statements("reach")


async def settle(desk: Desk, connection: Connection, row: Any, why: str, at: datetime) -> None:
    """What follows when a message for a telephone ends unheard, because of `why`; in the caller's transaction."""
    if row["ticket"] is None or row["urgency"] != EMERGENCY or why not in {"no_number", "too_late"}:
        return
    if row["body"]["kind"] == EffectKind.ASK:
        state = await matters.load(connection, row["ticket"])
        around = await matters.situation(desk, connection, state.site, at)
        await matters.save(desk, connection, around, not_answering(around, state, row["staff"]))
    else:
        await _climb(desk, connection, row, at)


async def _climb(desk: Desk, connection: Connection, row: Any, at: datetime) -> None:
    organisation = desk.site(row["site"]).organisation
    if not organisation.knows(row["staff"]) or await _sql.has_read(
        connection, ticket=row["ticket"], staff=row["staff"]
    ):
        return
    around = await matters.situation(desk, connection, row["site"], at)
    person = organisation.person(row["staff"])
    told = {found["staff"] async for found in _sql.rung_about(connection, ticket=row["ticket"])}
    above = next((p for p in organisation.above(person.id) if around.available(p) and p not in told), None)
    if above is None:
        log.warning("emergency_unread", ticket=row["ticket"], mend="nobody above is left to tell")
        return
    chief = organisation.person(above)
    zh = f"{person.called()}未能以电话通知到，请知悉。"
    en = f"{person.called('en')} could not be told by telephone: please know of it."
    body = {**row["body"], "staff": above, "zh": f"{zh}{row['body'].get('zh', '')}", "en": en, "rule": "R24"}
    await _sql.send_up(
        connection, key=f"{row['key']}/up/{above}", site=row["site"], ticket=row["ticket"], staff=above,
        urgency=row["urgency"], body=body, at=at,
    )  # fmt: skip
    await write_event(
        desk, connection, DeskEvent.TOLD, site=row["site"], ticket=row["ticket"], rules=("R24",),
        body={
            "staff": above, "zh": f"{person.called()}的电话未能通知到，报告{chief.called()}。",
            "en": f"{person.called('en')} could not be told by telephone: {chief.called('en')} is told.",
        },
    )  # fmt: skip
