"""The reference names everything a script may say."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from callcenter.dialplan.cli import app
from callcenter.dialplan.model import VERBS, Anytime, Intent, Limits, Phrases, Script, When
from callcenter.dialplan.talk import VARIABLES

REFERENCE = (Path(__file__).resolve().parents[3] / "docs" / "dialplan.md").read_text()
FIELDS = sorted(
    {
        field.alias or name
        for model in (*VERBS.values(), When, Script, Anytime, Limits, Phrases)
        for name, field in model.model_fields.items()
        if name != "steps"
    }
)


@pytest.mark.parametrize("name", [*FIELDS, *Intent.__args__])  # type: ignore[attr-defined]
def test_every_verb_field_condition_and_intent_is_documented(name: str) -> None:
    assert f"`{name}`" in REFERENCE


@pytest.mark.parametrize("name", sorted(VARIABLES))
def test_every_value_to_fill_in_is_documented(name: str) -> None:
    assert f"`{{{name}}}`" in REFERENCE


def test_every_command_is_documented() -> None:
    for command in app.registered_commands:
        name = command.name or (command.callback.__name__ if command.callback else "")
        assert f"callcenter dialplan {name}" in REFERENCE


def test_the_script_in_the_reference_is_valid() -> None:
    from ruamel.yaml import YAML

    from callcenter.dialplan.model import Script as Words

    [example] = re.findall(r"```yaml\n(.*?)```", REFERENCE, re.DOTALL)
    steps = YAML(typ="safe").load(example)["steps"]
    Words.model_validate(
        {
            "dialplan": "x", "title": "x", "language": "zh", "prompts": "prompts/zh", "start": "welcome",
            "notice": "recording_notice", "goodbyes": ["goodbye"],
            "phrases": dict.fromkeys(Phrases.model_fields, "goodbye"),
            "limits": {"too_long": "welcome"}, "steps": steps,
        }
    )  # fmt: skip
