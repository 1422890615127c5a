"""What is said in a dead line's place."""

from __future__ import annotations

import random

import pytest

from callcenter.edge.undertaker import answers
from tests.harness.mutate import mutations
from tests.harness.sip import Message

REQUEST = (
    "{method} sip:line@127.0.0.1:5071 SIP/2.0\r\nVia: SIP/2.0/UDP 127.0.0.1:5060;branch=z9hG4bKabc\r\n"
    "Via: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bKdef\r\nFrom: <sip:1@a>;tag=x\r\nTo: <sip:2@b>{tag}\r\n"
    "Call-ID: c@d\r\nCSeq: 7 {method}\r\nContent-Length: 0\r\n\r\n"
)


def say(method: str, tag: str = "") -> list[Message]:
    return [Message.parse(raw) for raw in answers(REQUEST.format(method=method, tag=tag).encode())]


@pytest.mark.parametrize(("method", "status"), [("INVITE", 503), ("BYE", 200), ("OPTIONS", 503), ("INFO", 481)])
def test_each_request_is_answered(method: str, status: int) -> None:
    (answer,) = say(method)
    assert (answer.status, answer.header("cseq")) == (status, f"7 {method}")
    assert len(answer.all("via")) == 2
    assert answer.tag("to")


def test_a_cancel_ends_the_invite_as_well() -> None:
    accepted, ended = say("CANCEL")
    assert (accepted.status, accepted.header("cseq")) == (200, "7 CANCEL")
    assert (ended.status, ended.header("cseq")) == (500, "7 INVITE")


def test_a_tag_is_kept() -> None:
    assert say("BYE", ";tag=ours")[0].tag("to") == "ours"


def test_an_ack_and_a_reply_are_not_answered() -> None:
    assert say("ACK") == []
    assert answers(b"SIP/2.0 200 OK\r\nCSeq: 1 INVITE\r\n\r\n") == []
    assert answers(b"\r\n\r\n") == []


def test_anything_is_survived() -> None:
    good = REQUEST.format(method="INVITE", tag="").encode()
    for raw in mutations(good, random.Random(5), 500):
        for answer in answers(raw):
            assert answer.startswith(b"SIP/2.0 ")
