"""Pulling and installing models: resume, checksums, hostile archives, no network."""

from __future__ import annotations

import hashlib
import zipfile
from pathlib import Path

import pytest

from callcenter.errors import SpeechError
from callcenter.speech import catalogue, model_install
from tests.model.conftest import FILES, Site, entry, make_model, make_zip


def _leftovers(var_dir: Path) -> list[str]:
    return sorted(p.name for p in (var_dir / "models").iterdir() if p.name.startswith((".install", "tiny.zip")))


def test_pull_installs_verifies_and_reports_progress(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    seen: list[tuple[int, int | None]] = []
    digest = hashlib.sha256(site.body).hexdigest()
    place, pinned = model_install.pull(
        entry(site.url, digest), tmp_path / "var", advance=lambda d, t: seen.append((d, t))
    )
    assert place == tmp_path / "var" / "models" / "tiny"
    assert not pinned
    assert {p.relative_to(place).as_posix() for p in catalogue.model_files(place)} == set(FILES)
    assert catalogue.changed_files(place) == []
    assert seen[-1] == (len(site.body), len(site.body))
    assert _leftovers(tmp_path / "var") == []


def test_an_interrupted_pull_goes_on_where_it_broke_off(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    site.break_after = 30_000
    var_dir = tmp_path / "var"
    with pytest.raises(SpeechError) as broken:
        model_install.pull(entry(site.url), var_dir)
    assert broken.value.code == "model.offline"
    assert broken.value.retryable
    kept = (var_dir / "models" / "tiny.zip.part").stat().st_size
    assert 0 < kept < len(site.body)
    assert not (var_dir / "models" / "tiny").exists()
    site.break_after = None
    place, _ = model_install.pull(entry(site.url), var_dir)
    assert site.asked == [None, f"bytes={kept}-"]
    assert (place / "graph" / "HCLr.fst").read_bytes() == FILES["graph/HCLr.fst"]


def test_a_server_without_ranges_starts_over(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    site.ranges = False
    folder = tmp_path / "var" / "models"
    folder.mkdir(parents=True)
    (folder / "tiny.zip.part").write_bytes(b"half of something else")
    place, _ = model_install.pull(entry(site.url), tmp_path / "var")
    assert (place / "am" / "final.mdl").read_bytes() == FILES["am/final.mdl"]


def test_a_part_that_is_already_whole_is_taken(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    folder = tmp_path / "var" / "models"
    folder.mkdir(parents=True)
    (folder / "tiny.zip.part").write_bytes(site.body)
    place, _ = model_install.pull(entry(site.url), tmp_path / "var")
    assert place.is_dir()


def test_a_wrong_checksum_is_refused_and_nothing_stays(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    with pytest.raises(SpeechError) as refused:
        model_install.pull(entry(site.url, "0" * 64), tmp_path / "var")
    assert refused.value.code == "model.checksum"
    assert not (tmp_path / "var" / "models" / "tiny").exists()
    assert _leftovers(tmp_path / "var") == []


def test_an_unknown_checksum_is_pinned_and_holds_later(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    var_dir = tmp_path / "var"
    _, pinned = model_install.pull(entry(site.url), var_dir)
    assert pinned
    assert model_install.pins(var_dir) == {"tiny": hashlib.sha256(site.body).hexdigest()}
    site.body = make_zip(tmp_path / "n.zip", extra={"vosk-model-x/README": b"changed"}).read_bytes()
    with pytest.raises(SpeechError) as refused:
        model_install.pull(entry(site.url), var_dir, again=True)
    assert refused.value.code == "model.checksum"
    assert catalogue.changed_files(var_dir / "models" / "tiny") == []  # the good one is still there


@pytest.mark.parametrize(
    "name", ["../escaped.txt", "/tmp/escaped.txt", "a/../../escaped.txt", "..\\escaped.txt", "C:\\x"]
)
def test_an_archive_that_writes_outside_is_refused(tmp_path: Path, name: str) -> None:
    archive = make_zip(tmp_path / "evil.zip", extra={name: b"gotcha"})
    before = sorted(p.name for p in tmp_path.rglob("*"))
    with pytest.raises(SpeechError) as refused:
        model_install.install(archive, "tiny", tmp_path / "var")
    assert refused.value.code == "model.unsafe_archive"
    after = sorted(p.name for p in tmp_path.rglob("*") if p.name not in ("var", "models"))
    assert after == before


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    archive = make_zip(tmp_path / "evil.zip")
    link = zipfile.ZipInfo("vosk-model-x/link")
    link.external_attr = 0o120777 << 16
    with zipfile.ZipFile(archive, "a") as opened:
        opened.writestr(link, "/etc/passwd")
    with pytest.raises(SpeechError) as refused:
        model_install.install(archive, "tiny", tmp_path / "var")
    assert refused.value.code == "model.unsafe_archive"


def test_offline_is_one_clear_sentence_with_the_way_by_hand(tmp_path: Path) -> None:
    closed = "http://127.0.0.1:1/model.zip"  # nothing listens there
    with pytest.raises(SpeechError) as offline:
        model_install.pull(entry(closed), tmp_path / "var")
    assert offline.value.code == "model.offline"
    assert "--from FILE.zip" in str(offline.value)


def test_a_folder_and_a_zip_brought_by_hand_are_installed(tmp_path: Path) -> None:
    var_dir = tmp_path / "var"
    from_folder = model_install.install(make_model(tmp_path / "brought"), "mine", var_dir)
    from_zip = model_install.install(make_zip(tmp_path / "flat.zip", prefix=""), "flat", var_dir)
    for place in (from_folder, from_zip):
        catalogue.check_model(place, "zh")
        assert catalogue.changed_files(place) == []


def test_a_damaged_zip_is_refused_and_the_old_model_stays(tmp_path: Path) -> None:
    var_dir = tmp_path / "var"
    place = model_install.install(make_model(tmp_path / "good"), "mine", var_dir)
    archive = make_zip(tmp_path / "bad.zip")
    archive.write_bytes(archive.read_bytes()[:20_000])
    with pytest.raises(SpeechError) as refused:
        model_install.install(archive, "mine", var_dir)
    assert refused.value.code == "model.damaged"
    catalogue.check_model(place, "zh")
