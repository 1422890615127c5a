"""`callcenter call` refuses what cannot be meant, in words, before anything is dialled."""

from __future__ import annotations

import contextlib
import socket
from pathlib import Path
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest
import typer
from typer.testing import CliRunner

from callcenter.errors import TelephonyError
from callcenter.telephony import cli
from callcenter.telephony.cli import call, check_options, reached_from, sentence, turns_of
from callcenter.telephony.plan import Action, CallPlan, CallReport, Turn, When

HERE = "sip:4001@127.0.0.1:5060"


def refused(*arguments: str) -> TelephonyError:
    application = typer.Typer()
    application.command()(call)
    with pytest.raises(TelephonyError) as caught:
        CliRunner().invoke(application, list(arguments), catch_exceptions=False)
    return caught.value


@pytest.mark.parametrize(
    ("option", "value", "told"),
    [
        ("--dtmf", "xyz", "no keys of a telephone"),
        ("--dtmf", "", "no keys of a telephone"),
        ("--hangup-after", "-1", "-1 s is before the answer"),
        ("--hangup-after", "nan", "before the answer"),
        ("--from", "a b@c", "no number or SIP user"),
        ("--from", "张三", "no number or SIP user"),
        ("--language", "fr", "'fr'"),
        ("--max-s", "0", "a call of 0 s is none"),
    ],
)
def test_an_option_that_cannot_be_meant(option: str, value: str, told: str) -> None:
    error = refused(HERE, option, value)
    assert error.where == option
    assert told in error.message
    assert error.mend


def test_a_recording_needs_its_folder(tmp_path: Path) -> None:
    missing = refused(HERE, "--record", str(tmp_path / "none" / "a.wav"))
    assert (missing.where, missing.mend) == ("--record", f"mkdir -p {tmp_path / 'none'}")
    assert "is a folder" in refused(HERE, "--record", str(tmp_path)).message


@pytest.mark.parametrize("uri", ["4001", "sip:", "sip:4001@", "sip:4001@127.0.0.1:99999", "sip:4001@a b", "sips:1@a"])
def test_what_is_no_address(uri: str) -> None:
    assert refused(uri).mend == "write sip:NUMBER@HOST:PORT"


def test_a_host_that_nobody_knows() -> None:
    error = refused("sip:4001@no-such-host.invalid:5060")
    assert error.message == "the host no-such-host.invalid has no address"


@pytest.mark.parametrize("uri", [HERE, "sip:4001@localhost", "sip:+8613900000001@127.0.0.1:5060;transport=tcp"])
def test_what_can_be_dialled_passes(uri: str, tmp_path: Path) -> None:
    assert reached_from(uri) == "127.0.0.1"
    check_options("+8613800000001", "0123456789*#ABCDabcd", "zh", 0.0, 300.0, tmp_path / "a.wav")
    check_options("", None, "en", None, 1.0, None)


def test_another_machine_is_called_from_the_address_that_reaches_it() -> None:
    addresses = [a.address for group in psutil.net_if_addrs().values() for a in group if a.family is socket.AF_INET]
    ours = {address for address in addresses if not address.startswith("127.")}
    assert all(reached_from(f"sip:4001@{address}") == "127.0.0.1" for address in ours), "this machine itself"
    with contextlib.suppress(TelephonyError):  # a machine without a network
        assert reached_from("sip:4001@192.0.2.7:5060") in ours


def test_the_call_is_made_from_there(monkeypatch: pytest.MonkeyPatch) -> None:
    plans: list[CallPlan] = []

    async def place_call(plan: CallPlan, _: Any) -> CallReport:
        plans.append(plan)
        return CallReport(486, False, None, None, 0, 0.0, "nobody", "", 0.0, 0, None)

    monkeypatch.setattr(cli, "reached_from", lambda uri: "192.0.2.1" if "192.0.2.7" in uri else "")
    monkeypatch.setattr(cli, "place_call", place_call)
    application = typer.Typer()
    application.command()(call)
    assert CliRunner().invoke(application, ["sip:4001@192.0.2.7", "--text", "漏水了"]).exit_code == 1
    assert [plan.bind_host for plan in plans] == ["192.0.2.1"]


def test_recordings_then_texts_then_keys_are_said() -> None:
    assert turns_of([Path("a.wav")], ["漏水了", "没有了"], "1#") == (
        Turn(Action.PLAY, "a.wav"), Turn(Action.SAY, "漏水了"), Turn(Action.SAY, "没有了"), Turn(Action.KEYS, "1#"),
    )  # fmt: skip
    assert turns_of([], [], "1") == (Turn(Action.KEYS, "1", When.TALKING),), "keys alone need not wait for silence"
    assert turns_of([], [], None) == ()


def test_what_came_of_it_is_told_with_its_times_and_what_was_heard() -> None:
    report = CallReport(
        status=200, answered=True, ringing_ms=6.2, answered_ms=1011.8, rings=1, talk_s=31.24, ended_by="them",
        heard="您好，幸福小区物业服务中心", longest_silence_s=1.62, turns_done=3, recording="/tmp/a.wav",
    )  # fmt: skip
    assert sentence(report).splitlines() == [
        "180 after 6 ms, answered after 1012 ms on ring 1",
        "talked 31.2 s, 3 turns, hung up by them",
        "longest silence 1.6 s",
        "heard: 您好，幸福小区物业服务中心",
        "recorded: /tmp/a.wav",
    ]


def test_what_was_not_answered_is_told_with_its_status() -> None:
    def refused_with(status: int, ringing_ms: float | None) -> str:
        return sentence(CallReport(status, False, ringing_ms, None, 0, 0.0, "nobody", "", 0.0, 0, None))

    assert refused_with(486, None) == "not answered: SIP status 486"
    assert refused_with(487, 12.0) == "not answered: SIP status 487, rang after 12 ms"
