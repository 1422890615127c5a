"""What a line reads out of a SIP request: who calls, whom, and from which address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_address

from callcenter.domain.numbers import canonical

THREE_RINGS_MS = 11_000
"""Ringback of China is 1 s on, 4 s off: the third ring ends 11 s after the first began."""
WITHHELD = frozenset({"anonymous", "unavailable", "restricted", "unknown", ""})
_REQUEST_LINE = re.compile(r"^[A-Z]+ (\S+) SIP/2\.0")
_USER = re.compile(r"(?:sips?|tel):([^@;>\s]*)", re.IGNORECASE)
_COMPACT = {"from": "f", "to": "t", "call-id": "i", "content-type": "c"}


@dataclass(frozen=True)
class Request:
    """The parts of an INVITE that a call is recorded under. Numbers are as received, None when withheld."""

    from_number: str | None
    to_number: str
    sip_call_id: str


def header(message: str, name: str) -> str:
    """Value of the first header `name` (long or compact form) in a SIP message, "" when absent."""
    names = "|".join(re.escape(n) for n in (name, _COMPACT.get(name.lower(), "")) if n)
    head = message.split("\r\n\r\n", 1)[0]
    found = re.search(rf"^(?:{names})[ \t]*:[ \t]*(.*?)\s*$", head, re.IGNORECASE | re.MULTILINE)
    return found.group(1) if found else ""


def user_of(uri: str) -> str:
    """User part of the first SIP or tel URI in `uri`, without parameters; "" when there is none."""
    found = _USER.search(uri)
    return found.group(1).split(":")[0] if found else ""


def parse_invite(message: str) -> Request:
    """Caller, number dialled and Call-ID of an INVITE. A network-asserted caller goes before From (RFC 3325),
    unless what is asserted is no number."""
    line = _REQUEST_LINE.match(message)
    dialled = user_of(line.group(1)) if line else ""
    asserted = user_of(header(message, "P-Asserted-Identity"))
    if "id" in header(message, "Privacy").lower().split(";"):
        asserted, shown = "", ""
    else:
        shown = user_of(header(message, "From"))
    told = asserted.lower() in WITHHELD or canonical(asserted) is not None
    caller = asserted if asserted and told else shown
    return Request(
        from_number=None if caller.lower() in WITHHELD else caller,
        to_number=dialled or user_of(header(message, "To")),
        sip_call_id=header(message, "Call-ID"),
    )


def rung_before_s(message: str) -> float:
    """Seconds that the caller has heard ringing before this INVITE reached us: the edge says so when another line
    rang first, or none was up (docs/edge.md). 0 when it says nothing; never more than the three rings of R1."""
    told = header(message, "X-Callcenter-Ringing")
    return min(int(told), THREE_RINGS_MS) / 1000 if told.isdecimal() and len(told) < 10 else 0.0


def source_allowed(source: str, allowed: tuple[IPv4Network, ...]) -> bool:
    """Whether `source` ("address:port") may send us calls; an empty list allows everybody."""
    if not allowed:
        return True
    try:
        address = ip_address(source.rsplit(":", 1)[0].strip("[]"))
    except ValueError:
        return False
    return isinstance(address, IPv4Address) and any(address in network for network in allowed)


def offers_ipv4_audio(message: str) -> bool:
    """Whether an INVITE's body is something we can speak: no SDP at all (delayed offer), or audio over IPv4."""
    _, _, body = message.partition("\r\n\r\n")
    if "sdp" not in header(message, "Content-Type").lower() or not body.strip():
        return True
    connections = re.findall(r"^c=IN (IP[46])", body, re.MULTILINE)
    return re.search(r"^m=audio ", body, re.MULTILINE) is not None and "IP4" in connections
