"""Which site and which script a dialled number belongs to."""

from __future__ import annotations

from types import SimpleNamespace
from typing import cast

import pytest

from callcenter.config import Settings
from callcenter.line.house import House


@pytest.mark.parametrize(
    ("dialled", "site", "script"),
    [
        ("4001234567", "yangguang", "hotline.en"),
        ("+864001234567", "yangguang", "hotline.en"),
        ("00864001234567", "yangguang", "hotline.en"),
        ("4009999999", "xingfu", "hotline.zh"),
        ("", "xingfu", "hotline.zh"),
    ],
)
def test_a_dialled_number_leads_to_its_site_and_script(dialled: str, site: str, script: str) -> None:
    settings = Settings.model_validate(
        {
            "site": {"default": "xingfu", "dialled": {"4001234567": "yangguang"}},
            "line": {"dialplans": {"4001234567": "hotline.en", "*": "hotline.zh"}},
        }
    )
    dialplans = {name: name for name in ("hotline.zh", "hotline.en")}
    house = cast(House, SimpleNamespace(settings=settings, dialplans=dialplans))
    assert House.dialled_site(house, dialled) == site
    assert House.dialplan(house, dialled) == script
