"""How often somebody may try a password: slows guessing without locking a colleague out for the night."""

from __future__ import annotations

import time
from collections import OrderedDict, deque
from collections.abc import Callable

WINDOW_S = 300.0
PER_LOGIN = 5
PER_ADDRESS = 20
REMEMBERED = 10_000
"""Keys kept; the longest untouched is forgotten first, so that guessing names cannot fill memory."""


class LoginLimit:
    """Attempts per login and per address within five minutes that were not, or not yet, right.

    An attempt counts from its beginning: checking a password takes time, and many may be sent at once. `now` is
    monotonic seconds.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def _recent(self, key: str) -> int:
        failures = self._failures.get(key)
        if failures is None:
            return 0
        while failures and failures[0] < self._now() - WINDOW_S:
            failures.popleft()
        return len(failures)

    def attempt(self, login: str, address: str) -> bool:
        """Begin an attempt; whether it may be made."""
        if self._recent(f"l:{login.lower()}") >= PER_LOGIN or self._recent(f"a:{address}") >= PER_ADDRESS:
            return False
        for key in (f"l:{login.lower()}", f"a:{address}"):
            self._failures.setdefault(key, deque(maxlen=PER_ADDRESS)).append(self._now())
            self._failures.move_to_end(key)
        while len(self._failures) > REMEMBERED:
            self._failures.popitem(last=False)
        return True

    def succeeded(self, login: str, address: str) -> None:
        """The attempt was right: forget a login's failures; the address keeps its other ones."""
        self._failures.pop(f"l:{login.lower()}", None)
        if others := self._failures.get(f"a:{address}"):
            others.pop()
