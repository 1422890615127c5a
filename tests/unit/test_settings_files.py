"""Every setting stands in config/callcenter.toml and in docs/settings.md, as the code has it."""

from __future__ import annotations

import re
import tomllib

import pytest

from callcenter.config import Settings, load_settings
from tests.harness.settings_files import SECTIONS, TABLE, TOML, Setting, settings, table_text, toml_text

MEND = "run: python -m tests.harness.settings_files"
EVERY = list(settings())


@pytest.mark.parametrize("setting", EVERY, ids=[s.path for s in EVERY])
def test_it_is_documented(setting: Setting) -> None:
    assert setting.help, f"{setting.path} has no description in callcenter/config.py"
    assert f"# {setting.key} = " in TOML.read_text(encoding="utf-8"), MEND
    assert f"| `{setting.key}` |" in TABLE.read_text(encoding="utf-8"), MEND


def test_the_files_say_what_the_code_says() -> None:
    assert TOML.read_text(encoding="utf-8") == toml_text(), MEND
    assert TABLE.read_text(encoding="utf-8") == table_text(), MEND
    assert {setting.section for setting in EVERY} == set(SECTIONS)


def test_the_shipped_file_changes_nothing() -> None:
    assert load_settings(TOML, {}) == Settings()


def test_every_line_of_it_can_be_uncommented() -> None:
    text = TOML.read_text(encoding="utf-8")
    active = re.sub(r"^# (\w+ = )", r"\1", text, flags=re.MULTILINE)
    Settings.model_validate(tomllib.loads(active))
