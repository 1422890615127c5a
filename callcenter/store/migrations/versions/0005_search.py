"""One index of terms and facets: words and filters are looked up together, a page takes as long as its own rows."""

from callcenter.store.migrate import run_sql

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Run the SQL file beside this one. There is no way back: migrations go forward only."""
    run_sql(__file__)
