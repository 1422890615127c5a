"""Which passwords are taken: long ones that are not among the first to be tried."""

import pytest

from callcenter.web.passwords import MIN_LENGTH, random_password, weakness


@pytest.mark.parametrize(
    "password",
    [
        "1234567890", "123456789012", "aaaaaaaaaaaa", "121212121212", "abcabcabcabc", "qwertyuiop123",
        "passwordpassword", "admin1234567", "Passw0rd!2026", "woaini520520", "1q2w3e4r5t6y", "0987654321098",
        "wangfang2026wangfang", "",
    ],
)  # fmt: skip
def test_what_is_tried_first_is_not_taken(password: str) -> None:
    assert weakness(password, "wangfang") is not None


@pytest.mark.parametrize("password", ["correct horse battery staple", "三号楼的桂花八月才开得最香", "Ferry-lamp@2026"])
def test_long_and_unusual_ones_are_taken(password: str) -> None:
    assert weakness(password, "wangfang") is None
    assert weakness(password[: MIN_LENGTH - 1], "wangfang") is not None, "too short"


def test_the_passwords_we_make_are_taken() -> None:
    assert [weakness(random_password(), "admin") for _ in range(500)] == [None] * 500
