"""Understanding without the speech service, so that a slow or absent one never keeps a caller waiting."""

from __future__ import annotations

from callcenter.domain.labels import Label, Understanding
from callcenter.domain.snapshot import SiteSnapshot

EMERGENCY_WORDS = (
    "着火",
    "起火",
    "火灾",
    "煤气",
    "燃气",
    "爆管",
    "困在电梯",
    "电梯困人",
    "救命",
    "触电",
    "晕倒",
    "抢劫",
)


def understand_by_rules(text: str, language: str, site: SiteSnapshot | None) -> Understanding:
    """Labels by the rules of the domain; low confidence: 待核实."""
    del language, site
    urgent = next((word for word in EMERGENCY_WORDS if word in text), None)
    return Understanding(
        kind=Label("help" if urgent else "enquiry", 0.3),
        category=Label("other", 0.2),
        urgency=Label("emergency", 0.9, urgent) if urgent else Label("normal", 0.3),
        department=Label("service", 0.2),
        by="rules",
    )
