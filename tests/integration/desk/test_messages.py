"""Mail and webhooks: what the rule sends reaches who wants it so, signed, at least once; what hangs holds up nobody."""

from __future__ import annotations

import asyncio
import base64
import hashlib
import hmac
import json
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from email import message_from_string
from email.policy import default
from typing import Any
from urllib.parse import parse_qs

import aiohttp
import pytest
from aiohttp import web
from desk_node import SITE, FakeSpeech, decided, labels, linked, served, settings_of, until

from callcenter.config import MessageSettings, Settings, Webhook
from callcenter.desk import choices, messages, tickets
from callcenter.desk.house import Desk, open_desk
from callcenter.desk.webhooks import WebhookError, request_of, send, sign
from callcenter.errors import ConfigError
from tests.harness.ports import free_port

SECRET = "an example secret"
NUMBER = 100778


@dataclass
class Receiver:
    """A webhook's target: keeps what comes, and answers as it is told."""

    got: asyncio.Queue[tuple[dict[str, str], bytes, dict[str, list[str]]]] = field(default_factory=asyncio.Queue)
    answers: list[web.Response] = field(default_factory=list)
    hanging: asyncio.Event | None = None
    url: str = ""

    async def take(self, request: web.Request) -> web.Response:
        self.got.put_nowait((dict(request.headers), await request.read(), parse_qs(request.query_string)))
        if self.hanging is not None:
            await self.hanging.wait()
        return self.answers.pop(0) if self.answers else web.json_response({"errcode": 0})

    async def next(self) -> tuple[dict[str, str], bytes, dict[str, list[str]]]:
        async with asyncio.timeout(20):
            return await self.got.get()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    app = web.Application()
    app.router.add_post("/hook", receiver.take)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    receiver.url = f"http://127.0.0.1:{site._server.sockets[0].getsockname()[1]}/hook"  # type: ignore[union-attr]
    try:
        yield receiver
    finally:
        if receiver.hanging is not None:
            receiver.hanging.set()
        await runner.cleanup()


@dataclass
class MailServer:
    """Just enough SMTP: takes mails, or says no to every address with `refuse`."""

    refuse: str = ""
    goodbye: str = "221 bye"
    mails: asyncio.Queue[str] = field(default_factory=asyncio.Queue)
    tried: int = 0
    port: int = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := (await reader.readline()).decode().strip():
            verb = line.split()[0].upper()
            if verb == "RCPT":
                self.tried += 1
                writer.write(f"{self.refuse or '250 ok'}\r\n".encode())
            elif verb == "DATA":
                writer.write(b"354 go on\r\n")
                text = (await reader.readuntil(b"\r\n.\r\n")).decode()
                self.mails.put_nowait(text)
                writer.write(b"250 taken\r\n")
            elif verb == "QUIT":
                writer.write(f"{self.goodbye}\r\n".encode())
                break
            else:
                writer.write(b"250 ok\r\n")
        writer.close()


@asynccontextmanager
async def mail_server(refuse: str = "", port: int = 0) -> AsyncIterator[MailServer]:
    told = MailServer(refuse)
    server = await asyncio.start_server(told.serve, "127.0.0.1", port)
    told.port = server.sockets[0].getsockname()[1]
    async with server:
        yield told


@asynccontextmanager
async def emergency(settings: Settings, speech: FakeSpeech, **ways: Any) -> AsyncIterator[Desk]:
    """A desk with these ways switched on, and a call about people shut in a lift, whose people all have addresses."""
    on = settings.model_copy(update={"messages": MessageSettings(mail_tls="off", timeout_s=1, **ways)})
    async with open_desk(on) as desk, served(desk) as address:
        await desk.pool.execute("update staff set email = id || '@example.com'")
        async with linked(settings_of(on.var_dir, str(desk.dsn), [address])) as node:
            understood = labels("lift", "emergency", "help")
            speech.answers["电梯困人"] = understood
            node.line.whole_call("电梯困人", NUMBER, understood)
            yield desk


async def results(desk: Desk, channel: str) -> list[tuple[str, str | None]]:
    sql = "select state, result from outward_message where channel = $1 order by id"
    return [(row["state"], row["result"]) for row in await desk.pool.fetch(sql, channel)]


def settled(desk: Desk, channel: str, *states: str) -> Callable[[], Awaitable[Any]]:
    async def look() -> bool:
        found = {state for state, _ in await results(desk, channel)}
        return bool(found) and found <= set(states)

    return look


async def test_a_webhook_is_signed_and_told_once_of_each_step(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    async with receiving() as receiver:
        hook = Webhook(name="duty", url=receiver.url, secret_env="HOOK_SECRET")
        async with emergency(settings, speech, webhooks=[hook]) as desk:
            headers, body, _ = await receiver.next()
            stamp = int(headers["X-Callcenter-Timestamp"])
            assert abs(stamp - datetime.now(UTC).timestamp()) < 60
            assert headers["X-Callcenter-Signature"] == sign(SECRET, stamp, body)
            told = json.loads(body)
            assert told["ticket"] == NUMBER
            assert told["urgency"] == "emergency"
            assert headers["Idempotency-Key"] == told["key"]
            await until(settled(desk, "webhook", "sent"))
            keys = [
                r["key"] for r in await desk.pool.fetch("select key from outward_message where channel = 'webhook'")
            ]
            assert len(keys) == len(set(keys))
            history = [step.body.get("zh", "") for step in (await tickets.one(desk, NUMBER)).history]
            assert any("webhook" in sentence for sentence in history)
            caller = (await tickets.one(desk, NUMBER)).ticket.caller_number
            assert caller is not None
            assert caller not in body.decode(), "nothing of who called"


async def test_a_failed_webhook_is_tried_again_with_the_same_key(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    monkeypatch.setattr(messages, "FIRST_PAUSE_S", 0.2)
    async with receiving() as receiver:
        receiver.answers = [web.Response(status=503), web.Response(status=302, headers={"Location": "/other"})]
        hook = Webhook(name="duty", url=receiver.url, secret_env="HOOK_SECRET")
        async with emergency(settings, speech, webhooks=[hook]) as desk:
            await until(settled(desk, "webhook", "sent"))
            seen: list[str] = []
            while not receiver.got.empty():
                seen.append((await receiver.next())[0]["Idempotency-Key"])
            assert len(seen) == len(set(seen)) + 2, "two tries more than messages, by the same keys"


async def test_a_desk_that_dies_while_it_sends_leaves_it_to_another_with_the_same_key(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    async with receiving() as receiver:
        receiver.hanging = asyncio.Event()
        hook = Webhook(name="duty", url=receiver.url, secret_env="HOOK_SECRET")
        async with emergency(settings, speech, webhooks=[hook]) as dying:
            key = (await receiver.next())[0]["Idempotency-Key"]
        receiver.hanging.set()
        receiver.hanging = None
        async with open_desk(dying.settings) as desk:
            due = "update outward_message set next_at = now() where state = 'sending' and target = 'duty' returning key"
            assert [row["key"] for row in await desk.pool.fetch(due)] == [key], "nobody knows whether it got through"
            await until(settled(desk, "webhook", "sent"))
        again = [receiver.got.get_nowait()[0]["Idempotency-Key"] for _ in range(receiver.got.qsize())]
        assert again.count(key) == 1, "at least once, and the receiver can tell"


async def test_a_target_that_hangs_holds_up_nobody(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    async with receiving() as hangs, receiving() as works, mail_server() as post:
        hangs.hanging = asyncio.Event()
        hooks = [
            Webhook(name="hangs", url=hangs.url, secret_env="HOOK_SECRET"),
            Webhook(name="works", url=works.url, secret_env="HOOK_SECRET"),
        ]
        ways = {"webhooks": hooks, "mail_host": "127.0.0.1", "mail_port": post.port}
        async with emergency(settings, speech, **ways) as desk:
            await hangs.next()
            await works.next()
            async with asyncio.timeout(20):
                mail = message_from_string(await post.mails.get(), policy=default)
            assert str(NUMBER) in mail["Subject"]
            assert "3号楼" in mail.get_content()
            sql = "select result from outward_message where target = 'hangs' and state = 'due' and attempts > 0"
            assert await until(lambda: desk.pool.fetchval(sql)) == "webhook.hangs"
            detail = await tickets.one(desk, NUMBER)
            assert detail.ticket.asked is not None, "the matter goes its way meanwhile"


async def test_a_mail_server_that_refuses_is_told_and_loses_nothing(settings: Settings, speech: FakeSpeech) -> None:
    async with (
        mail_server("550 no such person") as post,
        emergency(settings, speech, mail_host="127.0.0.1", mail_port=post.port) as desk,
    ):
        await until(settled(desk, "mail", "failed"))
        assert {result for _, result in await results(desk, "mail")} == {"mail.refused"}
        history = [step.body.get("zh", "") for step in (await tickets.one(desk, NUMBER)).history]
        assert any("邮件未能送达" in sentence for sentence in history)
        pages = await desk.pool.fetchval("select count(*) from told where ticket = $1", NUMBER)
        assert pages > 0, "their pages show it all the same"


async def test_a_mail_server_that_is_busy_is_tried_again(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "FIRST_PAUSE_S", 0.2)
    async with (
        mail_server("451 later") as post,
        emergency(settings, speech, mail_host="127.0.0.1", mail_port=post.port) as desk,
    ):
        await until(lambda: desk.pool.fetchval("select true from outward_message where result = 'mail.refused'"))
        post.refuse = ""
        await until(settled(desk, "mail", "sent"))
        assert not post.mails.empty()


async def test_a_mail_server_that_is_away_is_tried_again(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "FIRST_PAUSE_S", 0.2)
    port = free_port(socket.SOCK_STREAM)
    async with emergency(settings, speech, mail_host="127.0.0.1", mail_port=port) as desk:
        await until(lambda: desk.pool.fetchval("select true from outward_message where result = 'mail.server'"))
        async with mail_server(port=port) as post:
            await until(settled(desk, "mail", "sent"))
            assert not post.mails.empty()


async def test_a_mail_that_was_taken_is_sent_once_whatever_the_server_says_to_a_goodbye(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(messages, "FIRST_PAUSE_S", 0.1)
    async with mail_server() as post:
        post.goodbye = "421 closing"
        async with emergency(settings, speech, mail_host="127.0.0.1", mail_port=post.port) as desk:
            await until(settled(desk, "mail", "sent"))
            tries = await desk.pool.fetch("select distinct attempts from outward_message where channel = 'mail'")
            assert [row["attempts"] for row in tries] == [1]


@pytest.mark.parametrize(
    ("kind", "closed", "attempts", "form", "needless"),
    [
        ("warn", True, 9, None, True), ("follow_up", True, 9, "wecom", True), ("warn", True, 9, "plain", False),
        ("warn", True, 1, None, False), ("warn", False, 9, None, False), ("tell", True, 9, None, False),
        ("escalate", True, 9, None, False), ("report", True, 9, None, False), ("ask", True, 1, "plain", True),
        ("ask", False, 2, None, True), ("ask", False, 1, None, False),
    ],
)  # fmt: skip
def test_a_server_that_was_away_for_a_day_empties_no_old_news_on_people(
    kind: str, closed: bool, attempts: int, form: Any, needless: bool
) -> None:
    hook = Webhook(name="h", form=form, url="https://example.com", secret_env="HOOK_SECRET") if form else None
    row = {"body": {"kind": kind}, "attempts": attempts, "staff": "gao_feng"}
    matter = {"closed_at": datetime.now(UTC) if closed else None, "asked": "wu_gang"}
    assert messages._needless(row, matter, hook) is needless


async def test_everything_is_off_by_default(desk: Desk) -> None:
    assert messages.targets(desk.settings) == []
    assert Settings().messages.mail_host is None


@pytest.mark.parametrize(
    ("form", "answer"), [("wecom", {"errcode": 0}), ("dingtalk", {"errcode": 0}), ("feishu", {"code": 0})]
)
async def test_robots_get_their_own_form_and_signature(
    form: Any, answer: dict[str, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ROBOT", SECRET)
    async with receiving() as receiver, aiohttp.ClientSession() as session:
        hook = Webhook(name="robot", form=form, url=receiver.url, secret_env=None if form == "wecom" else "ROBOT")
        at = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
        receiver.answers = [web.json_response(answer), web.json_response({"errcode": 310000, "code": 19021})]
        request = request_of(hook, "key", "电梯困人", {}, at)
        await send(session, hook, request, 5)
        _, body, query = await receiver.next()
        told = json.loads(body)
        if form == "feishu":
            key = f"{told['timestamp']}\n{SECRET}".encode()
            assert told["sign"] == base64.b64encode(hmac.new(key, b"", hashlib.sha256).digest()).decode()
            assert told["content"] == {"text": "电梯困人"}
        else:
            assert told == {"msgtype": "text", "text": {"content": "电梯困人"}}
        if form == "dingtalk":
            text = f"{query['timestamp'][0]}\n{SECRET}".encode()
            assert query["sign"] == [
                base64.b64encode(hmac.new(SECRET.encode(), text, hashlib.sha256).digest()).decode()
            ]
        with pytest.raises(WebhookError, match="robot answers"):  # with HTTP status 200
            await send(session, hook, request, 5)


async def test_a_robot_may_answer_in_pieces() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n")
        for piece in (b'{"errcode"', b':0,"errmsg":"', b"x" * 5000, b'"}'):
            await writer.drain()
            await asyncio.sleep(0.02)  # so that each is a packet of its own
            writer.write(piece)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    hook = Webhook(name="robot", form="wecom", url=f"http://127.0.0.1:{port}/")
    async with server, aiohttp.ClientSession() as session:
        await send(session, hook, request_of(hook, "key", "电梯困人", {}, datetime.now(UTC)), 5)


async def test_an_address_that_can_be_nobodys_is_a_failure_like_any_other() -> None:
    hook = Webhook(name="robot", form="wecom", url=f"https://{'a' * 80}.example.com/")
    async with aiohttp.ClientSession() as session:
        with pytest.raises(WebhookError):
            await send(session, hook, request_of(hook, "key", "text", {}, datetime.now(UTC)), 5)
    with pytest.raises(ConfigError, match="no https address"):
        request_of(Webhook(name="a", form="wecom", url="https://[::1"), "k", "t", {}, datetime.now(UTC))


def test_a_webhook_without_secret_or_over_plain_http_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    at = datetime.now(UTC)
    with pytest.raises(ConfigError, match="no secret"):
        request_of(Webhook(name="a", url="https://example.com"), "k", "t", {}, at)
    monkeypatch.setenv("ROBOT", SECRET)
    with pytest.raises(ConfigError, match="no https address"):
        request_of(Webhook(name="a", url="http://example.com", secret_env="ROBOT"), "k", "t", {}, at)
    with pytest.raises(ConfigError, match="secret of webhook"):
        request_of(Webhook(name="a", url="https://example.com", secret_env="NOWHERE"), "k", "t", {}, at)


NIGHT = {"urgency": "important", "from": "22:00", "until": "07:00", "channels": ["page"]}


async def test_each_person_chooses_by_urgency_and_hour(desk: Desk) -> None:
    staff = await desk.pool.fetchval("select id from staff order by id limit 1")
    rules = [NIGHT, {"urgency": "important", "channels": ["page", "telephone"]}]
    chosen = await choices.choose(desk, staff, email="a@example.com", rules=rules, actor=staff, key="k1")
    assert chosen == await choices.choice(desk, staff)
    assert chosen.email == "a@example.com"
    assert chosen.channels("important", time(23, 0)) == frozenset()
    assert chosen.channels("important", time(6, 59)) == frozenset()
    assert chosen.channels("important", time(12, 0)) == {"telephone"}
    assert chosen.channels("emergency", time(23, 0)) == {"mail"}, "the house's way where they said nothing"
    again = await choices.choose(desk, staff, email=None, rules=[], actor=staff, key="k1")
    assert again == chosen, "the same request twice is one"


async def test_an_incident_is_told_in_writing(
    settings: Settings, speech: FakeSpeech, monkeypatch: pytest.MonkeyPatch
) -> None:
    """R32: the supervisor and the duty leader by mail, whoever listens to the webhook once."""
    monkeypatch.setenv("HOOK_SECRET", SECRET)
    power = labels("power", "important", building="6", unit="1", room=None)
    async with mail_server() as post, receiving() as receiver:
        hook = Webhook(name="erp", url=receiver.url, secret_env="HOOK_SECRET", urgencies=("important",))
        ways = MessageSettings(mail_tls="off", mail_host="127.0.0.1", mail_port=post.port, webhooks=[hook])
        on = settings.model_copy(update={"messages": ways})
        async with open_desk(on) as desk, served(desk) as address:
            await desk.pool.execute("update staff set email = id || '@example.com'")
            async with linked(settings_of(settings.var_dir, str(desk.dsn), [address])) as node:
                for n in range(desk.settings.rules.incident_calls):
                    speech.answers[f"停电了{n}"] = power
                    call = node.line.ring(number=f"1391111{n:04}")
                    node.line.hear(call, f"停电了{n}")
                    node.line.open(call, 100300 + n, power)
                    node.line.end(call)
                sql = "select channel from outward_message where key like 'incident/%' and state = 'sent'"
                await until(lambda: _sent_by(desk, sql, {"mail", "webhook"}), 60)
            (told,) = await desk.pool.fetch("select body from outward_message where key like 'incident/%/webhook/erp'")
            assert "6号楼" in told["body"]["zh"]
            mails = [message_from_string(post.mails.get_nowait(), policy=default) for _ in range(post.mails.qsize())]
            texts = [mail.get_content() for mail in mails if "6号楼" in mail.get_content()]
            assert texts
            assert not any("None" in text for text in texts)


async def _sent_by(desk: Desk, sql: str, channels: set[str]) -> bool:
    return channels <= {row["channel"] for row in await desk.pool.fetch(sql)}


def hours(desk: Desk, begin: int, end: int) -> dict[str, Any]:
    """Emergencies by page alone, from and until so many hours from now."""
    now = desk.site(SITE).rules_at(datetime.now(UTC)).calendar.local(datetime.now(UTC))
    first, last = (f"{now + timedelta(hours=hour):%H:%M}" for hour in (begin, end))
    return {"urgency": "emergency", "from": first, "until": last, "channels": ["page"]}


async def test_what_a_person_chose_for_this_hour_is_what_they_get(settings: Settings, speech: FakeSpeech) -> None:
    async with open_desk(settings) as before:
        asked = decided(before, labels("lift", "emergency", "help")).handed_to[0].staff
        manager = before.site(SITE).organisation.general_manager
        for staff, rule in ((asked, hours(before, -1, 1)), (manager, hours(before, 1, 2))):
            await choices.choose(before, staff, email=None, rules=[rule], actor=staff, key=f"choice of {staff}")
    async with (
        mail_server() as post,
        emergency(settings, speech, mail_host="127.0.0.1", mail_port=post.port) as desk,
    ):
        await until(lambda: _all_spread(desk))
        sql = "select staff from outward_message where channel = 'mail' and ticket = $1"
        mailed = {row["staff"] for row in await desk.pool.fetch(sql, NUMBER)}
        told = await desk.pool.fetchval("select count(*) from told where staff = $1 and ticket = $2", asked, NUMBER)
    assert asked not in mailed, "by page alone at this hour"
    assert told, "which shows everything"
    assert manager in mailed, "at another hour: now it is the house's way"


async def _all_spread(desk: Desk) -> bool:
    sql = "select bool_and(spread) from outward_message where ticket = $1"
    return bool(await desk.pool.fetchval(sql, NUMBER))


@pytest.mark.parametrize(
    "rules",
    [
        "all", [{"urgency": "huge", "channels": []}], [{"urgency": "any", "channels": ["pigeon"]}],
        [{"urgency": "any", "channels": [], "from": "22:00"}], [{"channels": [], "from": "7", "until": "25:00"}],
        [{"channels": [], "colour": "red"}], [{"urgency": "any", "channels": []}] * 21,
    ],
)  # fmt: skip
def test_a_wrong_choice_is_refused_and_says_why(rules: Any) -> None:
    with pytest.raises(ConfigError) as error:
        choices.read_wishes(rules)
    assert error.value.code == "choice.invalid"
