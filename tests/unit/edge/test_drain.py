"""An edge that is told to end waits for the calls in progress; a Kamailio that is slow to answer once ends none."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from callcenter.config import Settings
from callcenter.edge import role as edge_role
from callcenter.edge.render import render
from callcenter.edge.role import GIVEN_UP_AFTER, EdgeRole
from callcenter.errors import TelephonyError


class Kamailio:
    """Answers with the number of open calls, or (None) not at all."""

    def __init__(self, answers: Sequence[int | None]) -> None:
        self.answers = list(answers)
        self.asked: list[str] = []

    async def call(self, method: str, *_: Any) -> Any:
        if method in {"htable.seti", "dlg.stats_active"}:
            self.asked.append(method)
            answer = self.answers.pop(0)
            if answer is None:
                raise TelephonyError("edge.rpc_silent", "Kamailio does not answer", retryable=True)
            return {"all": answer}
        return {}


@pytest.fixture
def role(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[EdgeRole]:
    monkeypatch.setattr(edge_role, "LOOK_S", 0.001)
    role = EdgeRole(Settings.model_validate({"node": {"var_dir": str(tmp_path)}}))
    role._met = True
    yield role
    role.journal.close()


async def drained(role: EdgeRole, *answers: int | None) -> Kamailio:
    kamailio = Kamailio(answers)
    await role._drain(render(role.settings, 5060, None, ()), kamailio, None)  # type: ignore[arg-type]
    return kamailio


async def test_an_answer_that_is_late_ends_no_call(role: EdgeRole) -> None:
    kamailio = await drained(role, None, 1, 2, None, 2, None, None, 1, 0)
    assert kamailio.answers == []
    assert kamailio.asked == [*["htable.seti"] * 2, *["dlg.stats_active"] * 7]


async def test_a_kamailio_that_never_answers_is_given_up(role: EdgeRole) -> None:
    assert len((await drained(role, *[None] * 20)).asked) == GIVEN_UP_AFTER
