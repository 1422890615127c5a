"""Transcribers started for a test."""

import contextlib
from dataclasses import dataclass, field

from callcenter.speech.decoding import DecodingPool
from callcenter.speech.recognition import SpeechModel
from callcenter.speech.transcriber import Transcriber


@dataclass
class Node:
    """A listening transcriber."""

    transcriber: Transcriber
    port: int

    @property
    def url(self) -> str:
        return f"ws://127.0.0.1:{self.port}"


@dataclass
class Nodes:
    """Starts transcribers and ends them with the test."""

    model: SpeechModel
    exits: contextlib.AsyncExitStack = field(default_factory=contextlib.AsyncExitStack)

    async def start(self, *, port: int = 0, threads: int = 2, max_streams: int = 64) -> Node:
        pool = DecodingPool(self.model, threads)
        self.exits.callback(pool.close)
        transcriber = Transcriber(pool, max_streams=max_streams)
        self.exits.push_async_callback(transcriber.close)
        return Node(transcriber, await transcriber.listen("127.0.0.1", port))
