"""`callcenter call`: dial a SIP address as a resident would, and say what came of it."""

from __future__ import annotations

import asyncio
import dataclasses
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from callcenter.errors import TelephonyError
from callcenter.telephony.caller import place_call
from callcenter.telephony.plan import Action, CallPlan, CallReport, Turn, When
from callcenter.telephony.wav import read_prompt


def turns_of(wavs: list[Path], texts: list[str], keys: str | None) -> tuple[Turn, ...]:
    """Recordings first, then texts, then keys; each when our side has fallen silent."""
    said = [Turn(Action.PLAY, str(wav)) for wav in wavs] + [Turn(Action.SAY, text) for text in texts]
    pressed = [Turn(Action.KEYS, keys, When.QUIET if said else When.TALKING)] if keys else []
    return (*said, *pressed)


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
    if not uri.startswith("sip:"):
        raise TelephonyError("caller.address", f"not a SIP address: {uri}", mend="write sip:NUMBER@HOST:PORT")
    for path in wav or []:
        read_prompt(path)
    plan = CallPlan(
        uri=uri,
        turns=turns_of(wav or [], text or [], dtmf),
        from_number=from_number or "anonymous",
        language=language,
        voice=voice,
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
