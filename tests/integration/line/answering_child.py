"""An endpoint whose event loop stands still: only the owner thread's watchdog can answer."""

import asyncio
import sys
import time

from callcenter.telephony.endpoint import Endpoint
from callcenter.telephony.events import Event, Gone, Incoming
from callcenter.telephony.exchange import ExchangeSettings


async def main() -> None:
    gone = asyncio.Event()

    def take(event: Event) -> None:
        if isinstance(event, Incoming):
            time.sleep(4)  # the script hangs
        elif isinstance(event, Gone):
            gone.set()
        print(type(event).__name__, getattr(event, "by", ""), flush=True)

    loud = b"\x00\x30\x00\xd0" * 80
    endpoint = Endpoint(ExchangeSettings(watchdog_s=1.0, apology=(loud,) * 100), take)
    endpoint.start()
    print(endpoint.sip_port, flush=True)
    await gone.wait()
    await endpoint.stop()
    sys.stdout.flush()
    Endpoint.leave()


asyncio.run(main())
