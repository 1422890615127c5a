"""Training speech comes whole from child processes that die: libespeak crashes now and then."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from models.recipe import synthesis, voices
from models.recipe.synthesis import Utterance

COUNT = 12


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return voices.prepare(tmp_path_factory.mktemp("espeak") / "data")


def make(folder: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(synthesis, "CHUNK", 4)
    monkeypatch.setattr(synthesis, "_BABBLE_VOICES", 2)
    return synthesis.synthesise(folder, data, COUNT, seed=7, processes=2)


def alike(one: Utterance, other: Utterance) -> bool:
    return np.array_equal(one.frames, other.frames)


def test_an_utterance_depends_on_its_seed_and_index_alone(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert make(tmp_path / "a", data, monkeypatch) == make(tmp_path / "b", data, monkeypatch) == 0
    first, again = synthesis.load(tmp_path / "a"), synthesis.load(tmp_path / "b")
    assert len(first) == len(again) == COUNT
    pairs = list(zip(first, again, strict=True))
    assert all(np.array_equal(one.labels, other.labels) for one, other in pairs)
    assert sum(alike(*pair) for pair in pairs) > COUNT / 2, "only breath is another each time"
    assert not alike(first[0], first[1])
    for utterance in first:
        assert utterance.frames.shape == (len(utterance.labels), 40)
        assert utterance.labels.any(), "nothing is said"


def test_what_a_killed_child_had_not_made_is_made_by_the_next(
    tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    killed: list[int] = []

    def kill_two() -> None:
        while len(killed) < 2:
            for child in multiprocessing.active_children():
                if child.pid is not None and child.pid not in killed and len(killed) < 2:
                    os.kill(child.pid, signal.SIGKILL)
                    killed.append(child.pid)
            time.sleep(0.05)

    killer = threading.Thread(target=kill_two)
    killer.start()
    crashes = make(tmp_path, data, monkeypatch)
    killer.join()
    assert crashes == len(killed) == 2
    assert len(synthesis.load(tmp_path)) == COUNT


def test_what_is_there_is_not_made_again(tmp_path: Path, data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, data, monkeypatch)
    kept = tmp_path / "chunk-0000.npz"
    before = kept.stat().st_mtime_ns
    (tmp_path / "chunk-0001.npz").unlink()
    make(tmp_path, data, monkeypatch)
    assert kept.stat().st_mtime_ns == before
    assert len(synthesis.load(tmp_path)) == COUNT
