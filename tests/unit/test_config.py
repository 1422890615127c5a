"""Settings: what a person may type wrong, and what they are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from callcenter.config import Settings, load_settings
from callcenter.errors import ConfigError


def settings_file(folder: Path, text: str) -> Path:
    path = folder / "callcenter.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_shipped_file_holds_the_defaults() -> None:
    assert load_settings(environment={}) == Settings()


def test_a_misspelt_key_is_named_with_line_and_nearest_name(tmp_path: Path) -> None:
    path = settings_file(tmp_path, '[node]\nname = "a"\n\n[line]\ncout = 3\n')
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environment={})
    assert caught.value.code == "config.unknown_key"
    assert caught.value.where == f"{path}:5: line.cout"
    assert caught.value.mend == "did you mean `count`?"


def test_a_misspelt_section_is_named(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "[lines]\ncount = 3\n")
    with pytest.raises(ConfigError) as caught:
        load_settings(path, environment={})
    assert caught.value.where == f"{path}:1: lines"
    assert caught.value.mend == "did you mean `line`?"


def test_a_value_out_of_range_is_named(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "[line]\nanswer_after_rings = 4\n")
    with pytest.raises(ConfigError, match="less than or equal to 3") as caught:
        load_settings(path, environment={})
    assert caught.value.where == f"{path}:2: line.answer_after_rings"


def test_a_file_that_is_no_toml_says_where(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "[line\n")
    with pytest.raises(ConfigError, match="line 1"):
        load_settings(path, environment={})


def test_a_missing_file_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="--config FILE"):
        load_settings(tmp_path / "nowhere.toml", environment={})


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "[line]\ncount = 3\n")
    settings = load_settings(path, environment={"CALLCENTER_LINE__COUNT": "5", "CALLCENTER_NODE__NAME": "b2"})
    assert (settings.line.count, settings.node.name) == (5, "b2")


def test_a_misspelt_variable_is_an_error_that_names_it(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "")
    with pytest.raises(ConfigError, match="CALLCENTER_LINE__CONT"):
        load_settings(path, environment={"CALLCENTER_LINE__CONT": "5"})


def test_secrets_do_not_print_themselves(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "")
    settings = load_settings(path, environment={"CALLCENTER_DATABASE__DSN": "postgresql://u:hunter2@h/d"})
    assert "hunter2" not in repr(settings)


def test_a_file_from_windows_is_read(tmp_path: Path) -> None:
    path = tmp_path / "callcenter.toml"
    path.write_text("[line]\ncount = 3\n", encoding="utf-8-sig")
    assert load_settings(path, environment={}).line.count == 3


def test_several_wrong_settings_are_told_at_once(tmp_path: Path) -> None:
    path = settings_file(tmp_path, "[line]\ncuont = 3\n[desk]\nport = -1\n")
    with pytest.raises(ConfigError, match=r"did you mean `count`\?\); also wrong: .*:4: desk.port") as caught:
        load_settings(path, environment={})
    assert caught.value.where == f"{path}:2: line.cuont"


@pytest.mark.parametrize("hours", ["20:30-09:00", "09:00-09:00", "25:00-26:00", "morning"])
def test_hours_that_are_none_are_refused(tmp_path: Path, hours: str) -> None:
    path = settings_file(tmp_path, f'[residents]\nhours = "{hours}"\n')
    with pytest.raises(ConfigError, match=r"residents\.hours"):
        load_settings(path, environment={})


@pytest.mark.parametrize(
    ("hooks", "why"),
    [
        ('{name = "a", form = "wecom"}', "neither url nor url_env"),
        ('{name = "a", url = "https://example.com"}', "no secret_env"),
        ('{name = "a", form = "wecom", url_env = "A"}, {name = "a", form = "wecom", url_env = "B"}', "same name"),
    ],
)
def test_webhooks_that_cannot_work_are_refused_at_start(tmp_path: Path, hooks: str, why: str) -> None:
    path = settings_file(tmp_path, f"[messages]\nwebhooks = [{hooks}]\n")
    with pytest.raises(ConfigError, match=why):
        load_settings(path, environment={})
