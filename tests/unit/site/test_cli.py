"""`callcenter route` and `callcenter site`, as a person types them."""

from __future__ import annotations

import json

import pytest
import typer
from typer.testing import CliRunner

from callcenter.errors import ConfigError
from callcenter.site.cli import app, route

ROUTE = typer.Typer()
ROUTE.command()(route)
SATURDAY_EVENING = ["--time", "2026-11-21 20:10"]


def _route(*arguments: str) -> str:
    done = CliRunner().invoke(ROUTE, [*SATURDAY_EVENING, *arguments], catch_exceptions=False, env={"COLUMNS": "200"})
    assert done.exit_code == 0
    return done.stdout


def test_a_burst_pipe_is_explained_in_both_languages() -> None:
    asked = ["--category", "water_leak", "--urgency", "emergency", "--place", "3号楼2单元1102室", "--explain"]
    zh = _route(*asked)
    assert "首问责任人: 客服专员赵倩" in zh
    assert "→ 维修工高峰  2026-11-21 20:10 – 2026-11-21 20:13" in zh
    assert {line.split()[0] for line in zh.splitlines() if line.startswith("R")} == {"R11", "R13", "R14", "R15", "R9"}
    en = _route(*asked, "--language", "en")
    assert "First responder: customer service officer Zhao Qian" in en
    assert "R15  An emergency: a major matter." in en


def test_a_decision_is_one_json_object() -> None:
    made = json.loads(_route("--category", "cleaning", "--kind", "complaint", "--place", "2号楼", "--json"))
    assert made["first_responder"] == made["responsible"] == "zhao_qian"
    assert [s["staff"] for s in made["handed_to"]] == ["tang_ying", "luo_mei", "zhou_jianguo", "zheng_lan"]
    assert made["people"]["tang_ying"] == "保洁领班唐英"
    assert all(r["zh"] and r["en"] for r in made["reasons"])


def test_who_picked_up_is_first_responder() -> None:
    made = json.loads(_route("--category", "parking", "--taken-by", "liu_yang", "--json"))
    assert made["first_responder"] == "liu_yang"


@pytest.mark.parametrize(
    ("arguments", "code", "mend"),
    [
        (["--category", "watr_leak"], "route.unknown", "water_leak"),
        (["--category", "power", "--urgency", "urgent"], "route.unknown", "emergency"),
        (["--category", "power", "--place", "99-1-101"], "route.unknown_place", "places.yaml"),
        (["--category", "power", "--place", "楼上"], "route.place", "3-2-1102"),
        (["--category", "power", "--taken-by", "wangfang"], "route.unknown", "wang_fang"),
        (["--category", "power", "--time", "soon"], "route.time", "2026-11-21 20:10"),
        (["--category", "power", "--time", "9999-12-31 23:59"], "route.year", "2099"),
        (["--category", "power", "--time", "0001-01-01T00:00+14:00"], "route.year", "2000"),
        (["--category", "power", "--source", "dragon"], "route.unknown", "press"),
        (["--category", "power", "--site", "nowhere"], "site.unknown", "xingfu"),
        (["--category", "power", "--outside-body", "moon"], "route.unknown", "power_company"),
    ],
)
def test_what_is_typed_wrong_is_told_with_the_mend(arguments: list[str], code: str, mend: str) -> None:
    with pytest.raises(ConfigError) as caught:
        _route(*arguments)
    assert caught.value.code == code
    assert mend in str(caught.value.mend)


def test_the_example_site_checks_and_shows_its_roster() -> None:
    checked = CliRunner().invoke(app, ["check"], catch_exceptions=False)
    assert "幸福小区物业服务中心: 23 people" in checked.stdout
    assert checked.stdout.rstrip().endswith("0 warnings")
    shown = CliRunner().invoke(app, ["roster", "--from", "2026-11-21", "--days", "1"], catch_exceptions=False)
    assert "赵倩" in shown.stdout
    assert "夜班 23:30" in shown.stdout


def test_a_wrong_day_of_the_roster_names_its_own_option() -> None:
    with pytest.raises(ConfigError) as caught:
        CliRunner().invoke(app, ["roster", "--from", "2026-13-01"], catch_exceptions=False)
    assert caught.value.where == "--from"
