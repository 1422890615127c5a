"""Ticket numbers are spoken once; the nodes' secret is one and private."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from callcenter.config import NodeSettings, Settings
from callcenter.errors import StoreError
from callcenter.node.numbers import NumberPool
from callcenter.node.secret import node_secret


def test_each_number_is_given_once_across_restarts(tmp_path: Path) -> None:
    pool = NumberPool(tmp_path, 1)
    pool.add(100001, 100003)
    pool.add(100001, 100003)
    taken = [pool.take()]
    pool.close()
    pool = NumberPool(tmp_path, 1)
    pool.add(100201, 100202)
    taken += [pool.take() for _ in range(4)]
    assert taken == [100001, 100002, 100003, 100201, 100202]
    with pytest.raises(StoreError, match="no ticket numbers"):
        pool.take()
    pool.close()


def test_two_processes_never_share_a_pool(tmp_path: Path) -> None:
    pool = NumberPool(tmp_path, 1)
    with pytest.raises(StoreError, match="line 1 of this node already runs"):
        NumberPool(tmp_path, 1)
    pool.close()
    NumberPool(tmp_path, 1).close()


def test_a_number_that_cannot_be_noted_is_not_given(tmp_path: Path) -> None:
    pool = NumberPool(tmp_path / "n", 1)
    pool.add(100001, 100100)
    (tmp_path / "n").rename(tmp_path / "gone")
    with pytest.raises(StoreError, match="cannot note"):
        pool.take()
    (tmp_path / "gone").rename(tmp_path / "n")
    assert pool.take() == 100001
    pool.close()


def test_a_lease_that_cannot_be_noted_holds_and_asks_for_no_other(tmp_path: Path) -> None:
    """A full disk must not make the line lease block after block; what is given out is on the disk all the same."""
    pool = NumberPool(tmp_path / "n", 1)
    (tmp_path / "n").rename(tmp_path / "gone")
    pool.add(100001, 100100)
    assert not pool.low
    with pytest.raises(StoreError, match="cannot note"):
        pool.take()
    (tmp_path / "gone").rename(tmp_path / "n")
    assert pool.take() == 100001
    pool.close()
    again = NumberPool(tmp_path / "n", 1)
    assert again.take() == 100002
    again.close()


def test_all_processes_get_the_same_secret(tmp_path: Path) -> None:
    settings = Settings(node=NodeSettings(var_dir=tmp_path))
    with ThreadPoolExecutor(8) as threads:
        secrets = set(threads.map(lambda _: node_secret(settings), range(32)))
    assert len(secrets) == 1
    assert len(secrets.pop()) >= 32
    files = list((tmp_path / "secrets").iterdir())
    assert [f.name for f in files] == ["node"]
    assert files[0].stat().st_mode & 0o777 == 0o600


def test_an_empty_secret_is_refused(tmp_path: Path) -> None:
    settings = Settings(node=NodeSettings(var_dir=tmp_path))
    node_secret(settings)
    (tmp_path / "secrets" / "node").write_text("")
    with pytest.raises(StoreError, match="empty"):
        node_secret(settings)
