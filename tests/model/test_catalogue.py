"""The catalogue, the choice of a model and the checks that run before anything listens."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from callcenter.errors import SpeechError
from callcenter.speech import catalogue, model_cli, model_install
from tests.model.conftest import make_model

BUILTIN = catalogue.ROOT / "models" / catalogue.BUILTIN


def test_the_catalogue_has_the_official_models_and_ours() -> None:
    known = catalogue.entries()
    assert {"small-cn-0.22", "cn-0.22", "small-en-us-0.15", "en-us-0.22", catalogue.BUILTIN} <= set(known)
    for entry in known.values():
        assert entry.builtin or entry.url.startswith("https://")
        assert entry.language in ("zh", "en")
        assert entry.purpose_zh


def test_an_unknown_name_lists_the_known_ones() -> None:
    with pytest.raises(SpeechError, match=r"small-cn-0\.22"):
        catalogue.entry("smal-cn")


def test_the_built_in_model_is_whole_and_hears_mandarin_at_8_khz() -> None:
    catalogue.check_model(BUILTIN, "zh")
    assert catalogue.sample_rate_hz(BUILTIN) == 8000
    assert catalogue.language_of(BUILTIN) == "zh"
    assert catalogue.changed_files(BUILTIN) == []


def test_a_missing_model_says_where_and_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(SpeechError) as missing:
        catalogue.check_model(tmp_path / "nowhere")
    assert missing.value.code == "model.missing"
    assert "callcenter model pull" in str(missing.value)
    assert "\n" not in str(missing.value)


@pytest.mark.parametrize("stem", ["final", "HCLr", "Gr", "words", "mfcc", "disambig_tid"])
def test_a_file_that_is_missing_or_empty_is_named(tmp_path: Path, stem: str) -> None:
    for number, content in enumerate((None, b"")):
        folder = make_model(tmp_path / str(number), **{stem: content})
        with pytest.raises(SpeechError) as damaged:
            catalogue.check_model(folder)
        assert damaged.value.code == "model.damaged"
        assert stem in damaged.value.message


def test_a_damaged_model_is_mended_the_way_it_came(tmp_path: Path) -> None:
    for name, mend in (
        ("small-cn-0.22", "callcenter model pull small-cn-0.22 --again"),
        ("mine", "callcenter model pull mine --from FILE.zip"),
        (catalogue.BUILTIN, "git checkout -- models/builtin-zh-8k"),
    ):
        with pytest.raises(SpeechError) as damaged:
            catalogue.check_model(make_model(tmp_path / name, final=None))
        assert damaged.value.mend is not None
        assert mend in damaged.value.mend


def test_a_network_cut_short_is_found_by_its_sum(tmp_path: Path) -> None:
    folder = make_model(tmp_path / "m")
    catalogue.write_sums(folder)
    catalogue.check_model(folder)
    network = folder / "am" / "final.mdl"
    network.write_bytes(network.read_bytes()[:-1])
    with pytest.raises(SpeechError, match=r"am/final\.mdl differs"):
        catalogue.check_model(folder)


def test_a_model_of_another_language_names_one_that_fits(tmp_path: Path) -> None:
    words = b"<eps> 0\n" + b"".join(f"word{'abcdefgh'[i]} {i}\n".encode() for i in range(8))
    folder = make_model(tmp_path / "m", words=words)
    assert catalogue.language_of(folder) == "en"
    with pytest.raises(SpeechError) as wrong:
        catalogue.check_model(folder, "zh")
    assert wrong.value.code == "model.wrong_language"
    assert "callcenter model use builtin-zh-8k" in str(wrong.value)


def test_the_sample_rate_is_read_and_has_kaldis_default(tmp_path: Path) -> None:
    assert catalogue.sample_rate_hz(make_model(tmp_path / "a", mfcc=b"--sample-frequency=8000\n")) == 8000
    assert catalogue.sample_rate_hz(make_model(tmp_path / "b", mfcc=b"--use-energy=false\n")) == 16000


def test_a_choice_replaces_a_name_but_not_a_folder(tmp_path: Path) -> None:
    var_dir = tmp_path / "var"
    place = model_install.install(make_model(tmp_path / "brought"), "mine", var_dir)
    assert catalogue.resolve(catalogue.BUILTIN, var_dir, "zh") == BUILTIN
    catalogue.choose("zh", "mine", var_dir)
    assert catalogue.resolve(catalogue.BUILTIN, var_dir, "zh") == place
    assert catalogue.resolve(catalogue.BUILTIN, var_dir, "en") == BUILTIN
    assert catalogue.resolve(str(tmp_path / "brought"), var_dir, "zh") == tmp_path / "brought"
    assert catalogue.resolve("models/builtin-zh-8k", var_dir, "zh") == BUILTIN


def _run(tmp_path: Path, *arguments: str) -> tuple[int, str]:
    done = CliRunner().invoke(model_cli.app, [*arguments, "--var", str(tmp_path / "var")])
    return done.exit_code, done.output


def test_list_pull_verify_use_from_the_command_line(tmp_path: Path) -> None:
    brought = make_model(tmp_path / "brought")
    code, text = _run(tmp_path, "pull", "mine", "--from", str(brought))
    assert code == 0, text
    code, text = _run(tmp_path, "use", "mine")
    assert code == 0
    assert "zh: mine" in text
    code, text = _run(tmp_path, "list")
    assert code == 0
    assert "small-cn-0.22" in text
    assert "mine" in text
    code, text = _run(tmp_path, "verify")
    assert code == 0
    assert "mine: ok" in text
    assert "builtin-zh-8k: ok" in text
    graph = tmp_path / "var" / "models" / "mine" / "graph" / "Gr.fst"
    graph.write_bytes(graph.read_bytes() + b"!")
    code, text = _run(tmp_path, "verify", "mine")
    assert code == 1
    assert "graph/Gr.fst" in text
    code, text = _run(tmp_path, "use", "nosuch")
    assert code == 1
    assert "known models" in text


def _marked(text: str) -> set[str]:
    return {line.split()[1] for line in text.splitlines() if line.startswith("✓")}


def test_list_marks_what_the_transcriber_would_load(tmp_path: Path) -> None:
    assert _marked(_run(tmp_path, "list")[1]) == {catalogue.BUILTIN}
    english = make_model(tmp_path / "english", words=b"<eps> 0\nthe 1\nlift 2\nis 3\nstuck 4\n")
    assert _run(tmp_path, "pull", "en-us-0.22", "--from", str(english))[0] == 0
    assert _run(tmp_path, "use", "en-us-0.22")[0] == 0
    assert _marked(_run(tmp_path, "list")[1]) == {catalogue.BUILTIN, "en-us-0.22"}
    elsewhere = make_model(tmp_path / "elsewhere")
    assert _run(tmp_path, "use", str(elsewhere))[0] == 0
    assert _marked(_run(tmp_path, "list")[1]) == {str(elsewhere), "en-us-0.22"}


def test_a_folder_that_may_not_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "var").write_text("a file where the folder should be")
    code, text = _run(tmp_path, "pull", "mine", "--from", str(make_model(tmp_path / "brought")))
    assert code == 1
    assert "--var" in text
    assert "Traceback" not in text


def test_using_the_built_in_model_says_that_it_is_not_for_service(tmp_path: Path) -> None:
    code, text = _run(tmp_path, "use", catalogue.BUILTIN)
    assert code == 0
    assert "not for service" in text
