"""All lines are busy and one more calls: nobody is lost, somebody calls back (R5, R22)."""

from __future__ import annotations

import pytest

from tests.calls.hotline import DIALLED, Hotline, stranger
from tests.harness.sip import Invite, Peer

pytestmark = pytest.mark.asyncio(loop_scope="session")


async def test_one_more_than_the_lines_take(hotline: Hotline) -> None:
    capacity = hotline.house.lines * hotline.house.loaded.line.callers_per_line
    peer = await Peer.open()
    try:
        talking = [Invite(peer, hotline.house.sip, user=DIALLED, caller=stranger()) for _ in range(capacity)]
        for call in talking:
            call.send()
            assert (await call.wait_final(60)).status == 200
            call.within("ACK")
        late = Invite(peer, hotline.house.sip, user=DIALLED, caller=stranger())
        late.send()
        assert (await late.wait_final(60)).status == 486
        for call in talking:
            call.within("BYE")
            assert (await call.wait_final(60)).status == 200
    finally:
        peer.close()
    (unserved,) = await hotline.unserved(late.caller)
    assert unserved["unserved"] == "all_busy"
    assert not unserved["answered"]
    callback = await hotline.desk.callback_of(unserved["id"])
    assert (callback["reason"], callback["ticket"]) == ("unserved", unserved["ticket"])
    assert [t["number"] for t in await hotline.desk.tickets_of(unserved["id"])] == [unserved["ticket"]]
    for call in talking:
        await hotline.kept(call.caller)
    await hotline.answers()
