"""From a line of Kamailio's log to records: nothing forged, nothing twice, nothing personal in our log."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from callcenter.config import Settings
from callcenter.edge.unserved import ONE_BY_ONE, WINDOW_S, Unserved, UnservedReporter, parse_unserved, redact
from callcenter.node.journal import Journal


def line(**over: object) -> str:
    told = {
        "reason": "all_busy",
        "status": 486,
        "from": "13912345678",
        "to": "4001",
        "call": "a@b",
        "source": "10.0.0.1",
    }
    told |= over
    for name in ("from", "to", "call"):
        told[name] = str(told[name]).encode().hex()
    return f" 5(123) NOTICE: <script>: UNSERVED {json.dumps(told)}"


@pytest.fixture
def reporter(tmp_path: Path) -> Iterator[UnservedReporter]:
    settings = Settings.model_validate({"site": {"default": "xingfu", "dialled": {"4002": "yangguang"}}})
    journal = Journal.create(tmp_path)
    yield UnservedReporter(settings, journal)
    journal.close()


def bodies(reporter: UnservedReporter) -> list[dict[str, object]]:
    return [record.body for record in reporter.journal.tail(0).more()]


def refused(number: str | None, call: str, source: str = "10.0.0.1") -> Unserved:
    return Unserved("refused", 403, number, "4001", call, source)


def test_a_report_is_read() -> None:
    assert parse_unserved(line()) == Unserved("all_busy", 486, "13912345678", "4001", "a@b", "10.0.0.1")


@pytest.mark.parametrize("name", ["anonymous", "Anonymous", "unknown", "", "<script>alert(1)</script>", "zhang.san"])
def test_a_withheld_number_is_none(name: str) -> None:
    report = parse_unserved(line(**{"from": name}))
    assert report is not None
    assert report.from_number is None


@pytest.mark.parametrize(
    "text", ["", "UNSERVED", "UNSERVED {}", 'UNSERVED {"reason": 1}', "x UNSERVED {not json}", "ERROR: tm"]
)
def test_other_lines_are_no_reports(text: str) -> None:
    assert parse_unserved(text) is None


@given(st.text(max_size=80))
def test_no_value_from_the_wire_can_forge_a_report(value: str) -> None:
    report = parse_unserved(line(**{"from": value, "call": value}))
    assert report is not None
    assert (report.reason, report.status, report.source) == ("all_busy", 486, "10.0.0.1")


@given(st.from_regex(r"\+?[0-9]{6,15}", fullmatch=True))
def test_no_number_and_no_address_survives_in_our_log(number: str) -> None:
    said = redact(f" 3(99) ERROR: <core>: bad message from <sip:{number}@10.1.2.3> to {number}")
    assert number not in said
    assert "bad message" in said


@pytest.mark.parametrize(
    "header", ['From: "Zhang San 13712345678" <sip:x@y>', "f: x\r\nFrom: Zhang San <sip:x@y>", '"Zhang San" <sip:x@y>']
)
def test_no_name_survives_in_our_log(header: str) -> None:
    said = redact(f" 3(99) ERROR: <core>: duplicate From header field [{header}]")
    assert "Zhang" not in said
    assert "duplicate From header field" in said


@pytest.mark.parametrize("dialled", ["4002", "+864002", "00864002"])
def test_a_call_is_told_once_and_belongs_to_its_site(reporter: UnservedReporter, dialled: str) -> None:
    report = parse_unserved(line(to=dialled))
    assert report is not None
    reporter.take(report)
    reporter.take(report)
    (record,) = reporter.journal.tail(0).more()
    assert record.site == "yangguang"
    assert record.call is not None
    assert record.body["count"] == 1


def test_one_caller_again_and_again_is_counted(reporter: UnservedReporter) -> None:
    for n in range(9):
        reporter.take(refused("13900000000", f"call{n}"), now=float(n))
    assert [b["count"] for b in bodies(reporter)] == [1]
    reporter.flush(now=WINDOW_S - 1)
    assert len(bodies(reporter)) == 1
    reporter.flush(now=WINDOW_S + 1)
    assert [b["count"] for b in bodies(reporter)] == [1, 8]


def test_many_callers_are_told_one_by_one_up_to_a_limit(reporter: UnservedReporter) -> None:
    for n in range(ONE_BY_ONE + 40):
        reporter.take(refused(f"139{n:08d}", f"call{n}"), now=1.0)
    reporter.flush(everything=True)
    assert [b["count"] for b in bodies(reporter)] == [1] * ONE_BY_ONE + [40]


def test_every_busy_caller_is_told(reporter: UnservedReporter) -> None:
    for n in range(200):
        reporter.take(Unserved("all_busy", 486, "13900000000", "4001", f"call{n}", "10.0.0.1"), now=1.0)
    assert len(bodies(reporter)) == 200
