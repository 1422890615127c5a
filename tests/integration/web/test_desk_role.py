"""The desk as the launcher knows it: what it says, how it ends, and what it says when it cannot begin."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from pathlib import Path

import requests

from callcenter.web.secrets import make_certificate
from tests.browser.house import ROOT, start_desk, var_folder
from tests.browser.running import Client


def run_desk(var: Path, desk_settings: str) -> subprocess.CompletedProcess[str]:
    """Start the desk with settings that cannot work."""
    config = var / "desk.toml"
    config.write_text(f'[node]\nvar_dir = "{var}"\n[desk]\n{desk_settings}\n', encoding="utf-8")
    return subprocess.run(
        [sys.executable, "-m", "callcenter.web", "--config", str(config)],
        capture_output=True, text=True, cwd=ROOT, timeout=120, check=False,
    )  # fmt: skip


def test_it_says_that_it_is_ready_and_alive_and_ends_in_peace_with_pages_open() -> None:
    with var_folder() as var:
        desk = start_desk(var)
        found = json.loads((var / "run" / "desk.json").read_text())
        assert found == {"pid": desk.process.pid, "ports": desk.said[-1]["ports"]}
        assert (var / "secrets" / "tls.key").stat().st_mode & 0o077 == 0
        client = Client(desk)
        client.log_in("admin", desk.password)
        client.get("/password")
        answer = client.post(
            "/password", {"old": desk.password, "new": "another password", "again": "another password"}
        )
        assert answer.ok
        news = client.http.get(f"{desk.base}/live", stream=True, timeout=60)
        assert next(news.iter_lines()).startswith(b"retry:")
        assert desk.stop() == 0
        log = (var / "desk.log").read_text()
        assert "Traceback" not in log
        assert desk.password not in log


def test_a_port_in_use_is_said_with_its_mend() -> None:
    with var_folder() as var, socket.create_server(("127.0.0.1", 0)) as taken:
        ended = run_desk(var, f"port = {taken.getsockname()[1]}")
    assert ended.returncode == 78
    assert "desk.port" in ended.stderr
    assert "set another" in ended.stderr


def test_a_missing_certificate_is_said_with_its_mend() -> None:
    with var_folder() as var:
        ended = run_desk(var, 'port = 0\ntls = "given"')
    assert ended.returncode == 78
    assert "desk.certificate" in ended.stderr
    assert 'desk.tls = "self-made"' in ended.stderr


def given(certificate: Path, key: Path) -> str:
    """Settings of a desk with a certificate of an authority."""
    return f'tls = "given"\ncertificate = "{certificate}"\nprivate_key = "{key}"\n'


def test_a_given_certificate_is_the_one_that_is_shown() -> None:
    with var_folder() as var:
        certificate, key = var / "given.crt", var / "given.key"
        make_certificate(certificate, key, {"127.0.0.1"})
        desk = start_desk(var, given(certificate, key))
        try:
            assert requests.get(f"{desk.base}/login", verify=str(certificate), timeout=30).ok
            assert not (var / "secrets" / "tls.crt").exists(), "none was made beside it"
        finally:
            assert desk.stop() == 0


def test_a_key_of_another_certificate_is_said_with_its_mend() -> None:
    with var_folder() as var:
        make_certificate(var / "one.crt", var / "one.key", {"127.0.0.1"})
        make_certificate(var / "other.crt", var / "other.key", {"127.0.0.1"})
        ended = run_desk(var, "port = 0\n" + given(var / "one.crt", var / "other.key"))
    assert ended.returncode == 78
    assert "one.crt" in ended.stderr
    assert "the key that belongs to it" in ended.stderr
