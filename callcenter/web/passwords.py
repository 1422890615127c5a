"""Passwords: which ones are taken, and argon2id in a thread, so that hashing (about 50 ms) never holds up the loop.

Which are taken follows NIST SP 800-63B: long enough, and none of those that are tried first; no rule about kinds of
characters, and no change by the calendar.
"""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 12
MIN_PARTS = 8
"""Characters that are left to guess, once a well-known word, a row of keys or one key held down counts as one."""
WORDS = (
    "password", "passwort", "passw0rd", "p@ssw0rd", "p@ssword", "admin", "root", "letmein", "welcome", "iloveyou",
    "dragon", "monkey", "football", "sunshine", "princess", "superman", "callcenter", "hotline", "wuye", "xingfu",
    "woaini", "5201314", "1314", "520", "888", "666", "qwe", "asd", "zxc", "1q2w3e4r", "1qaz", "2wsx", "abc", "test",
    "user", "login", "secret", "default", "changeme", "china", "beijing", "shanghai", "mima",
)  # fmt: skip
"""Of the passwords most often found in leaks, with those of this trade and country: 520 sounds like 我爱你."""
ROWS = ("01234567890", "abcdefghijklmnopqrstuvwxyz", "qwertyuiop", "asdfghjkl", "zxcvbnm")
_hasher = PasswordHasher(time_cost=2, memory_cost=47 * 1024, parallelism=1)
_at_once = asyncio.Semaphore(2)
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike: it is read off a screen and typed."""


def random_password() -> str:
    """Four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


def weakness(password: str, login: str) -> str | None:
    """Why `password` is not taken for the account `login`, as a text to be translated; None when it is."""
    if len(password) < MIN_LENGTH:
        return "The new password needs at least twelve characters."
    if parts(password, login) < MIN_PARTS:
        return "This password is among the first to be guessed: take four words that do not belong together."
    return None


def parts(password: str, login: str) -> int:
    """How many characters of `password` have to be guessed one by one, each well-known part counting as one,
    what repeats the characters before it as none."""
    rest, known = password.lower(), sorted({*WORDS, *filter(None, [login.lower()])}, key=len, reverse=True)
    found, at = 0, 0
    while at < len(rest):
        again = _repeated(rest, at)
        word = next((len(w) for w in known if rest.startswith(w, at)), 0)
        found += not again
        at += again or max(word, _row(rest, at), 1)
    return found


def _repeated(text: str, at: int) -> int:
    """Length of what repeats the one to four characters before `at`; 0 when nothing does."""
    for size in range(1, min(4, at) + 1):
        if text.startswith(text[at - size : at], at):
            return size
    return 0


def _row(text: str, at: int) -> int:
    """Length of the row of neighbouring keys, letters or figures that begins here, either way; 0 below three."""
    for row in (*ROWS, *(row[::-1] for row in ROWS)):
        longest = next((n for n in range(len(text) - at, 2, -1) if text[at : at + n] in row), 0)
        if longest:
            return longest
    return 0


async def hash_password(password: str) -> str:
    """The argon2id hash to be stored."""
    async with _at_once:
        return await asyncio.to_thread(_hasher.hash, password)


def _verify(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (VerificationError, InvalidHashError):
        return False


async def verify_password(stored: str | None, password: str) -> bool:
    """Whether `password` fits. An unknown account (None) costs the same time."""
    async with _at_once:
        fits = await asyncio.to_thread(_verify, stored or _NOBODY, password)
    return fits and stored is not None
