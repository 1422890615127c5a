"""What a repeat caller is told of who handles the matter (R17)."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from callcenter.config import load_settings
from callcenter.domain.matters import OpenMatter
from callcenter.domain.places import Place
from callcenter.domain.snapshot import SiteSnapshot
from callcenter.line.surroundings import context_of
from callcenter.site.load import load_sites

AT = datetime(2026, 3, 4, 2, 0, tzinfo=UTC)
NUMBER = "+8613900001111"


@pytest.fixture(scope="module")
def site() -> SiteSnapshot:
    """The example site, as its files describe it."""
    sites = Path(__file__).parents[3] / "config" / "sites"
    return load_sites(sites, load_settings(None).rules, AT)["xingfu"].snapshot(AT)


@pytest.mark.parametrize(
    ("responsible", "language", "said"),
    [
        ("ma_qiang", "zh", "工程部经理"),
        ("gao_feng", "zh", "工程部维修工"),
        ("zheng_lan", "zh", "客服主任"),
        ("zhou_jianguo", "zh", "总经理"),
        ("gone_from_the_file", "zh", "工程部经理"),
        ("ma_qiang", "en", "engineering manager"),
        ("gao_feng", "en", "Engineering technician"),
        ("zhou_jianguo", "en", "general manager"),
    ],
)
def test_department_and_post_are_said_once(site: SiteSnapshot, responsible: str, language: str, said: str) -> None:
    matter = OpenMatter(
        "100077", "repair", "water_leak", "important", "engineering", Place("3", "2", "1102"), "wang_fang",
        responsible, "in_progress", AT, (NUMBER,),
    )  # fmt: skip
    [told] = context_of(replace(site, open_matters=(matter,)), NUMBER, language, AT).open_matters
    assert told.responsible == said
    silent = replace(matter, ticket="100078", kind="none", category="other", urgency="normal")
    known = context_of(replace(site, open_matters=(silent, matter)), NUMBER, language, AT).open_matters
    assert known == (told,), "nobody is told of a matter in which nothing was said"
    assert told.state == ("工程部正在处理" if language == "zh" else "is being worked on")
