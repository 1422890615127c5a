"""Passwords: argon2id in a thread, so that hashing (about 50 ms) never holds up the loop."""

from __future__ import annotations

import asyncio
import secrets

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

MIN_LENGTH = 10
_hasher = PasswordHasher(time_cost=2, memory_cost=47 * 1024, parallelism=1)
_at_once = asyncio.Semaphore(2)
_NOBODY = _hasher.hash(secrets.token_urlsafe(16))
ALPHABET = "abcdefghjkmnpqrstuvwxyz23456789"
"""Without letters and digits that look alike: it is read off a screen and typed."""


def random_password() -> str:
    """Four groups of four, about 79 bits."""
    return "-".join("".join(secrets.choice(ALPHABET) for _ in range(4)) for _ in range(4))


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
