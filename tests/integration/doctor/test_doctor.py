"""The doctor finds what is wrong, and says what to do."""

from __future__ import annotations

import json
import os
import resource
import socket
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from callcenter.config import Settings
from callcenter.doctor import Finding, Grade, examine, machine
from callcenter.doctor.clock import clock_synchronised
from callcenter.doctor.house import check_audio, check_database, check_edge, check_model, check_ports
from callcenter.doctor.machine import (
    FILES_ENOUGH,
    FILES_GOOD,
    check_certificate,
    check_clock,
    check_disk,
    check_folder,
    check_limits,
)
from callcenter.doctor.sites import check_dialplans, check_site
from tests.harness.ports import free_port
from tests.harness.toml import write_toml


def settings(var_dir: Path, **sections: dict[str, object]) -> Settings:
    return Settings.model_validate({"node": {"var_dir": str(var_dir)}, **sections})


def worst(findings: list[Finding]) -> Finding:
    order = [Grade.OK, Grade.WARN, Grade.FAIL]
    return max(findings, key=lambda finding: order.index(finding.grade))


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen(1)
        port = taken.getsockname()[1]
        ports: dict[str, dict[str, object]] = {
            "edge": {"sip_port": 0},
            "speech": {"port": 0},
            "line": {"rtp_port_first": free_port(), "count": 1},
        }
        found = worst(list(check_ports(settings(tmp_path, desk={"port": port}, **ports))))
    assert found.grade is Grade.FAIL
    assert f"(process {os.getpid()})" in found.message
    assert "desk.port" in found.mend


def test_ports_of_the_house_that_runs_here_are_fine(tmp_path: Path) -> None:
    """Kamailio has a process group of its own; it is known by its descent."""
    listen = "import socket, sys; s = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen(1); "
    grandchild = listen + "print(s.getsockname()[1], flush=True); sys.stdin.read()"
    child = (
        f"import subprocess, sys; sys.exit(subprocess.call([sys.executable, '-c', {grandchild!r}], process_group=0))"
    )
    command = [sys.executable, "-c", child, "callcenter"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as role:
        assert role.stdout is not None
        port = int(role.stdout.readline())
        chosen = settings(tmp_path, desk={"port": port}, speech={"port": 0}, edge={"sip_port": 0})
        foreign = [f for f in check_ports(chosen) if f"{port}/tcp" in f.message]
        (tmp_path / "run").mkdir()
        state = {"pid": role.pid, "roles": {"desk": {"pid": role.pid}}}
        (tmp_path / "run" / "serve.json").write_text(json.dumps(state), encoding="utf-8")
        ours = [f for f in check_ports(chosen) if f"{port}/tcp" in f.message]
        role.communicate("")
    assert [f.grade for f in foreign] == [Grade.FAIL]
    assert [(f.grade, f.message) for f in ours] == [(Grade.OK, f"127.0.0.1:{port}/tcp is held by the desk that runs")]


def test_pjsua2_works_here(tmp_path: Path) -> None:
    (found,) = check_audio(settings(tmp_path))
    assert (found.grade, found.message) == (Grade.OK, "pjsua2 works; a line carries 4 legs")


def test_more_callers_than_legs(tmp_path: Path) -> None:
    (found,) = check_audio(settings(tmp_path, line={"callers_per_line": 3}))
    assert found.grade is Grade.WARN
    assert "set line.callers_per_line to 2" in found.mend


def test_a_model_that_is_not_there(tmp_path: Path) -> None:
    findings = [f for f in examine(settings(tmp_path, speech={"model": "no-such-model"})) if f.check == "model"]
    assert worst(findings).grade is Grade.FAIL
    assert worst(findings).mend


def test_a_damaged_model_is_told_with_its_folder(tmp_path: Path) -> None:
    (tmp_path / "model").mkdir()
    (found,) = (f for f in examine(settings(tmp_path, speech={"model": str(tmp_path / "model")})) if f.check == "model")
    assert found.message.startswith(f"{tmp_path / 'model'}: the speech model is damaged")


def test_the_built_in_model_is_whole(tmp_path: Path) -> None:
    (found,) = check_model(settings(tmp_path))
    assert found.grade is Grade.OK


def test_a_database_that_is_away(tmp_path: Path) -> None:
    dsn = f"postgresql://nobody@127.0.0.1:{free_port(socket.SOCK_STREAM)}/none"
    findings = [f for f in examine(settings(tmp_path, database={"dsn": dsn})) if f.check == "database"]
    assert worst(findings).grade is Grade.FAIL
    assert "database.dsn" in worst(findings).mend


def test_the_embedded_database_is_installed(tmp_path: Path) -> None:
    assert worst(list(check_database(settings(tmp_path)))).grade is Grade.OK


def test_kamailio_takes_the_configuration(tmp_path: Path) -> None:
    findings = list(check_edge(settings(tmp_path, edge={"trunks": [{"name": "c", "address": "203.0.113.1"}]})))
    assert [f.grade for f in findings] == [Grade.OK]


@pytest.mark.parametrize(("mode", "grade"), [("auto", Grade.WARN), ("kamailio", Grade.FAIL), ("direct", Grade.WARN)])
def test_kamailio_is_missing(tmp_path: Path, mode: str, grade: Grade) -> None:
    found = worst(list(check_edge(settings(tmp_path, edge={"mode": mode, "binary": str(tmp_path / "none")}))))
    assert found.grade is grade
    assert "apt-get install kamailio" in found.mend


def test_the_try_out_trunk_is_warned_of(tmp_path: Path) -> None:
    found = worst(list(check_edge(settings(tmp_path, edge={"loopback_trunk": True}))))
    assert (found.grade, found.mend) == (Grade.WARN, "turn it off for service")


def test_a_trunk_without_password_fails(tmp_path: Path) -> None:
    trunk = {"name": "c", "registrar": "sip.example.com", "user": "u", "password_env": "NO_SUCH_PASSWORD"}
    findings = [f for f in examine(settings(tmp_path, edge={"trunks": [trunk]})) if f.check == "edge"]
    assert "export NO_SUCH_PASSWORD" in worst(findings).mend


def test_a_clock_that_jumped_back(tmp_path: Path) -> None:
    journal = tmp_path / "node" / "journals" / "x.jsonl"
    journal.parent.mkdir(parents=True)
    journal.touch()
    os.utime(journal, (time.time() + 3600, time.time() + 3600))
    found = worst(list(check_clock(settings(tmp_path))))
    assert found.grade is Grade.FAIL
    assert "jumped back" in found.message
    assert clock_synchronised() in {True, False, None}


def test_a_disk_under_its_reserve(tmp_path: Path) -> None:
    found = worst(list(check_disk(settings(tmp_path, line={"reserve_mb": 1 << 40}))))
    assert found.grade is Grade.FAIL
    assert "under the reserve" in found.message


def test_a_folder_that_others_can_read(tmp_path: Path) -> None:
    (tmp_path / "secrets").mkdir(mode=0o755)
    (tmp_path / "secrets").chmod(0o755)
    found = worst(list(check_folder(settings(tmp_path))))
    assert found.grade is Grade.FAIL
    assert found.mend.startswith("chmod -R go=")


@pytest.mark.parametrize(("place", "told"), [("/proc/nope", "cannot be made"), ("a-file", "is a file, not a folder")])
def test_a_folder_that_cannot_be_made(place: str, told: str, tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    (found,) = check_folder(settings(tmp_path / place))
    assert found.grade is Grade.FAIL
    assert told in found.message
    assert "node.var_dir" in found.mend


def test_what_follows_from_an_impossible_folder_is_not_told_again(tmp_path: Path) -> None:
    (tmp_path / "a-file").touch()
    failed = {finding.check for finding in examine(settings(tmp_path / "a-file")) if finding.grade is Grade.FAIL}
    assert failed - {"ports"} == {"folder"}


def test_looking_leaves_nothing_behind(tmp_path: Path) -> None:
    (found,) = check_folder(settings(tmp_path / "not" / "yet"))
    assert found.grade is Grade.OK
    assert list(tmp_path.iterdir()) == []


def test_sites_and_scripts_that_do_not_exist(tmp_path: Path) -> None:
    chosen = settings(tmp_path, site={"default": "xingfo"}, line={"dialplans": {"*": "hotline.hz", "1": "hotline.zh"}})
    found = worst(list(check_site(chosen)))
    assert (found.grade, found.mend) == (Grade.FAIL, "did you mean `xingfu`?")
    assert "site.default" in found.message
    scripts = list(check_dialplans(chosen))
    assert [f.grade for f in scripts] == [Grade.FAIL, Grade.OK]
    assert "there is no script 'hotline.hz'" in scripts[0].message
    assert scripts[0].mend == "did you mean `hotline.zh`?"


def test_a_certificate_that_is_not_there(tmp_path: Path) -> None:
    assert worst(list(check_certificate(settings(tmp_path, desk={"tls": "given"})))).grade is Grade.FAIL
    assert list(check_certificate(settings(tmp_path))) == []


def given_certificate(folder: Path) -> Settings:
    (folder / "tls.key").touch()
    desk = {"tls": "given", "certificate": folder / "tls.crt", "private_key": folder / "tls.key"}
    return settings(folder, desk=desk)


@pytest.mark.parametrize(
    ("days", "grade", "mend"), [(-1, Grade.FAIL, "renew it"), (20, Grade.WARN, "renew it"), (90, Grade.OK, "")]
)
def test_a_certificate_that_ends(tmp_path: Path, days: int, grade: Grade, mend: str) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "desk.example")])
    now = datetime.now(UTC)
    ends = now + timedelta(days, seconds=60)
    made = x509.CertificateBuilder(name, name, key.public_key(), 7, now - timedelta(days=9), ends)
    (tmp_path / "tls.crt").write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    (found,) = check_certificate(given_certificate(tmp_path))
    assert (found.grade, found.mend) == (grade, mend)
    assert f"{days} more days" in found.message


def test_a_certificate_that_is_none(tmp_path: Path) -> None:
    (tmp_path / "tls.crt").write_text("no PEM")
    (found,) = check_certificate(given_certificate(tmp_path))
    assert found.grade is Grade.FAIL
    assert str(tmp_path / "tls.crt") in found.message
    assert "desk.certificate" in found.mend


@pytest.mark.parametrize(("files", "grade"), [(FILES_ENOUGH - 1, Grade.FAIL), (FILES_GOOD - 1, Grade.OK)])
def test_few_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, files: int, grade: Grade) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _: (files, files))
    found = next(check_limits(settings(tmp_path)))
    assert (found.grade, found.message) == (grade, f"{files} open files per process")
    assert found.mend.endswith(f"ulimit -n {FILES_GOOD}")


def test_more_lines_than_memory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(machine, "LINE_MB", 10**6)
    *_, found = check_limits(settings(tmp_path))
    assert (found.grade, found.mend) == (Grade.WARN, "lower line.count, or run roles on other machines")


def test_the_command_ends_with_1_when_something_fails(tmp_path: Path) -> None:
    config = write_toml(tmp_path / "c.toml", {"node": {"var_dir": tmp_path}, "line": {"reserve_mb": 1 << 40}})
    command = [sys.executable, "-m", "callcenter", "doctor", "--config", str(config)]
    text = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    assert text.returncode == 1
    assert " fail  disk" in text.stdout
    assert "→ free space" in text.stdout
    as_json = subprocess.run([*command, "--json"], capture_output=True, text=True, timeout=120, check=False)
    report = json.loads(as_json.stdout)
    assert (as_json.returncode, report["ok"]) == (1, False)
    assert {f["check"] for f in report["findings"]} >= {
        "folder",
        "ports",
        "edge",
        "audio",
        "model",
        "database",
        "clock",
        "disk",
        "limits",
    }


def test_a_misspelt_setting_is_the_first_thing_told(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[line]\ncuont = 3\n", encoding="utf-8")
    command = [sys.executable, "-m", "callcenter", "doctor", "--config", str(config)]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert said.returncode == 1
    assert "did you mean `count`?" in said.stdout


def test_every_wrong_setting_is_told(tmp_path: Path) -> None:
    config = tmp_path / "c.toml"
    config.write_text("[line]\ncuont = 3\ncallers_per_line = 9\n[desk]\nport = -1\n", encoding="utf-8")
    command = [sys.executable, "-m", "callcenter", "doctor", "--json", "--config", str(config)]
    said = json.loads(subprocess.run(command, capture_output=True, text=True, timeout=60, check=False).stdout)
    assert {f["message"].split(":")[1] for f in said["findings"]} == {"2", "3", "5"}
