"""Residents rung by the house, further ways to people, and what each of them chose."""

from callcenter.store.migrate import run_sql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
