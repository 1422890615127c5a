"""`callcenter call` refuses what cannot be meant, in words, before anything is dialled."""

from __future__ import annotations

from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callcenter.errors import TelephonyError
from callcenter.telephony.cli import call, check_address, check_options

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
    check_address(uri)
    check_options("+8613800000001", "0123456789*#ABCDabcd", "zh", 0.0, 300.0, tmp_path / "a.wav")
    check_options("", None, "en", None, 1.0, None)
