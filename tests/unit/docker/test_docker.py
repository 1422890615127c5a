"""The container files hold together and refer to what exists. (Building them needs an engine and a registry.)"""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
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


def allowed(path: str) -> bool:
    """Whether .dockerignore lets a path of the project's root into the build: it forbids all but a list."""
    rules = [line for line in (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines() if line[:1] != "#"]
    assert rules[0] == "*"
    return f"!{path}" in rules


def test_what_is_copied_reaches_the_build_and_nothing_secret_does() -> None:
    for source in (path for name, rest in instructions() if name == "COPY" for path in shlex.split(rest)[:-1]):
        assert allowed(source), source
    for private in ("var", ".git", ".venv", "docker"):
        assert not allowed(private)


def test_packages_are_those_that_were_tested() -> None:
    """Every pip command takes locked versions by their hashes, or no packages but ours."""
    runs = " && ".join(rest for name, rest in instructions() if name == "RUN")
    commands = [command.strip() for command in runs.split("&&") if " install " in command]
    pip = [command for command in commands if "pip" in command.split()[0]]
    assert len(pip) == 3
    for command in pip:
        assert "--require-hashes" in command or "--no-deps" in command, command
        for lock in re.findall(r"-r (\S+)", command):
            assert (ROOT / lock).is_file(), lock
    (apt,) = [command.split() for command in commands if command.startswith("apt-get")]
    run = re.search(r"^run_packages=\((.*)\)$", (ROOT / "tools" / "setup.sh").read_text(encoding="utf-8"), re.MULTILINE)
    assert run is not None
    assert {pair.split(":")[1] for pair in run[1].split()} < set(apt), "what set-up installs for a run"


def test_the_compose_file_is_one() -> None:
    """By the Compose specification's own schema."""
    check = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", "vendor.compose-spec"]
    done = subprocess.run([*check, str(DOCKER / "compose.yaml")], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("service", ["desk", "node"])
def test_a_service_starts_roles_that_exist(service: str) -> None:
    its = COMPOSE["services"][service]
    command = its["command"]
    assert command[0] in COMMANDS
    roles = [Role(command[n + 1]) for n, word in enumerate(command) if word == "--role"]
    assert len(command) == 1 + 2 * len(roles), "no word that nobody here looks at"
    mounts = [v.split(":") for v in its["volumes"] if v.split(":")[1] == its["environment"]["CALLCENTER_CONFIG"]]
    assert len(mounts) == 1, "the settings that serve, its health check and `docker compose exec` read are mounted"
    plan = make_plan(load_settings(DOCKER / mounts[0][0], {}), roles, None)
    assert {spec.role for spec in plan.specs} == set(roles)


def test_a_service_keeps_what_it_writes() -> None:
    """Whatever the settings name as a folder to write to lies on a volume, and is the service's own in the image."""
    loaded = load_settings(DOCKER / "callcenter.toml", {})
    home = next(rest for name, rest in instructions() if name == "WORKDIR")
    assert loaded.recording.store_dir is not None
    written = {"desk": [Path(home) / "var", loaded.recording.store_dir], "node": [Path(home) / "var"]}
    owned = next(rest for name, rest in instructions() if name == "RUN" and "chown" in rest).split("chown")[1]
    for service, folders in written.items():
        mounted = {volume.split(":")[1] for volume in COMPOSE["services"][service]["volumes"]}
        assert {str(folder) for folder in folders} <= mounted
        for folder in folders:
            assert {str(folder), folder.name} & set(owned.split()), f"{folder} would belong to root"


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
