"""`python -m tests.harness.settings_files`: config/callcenter.toml and docs/settings.md from callcenter/config.py.

Run it after a setting was added or changed; a test fails until both files say the same as the code.
"""

from __future__ import annotations

import types
import typing
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Literal

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from callcenter.config import ENVIRONMENT_PREFIX, ROOT, Settings, Trunk, Webhook
from tests.harness.toml import toml_value

TOML = ROOT / "config" / "callcenter.toml"
TABLE = ROOT / "docs" / "settings.md"

SECTIONS = {
    "node": "This machine, and the folder in which it keeps everything.",
    "site": "Which residential area a call is for.",
    "edge": "Kamailio: the only SIP peer that the outside reaches (docs/edge.md).",
    "line": "The processes that answer calls.",
    "speech": "Transcription, understanding, synthesis.",
    "desk": "Pages, API, back office.",
    "database": "PostgreSQL.",
    "recording": "How long recordings are kept, and where.",
    "rules": "Limits of the first-responder rule (docs/rules.md).",
    "rules.acceptance": "How long a hand-over waits for someone to accept it (R13).",
    "residents": "Calls of ours to residents (docs/reaching-people.md).",
    "messages": "Mail and webhooks to our people, besides page and telephone (docs/reaching-people.md).",
    "log": "What the roles write to standard error.",
}

EXAMPLES = {
    "node.desks": '["https://desk1.example.com:8443"]',
    "node.secret": '"at least 32 random characters"',
    "site.dialled": '{"4001234567" = "xingfu"}',
    "edge.binary": '"/usr/sbin/kamailio"',
    "edge.public_address": '"203.0.113.5"',
    "edge.trunks": '[{name = "carrier", address = "203.0.113.0/24"}]',
    "edge.lines": '["10.0.0.5:5071"]',
    "line.edges": '["10.0.0.2"]',
    "edge.outbound_prefixes": '["1", "010"]',
    "edge.caller_number": '"4001234567"',
    "edge.overflow_uri": '"sip:4007654321@sip.example.com"',
    "speech.url": '"ws://10.0.0.8:2700"',
    "desk.public_url": '"https://hotline.example.com"',
    "desk.certificate": '"/etc/ssl/hotline.pem"',
    "desk.private_key": '"/etc/ssl/hotline.key"',
    "messages.mail_host": '"smtp.example.com"',
    "messages.mail_user": '"hotline@example.com"',
    "messages.mail_password_env": '"MAIL_PASSWORD"',
    "messages.webhooks": (
        '[{name = "duty", form = "feishu", url_env = "DUTY_ROBOT", secret_env = "DUTY_SECRET"}]'
    ),
    "database.dsn": '"postgresql://callcenter@db/callcenter"',
    "recording.store_dir": '"/srv/recordings"',
}
"""What to write where the default is empty."""


@dataclass(frozen=True)
class Setting:
    """One setting: dotted path, what it takes, its default as TOML (None: empty), its help."""

    path: str
    takes: str
    default: str | None
    help: str

    @property
    def section(self) -> str:
        return self.path.rpartition(".")[0]

    @property
    def key(self) -> str:
        return self.path.rpartition(".")[2]

    @property
    def environment(self) -> str:
        return ENVIRONMENT_PREFIX + self.path.upper().replace(".", "__")


def _model_of(annotation: Any) -> type[BaseModel] | None:
    return annotation if isinstance(annotation, type) and issubclass(annotation, BaseModel) else None


def _type_name(annotation: Any) -> str:
    origin, arguments = typing.get_origin(annotation), typing.get_args(annotation)
    if origin is Literal:
        return " or ".join(f"`{a}`" for a in arguments)
    if origin in (types.UnionType, typing.Union):
        return _type_name(next(a for a in arguments if a is not type(None)))
    if origin is list:
        return f"list of {_type_name(arguments[0])}"
    if origin is dict:
        return "table"
    if (model := _model_of(annotation)) is not None:
        return f"{model.__name__.lower()}s (below)"
    names = {"str": "text", "bool": "true or false", "int": "whole number", "float": "number", "Path": "path",
             "SecretStr": "secret", "IPv4Address": "IPv4 address"}  # fmt: skip
    return names.get(annotation.__name__, str(annotation.__name__))


def _limits(field: FieldInfo) -> str:
    low = next((m.ge for m in field.metadata if hasattr(m, "ge")), None)
    high = next((m.le for m in field.metadata if hasattr(m, "le")), None)
    if low is not None and high is not None:
        return f", {low} to {high}"
    return f", at least {low}" if low is not None else ""


def settings(model: type[BaseModel] = Settings, path: str = "") -> Iterator[Setting]:
    """Every setting in the order of the code; a section's own settings come before its sub-sections."""
    later = []
    for name, field in model.model_fields.items():
        here = f"{path}.{name}" if path else name
        inner = _model_of(field.annotation)
        if inner is not None:
            later.append((inner, here))
            continue
        value = field.get_default(call_default_factory=True)
        default = None if value is None else toml_value(value if not hasattr(value, "packed") else str(value))
        yield Setting(here, _type_name(field.annotation) + _limits(field), default, field.description or "")
    for inner, here in later:
        yield from settings(inner, here)


def toml_text() -> str:
    """config/callcenter.toml: every setting, commented, at its default."""
    lines = [
        "# Every setting, at its default. Take the # away to change one.",
        "# The environment goes over this file: CALLCENTER_LINE__COUNT=4. A misspelt key is refused.",
        "# Passwords do not belong here: see password_env, node.secret and docs/running.md.",
    ]
    section = ""
    for setting in settings():
        if setting.section != section:
            section = setting.section
            lines += ["", f"# {SECTIONS[section]}", f"[{section}]"]
        value = (
            setting.default
            if setting.default not in (None, "[]", "{}")
            else EXAMPLES.get(setting.path, setting.default or '""')
        )
        mark = "" if value == setting.default else "  (example; empty by default)"
        lines += [f"# {setting.help}{mark}", f"# {setting.key} = {value}"]
    return "\n".join(lines) + "\n"


def table_text() -> str:
    """docs/settings.md: the same as a table, with types and limits."""
    lines = [
        "# Settings",
        "",
        "Read from `config/callcenter.toml` (or `--config FILE`, or `$CALLCENTER_CONFIG`), then from the environment:",
        "`CALLCENTER_<SECTION>__<KEY>`, as in `CALLCENTER_LINE__COUNT=4`. A misspelt key is refused, with",
        "file, line and the nearest known name. Written by `python -m tests.harness.settings_files` from the code.",
    ]
    section = ""
    for setting in settings():
        if setting.section != section:
            section = setting.section
            lines += [
                "",
                f"## [{section}]",
                SECTIONS[section],
                "",
                "| key | takes | default | what it does |",
                "|---|---|---|---|",
            ]
        default = f"`{setting.default}`" if setting.default is not None else "empty"
        lines.append(f"| `{setting.key}` | {setting.takes} | {default} | {setting.help} |")
    lines += ["", "## A trunk (entry of `edge.trunks`)", "", "| key | what it does |", "|---|---|"]
    lines += [f"| `{name}` | {field.description or ''} |" for name, field in Trunk.model_fields.items()]
    lines += ["", "## A webhook (entry of `messages.webhooks`)", "", "| key | what it does |", "|---|---|"]
    lines += [f"| `{name}` | {field.description or ''} |" for name, field in Webhook.model_fields.items()]
    return "\n".join(lines) + "\n"


def main() -> None:
    for path, text in ((TOML, toml_text()), (TABLE, table_text())):
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
