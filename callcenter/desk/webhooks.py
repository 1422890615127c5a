"""One webhook call: our own signed JSON, or a text for a group robot of WeCom, DingTalk or Feishu with its signature.

Delivered at least once; every try of a message has the same `Idempotency-Key`, so that a receiver can tell.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import os
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode, urlsplit

import aiohttp

from callcenter.config import Webhook
from callcenter.errors import CallCenterError, ConfigError

ANSWER_AT_MOST = 64 * 1024
"""Bytes of a robot's answer that are read; theirs have about a hundred."""
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class WebhookError(CallCenterError):
    """A target that did not take a message; always worth another try."""


@dataclass(frozen=True)
class Request:
    """What is sent: address, headers, body."""

    url: str
    headers: dict[str, str]
    body: bytes


def secret_of(hook: Webhook) -> str:
    """The secret that signs; "" where there is none. Raises ConfigError for one that is missing."""
    if hook.secret_env is None:
        if hook.form == "plain":
            raise ConfigError(
                "webhook.unsigned", f"webhook {hook.name!r} has no secret", where="messages.webhooks",
                mend="name the environment variable with its secret as secret_env",
            )  # fmt: skip
        return ""
    secret = os.environ.get(hook.secret_env)
    if not secret:
        raise ConfigError(
            "webhook.secret", f"the secret of webhook {hook.name!r} is not there", where="messages.webhooks",
            mend=f"set the environment variable {hook.secret_env}",
        )  # fmt: skip
    return secret


def address_of(hook: Webhook) -> str:
    """Where it goes. Raises ConfigError unless it is https (http on this machine)."""
    url = hook.url or os.environ.get(hook.url_env or "", "")
    try:
        parts = urlsplit(url)
        safe = bool(parts.hostname) and (
            parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in LOOPBACK)
        )
    except ValueError:  # "https://[::1"
        safe = False
    if not safe:
        raise ConfigError(
            "webhook.address", f"webhook {hook.name!r} has no https address", where="messages.webhooks",
            mend="write url, or name the environment variable with it as url_env",
        )  # fmt: skip
    return url


def request_of(hook: Webhook, key: str, text: str, payload: dict[str, Any], at: datetime) -> Request:
    """The request for one try at `at`. Raises ConfigError."""
    url, secret, stamp = address_of(hook), secret_of(hook), int(at.timestamp())
    headers = {"Content-Type": "application/json; charset=utf-8", "Idempotency-Key": key, "User-Agent": "callcenter"}
    content: dict[str, Any]
    match hook.form:
        case "plain":
            body = _json({**payload, "key": key, "text": text})
            headers |= {"X-Callcenter-Timestamp": str(stamp), "X-Callcenter-Signature": sign(secret, stamp, body)}
            return Request(url, headers, body)
        case "wecom":
            content = {"msgtype": "text", "text": {"content": text}}
        case "dingtalk":
            content = {"msgtype": "text", "text": {"content": text}}
            if secret:
                stamp_ms = round(at.timestamp() * 1000)
                signature = _base64(secret, f"{stamp_ms}\n{secret}")
                url += ("&" if "?" in url else "?") + urlencode({"timestamp": stamp_ms, "sign": signature})
        case "feishu":
            content = {"msg_type": "text", "content": {"text": text}}
            if secret:
                content |= {"timestamp": str(stamp), "sign": _base64(f"{stamp}\n{secret}", "")}
    return Request(url, headers, _json(content))


def sign(secret: str, stamp: int, body: bytes) -> str:
    """`sha256=` and HMAC-SHA256 over "<timestamp>.<body>", as a receiver of the plain form computes it."""
    return "sha256=" + hmac.new(secret.encode(), f"{stamp}.".encode() + body, hashlib.sha256).hexdigest()


def _base64(key: str, text: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), text.encode(), hashlib.sha256).digest()).decode()


def _json(value: dict[str, Any]) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


async def send(session: aiohttp.ClientSession, hook: Webhook, request: Request, timeout_s: float) -> None:
    """One try. Raises WebhookError for a target that hangs, is away, redirects, or says no."""
    limit = aiohttp.ClientTimeout(total=timeout_s)
    try:
        async with session.post(
            request.url, data=request.body, headers=request.headers, timeout=limit, allow_redirects=False
        ) as answer:
            status, said = answer.status, b""
            while len(said) < ANSWER_AT_MOST and (part := await answer.content.read(ANSWER_AT_MOST)):
                said += part
    except TimeoutError as error:
        raise WebhookError("webhook.hangs", f"no answer within {timeout_s:g} s", retryable=True) from error
    except (aiohttp.ClientError, OSError, UnicodeError) as error:  # UnicodeError: a host that no name server can know
        raise WebhookError("webhook.away", type(error).__name__, retryable=True) from error
    if not 200 <= status < 300:
        raise WebhookError("webhook.status", f"HTTP status {status}", retryable=True)
    if hook.form != "plain" and (code := _robot_says(said)) != 0:
        raise WebhookError("webhook.robot", f"the robot answers {code}", retryable=True)


def _robot_says(said: bytes) -> int:
    """A robot's own code, 0 when it took the text; robots say errors with HTTP status 200."""
    try:
        told = json.loads(said)
        return int(next((told[name] for name in ("errcode", "code", "StatusCode") if name in told), 0))
    except (ValueError, TypeError):
        return -1
