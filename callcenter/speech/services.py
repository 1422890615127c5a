"""Clients of the node's understanding and voice on `run_dir/speech.sock`, with time-outs. Light to import."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import aiohttp

from callcenter.domain.codec import from_json
from callcenter.domain.labels import Understanding
from callcenter.errors import DomainError, SpeechError

ANSWER_WITHIN_S = 0.3
"""A caller waits no longer for understanding or voice; then rules and recorded parts serve."""


class SpeechServices:
    """One session over the UNIX socket; open it once per process, close it at the end."""

    def __init__(self, socket: Path, *, answer_within_s: float = ANSWER_WITHIN_S) -> None:
        self._socket = socket
        self._answer_within_s = answer_within_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        await self.close()

    async def close(self) -> None:
        """May be called twice."""
        if self._session is not None:
            await self._session.close()
            self._session = None

    async def _post(self, path: str, body: dict[str, Any], within_s: float | None) -> bytes:
        if self._session is None:
            self._session = aiohttp.ClientSession(connector=aiohttp.UnixConnector(path=str(self._socket)))
        try:
            async with (
                asyncio.timeout(self._answer_within_s if within_s is None else within_s),
                self._session.post(f"http://speech{path}", json=body) as answer,
            ):
                content = await answer.read()
                if answer.status != 200:
                    raise SpeechError("speech.refused", content.decode(errors="replace")[:300])
                return content
        except TimeoutError:
            raise SpeechError("speech.slow", "the speech service did not answer in time", retryable=True) from None
        except aiohttp.ClientError as error:
            raise SpeechError(
                "speech.away", "the speech service is away", retryable=True, where=str(self._socket)
            ) from error

    async def understand(
        self, text: str, *, language: str = "zh", site: str | None = None, within_s: float | None = None
    ) -> Understanding:
        """Labels of `text`. Raises SpeechError (`retryable`) when there is no answer within `within_s` seconds."""
        content = await self._post("/understand", {"text": text, "language": language, "site": site}, within_s)
        try:
            return from_json(Understanding, content)
        except DomainError as error:
            raise SpeechError("speech.unreadable", "the speech service answers in another version") from error

    async def say(self, text: str, *, language: str = "zh", within_s: float | None = None) -> bytes:
        """A WAV (8 kHz mono 16-bit) of `text`. Raises SpeechError as `understand` does."""
        return await self._post("/say", {"text": text, "language": language}, within_s)
