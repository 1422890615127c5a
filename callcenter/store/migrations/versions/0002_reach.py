"""People reached by telephone: what waits to be rung has its own index."""

from callcenter.store.migrate import run_sql

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
