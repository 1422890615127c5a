"""Times as people think of them, numbers as a role may see them, waveforms, and the limit of logins."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from callcenter.errors import StoreError
from callcenter.web.access import MATRIX, Right, Role, mask, shown_number
from callcenter.web.door import safe_next
from callcenter.web.format import highlight_parts, moment, remaining, span
from callcenter.web.login_limit import PER_ADDRESS, PER_LOGIN, WINDOW_S, LoginLimit
from callcenter.web.peaks import compute_peaks

NOON = datetime(2026, 6, 3, 4, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (3 * 3600 + 12 * 60 + 5, "3 小时 12 分", "3 h 12 min"),
        (95, "1 分 35 秒", "1 min 35 s"),
        (11 * 60 + 5, "11 分", "11 min"),
        (86400 * 6 + 3600 * 23, "6 天 23 小时", "6 d 23 h"),
        (4, "4 秒", "4 s"),
        (3600, "1 小时", "1 h"),
    ],
)
def test_spans(seconds: int, zh: str, en: str) -> None:
    assert span(seconds, "zh_CN") == zh
    assert span(seconds, "en") == en


def test_what_remains_and_what_is_late() -> None:
    assert remaining(NOON + timedelta(minutes=20), "zh_CN", NOON) == "还剩 20 分"
    assert remaining(NOON - timedelta(minutes=20), "zh_CN", NOON) == "超时 20 分"
    assert remaining(NOON - timedelta(minutes=20), "en", NOON) == "overdue by 20 min"


def test_moments() -> None:
    assert moment(NOON, "zh_CN", NOON) == "12:00"
    assert moment(NOON - timedelta(days=1), "zh_CN", NOON) == "昨天 12:00"
    assert moment(NOON + timedelta(days=9), "zh_CN", NOON) == "6月12日 12:00"
    assert moment(NOON + timedelta(days=9), "en", NOON) == "12 Jun 12:00"


@pytest.mark.parametrize(
    ("number", "masked"),
    [
        ("+8614000000021", "140****0021"), ("14000000021", "140****0021"), ("+861088880301", "010****0301"),
        ("119", "119"), ("12345", "12345"), ("8888301", "8****01"),
    ],
)  # fmt: skip
def test_masking(number: str, masked: str) -> None:
    assert mask(number) == masked


@given(st.text("0123456789+", min_size=7, max_size=15))
def test_a_masked_number_never_shows_itself(number: str) -> None:
    assert "*" in mask(number) or len(mask(number)) <= 6
    assert shown_number(Role.AGENT, number) == mask(number)


def test_every_role_is_in_the_matrix_and_only_administrators_manage_accounts() -> None:
    assert set(MATRIX) == set(Role)
    assert [role for role in Role if Right.MANAGE_ACCOUNTS in MATRIX[role]] == [Role.ADMINISTRATOR]


def test_peaks_of_a_sound(tmp_path: Path) -> None:
    sound = np.zeros((80000, 2))
    sound[20000:30000, 0] = 0.5
    sound[50000:60000, 1] = 0.25
    soundfile.write(tmp_path / "a.flac", sound, 8000)
    caller, ours = compute_peaks(tmp_path / "a.flac", points=100)
    assert len(caller) == len(ours) == 100
    assert max(caller) == 1.0
    assert caller[30] == 1.0
    assert caller[55] == 0.0
    assert ours[70] == pytest.approx(0.5, abs=0.01)


def test_peaks_of_what_is_no_sound(tmp_path: Path) -> None:
    (tmp_path / "a.flac").write_bytes(b"not a sound")
    with pytest.raises(StoreError, match="cannot be read"):
        compute_peaks(tmp_path / "a.flac")


def test_the_login_limit_forgets() -> None:
    now = 0.0
    limit = LoginLimit(lambda: now)
    for _ in range(PER_LOGIN):
        assert limit.attempt("A", "10.0.0.1")
    assert not limit.attempt("a", "10.0.0.2"), "whatever the address and the spelling"
    now = WINDOW_S + 1
    assert limit.attempt("a", "10.0.0.1")


def test_what_was_right_costs_nothing_and_forgives_only_its_own_login() -> None:
    limit = LoginLimit(lambda: 0.0)
    for number in range(PER_ADDRESS - 1):
        assert limit.attempt(f"guessed-{number}", "10.0.0.1")
    for _ in range(3):
        assert limit.attempt("a", "10.0.0.1")
        limit.succeeded("A", "10.0.0.1")
    assert limit.attempt("b", "10.0.0.1")
    assert not limit.attempt("c", "10.0.0.1"), "the address has had its twenty"
    assert limit.attempt("c", "10.0.0.2")


@given(st.text())
def test_next_never_leaves_the_house(where: str) -> None:
    assert safe_next(where).startswith("/")
    assert not safe_next(where).startswith(("//", "/\\"))


@given(st.text(max_size=40), st.text(max_size=4))
def test_highlighting_loses_nothing(text: str, wanted: str) -> None:
    assert "".join(piece for piece, _ in highlight_parts(text, wanted)) == text
