"""What the evaluation of a model leaves behind: figures with the sums of what was measured, and an exit status."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest

from callcenter.speech.catalogue import changed_files, write_sums
from models.evaluation.__main__ import LIMITS, conclude, missed, sums
from tests.model.conftest import make_model


@pytest.fixture
def model(tmp_path: Path) -> Path:
    """A model's folder with its sums."""
    folder = make_model(tmp_path / "model")
    write_sums(folder)
    return folder


def figures(**over: float) -> dict[str, Any]:
    """Figures at their very limits, but for those given."""
    return LIMITS | over


def test_figures_within_their_limits_end_well(model: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert conclude(figures(), model, write=True) == 0
    assert json.loads((model / "figures.json").read_text("utf-8"))["limits_missed"] == []
    assert json.loads(capsys.readouterr().out.splitlines()[-1]) == LIMITS


def test_a_figure_over_its_limit_is_written_said_and_the_exit_status(
    model: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert conclude(figures(rtf=0.0501, size_mb=21.5), model, write=True) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[:-1] == ["over its limit: rtf 0.0501 > 0.05", "over its limit: size_mb 21.5 > 20.0"]
    assert json.loads(said[-1]) == figures(rtf=0.0501, size_mb=21.5)
    kept = json.loads((model / "figures.json").read_text("utf-8"))
    assert kept["rtf"] == 0.0501
    assert kept["limits_missed"] == ["rtf 0.0501 > 0.05", "size_mb 21.5 > 20.0"]


@pytest.mark.parametrize("name", LIMITS)
def test_every_limit_can_be_missed(name: str) -> None:
    assert [line.split()[0] for line in missed(figures(**{name: LIMITS[name] * 1.01}))] == [name]
    assert [line.split()[0] for line in missed(figures(**{name: math.nan}))] == [name], "no number is no success"


def test_nothing_is_written_unless_asked_for(model: Path) -> None:
    assert conclude(figures(rtf=1.0), model, write=False) == 1
    assert not (model / "figures.json").exists()


def test_the_sums_are_those_of_the_files_that_were_measured(model: Path) -> None:
    listed = {name: digest for digest, name in map(str.split, (model / "SHA256SUMS").read_text("utf-8").splitlines())}
    assert sums(model) == listed
    conclude(figures(), model, write=True)
    assert sums(model) == listed, "the figures are no part of the model"
    (model / "conf" / "model.conf").write_text("--beam=9.0\n")
    assert {name for name, digest in sums(model).items() if digest != listed[name]} == set(changed_files(model))
