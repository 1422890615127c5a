"""Further ways to our people besides page and telephone: mail to who wants it, webhooks for a duty room's robot.

What the rule sends (`outward_message`) is spread once, in one transaction, to the ways that its reader chose; each
target then has its own queue and its own worker, so that one that hangs holds up nobody else. A message that does not
get through is tried again, later each time, with the same key; what was sent or was not is in the ticket's history.
"""

from __future__ import annotations

import asyncio
import contextlib
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import aiohttp

from callcenter.config import Settings, Webhook
from callcenter.desk import choices, mail, webhooks
from callcenter.desk.events import DeskEvent, write_event
from callcenter.domain.effects import EffectKind
from callcenter.errors import CallCenterError
from callcenter.log import get_logger
from callcenter.store.pool import AWAY, Connection, statements

if TYPE_CHECKING:
    from callcenter.desk.house import Desk

log = get_logger("desk.messages")
_sql = statements("message")
_reach = statements("reach")

LOOK_S = 2.0
FIRST_PAUSE_S, LONGEST_PAUSE_S = 15.0, 3600.0
"""Pause after the first failed try, doubled after each, and the longest."""
CLAIM_BEYOND_S = 60.0
"""A message claimed by a desk that died is taken by another this long after its time limit."""
URGENT_ZH = {"emergency": "紧急", "important": "重要", "normal": "一般"}
SPREAD = frozenset(EffectKind) - {EffectKind.RELEASE, EffectKind.CALL_BACK, EffectKind.SETTLE}
"""What is told in further ways; that somebody need not act any more is on their page alone."""


@dataclass(frozen=True)
class Target:
    """Where messages go: the mail server, or one webhook."""

    channel: str
    name: str = ""
    hook: Webhook | None = None


def targets(settings: Settings) -> list[Target]:
    """Everything that is switched on; nothing by default."""
    mails = [Target("mail")] if settings.messages.mail_host else []
    return mails + [Target("webhook", hook.name, hook) for hook in settings.messages.webhooks]


class Messages:
    """This desk's part in sending."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._news = asyncio.Condition()
        self._threads: ThreadPoolExecutor | None = None

    async def work(self) -> None:
        """Spread and send, for good."""
        self._threads = ThreadPoolExecutor(2, thread_name_prefix="mail")
        try:
            async with aiohttp.ClientSession() as session, asyncio.TaskGroup() as group:
                group.create_task(self._spread_all())
                for target in targets(self._desk.settings):
                    group.create_task(self._serve(target, session))
        finally:
            self._threads.shutdown(wait=False, cancel_futures=True)

    async def _spread_all(self) -> None:
        while True:
            with contextlib.suppress(*AWAY):  # whoever else works here says so
                while await self.spread(datetime.now(UTC)):
                    async with self._news:
                        self._news.notify_all()
            await asyncio.sleep(LOOK_S)

    async def spread(self, at: datetime) -> int:
        """Spread up to 100 messages to the ways their readers chose; how many there were."""
        async with self._desk.pool.acquire() as connection, connection.transaction():
            rows = [row async for row in _sql.to_spread(connection, sites=list(self._desk.sites), at=at)]
            for row in rows:
                if row["body"].get("kind") in SPREAD:
                    await self._spread(connection, row, at)
            if rows:
                await _sql.spread(connection, ids=[row["id"] for row in rows])
        return len(rows)

    async def _spread(self, connection: Connection, row: Any, at: datetime) -> None:
        settings, site = self._desk.settings, self._desk.site(row["site"])
        local = site.rules_at(at).calendar.local(at).time()
        ways = choices.channels(choices.read_wishes(row["rules"] or []), row["urgency"], local)
        copy = {name: row[name] for name in ("site", "ticket", "staff", "urgency", "rule", "body")}
        if "mail" in ways and settings.messages.mail_host and row["email"]:
            await _sql.put(connection, **copy, key=f"{row['key']}/mail", channel="mail", target="", at=at)
        if "telephone" in ways and row["channel"] == "page":
            await _sql.put(connection, **copy, key=f"{row['key']}/telephone", channel="telephone", target="", at=at)
        for hook in settings.messages.webhooks:
            if row["urgency"] in hook.urgencies and (not hook.sites or row["site"] in hook.sites):
                step = "/".join(row["key"].split("/")[:3])  # ticket, version, kind: one for all who are told the same
                key = f"{step}/{row['rule']}/webhook/{hook.name}"
                await _sql.put(connection, **copy, key=key, channel="webhook", target=hook.name, at=at)

    async def _serve(self, target: Target, session: aiohttp.ClientSession) -> None:
        """One target's queue, one message after the other."""
        while True:
            sent = False
            with contextlib.suppress(*AWAY):
                sent = await self.send_one(target, session)
            if not sent:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(LOOK_S), self._news:
                        await self._news.wait()

    async def send_one(self, target: Target, session: aiohttp.ClientSession) -> bool:
        """Send the target's next message that is due; False when there is none."""
        settings, now = self._desk.settings.messages, datetime.now(UTC)
        until = now + timedelta(seconds=settings.timeout_s + CLAIM_BEYOND_S)
        row = await _sql.claim(
            self._desk.pool, channel=target.channel, target=target.name, at=now, until=until,
            sites=list(self._desk.sites),
        )  # fmt: skip
        if row is None:
            return False
        matter = await _sql.matter(self._desk.pool, ticket=row["ticket"]) if row["ticket"] is not None else None
        if _needless(row, matter, target.hook):
            await _sql.finish(self._desk.pool, id=row["id"], state="sent", result="not_needed", at=now)
            return True
        error: CallCenterError | None = None
        try:
            if target.hook is None:
                await self._mail(row, matter)
            else:
                text, payload = self._words(row, matter, "zh"), self._payload(row, matter)
                request = webhooks.request_of(target.hook, row["key"], text, payload, now)
                await webhooks.send(session, target.hook, request, settings.timeout_s)
        except CallCenterError as failure:
            error = failure
        except TimeoutError:
            error = mail.MailError("mail.hangs", f"no answer within {settings.timeout_s:g} s", retryable=True)
        await self._settle(target, row, error)
        return True

    async def _mail(self, row: Any, matter: Any) -> None:
        settings = self._desk.settings.messages
        to = await _sql.address(self._desk.pool, staff=row["staff"])
        if not to:
            raise mail.MailError("mail.no_address", "this person has no mail address")
        subject = f"【{URGENT_ZH.get(row['urgency'], '')}】{row['ticket'] or ''}"
        text = f"{self._words(row, matter, 'zh')}\n\n{self._words(row, matter, 'en')}\n"
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(settings.timeout_s + CLAIM_BEYOND_S / 2):
            await loop.run_in_executor(self._threads, mail.send, settings, to, subject, text, row["key"])

    async def _settle(self, target: Target, row: Any, error: CallCenterError | None) -> None:
        """Write down what came of a try; a message is given up only after many."""
        now, settings = datetime.now(UTC), self._desk.settings.messages
        hopeless = error is not None and not error.retryable and not _mendable(error)
        last = hopeless or row["attempts"] >= settings.attempts
        if error is not None:
            log.warning("message_not_sent", channel=target.channel, target=target.name, reason=error.code,
                        attempts=row["attempts"], given_up=last, mend=error.mend)  # fmt: skip
        async with self._desk.pool.acquire() as connection, connection.transaction():
            if error is not None and not last:
                pause = min(FIRST_PAUSE_S * 2 ** (row["attempts"] - 1), LONGEST_PAUSE_S)
                later = now + timedelta(seconds=pause)
                await _sql.put_off(connection, id=row["id"], at=later, result=error.code)
                return
            state, result = ("failed", error.code) if error is not None else ("sent", None)
            await _sql.finish(connection, id=row["id"], state=state, result=result, at=now)
            if row["ticket"] is not None:
                await self._into_history(connection, target, row, result)

    async def _into_history(self, connection: Connection, target: Target, row: Any, result: str | None) -> None:
        organisation = self._desk.site(row["site"]).organisation
        staff, known = row["staff"], organisation.knows(row["staff"])
        person = organisation.person(staff) if known else None
        zh, en = (person.called(), person.called("en")) if person else (str(staff), str(staff))
        if target.channel == "webhook":
            zh = en = target.name
        how_zh, how_en = ("邮件", "a mail") if target.channel == "mail" else ("webhook 通知", "a webhook message")
        if result is None:
            told = (f"已向{zh}发送{how_zh}。", f"{how_en.capitalize()} was sent to {en}.")
        else:
            told = (f"{how_zh}未能送达{zh}（{result}）。", f"{how_en.capitalize()} to {en} was not taken ({result}).")
        await write_event(
            self._desk, connection, DeskEvent.MESSAGE_SENT if result is None else DeskEvent.MESSAGE_FAILED,
            site=row["site"], ticket=row["ticket"], rules=(row["rule"],) if row["rule"] else (),
            body={"channel": target.channel, "target": target.name, "staff": staff, "zh": told[0], "en": told[1]},
        )  # fmt: skip

    def _words(self, row: Any, matter: Any, language: str) -> str:
        """What is told: number, urgency, category, building, what is wanted; not who called, or what they said."""
        english, taxonomy = language == "en", self._desk.site(row["site"]).taxonomy
        category = taxonomy.categories.get(matter["category"]) if matter is not None else None
        building = matter["building"] if matter is not None else None
        if english:
            where = f"building {building}" if building else ""
            number = f"number {row['ticket']}" if row["ticket"] is not None else ""
            parts = [row["urgency"].capitalize(), number, category.en if category else "", where]
            return f"{', '.join(part for part in parts if part)}. {row['body'].get('en', '')} {self._link(row)}".strip()
        parts = [
            f"编号{row['ticket']}" if row["ticket"] is not None else "", f"{building}号楼" if building else "",
            category.zh if category else "",
        ]  # fmt: skip
        about = "，".join(part for part in parts if part) + "。" if any(parts) else ""
        return f"【{URGENT_ZH.get(row['urgency'], '')}】{about}{row['body'].get('zh', '')} {self._link(row)}".strip()

    def _link(self, row: Any) -> str:
        address = self._desk.settings.desk.public_url
        return f"{address.rstrip('/')}/tickets/{row['ticket']}" if address and row["ticket"] is not None else ""

    def _payload(self, row: Any, matter: Any) -> dict[str, Any]:
        """The plain form's fields: ids and labels."""
        body = row["body"]
        return {
            "kind": body.get("kind"), "site": row["site"], "ticket": row["ticket"], "staff": row["staff"],
            "urgency": row["urgency"], "category": matter["category"] if matter is not None else None,
            "rule": row["rule"], "due_at": body.get("due_at"), "created_at": row["created_at"].isoformat(),
        }  # fmt: skip


WHILE_OPEN = frozenset({EffectKind.WARN, EffectKind.CONFIRM, EffectKind.FOLLOW_UP})
"""What asks for something that a matter which is over needs no more."""


def _needless(row: Any, matter: Any, hook: Webhook | None) -> bool:
    """Whether nobody needs to read it any more: somebody else is asked by now, or the matter is over.

    What people read is so when it comes late (a server that was away for a day empties no heap of old news on them); a
    system behind a plain webhook hears of everything.
    """
    if matter is None:
        return False
    kind, over, late = row["body"].get("kind"), matter["closed_at"] is not None, row["attempts"] > 1
    if kind == EffectKind.ASK:
        return over or (late and matter["asked"] != row["staff"])
    return late and over and kind in WHILE_OPEN and (hook is None or hook.form != "plain")


def _mendable(error: CallCenterError) -> bool:
    """A setting that a person may mend meanwhile: tried again."""
    return error.mend is not None


async def read_by(desk: Desk, number: int, staff: str) -> None:
    """This person has the matter on their screen: told of it, so their telephone need not tell them any more.

    Writes only what was unread until now.
    """
    await _reach.read(desk.pool, ticket=number, staff=staff, at=datetime.now(UTC))


async def of_ticket(desk: Desk, number: int) -> list[dict[str, Any]]:
    """Everything that was sent because of a matter, in order: staff, channel, state, attempts, result, times."""
    return [dict(row) async for row in _sql.of_ticket(desk.pool, ticket=number)]
