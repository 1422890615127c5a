"""Messages that end or harm a line when they reach it (found with pjsua2 2.15.1), and others nobody sends honestly.

The edge's tests send them through the edge; the line's tests send them straight at a line.
"""

from __future__ import annotations

import re
from collections.abc import Callable

from tests.harness.sip import GOOD_SDP

INFO_RELAY = "application/dtmf-relay"

BAD_INFO: dict[str, tuple[str, str, int]] = {
    "no line end": (INFO_RELAY, "Signal=5", 400),
    "no signal": (INFO_RELAY, "Duration=160\r\n", 400),
    "two keys": (INFO_RELAY, "Signal=55\r\nDuration=160\r\n", 400),
    "letters": (INFO_RELAY, "Signal=x\r\nDuration=160\r\n", 400),
    "no duration": (INFO_RELAY, "Signal=5\r\nDuration=\r\n", 400),
    "plain with junk": ("application/dtmf", "55555", 400),
    "another kind": ("text/plain", "hello", 415),
}
"""Content-Type, body, the edge's answer."""

_MANY_CODECS = " ".join(str(n) for n in range(96, 127))

BAD_SDP: dict[str, str] = {
    "host of 300 bytes in c=": GOOD_SDP.replace("c=IN IP4 127.0.0.1", f"c=IN IP4 {'h' * 300}"),
    "host of 255 bytes in o=": GOOD_SDP.replace("1 1 IN IP4 127.0.0.1", f"1 1 IN IP4 {'h' * 255}"),
    "a name instead of an address": GOOD_SDP.replace("c=IN IP4 127.0.0.1", "c=IN IP4 phone.example.com"),
    "IPv6 only": GOOD_SDP.replace("IP4 127.0.0.1", "IP6 ::1"),
    "IPv6 beside IPv4": GOOD_SDP + "m=video 40002 RTP/AVP 99\r\nc=IN IP6 ::1\r\n",
    "too many codecs": GOOD_SDP.replace("8 0 101", _MANY_CODECS),
    "too many attributes": GOOD_SDP + "a=x\r\n" * 80,
    "too many lines": GOOD_SDP + "b=AS:1\r\n" * 200,
    "too many media": GOOD_SDP + "m=video 40002 RTP/AVP 99\r\n" * 5,
    "larger than 4 KB": GOOD_SDP + ("a=" + "y" * 200 + "\r\n") * 25,
    "long line": GOOD_SDP + "a=" + "z" * 400 + "\r\n",
    "not SDP": "hello\r\n",
    "no audio": GOOD_SDP.replace("m=audio", "m=image"),
    "no address": GOOD_SDP.replace("c=IN IP4 127.0.0.1\r\n", ""),
    "cut in the middle": GOOD_SDP[: GOOD_SDP.index("m=audio") + 9],
}


def _swap(pattern: str, new: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        changed, count = re.subn(pattern, lambda _: new, text, count=1, flags=re.MULTILINE)
        assert count == 1, f"nothing to change by {pattern}"
        return changed

    return change


def _twice(name: str) -> Callable[[str], str]:
    def change(text: str) -> str:
        found = re.search(rf"^{name}: .*\r\n", text, re.MULTILINE)
        assert found is not None
        return text[: found.end()] + found[0] + text[found.end() :]

    return change


LONG = "h" * 300

BAD_INVITES: dict[str, Callable[[str], str]] = {
    "long host in From": _swap(r"^From: <sip:(\d+)@[^>]*>", f"From: <sip:1@{LONG}>"),
    "long host in To": _swap(r"^To: <[^>]*>", f"To: <sip:1@{LONG}>"),
    "long host in Contact": _swap(r"^Contact: <[^>]*>", f"Contact: <sip:1@{LONG}>"),
    "long host in a second Via": _swap(r"^From:", f"Via: SIP/2.0/UDP {LONG}:5060;branch=z9hG4bKx\r\nFrom:"),
    "long host in Record-Route": _swap(r"^From:", f"Record-Route: <sip:{LONG};lr>\r\nFrom:"),
    "long host in the URI": _swap(r"^INVITE sip:(\w+)@\S+", f"INVITE sip:hotline@{LONG}"),
    "no Contact": _swap(r"^Contact: .*\r\n", ""),
    "no Call-ID": _swap(r"^Call-ID: .*\r\n", ""),
    "no CSeq": _swap(r"^CSeq: .*\r\n", ""),
    "no From": _swap(r"^From: .*\r\n", ""),
    "CSeq of another method": _swap(r"^CSeq: 1 INVITE", "CSeq: 1 BYE"),
    "CSeq not a number": _swap(r"^CSeq: 1 INVITE", "CSeq: one INVITE"),
    "Content-Length beyond the message": _swap(r"^Content-Length: \d+", "Content-Length: 5000"),
    "From twice": _twice("From"),
    "To twice": _twice("To"),
    "Call-ID twice": _twice("Call-ID"),
    "CSeq twice": _twice("CSeq"),
    "Contact twice": _twice("Contact"),
    "SIP version 9": _swap(r"SIP/2\.0\r\n", "SIP/9.0\r\n"),
    "no more hops": _swap(r"^Max-Forwards: 70", "Max-Forwards: 0"),
    "a body that is no SDP": _swap(r"^Content-Type: .*", "Content-Type: text/plain\r"),
    "Replaces": _swap(r"^From:", "Replaces: a@b;to-tag=1;from-tag=2\r\nFrom:"),
    "larger than 8 KB": _swap(r"^From:", "X-Junk: " + "j" * 9000 + "\r\nFrom:"),
    "a scanner": _swap(r"^From:", "User-Agent: friendly-scanner\r\nFrom:"),
}
"""Name to a change of a good INVITE."""
