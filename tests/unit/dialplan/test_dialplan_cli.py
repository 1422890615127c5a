"""The commands, as people type them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from jsonschema_rs import Draft202012Validator
from ruamel.yaml import YAML
from typer.testing import CliRunner
from walking import SCRIPTS

from callcenter.dialplan.cli import app, prompts_app
from callcenter.dialplan.model import json_schema

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


def walk(tmp_path: Path, lines: str, *options: str) -> dict[str, object]:
    scenario = tmp_path / "scenario.txt"
    scenario.write_text(lines)
    result = runner.invoke(app, ["try", "hotline.zh", "--scenario", str(scenario), "--json", *options])
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
    assert "工单 opened 100001: repair/water_leak/" in output
    assert "理解 kind repair" in output


def test_try_at_night_with_keys_and_hang_up(tmp_path: Path) -> None:
    outcome = walk(tmp_path, "/0\n家里停电了\n/hangup\n", "--at", "2026-03-04T23:40", "--operator", "busy")
    assert outcome["ended_by"] == "caller"
    assert outcome["heard"] == ["家里停电了"]
    assert "夜间值班" in str(outcome["output"])
    assert "rings 8001 for 20 s: busy" in str(outcome["output"])


def test_try_with_an_open_matter_and_an_incident(tmp_path: Path) -> None:
    options = ["--matter", "100007:water_leak:工程部正在处理", "--incident", "power:6", "--caller", "13900001111"]
    outcome = walk(tmp_path, "家里厨房水管漏水了\n\n", *options, "--home", "3号楼2单元1102室", "--name", "王芳")
    assert outcome["ticket"] == "100007"


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
