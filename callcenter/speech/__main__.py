"""The speech role: transcribe, understand and say for one node (`python -m callcenter.speech --config FILE`)."""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import ctypes
import signal
import sys
from pathlib import Path

from callcenter.config import Settings, load_settings
from callcenter.errors import CallCenterError
from callcenter.log import get_logger, setup_logging
from callcenter.role import on_signals, say, stay_alive, write_found
from callcenter.speech.decoding import DecodingPool
from callcenter.speech.models import checked_model_folder
from callcenter.speech.recognition import load_model
from callcenter.speech.service import SpeechService
from callcenter.speech.transcriber import Transcriber
from callcenter.speech.understand import load_understander

STUCK_AFTER_S = 30.0
"""A thread at one chunk, or at one recognizer, for so long is stuck: the role is not alive, and is restarted."""
LAST_WORDS_S = 4.0
"""A second SIGTERM ends the role within 5 s."""
_LOG = get_logger("speech")


def _decodes(pool: DecodingPool) -> bool:
    """Whether no thread is stuck; what is stuck is logged."""
    stuck_s = pool.stuck_for_s()
    if stuck_s >= STUCK_AFTER_S:
        _LOG.error("decoding_stuck", for_s=round(stuck_s))
    return stuck_s < STUCK_AFTER_S


async def serve(settings: Settings) -> None:
    """Load, listen, tell the launcher, and stay until told to end."""
    drain, at_once = asyncio.Event(), asyncio.Event()
    on_signals(drain, at_once)
    folder = await asyncio.to_thread(checked_model_folder, settings)
    model = await asyncio.to_thread(load_model, folder)
    understander = await asyncio.to_thread(load_understander, settings)
    pool = DecodingPool(model, settings.speech.threads)
    transcriber = Transcriber(pool, max_streams=settings.speech.max_streams)
    service = SpeechService(understander.understand)
    try:
        await service.listen(settings.run_dir / "speech.sock")
        port = await transcriber.listen(str(settings.speech.bind_host), settings.speech.port)
        write_found(settings.run_dir, "speech", {"transcribe": port})
        say("ready", role="speech", ports={"transcribe": port})
        alive = asyncio.create_task(stay_alive(lambda: _decodes(pool)))
        await drain.wait()
        service.draining = True
        _LOG.info("draining", streams=transcriber.streams)
        draining = asyncio.create_task(transcriber.drain())
        hurry = asyncio.create_task(at_once.wait())
        await asyncio.wait({draining, hurry}, return_when=asyncio.FIRST_COMPLETED)
        for task in (alive, draining, hurry):
            task.cancel()
    finally:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LAST_WORDS_S):
                await transcriber.close()
                await service.close()
        pool.close()


EXIT_CANNOT_HEAL = 78
"""The launcher does not start us again (EX_CONFIG of sysexits.h)."""


def main() -> None:
    """Entry point of the role; one sentence when it cannot start, and status 78 when a person must mend it."""
    parser = argparse.ArgumentParser(prog="python -m callcenter.speech", description=__doc__)
    parser.add_argument("--config", type=Path, help="settings (default: config/callcenter.toml)")
    arguments = parser.parse_args()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(1, signal.SIGTERM)  # PDEATHSIG: the launcher's end is ours
    try:
        settings = load_settings(arguments.config)
        setup_logging("speech", settings.log.level, settings.log.json_lines)
        asyncio.run(serve(settings))
    except CallCenterError as error:
        sys.stderr.write(f"speech: {error}\n")
        raise SystemExit(1 if error.retryable else EXIT_CANNOT_HEAL) from None


if __name__ == "__main__":
    main()
