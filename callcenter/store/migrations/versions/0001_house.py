"""The house: sites, places, people, events, calls, matters."""

from callcenter.store.migrate import run_sql

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
