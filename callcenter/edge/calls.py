"""Calls that Kamailio knows of."""

from __future__ import annotations

from typing import Any

from callcenter.edge.lines import LineAddress
from callcenter.edge.rpc import Rpc

_EARLY = frozenset({1, 2})
"""Dialog states before the answer."""
_TALKING = frozenset({3, 4})
"""Dialog states that BYE ends."""


async def open_calls(rpc: Rpc) -> int:
    """Calls that ring or talk now."""
    counts = await rpc.call("dlg.stats_active")
    return int(counts["all"])


async def _calls_of(rpc: Rpc, line: LineAddress) -> list[dict[str, Any]]:
    return list(await rpc.call("dlg.profile_list", "line", line.uri) or ())


async def early_calls(rpc: Rpc, line: LineAddress) -> list[tuple[str, str]]:
    """Call-ID and CSeq of what rings at a line."""
    calls = await _calls_of(rpc, line)
    return [(str(c["call-id"]), str(c["caller"]["cseq"])) for c in calls if int(c["state"]) in _EARLY]


async def end_talking_calls(rpc: Rpc, line: LineAddress) -> int:
    """Hang up both sides of a line's answered calls: a caller is not kept in silence (R3). How many there were."""
    calls = [call for call in await _calls_of(rpc, line) if int(call["state"]) in _TALKING]
    for call in calls:
        await rpc.call("dlg.end_dlg", int(call["h_entry"]), int(call["h_id"]))
    return len(calls)
