"""Understanding and voice for this node's processes: HTTP over a UNIX socket only the service's user may open."""

from __future__ import annotations

import asyncio
import json
import os
from collections.abc import Callable
from pathlib import Path

from aiohttp import web

from callcenter.domain.codec import to_json
from callcenter.domain.labels import Understanding
from callcenter.errors import SpeechError
from callcenter.log import get_logger
from callcenter.speech.say import Synthesiser, wav_of

MAX_BODY_BYTES = 64 * 1024
MAX_SAID_CHARACTERS = 400
"""A caller hears no longer speeches; what is longer is a prompt, and prompts are rendered beforehand."""
SYNTHESISERS = 2
"""Voices at once; one that is rendering something long does not keep a caller waiting."""

Understand = Callable[[str, str, str | None], Understanding]
_LOG = get_logger("speech.service")


def _make_way(socket: Path) -> None:
    socket.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket.unlink(missing_ok=True)


class SpeechService:
    """`POST /understand`, `POST /say`, `GET /healthz`."""

    def __init__(self, understand: Understand, *, max_characters: int = 4000) -> None:
        self._understand = understand
        self._max_characters = max_characters
        self._voices: asyncio.Queue[Synthesiser] = asyncio.Queue()
        self._all_voices = [Synthesiser() for _ in range(SYNTHESISERS)]
        for voice in self._all_voices:
            self._voices.put_nowait(voice)
        self._runner: web.AppRunner | None = None
        self.draining = False

    async def listen(self, socket: Path) -> None:
        """Open the socket (mode 0600), replacing one that a dead process left, and warm the voices."""
        application = web.Application(client_max_size=MAX_BODY_BYTES)
        application.add_routes(
            [
                web.post("/understand", self._on_understand),
                web.post("/say", self._on_say),
                web.get("/healthz", self._on_health),
            ]
        )
        self._runner = web.AppRunner(application, access_log=None, handle_signals=False)
        await self._runner.setup()
        _make_way(socket)
        before = os.umask(0o177)
        try:
            await web.UnixSite(self._runner, str(socket)).start()
        except OSError as error:
            raise SpeechError(
                "speech.socket",
                "the local socket cannot be opened",
                where=str(socket),
                mend="paths over 107 characters do not work: choose a shorter node.var_dir",
            ) from error
        finally:
            os.umask(before)
        await asyncio.gather(*(asyncio.to_thread(self._warm, voice) for voice in self._all_voices))
        await asyncio.to_thread(self._understand, "楼道灯不亮", "zh", None)

    @staticmethod
    def _warm(voice: Synthesiser) -> None:
        """Start the child now. Without a voice the rest still serves: lines speak from recorded parts."""
        try:
            voice.say("您好")
        except SpeechError as error:
            _LOG.error("no_voice", error=str(error))

    async def close(self) -> None:
        """Finish what is being answered and end the voices. May be called twice."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None
        for voice in self._all_voices:
            await asyncio.to_thread(voice.close)

    async def _asked(self, request: web.Request) -> tuple[str, str, str | None]:
        try:
            body = await request.json()
            text, language, site = body["text"], body.get("language", "zh"), body.get("site")
        except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError, AttributeError):
            raise web.HTTPBadRequest(text="a JSON object with `text` is expected") from None
        if not isinstance(text, str) or not isinstance(language, str) or not isinstance(site, str | None):
            raise web.HTTPBadRequest(text="`text`, `language` and `site` must be texts")
        if not language.startswith(("zh", "en")):
            raise web.HTTPBadRequest(text="`language` must be zh or en")
        return text, language[:2], site

    async def _on_understand(self, request: web.Request) -> web.Response:
        text, language, site = await self._asked(request)
        understood = await asyncio.to_thread(self._understand, text[-self._max_characters :], language, site)
        return web.Response(body=to_json(understood), content_type="application/json")

    async def _on_say(self, request: web.Request) -> web.Response:
        text, language, _ = await self._asked(request)
        if len(text) > MAX_SAID_CHARACTERS:
            raise web.HTTPBadRequest(text=f"at most {MAX_SAID_CHARACTERS} characters are said")
        voice = await self._voices.get()
        try:
            pcm = await asyncio.to_thread(voice.say, text, language)
        except SpeechError as error:
            _LOG.warning("not_said", code=error.code)
            raise web.HTTPInternalServerError(text=str(error)) from error
        finally:
            self._voices.put_nowait(voice)
        return web.Response(body=wav_of(pcm), content_type="audio/wav")

    async def _on_health(self, _: web.Request) -> web.Response:
        if self.draining:
            return web.Response(status=503, text="draining")
        return web.Response(text="ok")
