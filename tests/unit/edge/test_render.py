"""The rendered configuration, and what is refused before Kamailio sees it."""

from __future__ import annotations

import re
import stat
from pathlib import Path
from typing import Any

import pytest

from callcenter.config import ROOT, Settings
from callcenter.edge.lines import LineAddress, local_lines, remote_lines
from callcenter.edge.render import check_settings, render
from callcenter.errors import ConfigError


def settings(var_dir: Path, **edge: Any) -> Settings:
    return Settings.model_validate({"node": {"var_dir": str(var_dir)}, "edge": edge})


def text(var_dir: Path, **edge: Any) -> str:
    files = render(settings(var_dir, **edge), 5060, 5061 if edge.get("public_address") else None, [])
    return files.config.read_text(encoding="utf-8")


def test_nothing_is_left_unfilled(tmp_path: Path) -> None:
    assert "@@" not in text(tmp_path, overflow_uri="sip:1@example.com", public_address="203.0.113.5").replace(
        "sip:edge@", ""
    )
    template = (ROOT / "config" / "kamailio.cfg").read_text(encoding="utf-8")
    words = set(re.findall(r"@@([A-Z_]+)@@", template))
    filled = text(tmp_path, trunks=[{"name": "t", "outbound": "sip.example.com"}], outbound_prefixes=["1"])
    assert words
    assert not re.search(r"@@[A-Z_]+@@", filled)


def test_the_template_holds_no_secret_and_the_result_is_ours_alone(tmp_path: Path) -> None:
    files = render(settings(tmp_path), 5060, None, [LineAddress("127.0.0.1", 5071)])
    for path in (files.config, files.lines, files.addresses, tmp_path / "secrets" / "edge-nonce"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
    secret = (tmp_path / "secrets" / "edge-nonce").read_text(encoding="ascii")
    assert len(secret) == 48
    assert secret in files.config.read_text(encoding="utf-8")
    assert secret not in (ROOT / "config" / "kamailio.cfg").read_text(encoding="utf-8")
    again = render(settings(tmp_path), 5060, None, [])
    assert secret in again.config.read_text(encoding="utf-8"), "nonces outlive a restart"


def test_a_deep_folder_still_gets_a_socket(tmp_path: Path) -> None:
    files = render(settings(tmp_path / ("d" * 90)), 5060, None, [])
    assert len(str(files.rpc_socket)) <= 100


@pytest.mark.parametrize(
    ("edge", "code"),
    [
        ({"trunks": [{"name": "t", "address": "10.0.0.0/33"}]}, "edge.bad_trunk"),
        ({"trunks": [{"name": "t", "address": "2001:db8::1"}]}, "edge.bad_trunk"),
        ({"overflow_uri": 'sip:1@x"; exit; "'}, "edge.bad_overflow"),
        ({"public_address": "203.0.113.5; drop"}, "edge.bad_host"),
        ({"public_address": "203.0.113.5:99999"}, "edge.bad_host"),
        ({"realm": 'x" , "1'}, "edge.bad_realm"),
        ({"bind_host": "0.0.0.0"}, "edge.bind_any"),
        ({"outbound_prefixes": ["1|.*"], "trunks": [{"name": "t", "outbound": "a.example.com"}]}, "edge.bad_prefix"),
        ({"trunks": [{"name": "t", "outbound": "a b"}], "outbound_prefixes": ["1"]}, "edge.bad_host"),
    ],
)
def test_what_could_not_be_put_into_it_is_refused(tmp_path: Path, edge: dict[str, Any], code: str) -> None:
    with pytest.raises(ConfigError) as caught:
        check_settings(settings(tmp_path, **edge))
    assert caught.value.code == code
    assert caught.value.where
    assert caught.value.where.startswith("edge.")
    assert caught.value.mend
    assert not (tmp_path / "run").exists(), "a check writes nothing"


def test_lines_of_other_machines(tmp_path: Path) -> None:
    lines = remote_lines(settings(tmp_path, lines=["10.0.0.5:5071", "sip:line.example.com:5072"]))
    assert [line.uri for line in lines] == ["sip:10.0.0.5:5071", "sip:line.example.com:5072"]
    with pytest.raises(ConfigError, match="not host:port"):
        remote_lines(settings(tmp_path, lines=["10.0.0.5"]))


def test_lines_of_this_machine_count_only_while_they_live(tmp_path: Path) -> None:
    import json
    import os

    run = tmp_path / "run"
    run.mkdir()
    (run / "line-2.json").write_text(json.dumps({"pid": os.getpid(), "ports": {"sip": 5072}}), encoding="utf-8")
    (run / "line-1.json").write_text(json.dumps({"pid": 2**22 - 1, "ports": {"sip": 5071}}), encoding="utf-8")
    (run / "line-3.json").write_text("half a fi", encoding="utf-8")
    (run / "line-x.json").write_text(json.dumps({"pid": os.getpid(), "ports": {"sip": 1}}), encoding="utf-8")
    assert [line.port for line in local_lines(settings(tmp_path))] == [5072]
