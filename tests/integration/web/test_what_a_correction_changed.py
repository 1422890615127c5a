"""A correction is never silent: the history says from what to what (R6), and shows nobody a number (R10)."""

from __future__ import annotations

from typing import Any

import pytest

from tests.browser.matters import act, matter
from tests.browser.running import Client, House


def corrected(client: Client, number: int) -> str:
    """What the last correction says it changed."""
    steps: list[dict[str, Any]] = client.api("GET", f"/tickets/{number}").json()["history"]
    last = next(step for step in reversed(steps) if step["kind"] in ("ticket.amend", "ticket.confirm"))
    return str(last["detail"])


@pytest.mark.parametrize(
    ("changes", "zh", "en"),
    [
        ({"urgency": "normal"}, "缓急 重要 → 一般", "Urgency Important → Normal"),
        ({"building": "3", "unit": "1", "room": "301"}, "→ 3号楼1单元301室", "→ Building 3, unit 1, room 301"),
        ({"source": "press"}, "来电方 居民 → 媒体", "→ the press"),
        ({"investigation": "yes"}, "是否需要调查（R20） 不需要 → 需要", "Investigation (R20) not needed → needed"),
        ({"caller_name": "朱女士"}, "姓名 — → 朱女士", "Name — → 朱女士"),
        ({"content": "电" * 200}, f"→ {'电' * 59}…", f"→ {'电' * 59}…"),
    ],
)
def test_the_history_says_what_was_corrected(
    house: House, supervisor: Client, changes: dict[str, str], zh: str, en: str
) -> None:
    number = matter(house)
    act(supervisor, number, "correct", **changes)
    assert zh in corrected(supervisor, number)
    for language, said in (("zh-CN", zh), ("en", en)):
        assert said in supervisor.get(f"/tickets/{number}?lang={language}").text


def test_a_number_is_named_and_not_shown(house: House, supervisor: Client, agent: Client) -> None:
    number = matter(house)
    act(supervisor, number, "correct", caller_number="14000995566")
    assert corrected(supervisor, number) == "来电号码"
    assert "14000995566" not in agent.get(f"/tickets/{number}").text


def test_what_stays_is_not_told(house: House, supervisor: Client) -> None:
    number = matter(house)
    act(supervisor, number, "correct", urgency="important", caller_name="朱女士")
    assert corrected(supervisor, number) == "姓名 — → 朱女士"
