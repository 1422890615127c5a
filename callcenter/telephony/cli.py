"""`callcenter call`: dial a SIP address as a resident would, and say what came of it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import os
import re
import socket
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from callcenter.errors import TelephonyError
from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, CallReport, Turn, When
from callcenter.telephony.wav import read_prompt

_URI = re.compile(r"sip:(?:[^@\s<>]+@)?(?P<host>[^\s@:;?<>\[\]]+)(?::(?P<port>\d{1,5}))?(?:[;?][^\s<>]*)?")
_FROM = re.compile(r"\+?[0-9A-Za-z*._-]{1,32}")
_KEYS = re.compile(r"[0-9*#A-Da-d]+")


def turns_of(wavs: list[Path], texts: list[str], keys: str | None) -> tuple[Turn, ...]:
    """Recordings first, then texts, then keys; each when our side has fallen silent."""
    said = [Turn(Action.PLAY, str(wav)) for wav in wavs] + [Turn(Action.SAY, text) for text in texts]
    pressed = [Turn(Action.KEYS, keys, When.QUIET if said else When.TALKING)] if keys else []
    return (*said, *pressed)


def reached_from(uri: str) -> str:
    """Our address towards the host of `uri`: 127.0.0.1 for this machine itself. Raises TelephonyError for what is no
    SIP address, whose host has no IPv4 address, or to which there is no way."""
    match = _URI.fullmatch(uri)
    if match is None or not 0 < int(match["port"] or 5060) < 65536:
        raise TelephonyError("caller.address", f"not a SIP address: {uri}", mend="write sip:NUMBER@HOST:PORT")
    try:
        found = socket.getaddrinfo(match["host"], int(match["port"] or 5060), socket.AF_INET, socket.SOCK_DGRAM)
    except (OSError, UnicodeError):
        raise TelephonyError(
            "caller.host", f"the host {match['host']} has no address", where=uri,
            mend="check its spelling, or write its IPv4 address",
        ) from None  # fmt: skip
    there = found[0][4]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(there)  # sends nothing
        except OSError as error:
            raise TelephonyError(
                "caller.no_way", f"there is no way to {there[0]}: {error.strerror}", where=uri,
                mend="check the address, and the network (ip -4 route)",
            ) from None  # fmt: skip
        here = str(probe.getsockname()[0])
    return "127.0.0.1" if here == there[0] else here


def check_options(
    from_number: str, dtmf: str | None, language: str, hangup_after: float | None, max_s: float, record: Path | None
) -> None:
    """Raise TelephonyError naming the first option that cannot be meant, before anything is dialled."""
    if from_number and not _FROM.fullmatch(from_number):
        raise _refused(
            "--from", f"{from_number!r} is no number or SIP user", "write it as 13800000001 or +8613800000001"
        )
    if dtmf is not None and not _KEYS.fullmatch(dtmf):
        raise _refused("--dtmf", f"{dtmf!r} are no keys of a telephone", "use 0-9, *, # and A-D")
    if language not in ("zh", "en"):
        raise _refused("--language", f"no texts are spoken in {language!r}", "use zh or en")
    if hangup_after is not None and not hangup_after >= 0:
        raise _refused("--hangup-after", f"{hangup_after:g} s is before the answer", "write 0 or more seconds")
    if not max_s > 0:
        raise _refused("--max-s", f"a call of {max_s:g} s is none", "write more than 0 seconds")
    if record is None:
        return
    folder = record.resolve().parent
    if not folder.is_dir():
        raise _refused("--record", f"there is no folder {folder}", f"mkdir -p {folder}")
    if record.is_dir():
        raise _refused("--record", f"{record} is a folder", "name a WAV file in it")
    if not os.access(folder, os.W_OK):
        raise _refused("--record", f"{folder} cannot be written by this user", "choose a folder of your own")


def _refused(option: str, message: str, mend: str) -> TelephonyError:
    return TelephonyError("caller.option", message, where=option, mend=mend)


def call(
    uri: Annotated[str, typer.Argument(help="SIP address, as sip:4001@127.0.0.1:5060.")],
    from_number: Annotated[str, typer.Option("--from", help="Number of the caller; empty: withheld.")] = "",
    wav: Annotated[list[Path] | None, typer.Option(help="WAV to say (8 kHz mono 16-bit); may be repeated.")] = None,
    text: Annotated[list[str] | None, typer.Option(help="Text to say, synthesised; may be repeated.")] = None,
    dtmf: Annotated[str | None, typer.Option(help="Keys to press afterwards.")] = None,
    language: Annotated[str, typer.Option(help="Language of the texts: zh or en.")] = "zh",
    voice: Annotated[str, typer.Option(help="Voice of the texts: an espeak-ng variant.")] = "f2",
    hangup_after: Annotated[float | None, typer.Option(help="Hang up so many seconds after the answer.")] = None,
    record: Annotated[Path | None, typer.Option(help="Stereo WAV to write: heard left, said right.")] = None,
    transcriber: Annotated[str | None, typer.Option(help="vosk-server that writes down what was heard.")] = None,
    max_s: Annotated[float, typer.Option(help="End the whole call after so many seconds.")] = 300.0,
    as_json: Annotated[bool, typer.Option("--json", help="Print the report as one JSON object.")] = False,
) -> None:
    """Dial a SIP address as a resident would: each turn is said when the other side has fallen silent."""
    bind_host = reached_from(uri)
    check_options(from_number, dtmf, language, hangup_after, max_s, record)
    for path in wav or []:
        read_prompt(path)
    plan = CallPlan(
        uri=uri,
        turns=turns_of(wav or [], text or [], dtmf),
        from_number=from_number or "anonymous",
        language=language,
        voice=voice,
        bind_host=bind_host,
        hangup_after_s=hangup_after,
        max_s=max_s,
        record=str(record.resolve()) if record else None,
        transcriber_url=transcriber,
    )
    report = asyncio.run(place_call(plan, _progress))
    if as_json:
        fields = dataclasses.asdict(report)
        fields.pop("events")
        print(json.dumps(fields, ensure_ascii=False))
    else:
        print(sentence(report))
    if not report.answered:
        raise typer.Exit(1)


def _progress(event: dict[str, Any]) -> None:
    """What happens, in one line on standard error."""
    name = str(event["event"])
    if name in ("report", "error"):
        return
    detail = str(event.get("action") or event.get("status") or event.get("key") or "")
    sys.stderr.write(f"  {name} {detail}".rstrip() + "\n")
    sys.stderr.flush()


def sentence(report: CallReport) -> str:
    """The report for a person."""
    if not report.answered:
        rang = f", rang after {report.ringing_ms:.0f} ms" if report.ringing_ms is not None else ""
        return f"not answered: SIP status {report.status}{rang}"
    answered = f"answered after {report.answered_ms or 0:.0f} ms on ring {report.rings}"
    lines = [
        f"180 after {report.ringing_ms or 0:.0f} ms, {answered}",
        f"talked {report.talk_s:.1f} s, {report.turns_done} turns, hung up by {report.ended_by}",
        f"longest silence {report.longest_silence_s:.1f} s",
    ]
    if report.heard:
        lines.append(f"heard: {report.heard}")
    if report.recording:
        lines.append(f"recorded: {report.recording}")
    return "\n".join(lines)
