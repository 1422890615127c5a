"""A real line whose event loop stands still when a caller rings, until long after the third ring."""

import time

from callcenter.line.__main__ import main
from callcenter.line.process import Line
from callcenter.telephony.events import Event, Incoming

STANDS_S = 15.0
take = Line._event


def stand_still(line: Line, event: Event) -> None:
    """Nothing of the line runs meanwhile but the owner thread and the audio's clock."""
    if isinstance(event, Incoming):
        time.sleep(STANDS_S)
    take(line, event)


Line._event = stand_still  # type: ignore[method-assign]
main()
