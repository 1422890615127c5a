"""Calls that Kamailio knows of: how many, and ending those of a line that died."""

from __future__ import annotations

from callcenter.edge.lines import LineAddress
from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError
from callcenter.log import get_logger

log = get_logger("edge.calls")

_TALKING = frozenset({3, 4})
"""Dialog states that can be ended with BYE; one that still rings goes to another line when its timer ends."""


async def open_calls(rpc: Rpc) -> int:
    """Calls that ring or talk now."""
    counts = await rpc.call("dlg.stats_active")
    return int(counts["all"])


async def end_calls_of(rpc: Rpc, line: LineAddress) -> None:
    """Hang up what a dead line left: a caller is not kept in silence (R3)."""
    try:
        calls = await rpc.call("dlg.profile_list", "line", line.uri)
    except TelephonyError as error:
        log.debug("calls.none", error=str(error))
        return
    ended = 0
    for call in calls:
        if int(call["state"]) in _TALKING:
            await rpc.call("dlg.end_dlg", int(call["h_entry"]), int(call["h_id"]))
            ended += 1
    log.warning("line.gone", port=line.port, calls_ended=ended)
