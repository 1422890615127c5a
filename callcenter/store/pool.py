"""The pool of connections, and named SQL: one file of statements per noun in `sql/`."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import aiosql
import asyncpg
from pydantic_core import from_json, to_json

from callcenter.errors import StoreError

SQL_FOLDER = Path(__file__).parent / "sql"
COMMAND_TIMEOUT_S = 30
"""No statement of a page or a job takes longer; one that does is broken off."""

Connection = Any
"""An asyncpg connection, or the pool itself where one statement alone is meant."""


@cache
def statements(noun: str) -> Any:
    """The named statements of `sql/<noun>.sql`, as aiosql gives them: `statements("call").one(connection, id=…)`."""
    return aiosql.from_path(SQL_FOLDER / f"{noun}.sql", "asyncpg", mandatory_parameters=False)


async def _prepare(connection: Any) -> None:
    for kind in ("json", "jsonb"):
        await connection.set_type_codec(kind, schema="pg_catalog", encoder=_dump, decoder=from_json, format="text")


def _dump(value: Any) -> str:
    return to_json(value).decode()


class _Pooled(asyncpg.Connection):  # type: ignore[misc]
    """A connection that is given back as it is: what we set is local to a transaction, open ones are rolled back."""

    def get_reset_query(self) -> str:
        """Nothing to say to the server, which would take as long as most statements of a page."""
        return ""


async def open_pool(dsn: str, size: int = 10) -> Any:
    """A pool of up to `size` connections; JSON columns are Python values. Raises StoreError, retryable."""
    try:
        return await asyncpg.create_pool(
            dsn, min_size=1, max_size=size, connection_class=_Pooled, init=_prepare, timeout=10,
            command_timeout=COMMAND_TIMEOUT_S,
            server_settings={
                "application_name": "callcenter", "timezone": "UTC",
                "plan_cache_mode": "force_custom_plan",  # filters that are left open change the plan
            },
        )  # fmt: skip
    except (OSError, asyncpg.PostgresError, TimeoutError) as error:
        raise StoreError(
            "store.unreachable", f"the database cannot be reached: {error}", retryable=True,
            mend="check database.dsn and that PostgreSQL runs",
        ) from error  # fmt: skip


UNWRITABLE = (asyncpg.CharacterNotInRepertoireError, asyncpg.UntranslatableCharacterError)
"""What asyncpg raises for text that PostgreSQL cannot hold (U+0000): whoever typed it has to change it."""

AWAY = (
    OSError, asyncpg.PostgresConnectionError, asyncpg.InterfaceError, asyncpg.OperatorInterventionError,
    asyncpg.TransactionRollbackError, TimeoutError,
)  # fmt: skip
"""What asyncpg raises while the database is away or gave way to another transaction: the same may be tried again."""
