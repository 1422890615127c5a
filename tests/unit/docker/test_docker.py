"""The container files refer to what exists. (They cannot be built without a registry of images.)"""

from __future__ import annotations

import re
import shlex
import tomllib
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from callcenter.cli import COMMANDS
from callcenter.config import ENVIRONMENT_PREFIX, ROOT, Settings, load_settings
from callcenter.serve import Role, make_plan
from tests.harness.settings_files import settings

DOCKER = ROOT / "docker"
DOCKERFILE = (DOCKER / "Dockerfile").read_text(encoding="utf-8")
COMPOSE: dict[str, Any] = YAML(typ="safe").load(DOCKER / "compose.yaml")
INSTRUCTIONS = re.compile(
    r"(FROM|RUN|WORKDIR|COPY|ENV|USER|VOLUME|HEALTHCHECK|ENTRYPOINT|CMD|ARG|EXPOSE|LABEL) ", re.MULTILINE
)


def instructions() -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n", " ", DOCKERFILE)
    lines = [line for line in joined.splitlines() if line.strip() and not line.startswith("#")]
    return [(line.split(" ", 1)[0], line.split(" ", 1)[1]) for line in lines]


def test_every_line_of_the_dockerfile_is_an_instruction() -> None:
    assert instructions()[0][0] == "FROM"
    for name, rest in instructions():
        assert INSTRUCTIONS.match(f"{name} "), f"{name} {rest}"


def test_what_is_copied_exists() -> None:
    copied = [shlex.split(rest)[:-1] for name, rest in instructions() if name == "COPY"]
    for source in (path for sources in copied for path in sources):
        assert (ROOT / source).exists(), source
    wanted = {"pyproject.toml", "callcenter", "config", "dialplans", "models"}
    assert wanted <= {path for sources in copied for path in sources}


def test_the_health_check_is_a_module_of_ours() -> None:
    check = next(rest for name, rest in instructions() if name == "HEALTHCHECK")
    module = re.search(r'"-m", "([\w.]+)"', check)
    assert module is not None
    assert (ROOT / (module[1].replace(".", "/") + ".py")).is_file()


@pytest.mark.parametrize("service", ["desk", "node"])
def test_a_service_starts_roles_that_exist(service: str) -> None:
    command = COMPOSE["services"][service]["command"]
    assert command[0] in COMMANDS
    roles = [Role(command[n + 1]) for n, word in enumerate(command) if word == "--role"]
    mounted = command[command.index("--config") + 1]
    mounts = [v for v in COMPOSE["services"][service]["volumes"] if v.split(":")[1] == mounted]
    assert len(mounts) == 1
    file = DOCKER / mounts[0].split(":")[0]
    plan = make_plan(load_settings(file, {}), roles, None)
    assert {spec.role for spec in plan.specs} == set(roles)


def test_together_the_services_are_a_whole_house() -> None:
    words = [word for service in ("desk", "node") for word in COMPOSE["services"][service]["command"]]
    roles = [words[n + 1] for n, word in enumerate(words) if word == "--role"]
    assert sorted(roles) == sorted(str(role) for role in Role)


def test_every_volume_is_declared() -> None:
    for service in COMPOSE["services"].values():
        for volume in service.get("volumes", []):
            source = volume.split(":")[0]
            assert source.startswith(("./", "/")) or source in COMPOSE["volumes"], volume


def test_the_settings_file_is_one() -> None:
    loaded: Settings = load_settings(DOCKER / "callcenter.toml", {})
    assert loaded.edge.mode == "kamailio"
    assert not loaded.edge.loopback_trunk
    assert tomllib.loads((DOCKER / "callcenter.toml").read_text(encoding="utf-8"))


def test_the_secrets_are_settings_that_exist() -> None:
    known = {setting.environment for setting in settings()}
    text = (DOCKER / "secrets.env.example").read_text(encoding="utf-8")
    names = re.findall(r"^(\w+)=", text, re.MULTILINE)
    assert {name for name in names if name.startswith(ENVIRONMENT_PREFIX)} <= known
    assert "CALLCENTER_DATABASE__DSN" in names


def test_files_named_in_the_handbook_exist() -> None:
    text = (ROOT / "docs" / "running.md").read_text(encoding="utf-8")
    for name in re.findall(r"\]\(([\w./-]+?)(?:#[\w-]+)?\)", text):
        assert (Path(ROOT / "docs") / name).exists(), name
