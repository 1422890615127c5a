"""Forward-only migrations: alembic keeps the order, plain SQL files do the work."""

from __future__ import annotations

from pathlib import Path

import sqlalchemy as sa
from alembic import command, op
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy.ext.asyncio import create_async_engine
from sqlalchemy.pool import NullPool

from callcenter.errors import StoreError

MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 0x63616C6C
"""Advisory lock that lets one desk migrate while the others wait."""


def run_sql(script: str) -> None:
    """Run the `.sql` file beside a migration's script, all its statements in the migration's transaction."""
    text = Path(script).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.dbapi_connection
    assert connection is not None
    connection.run_async(lambda driver: driver.execute(text))


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS))
    config.set_main_option("path_separator", "os")
    return config


def newest_version() -> str:
    """The version this program was written for."""
    head = ScriptDirectory.from_config(_config()).get_current_head()
    assert head is not None
    return head


def _upgrade(connection: sa.Connection) -> None:
    connection.execute(sa.text("select pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
    scripts = ScriptDirectory.from_config(_config())
    current = MigrationContext.configure(connection, opts={"version_table": "schema_version"}).get_current_revision()
    if current is not None and current not in {script.revision for script in scripts.walk_revisions()}:
        raise StoreError(
            "store.newer_schema",
            f"the database has schema {current}, newer than this program knows",
            mend="install the version of callcenter that wrote it, or restore the backup made before",
        )
    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


async def migrate(dsn: str) -> None:
    """Bring the database at `dsn` (postgresql://…) to the newest schema; several desks may call it at once.

    Raises StoreError when the database is newer than the program.
    """
    # asyncpg reads the whole address itself, so that host=/socket/folder and every other form work alike.
    import asyncpg

    engine = create_async_engine(
        "postgresql+asyncpg://", poolclass=NullPool, async_creator=lambda: asyncpg.connect(dsn, timeout=30)
    )
    try:
        async with engine.begin() as connection:
            await connection.run_sync(_upgrade)
    finally:
        await engine.dispose()
