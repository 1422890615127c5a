"""Real lines, real callers, a real transcriber."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
from line_node import LINE, LineNode, RawCaller

from callcenter.speech.decoding import DecodingPool
from callcenter.speech.recognition import load_model
from callcenter.speech.transcriber import Transcriber
from tests.harness.ports import free_rtp_first

MODEL = Path(__file__).parents[3] / "models" / "builtin-zh-8k"
StartLine = Callable[..., Awaitable[LineNode]]


def write_config(folder: Path, url: str | None = None, mode: str = "direct", **line: Any) -> Path:
    """Settings of one line; keyword arguments are those of the section `line`."""
    settings = {"count": 1, "rtp_port_first": free_rtp_first(1), **line}
    lines = "\n".join(f"{key} = {value!r}" for key, value in settings.items())
    speech = f'url = "{url}"' if url else "port = 1"
    path = folder / "callcenter.toml"
    path.write_text(
        f'[node]\nvar_dir = "{folder / "var"}"\n[edge]\nmode = "{mode}"\n[line]\n{lines}\n[speech]\n{speech}\n'
    )
    return path


@pytest.fixture(scope="session")
def model() -> Any:
    """The built-in model, loaded once."""
    return load_model(MODEL)


@pytest.fixture
async def transcriber(model: Any) -> AsyncIterator[str]:
    """Address of a transcriber over the built-in model."""
    pool = DecodingPool(model, 1)
    server = Transcriber(pool, max_streams=8)
    port = await server.listen("127.0.0.1", 0)
    yield f"ws://127.0.0.1:{port}"
    await server.close()
    pool.close()


@pytest_asyncio.fixture
async def start_line(tmp_path: Path) -> AsyncIterator[StartLine]:
    """Starts a line (in direct mode unless told); keyword arguments are settings of the section `line`."""
    nodes: list[LineNode] = []

    async def start(
        *, url: str | None = None, mode: str = "direct", environment: dict[str, str] | None = None,
        program: tuple[str, ...] = LINE, **line: Any,
    ) -> LineNode:  # fmt: skip
        config = write_config(tmp_path, url, mode, **line)
        node = LineNode(tmp_path / "var", config, environment or {}, program)
        nodes.append(node)
        await node.start()
        return node

    yield start
    for node in nodes:
        await node.stop()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared_line(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[LineNode]:
    """One line with the usual settings for all tests of a module."""
    folder = tmp_path_factory.mktemp("line")
    node = LineNode(folder / "var", write_config(folder), {})
    await node.start()
    yield node
    await node.stop()


@pytest_asyncio.fixture(loop_scope="module")
async def line(shared_line: LineNode) -> LineNode:
    """The module's line; its journal looks empty."""
    shared_line.forget()
    return shared_line


@pytest.fixture
def raw_caller() -> Iterator[Callable[[LineNode], RawCaller]]:
    """Makes raw SIP callers."""
    callers: list[RawCaller] = []

    def make(node: LineNode) -> RawCaller:
        callers.append(RawCaller(node.port))
        return callers[-1]

    yield make
    for caller in callers:
        caller.close()
