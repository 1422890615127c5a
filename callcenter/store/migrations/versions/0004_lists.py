"""Lists narrowed to a department, an urgency or a person are read in their order, however many matters there are."""

from callcenter.store.migrate import run_sql

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
