"""Scripts that ship, and a caller to walk them with."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "contract"))

from fake_phone import FakeCaller, FakePhone
from fake_understanding import fake_understand
from walking import SCRIPTS, Talk, surroundings

from callcenter.dialplan.interpreter import run
from callcenter.dialplan.load import Dialplan, load_dialplan
from callcenter.dialplan.outcome import Outcome
from callcenter.dialplan.phone import TransferEnd


@pytest.fixture(scope="session")
def zh() -> Dialplan:
    return load_dialplan(SCRIPTS / "hotline.zh.yaml")


@pytest.fixture(scope="session")
def en() -> Dialplan:
    return load_dialplan(SCRIPTS / "hotline.en.yaml")


@pytest.fixture
def talk(zh: Dialplan) -> Talk:
    """Walk the Mandarin hotline: `after` maps a prompt to what the caller does next."""

    async def walk(
        after: dict[str, object] | None = None,
        *,
        operator: TransferEnd = TransferEnd.NO_ANSWER,
        plan: Dialplan = zh,
        **changes: object,
    ) -> tuple[FakePhone, Outcome]:
        context = surroundings(**({"language": plan.language} | changes))
        phone = FakePhone(FakeCaller(after or {}), fake_understand, operator=operator, now=context.now)  # type: ignore[arg-type]
        return phone, await run(plan, phone, context)

    return walk
