"""A real transcriber over the built-in model, and speech to feed it."""

import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from transcriber_node import Node, Nodes

from callcenter.speech.recognition import SpeechModel, load_model
from callcenter.speech.say import synthesise

MODEL = Path(__file__).parents[3] / "models" / "builtin-zh-8k"
SENTENCE = "三号楼二单元一一零二水管爆了"


@pytest.fixture(scope="session")
def model() -> SpeechModel:
    """The built-in model, loaded once."""
    return load_model(MODEL)


@pytest.fixture(scope="session")
def speech() -> bytes:
    """One spoken sentence with silence after it, 8 kHz."""
    return synthesise(SENTENCE) + bytes(2 * 8000)


@pytest.fixture
async def nodes(model: SpeechModel) -> AsyncIterator[Nodes]:
    """A factory of transcribers."""
    async with contextlib.AsyncExitStack() as exits:
        yield Nodes(model, exits)


@pytest.fixture
async def node(nodes: Nodes) -> Node:
    """One transcriber with the usual settings."""
    return await nodes.start()


@pytest.fixture
def bare_text(model: SpeechModel) -> Callable[[bytes, int], str]:
    """The text bare libvosk gives for samples in chunks of so many bytes, utterances joined."""
    import json

    import vosk

    def decode(pcm: bytes, chunk: int) -> str:
        recognizer = vosk.KaldiRecognizer(model.handle, 8000.0)
        texts = [
            json.loads(recognizer.Result())["text"]
            for at in range(0, len(pcm), chunk)
            if recognizer.AcceptWaveform(pcm[at : at + chunk])
        ]
        texts.append(json.loads(recognizer.FinalResult())["text"])
        return " ".join(t for t in texts if t)

    return decode
