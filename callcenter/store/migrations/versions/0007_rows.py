"""Emergencies are counted, and those that nobody has taken found, in their index alone; a call's row is one view."""

from callcenter.store.migrate import run_sql

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
