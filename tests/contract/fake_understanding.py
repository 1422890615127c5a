"""Understanding by a handful of words, for tests of what the talk does with labels (not of how they are found)."""

from __future__ import annotations

import re

from callcenter.dialplan import answers
from callcenter.domain.labels import Label, SpokenPlace, Understanding

_CATEGORIES = (
    ("fire", "着火|起火|火情|on fire|fire"),
    ("gas", "煤气|燃气|smell of gas"),
    ("lift", "电梯|lift|elevator"),
    ("water_leak", "漏水|爆管|水管|leak|burst pipe"),
    ("power", "停电|跳闸|power"),
    ("noise", "噪音|太吵|noise|loud"),
    ("fees", "物业费|缴费|fee"),
    ("staff", "师傅|保安"),
)
_EMERGENCIES = "着火|起火|煤气漏|漏煤气|困在|爆了|on fire|trapped|burst"
_KINDS = (
    ("praise", "表扬|谢谢你们|praise"),
    ("complaint", "投诉|太吵|complain"),
    ("enquiry", "请问|怎么交|多少钱|how do i"),
    ("repair", "坏了|漏水|爆了|停电|修|leak|broken|burst|out"),
    ("help", "着火|困在|起火|煤气|on fire|trapped"),
)
_INTENTS = (
    ("resident_data", "[^，]*(?:业主|住户|租客).*(?:电话|号码)|phone number of the tenant"),
    ("operator", "转人工|人工|operator"),
    ("objects_recording", "不要录音|don't record"),
)


def _label(table: tuple[tuple[str, str], ...], text: str, default: str) -> Label[str]:
    for value, pattern in table:
        if match := re.search(pattern, text, re.IGNORECASE):
            return Label(value, 0.9, match.group())
    return Label(default, 0.1)


def fake_understand(text: str) -> Understanding:
    """Labels by keyword; what no keyword says is `none` with confidence 0.1."""
    language = "zh" if re.search("[\u4e00-\u9fff]", text) else "en"
    kind, category = _label(_KINDS, text, "none"), _label(_CATEGORIES, text, "other")
    if kind.value == "none" and category.value != "other":
        kind = Label("repair", 0.5, category.evidence)
    urgent = re.search(_EMERGENCIES, text, re.IGNORECASE)
    place = answers.read_place(text, language) if re.search("号楼|building", text) else None
    return Understanding(
        kind=kind,
        category=category,
        urgency=Label("emergency", 0.9, urgent.group()) if urgent else Label("normal", 0.8),
        department=Label("engineering", 0.9),
        place=SpokenPlace(*(Label(v, 0.9, v or "") for v in (place.building, place.unit, place.room)))
        if place
        else SpokenPlace(),
        intents=tuple(
            Label(name, 0.9, m.group()) for name, pattern in _INTENTS if (m := re.search(pattern, text, re.IGNORECASE))
        ),
    )
