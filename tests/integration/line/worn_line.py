"""A real line to which every conference port in use is one too many: its first call wears it out."""

from callcenter.line.__main__ import main
from callcenter.telephony import endpoint, exchange

endpoint.FEW_PORTS = exchange.CONFERENCE_PORTS
main()
