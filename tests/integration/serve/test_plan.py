"""What is started for which settings, and what is refused before anything starts."""

from __future__ import annotations

import os
import socket
from pathlib import Path

import pytest

from callcenter.config import Settings, load_settings
from callcenter.errors import ConfigError
from callcenter.serve import Role, make_plan
from callcenter.serve.plan import resolve_edge_mode, settings_environment
from callcenter.serve.ports import check_ports, find_trouble, ports_needed


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
