"""Calls that Kamailio knows of: how many, and ending those of a line that died."""

from __future__ import annotations

from callcenter.edge.lines import LineAddress
from callcenter.edge.rpc import Rpc
from callcenter.errors import TelephonyError
from callcenter.log import get_logger

log = get_logger("edge.calls")


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
    log.info("line.gone", port=line.port, calls=calls)
