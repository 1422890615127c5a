"""What is started for which settings, and what is refused before anything starts."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from callcenter.config import Settings, load_settings
from callcenter.errors import ConfigError
from callcenter.node.files import private_folder
from callcenter.serve import Role, make_plan
from callcenter.serve.cli import serve as serve_command
from callcenter.serve.lock import hold_roles
from callcenter.serve.plan import resolve_edge_mode, settings_environment
from callcenter.serve.ports import check_ports, find_trouble, ports_needed
from tests.harness.toml import write_toml


def settings(**sections: object) -> Settings:
    return Settings.model_validate(sections)


def test_a_whole_house() -> None:
    plan = make_plan(settings(edge={"mode": "kamailio"}, line={"count": 3}))
    assert [[spec.name for spec in stage] for stage in plan.stages] == [
        ["speech", "desk"], ["line-1", "line-2", "line-3"], ["edge"],
    ]  # fmt: skip
    assert all(spec.environment["CALLCENTER_EDGE__MODE"] == "kamailio" for spec in plan.specs)
    assert plan.specs[2].argv[1:5] == ("-m", "callcenter.line", "--number", "1")


@pytest.mark.parametrize("role", list(Role))
def test_each_role_alone(role: Role) -> None:
    plan = make_plan(settings(edge={"mode": "kamailio"}, line={"count": 1}), {role})
    assert [spec.role for spec in plan.specs] == [role]


def test_direct_mode_gives_line_1_the_sip_port_on_loopback() -> None:
    plan = make_plan(settings(edge={"mode": "direct", "bind_host": "192.0.2.7", "sip_port": 5080}, line={"count": 4}))
    lines = [spec for spec in plan.specs if spec.role is Role.LINE]
    assert [spec.name for spec in lines] == ["line-1"]
    assert not [spec for spec in plan.specs if spec.role is Role.EDGE]
    environment = {**lines[0].environment}
    seen = load_settings(None, environment)
    assert (str(seen.line.bind_host), seen.line.sip_port_first, seen.line.count) == ("127.0.0.1", 5080, 1)
    assert seen.edge.mode == "direct"
    said = " ".join(plan.notices)
    assert "DIRECT MODE" in said
    assert "127.0.0.1 instead of 192.0.2.7" in said
    assert "1 line instead of 4" in said


def test_direct_mode_beyond_loopback_only_when_asked() -> None:
    edge = {"mode": "direct", "bind_host": "192.0.2.7", "direct_bind_any": True}
    plan = make_plan(settings(edge=edge))
    line = next(spec for spec in plan.specs if spec.role is Role.LINE)
    assert str(load_settings(None, line.environment).line.bind_host) == "192.0.2.7"


def test_direct_mode_has_no_edge_to_start_alone() -> None:
    with pytest.raises(ConfigError, match="no edge to start alone"):
        make_plan(settings(edge={"mode": "direct"}), {Role.EDGE})


def test_auto_is_direct_without_kamailio(tmp_path: Path) -> None:
    assert resolve_edge_mode(settings(edge={"mode": "auto", "binary": str(tmp_path / "none")})) == "direct"
    with pytest.raises(ConfigError, match="apt-get install kamailio"):
        resolve_edge_mode(settings(edge={"mode": "kamailio", "binary": str(tmp_path / "none")}))


def test_settings_reach_the_children_whatever_they_were_made_of(tmp_path: Path) -> None:
    file = tmp_path / "c.toml"
    file.write_text("[line]\ncount = 3\n[desk]\nport = 9000\n", encoding="utf-8")
    wanted = settings(
        node={"var_dir": str(tmp_path), "desks": ["https://a:8443"], "secret": "s3cret"}, line={"count": 5},
        edge={"trunks": [{"name": "t", "address": "10.0.0.0/8"}], "loopback_trunk": True},
        site={"dialled": {"4001": "xingfu"}}, desk={"port": 9000},
    )  # fmt: skip
    assert load_settings(file, settings_environment(wanted, file)) == wanted


def test_a_port_in_use_names_who_and_what_to_do() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        chosen = settings(desk={"port": port}, speech={"port": 0})
        with pytest.raises(
            ConfigError, match=rf"127\.0\.0\.1:{port}/tcp is in use by .*\(process {os.getpid()}\)"
        ) as caught:
            check_ports(chosen, {Role.DESK}, "kamailio")
        assert "desk.port" in str(caught.value)


def test_an_address_that_is_not_ours_is_explained() -> None:
    needs = ports_needed(settings(edge={"bind_host": "198.51.100.9"}), {Role.EDGE}, "kamailio")
    trouble = find_trouble(needs[0])
    assert trouble is not None
    assert trouble.message == "this machine has no address 198.51.100.9"
    assert "edge.bind_host" in trouble.mend


def test_several_ports_in_use_are_told_with_a_mend_each() -> None:
    with socket.socket() as one, socket.socket() as two:
        for taken in (one, two):
            taken.bind(("127.0.0.1", 0))
            taken.listen(1)
        chosen = settings(desk={"port": one.getsockname()[1]}, speech={"port": two.getsockname()[1]})
        with pytest.raises(ConfigError, match="2 ports cannot be had") as caught:
            check_ports(chosen, {Role.DESK, Role.SPEECH}, "kamailio")
    _, speech, desk = str(caught.value).splitlines()
    assert speech.endswith("choose another port with speech.port")
    assert desk.endswith("choose another port with desk.port")


def test_more_lines_than_there_are_ports() -> None:
    chosen = settings(line={"count": 10, "rtp_port_first": 65000})
    with pytest.raises(ConfigError, match="port 65600 does not exist"):
        check_ports(chosen, {Role.LINE}, "kamailio")


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["--role", "dsek"], "--role: there is no role 'dsek' — did you mean `desk`?"),
        (["--lines", "999"], "--lines: 999 lines: Input should be less than or equal to 64"),
        (["--lines", "-1"], "--lines: -1 lines: Input should be greater than or equal to 1"),
    ],
)
def test_what_is_typed_wrong_is_refused_in_words(
    arguments: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    config = write_toml(tmp_path / "c.toml", {"node": {"var_dir": tmp_path / "var"}})
    application = typer.Typer()
    application.command()(serve_command)
    ended = CliRunner().invoke(application, [*arguments, "--config", str(config)], catch_exceptions=False)
    assert ended.exit_code == 1
    assert told in ended.output + capsys.readouterr().err
    assert not (tmp_path / "var").exists()


@pytest.mark.parametrize(("place", "told"), [("/proc/nope", "cannot be made"), ("a-file", "is a file, not a folder")])
def test_a_folder_that_cannot_be_made(place: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    with (
        pytest.raises(ConfigError, match=told) as caught,
        hold_roles(settings(node={"var_dir": str(tmp_path / place)}), {Role.DESK}),
    ):
        pass
    assert caught.value.where == "node.var_dir"
    assert "node.var_dir" in str(caught.value.mend)


def test_every_folder_below_var_is_ours_alone(tmp_path: Path) -> None:
    for name in ("node", "models"):
        (tmp_path / "var" / name).mkdir(parents=True, mode=0o755)
    chosen = settings(node={"var_dir": str(tmp_path / "var")})
    with hold_roles(chosen, {Role.DESK}):
        private_folder(tmp_path / "var" / "new" / "below")
    made = [path for path in (tmp_path / "var").rglob("*") if path.is_dir()]
    assert {path.name for path in made} == {"node", "models", "run", "secrets", "recordings", "new", "below"}
    assert {path.stat().st_mode & 0o777 for path in made} == {0o700}
