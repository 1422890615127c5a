"""New matters for tests of the pages, each of a household of its own in building 12, and what is done with them."""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

from tests.browser import stories
from tests.browser.running import Client, House, new_matter

_rooms = (100 * floor + door for floor in range(2, 15) for door in range(1, 9))
"""Of building 12."""
_keys = itertools.count(1)
REPAIRMAN = "gao_feng"


def act(client: Client, number: int, what: str, **body: Any) -> None:
    """One act through the API, with a key of its own."""
    headers = {"Idempotency-Key": f"day-{next(_keys):06}"}
    answer = client.api("POST", f"/tickets/{number}/{what}", json=body, headers=headers)
    assert answer.status_code == 200, answer.text


def matter(house: House, story: stories.Story = stories.POWER, **changes: Any) -> int:
    """A new matter of a caller of its own; its number, once the desk has completed it."""
    room = next(_rooms)
    own = {"number": f"1400077{room:04}", "building": "12", "unit": "1", "room": str(room)} | changes
    return new_matter(house, replace(story, **own))


def given_to(house: House, staff: str, story: stories.Story = stories.POWER) -> int:
    """A matter that `staff` is asked to take."""
    number = matter(house, story)
    act(house.client("supervisor"), number, "hand-over", to=staff, reason="请您处理")
    return number


def events(house: House, number: int, kind: str) -> int:
    """How often something happened to a matter."""
    history = house.client("supervisor").api("GET", f"/tickets/{number}").json()["history"]
    return sum(event["kind"] == kind for event in history)
