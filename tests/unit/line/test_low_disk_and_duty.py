"""Without room on the disk calls go to people: whoever is on duty now, at any of the sites (R5)."""

from __future__ import annotations

import asyncio
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from callcenter.config import Settings
from callcenter.line import process
from callcenter.line.house import House
from callcenter.line.process import Line
from tests.harness.ticks import ticks


@pytest.fixture
def on_duty(monkeypatch: pytest.MonkeyPatch) -> dict[str, str | None]:
    """Site to the extension of its operator on duty; what is written there is so from then on."""
    duty: dict[str, str | None] = {"xingfu": None, "yangguang": None}
    monkeypatch.setattr(process, "operator_extension", lambda site, _at: duty[site])
    monkeypatch.setattr(process, "LOOK_EVERY_S", 0.01)
    return duty


def line_with(accepted: list[bool], tmp_path: Path) -> Line:
    settings = Settings.model_validate(
        {
            "node": {"var_dir": str(tmp_path)},
            "site": {"default": "xingfu", "dialled": {"4002": "yangguang"}},
            "edge": {"mode": "kamailio"},
        }
    )
    line = Line(settings, 1)
    house: Any = SimpleNamespace(
        low_disk=True, site=lambda name: name, endpoint=SimpleNamespace(accept=lambda on: accepted.append(on))
    )
    line._house = cast(House, house)
    return line


async def until(accepted: list[bool], wanted: bool) -> None:
    async with asyncio.timeout(5):
        async for _ in ticks(0.01):
            if accepted and accepted[-1] is wanted:
                return


async def test_calls_are_taken_as_soon_as_somebody_with_a_phone_comes_on_duty(
    on_duty: dict[str, str | None], tmp_path: Path
) -> None:
    accepted: list[bool] = []
    line = line_with(accepted, tmp_path)
    line._open_or_close()
    assert accepted == [False]
    watch = asyncio.create_task(line._watch_duty())
    on_duty["xingfu"] = "8001"
    await until(accepted, wanted=True)
    on_duty["xingfu"] = None
    await until(accepted, wanted=False)
    on_duty["yangguang"] = "8101"
    await until(accepted, wanted=True)
    watch.cancel()


async def test_with_room_on_the_disk_nothing_is_changed(on_duty: dict[str, str | None], tmp_path: Path) -> None:
    accepted: list[bool] = []
    line = line_with(accepted, tmp_path)
    cast(Any, line._house).low_disk = False
    watch = asyncio.create_task(line._watch_duty())
    await asyncio.sleep(0.1)
    assert accepted == []
    watch.cancel()
