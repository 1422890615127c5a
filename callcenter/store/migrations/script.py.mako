"""${message}."""

from callcenter.store.migrate import run_sql

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
