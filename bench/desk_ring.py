"""An emergency is spoken on a real line; the telephone of whoever is on duty rings."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path
from typing import Any

from pydantic import SecretStr

from bench.calls import house_settings, percentile
from bench.uac import Caller, alaw
from callcenter.config import Settings
from callcenter.demo import Desk as Api
from callcenter.demo import Door
from callcenter.desk.house import open_desk
from callcenter.desk.phones import set_phone
from callcenter.edge.phones import read_phones
from callcenter.serve.launcher import Launcher
from callcenter.speech.say import synthesise_to_wav
from callcenter.telephony.caller import RunningPhone, running_phone
from callcenter.telephony.plan import PhonePlan

CALLS = 6
SAID = ("着火了，三号楼着火了", "快来人，五号楼着火了", "楼道里着火了，一号楼")
SPEAK_AFTER_S = 11.0
TALK_S = 40.0
PHONE_PASSWORD = "a password of the bench"
RING_WITHIN_S = 40.0


async def give_phone(settings: Settings, staff: str, extension: str) -> None:
    """Let the person's phone register; returns when the edge knows it."""
    dsn = f"postgresql://callcenter@/callcenter?host={settings.var_dir / 'postgres' / 'socket'}"
    database = settings.database.model_copy(update={"dsn": SecretStr(dsn)})
    async with open_desk(settings.model_copy(update={"database": database}), background=False) as desk:
        await set_phone(desk, settings.site.default, staff, extension, PHONE_PASSWORD, settings.edge.realm)
    async with asyncio.timeout(30):
        while extension not in read_phones(settings).ha1:  # noqa: ASYNC110
            await asyncio.sleep(0.05)


async def ring_once(n: int, address: tuple[str, int], speech: bytes, phone: RunningPhone) -> tuple[float, float]:
    """Seconds from the first and from the last word until the phone rings; the person then takes the matter."""
    number = f"1400077{n:04}"
    caller = Caller(*address, number, speech, speak_after_s=SPEAK_AFTER_S, hang_up_after_s=TALK_S)
    calling = asyncio.create_task(caller.run())
    await phone.wait_for("ringing", SPEAK_AFTER_S + RING_WITHIN_S, count=n + 1)
    rang = time.time()
    began = caller.times.speech_began
    if began is None:
        raise RuntimeError("the phone rang before a word was spoken")
    await phone.wait_for("gone", 90, count=n + 1)
    await calling
    return rang - began, rang - (began + len(speech) / 8000)


async def measure(folder: Path) -> list[tuple[float, float]]:
    """Every call in turn on one house."""
    settings = house_settings(folder)
    door = Door(settings)
    launcher = Launcher(settings, listener=door.hear)
    speech = []
    for n, text in enumerate(SAID):
        wav = folder / f"said-{n}.wav"
        await asyncio.to_thread(synthesise_to_wav, wav, text, voice="f4")
        speech.append(alaw(wav))
    try:
        await launcher.start()
        if not launcher.ready:
            raise RuntimeError("the house did not become ready; its log above says why")
        api = Api(launcher.desk_url or "", settings.var_dir / "secrets" / "tls.crt")
        await api.log_in(door)
        duty = await api.get("/duty")
        staff = next(row["staff"] for row in duty["now"] if row["role"] == "security")
        await api.http.close()
        extension = _extension(settings, staff)
        await give_phone(settings, staff, extension)
        host, port = (launcher.sip_address or "").rsplit(":", 1)
        async with running_phone(
            PhonePlan(f"{host}:{port}", extension, PHONE_PASSWORD, answer_after_s=0.3, keys="1")
        ) as phone:
            return [await ring_once(n, (host, int(port)), speech[n % len(speech)], phone) for n in range(CALLS)]
    finally:
        await launcher.hurry()


def _extension(settings: Settings, staff: str) -> str:
    from callcenter.site.load import load_sites

    person = load_sites(settings.sites_dir, settings.rules)[settings.site.default].organisation.person(staff)
    if person.extension is None:
        raise RuntimeError(f"{staff} has no telephone in the example site")
    return person.extension


def run(folder: Path) -> dict[str, Any]:
    """The figure, and its parts."""
    found = asyncio.run(measure(folder))
    return {
        "emergency_ring_p95_s": round(percentile([end * 10 for _, end in found], 0.95) / 10, 2),
        "emergency_ring_from_first_word_p95_s": round(percentile([first * 10 for first, _ in found], 0.95) / 10, 2),
        "emergency_ring_s": [round(end, 2) for _, end in found],
    }
