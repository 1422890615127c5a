"""The commands, as people type them."""

from __future__ import annotations

import json
from datetime import datetime
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner
from walking import SCRIPTS

from callcenter.config import ROOT, load_settings
from callcenter.dialplan.cli import ZONE, app, prompts_app
from callcenter.dialplan.conditions import holds
from callcenter.dialplan.load import load_dialplan
from callcenter.dialplan.model import Play, json_schema
from callcenter.dialplan.talk import Talk
from callcenter.line.surroundings import context_of
from callcenter.site.load import load_sites

runner = CliRunner()


def test_check_of_what_ships() -> None:
    result = runner.invoke(app, ["check"])
    assert result.exit_code == 0
    assert result.output.count(": good") == 6


def test_check_of_a_bad_script(tmp_path: Path) -> None:
    bad = tmp_path / "bad.yaml"
    text = (SCRIPTS / "hotline.zh.yaml").read_text().replace("- play: press_one", "- paly: press_one")
    bad.write_text(text)
    result = runner.invoke(app, ["check", str(bad)])
    line = text[: text.index("- paly")].count("\n") + 1
    assert result.exit_code == 1
    assert f"{bad}:{line}:7: unknown verb 'paly' — did you mean 'play'?" in result.output


def test_an_unknown_script_names_the_known() -> None:
    result = runner.invoke(app, ["check", "hotlin.zh"])
    assert result.exit_code == 1
    assert "follow-up.zh, hotline.en, hotline.zh" in str(result.exception)


def test_draw(tmp_path: Path) -> None:
    result = runner.invoke(app, ["draw", "hotline.zh", "--out", str(tmp_path / "x.svg")])
    assert result.exit_code == 0
    assert (tmp_path / "x.svg").read_text().startswith("<svg")
    assert runner.invoke(app, ["draw", "hotline.en"]).output.startswith("<svg")


def test_a_picture_that_cannot_be_written() -> None:
    result = runner.invoke(app, ["draw", "hotline.zh", "-o", "/nonexistent/x.svg"])
    assert result.exit_code == 1
    assert "/nonexistent/x.svg: cannot be written: No such file or directory — name a file" in str(result.exception)


def test_the_published_schema_is_current() -> None:
    published = json.loads((SCRIPTS / "dialplan.schema.json").read_text())
    assert published == json_schema()
    assert json.loads(runner.invoke(app, ["schema"]).output) == published


@pytest.mark.parametrize("name", ["hotline.zh", "hotline.en"])
def test_scripts_name_their_schema(name: str) -> None:
    first = (SCRIPTS / f"{name}.yaml").read_text().splitlines()[0]
    assert first == "# yaml-language-server: $schema=dialplan.schema.json"


@pytest.mark.parametrize("name", ["hotline.zh", "hotline.en"])
def test_editors_find_the_scripts_valid(name: str) -> None:
    schema = json.loads((SCRIPTS / "dialplan.schema.json").read_text())
    script = YAML(typ="safe").load((SCRIPTS / f"{name}.yaml").read_text())
    validator = Draft202012Validator(schema)
    assert [error.message for error in validator.iter_errors(script)] == []
    script["steps"]["thanks"].append({"plai": "goodbye"})
    assert not validator.is_valid(script)


SCENARIO = """\
# A leak in the kitchen
家里厨房水管漏水了

三号楼二单元幺幺零二
我姓王
对
没有了
"""


def walk(tmp_path: Path, lines: str, *options: str, script: str = "hotline.zh") -> dict[str, object]:
    scenario = tmp_path / "scenario.txt"
    scenario.write_text(lines)
    result = runner.invoke(app, ["try", script, "--scenario", str(scenario), "--json", *options])
    assert result.exit_code == 0, result.output
    outcome: dict[str, object] = json.loads(result.output.splitlines()[-1])
    outcome["output"] = result.output
    return outcome


def test_try_a_scenario(tmp_path: Path) -> None:
    outcome = walk(tmp_path, SCENARIO, "--caller", "13900001111", "--at", "2026-03-04T10:00")
    assert outcome["reason"] == "done"
    assert outcome["kind"] == "repair"
    assert outcome["category"] == "water_leak"
    assert outcome["ticket"] == "100001"
    output = str(outcome["output"])
    assert "我方 您好，本次通话会录音。   (R2)" in output
    assert "工单 已登记 100001：repair/water_leak/" in output
    assert "理解 种类 repair（报修）" in output


def test_try_understands_as_a_call_does(tmp_path: Path) -> None:
    said = "花盆那些没人浇都蔫了\n"
    assert walk(tmp_path, said)["category"] == "greening"
    assert walk(tmp_path, said, "--rules")["category"] == "other", "as while the speech service is away"


def test_try_at_night_with_keys_and_hang_up(tmp_path: Path) -> None:
    outcome = walk(tmp_path, "/0\n家里停电了\n/hangup\n", "--at", "2026-03-04T23:40", "--operator", "busy")
    assert outcome["ended_by"] == "caller"
    assert outcome["heard"] == ["家里停电了"]
    assert "夜间值班" in str(outcome["output"])
    assert "呼叫 8001，20 秒：busy" in str(outcome["output"])


def test_try_with_an_open_matter_and_an_incident(tmp_path: Path) -> None:
    options = ["--matter", "100007:water_leak:工程部正在处理", "--incident", "power:6", "--caller", "13900001111"]
    outcome = walk(tmp_path, "家里厨房水管漏水了\n\n", *options, "--home", "3号楼2单元1102室", "--name", "王芳")
    assert outcome["ticket"] == "100007"


def test_try_speaks_the_scripts_language(tmp_path: Path) -> None:
    lines = "/0\nthere is a leak in my kitchen\n\n/hangup\n"
    output = str(walk(tmp_path, lines, "--at", "2026-03-04T10:00", script="hotline.en")["output"])
    assert "us      How can I help you?" in output
    assert "caller  keys 0" in output
    assert "rings 8001 for 20 s: no_answer" in output
    assert "understood kind help (" in output
    ours = output[: output.rindex("{")]
    assert not any("\u4e00" <= c <= "\u9fff" for c in ours), "no Chinese in an English walk"


@pytest.mark.parametrize(
    ("at", "greeting"),
    [
        ("2026-03-04T10:00", None),
        ("2026-03-04T20:00", "现在是夜间值班"),
        ("2026-03-08T10:00", None),
        ("2026-03-08T20:00", "现在是夜间值班"),
        ("2026-10-01T10:00", "今天休息"),
        ("2026-10-01T23:00", "今天休息"),
        ("2026-10-10T10:00", None),
    ],
    ids=["workday", "evening", "Sunday", "Sunday's evening", "holiday", "holiday's night", "make-up workday"],
)
def test_a_walk_is_greeted_as_a_real_call_is(tmp_path: Path, at: str, greeting: str | None) -> None:
    output = str(walk(tmp_path, "/hangup\n", "--at", at)["output"])
    assert [g for g in ("现在是夜间值班", "今天休息") if g in output] == ([greeting] if greeting else [])
    moment = datetime.fromisoformat(at).replace(tzinfo=ZONE)
    site = load_sites(ROOT / "config" / "sites", load_settings(None).rules, moment)["xingfu"].snapshot(moment)
    context = context_of(site, None, "zh", moment)
    assert context.is_holiday is (greeting == "今天休息")
    plan = load_dialplan(SCRIPTS / "hotline.zh.yaml")
    talk = Talk(plan, context)
    said = [a.play for a in plan.step("welcome") if isinstance(a, Play) and holds(a.when, talk)]
    assert ("greeting_night" in said, "greeting_holiday" in said) == ("夜间" in output, "今天休息" in output)


@pytest.mark.parametrize("options", [(), ("--rules",)])
def test_a_walk_knows_the_sites_places_as_a_call_does(tmp_path: Path, options: tuple[str, ...]) -> None:
    lines = ["我家厨房漏水了", "", "三二幺幺零二", "我姓王", "对", "没有了"]
    told = walk(tmp_path, "\n".join(lines) + "\n", "--caller", "13800001234", *options)
    assert "跟您核对一下" in str(told["output"])
    assert "place=3号楼2单元1102室" in str(told["output"])
    lines[2] = "九十九号楼一单元一零一"
    told = walk(tmp_path, "\n".join(lines) + "\n", "--caller", "13800001234", *options)
    assert "对不起，请您再说一遍。请您说楼号" in str(told["output"]), "the site has no such building"


def test_the_end_of_the_lines_is_a_hang_up(tmp_path: Path) -> None:
    assert walk(tmp_path, "/noise\n")["ended_by"] == "caller"


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--at", "noon"], "write --at 2026-03-04T23:40"),
        (["--operator", "away"], "nobody, no_answer, busy, unreachable or completed"),
    ],
)
def test_try_with_wrong_options(options: list[str], message: str) -> None:
    result = runner.invoke(app, ["try", *options])
    assert result.exit_code == 1
    assert message in str(result.exception)


def test_prompts_are_listed() -> None:
    output = runner.invoke(prompts_app, ["list", "--language", "zh"]).output
    assert "zh\trendered\tgoodbye\tR2\t谢谢您的来电，再见。" in output
    assert runner.invoke(prompts_app, ["list", "--stale"]).output == ""


def test_prompts_are_rendered_by_the_voice(tmp_path: Path) -> None:
    (tmp_path / "zh").mkdir()
    (tmp_path / "zh" / "texts.yaml").write_text("hello: 您好\n")
    result = runner.invoke(prompts_app, ["render", "--folder", str(tmp_path)])
    assert "1 rendered, 1 prompts" in result.output
    assert (tmp_path / "zh" / "hello.wav").stat().st_size > 4000
    (tmp_path / "zh" / "recorded").mkdir()
    (tmp_path / "zh" / "recorded" / "hello.wav").write_bytes(b"x")
    assert runner.invoke(prompts_app, ["render", "--folder", str(tmp_path)]).exit_code == 1


def test_rendering_an_unknown_prompt() -> None:
    result = runner.invoke(prompts_app, ["render", "--only", "goodby"])
    assert result.exit_code == 1
    assert "callcenter prompts list" in str(result.exception)
