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


def test_a_page_in_place_of_the_model_is_not_pinned(tmp_path: Path, site: Site) -> None:
    var_dir = tmp_path / "var"
    site.body = b"<html>Please log in to the network</html>"
    with pytest.raises(SpeechError) as refused:
        model_install.pull(entry(site.url), var_dir)
    assert refused.value.code == "model.damaged"
    assert model_install.pins(var_dir) == {}
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    _, pinned = model_install.pull(entry(site.url), var_dir)
    assert pinned


def test_pins_that_cannot_be_read_are_said_with_their_file(tmp_path: Path, site: Site) -> None:
    site.body = make_zip(tmp_path / "m.zip").read_bytes()
    (tmp_path / "var" / "models").mkdir(parents=True)
    (tmp_path / "var" / "models" / "pins.toml").write_text("tiny = 12ab")
    with pytest.raises(SpeechError, match=r"pins\.toml: .* — correct the file"):
        model_install.pull(entry(site.url), tmp_path / "var")


@pytest.mark.parametrize(
    "name", ["../escaped.txt", "/tmp/escaped.txt", "a/../../escaped.txt", "..\\escaped.txt", "C:\\x", "."]
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


@pytest.mark.parametrize("harm", ["compressed data", "password"])
def test_a_zip_that_cannot_be_unpacked_is_one_sentence(tmp_path: Path, harm: str) -> None:
    archive = tmp_path / "bad.zip"
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as made:
        for name, body in FILES.items():
            made.writestr(name, body)
    body = bytearray(archive.read_bytes())
    if harm == "password":
        for start in (body.find(b"PK\x03\x04") + 6, body.find(b"PK\x01\x02") + 8):
            body[start] |= 1
    else:
        body[30 + len("am/final.mdl")] = 0xFF
    archive.write_bytes(body)
    with pytest.raises(SpeechError) as refused:
        model_install.install(archive, "mine", tmp_path / "var")
    assert refused.value.code == "model.damaged"
    assert refused.value.where == str(archive)


def test_what_is_no_model_is_told_by_the_name_it_was_brought_under(tmp_path: Path) -> None:
    brought = make_model(tmp_path / "brought", HCLr=None)
    with pytest.raises(SpeechError, match=r"brought: .*HCLr\.fst is missing") as refused:
        model_install.install(brought, "mine", tmp_path / "var")
    assert ".install" not in str(refused.value)
    english = make_model(tmp_path / "english", words=b"<eps> 0\nthe 1\nlift 2\nis 3\nstuck 4\n")
    with pytest.raises(SpeechError, match=r"english: small-cn hears 'zh', but this model hears 'en'") as wrong:
        model_install.install(english, "small-cn", tmp_path / "var", "zh")
    assert wrong.value.code == "model.wrong_language"
    assert _leftovers(tmp_path / "var") == []
