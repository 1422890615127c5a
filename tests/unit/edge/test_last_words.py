"""A call that Kamailio refused is reported, however soon after it Kamailio ends or its log is turned over (R5)."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

from callcenter.config import Settings
from callcenter.edge.kamailio import Kamailio
from callcenter.edge.render import render
from callcenter.edge.tail import Tail
from tests.harness.ticks import ticks

REFUSES_AS_IT_ENDS = """#!/bin/sh
trap 'echo refused a call >&2; exit 0' TERM
echo started >&2
while :; do sleep 0.05; done
"""


async def test_what_it_says_while_it_ends_is_heard(tmp_path: Path) -> None:
    binary = tmp_path / "kamailio"
    binary.write_text(REFUSES_AS_IT_ENDS, encoding="ascii")
    binary.chmod(0o700)
    settings = Settings.model_validate({"node": {"var_dir": str(tmp_path)}, "edge": {"binary": str(binary)}})
    said: list[str] = []
    kamailio = Kamailio(settings, render(settings, 5060, None, ()), said.append)
    await kamailio.start()
    async with asyncio.timeout(20):
        async for _ in ticks():
            if said:
                break
    await kamailio.stop()
    assert said == ["started", "refused a call"]


def written(log: Path, *lines: str) -> None:
    with log.open("a", encoding="utf-8") as file:
        file.write("".join(lines))


def test_a_reader_goes_on_where_the_one_before_it_stopped(tmp_path: Path) -> None:
    log = tmp_path / "kamailio.log"
    written(log, "of last week\n")
    first = Tail(log)
    written(log, "one\n", "half a li")
    assert first.read() == ["one"]
    first.keep()
    written(log, "ne\n", "two\n")
    second = Tail(log)
    assert second.read() == ["half a line", "two"]
    assert second.read() == []


def test_what_nobody_wrote_down_is_read_again(tmp_path: Path) -> None:
    log = tmp_path / "kamailio.log"
    first = Tail(log)
    first.keep()
    written(log, "one\n")
    assert first.read() == Tail(log).read() == ["one"]


def test_a_log_turned_over_is_read_from_its_beginning(tmp_path: Path) -> None:
    log = tmp_path / "kamailio.log"
    written(log, "before\n")
    tail = Tail(log)
    log.rename(tmp_path / "kamailio.log.1")
    assert tail.read() == []
    written(log, "a longer line than all before\n")
    assert tail.read() == ["a longer line than all before"]
    os.truncate(log, 0)
    written(log, "short\n")
    assert tail.read() == ["short"]


def test_a_mark_that_nobody_can_read_is_no_fault(tmp_path: Path) -> None:
    log = tmp_path / "kamailio.log"
    written(log, "before\n")
    (tmp_path / "kamailio.log.read").write_text("?", encoding="ascii")
    tail = Tail(log)
    written(log, "new\n")
    assert tail.read() == ["new"]
