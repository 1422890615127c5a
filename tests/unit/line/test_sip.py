"""Reading a caller out of an INVITE."""

from ipaddress import IPv4Network

import pytest

from callcenter.telephony.sip import header, offers_ipv4_audio, parse_invite, rung_before_s, source_allowed, user_of

INVITE = (
    "INVITE sip:4001@10.0.0.5:5070;transport=udp SIP/2.0\r\n"
    "Via: SIP/2.0/UDP 10.0.0.2\r\n"
    "{more}"
    'From: "x" <sip:{caller}@trunk.example>;tag=1\r\n'
    "To: <sip:4008@trunk.example>\r\n"
    "Call-ID: abc@trunk\r\n"
    "CSeq: 1 INVITE\r\n"
    "{kind}\r\n"
    "{body}"
)


def invite(caller: str = "13800000000", more: str = "", kind: str = "", body: str = "") -> str:
    return INVITE.format(caller=caller, more=more, kind=kind, body=body)


def test_caller_dialled_number_and_call_id():
    request = parse_invite(invite())
    assert (request.from_number, request.to_number, request.sip_call_id) == ("13800000000", "4001", "abc@trunk")


def test_the_network_s_word_goes_before_the_callers():
    assert parse_invite(invite(more="P-Asserted-Identity: <tel:+8613900000000>\r\n")).from_number == "+8613900000000"


@pytest.mark.parametrize("asserted", ["<sip:<script>alert(1)</script>@x>", "<sip:zhang.san@x>", "rubbish"])
def test_what_is_asserted_and_no_number_leaves_the_callers_own(asserted):
    assert parse_invite(invite(more=f"P-Asserted-Identity: {asserted}\r\n")).from_number == "13800000000"


def test_an_asserted_caller_who_withholds_the_number_stays_withheld():
    assert parse_invite(invite(more="P-Asserted-Identity: <sip:anonymous@x>\r\n")).from_number is None


@pytest.mark.parametrize("caller", ["anonymous", "Unknown", "restricted"])
def test_withheld_numbers_are_none(caller):
    assert parse_invite(invite(caller)).from_number is None


def test_privacy_hides_an_asserted_number_too():
    more = "P-Asserted-Identity: <sip:13900000000@x>\r\nPrivacy: id\r\n"
    assert parse_invite(invite(more=more)).from_number is None


def test_compact_and_absent_headers():
    assert header("INVITE sip:a SIP/2.0\r\nf: <sip:1@x>\r\n\r\nf: body", "From") == "<sip:1@x>"
    assert header("INVITE sip:a SIP/2.0\r\n\r\n", "From") == ""
    assert user_of("<sip:8001:secret@host;user=phone>") == "8001"
    assert user_of("nothing") == ""


@pytest.mark.parametrize("rubbish", ["", "\r\n\r\n", "INVITE", "INVITE x SIP/2.0\r\nFrom\r\n"])
def test_rubbish_has_no_caller(rubbish):
    assert parse_invite(rubbish).from_number is None


@pytest.mark.parametrize(
    ("source", "allowed"),
    [("127.0.0.1:5060", True), ("10.1.2.3:5060", True), ("10.2.0.1:5060", False), ("[::1]:5060", False), ("", False)],
)
def test_only_edges_may_send_calls(source, allowed):
    networks = (IPv4Network("127.0.0.0/8"), IPv4Network("10.1.0.0/16"))
    assert source_allowed(source, networks) is allowed


def test_an_empty_list_allows_everybody():
    assert source_allowed("192.0.2.1:5060", ())


SDP = "v=0\r\no=- 1 1 IN {net} x\r\ns=-\r\nc=IN {net} {host}\r\nt=0 0\r\nm={medium} 4000 RTP/AVP 8\r\n"


@pytest.mark.parametrize(
    ("body", "good"),
    [
        ("", True),
        (SDP.format(net="IP4", host="192.0.2.1", medium="audio"), True),
        (SDP.format(net="IP6", host="2001:db8::1", medium="audio"), False),
        (SDP.format(net="IP4", host="192.0.2.1", medium="video"), False),
        ("rubbish", False),
    ],
)
def test_only_ipv4_audio_is_taken(body, good):
    assert offers_ipv4_audio(invite(kind="Content-Type: application/sdp\r\n", body=body)) is good


@pytest.mark.parametrize(
    ("told", "seconds"),
    [("", 0), ("X-Callcenter-Ringing: 6500\r\n", 6.5), ("x-callcenter-ringing: 999999999\r\n", 11)]
    + [(f"X-Callcenter-Ringing: {wrong}\r\n", 0) for wrong in ("-1", "six", "1.5", "", "9" * 400)],
)
def test_how_long_it_rang_before(told, seconds):
    assert rung_before_s(invite(more=told)) == seconds
