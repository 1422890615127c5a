"""The handbook names every route, right, role and metric there is."""

from __future__ import annotations

from pathlib import Path

from prometheus_client import CollectorRegistry

from callcenter.web.access import MATRIX, Right, Role
from callcenter.web.api.routes import ENDPOINTS
from callcenter.web.metrics import Metrics

HANDBOOK = Path(__file__).resolve().parents[3] / "docs" / "handbook"


def page(name: str) -> str:
    """A page of the handbook."""
    return (HANDBOOK / name).read_text(encoding="utf-8")


def test_every_route_is_in_the_handbook() -> None:
    text = page("api.md")
    assert [e.path for e in ENDPOINTS if f"`{e.method} {e.path}`" not in text] == []


def test_every_metric_is_in_the_handbook() -> None:
    text = page("administrator.md")
    registry: CollectorRegistry = Metrics().registry
    names = {m.name for m in registry.collect() if m.name.startswith("callcenter_")}
    assert names
    assert [name for name in names if name not in text] == []


def test_the_matrix_in_the_handbook_is_the_matrix() -> None:
    rows = [line for line in page("administrator.md").splitlines() if line.startswith("| `")]
    told: dict[Role, set[str]] = {role: set() for role in Role}
    for row in rows:
        cells = [cell.strip() for cell in row.strip("|").split("|")]
        if len(cells) != len(Role) + 1:
            continue
        for role, cell in zip(Role, cells[1:], strict=True):
            if cell == "●":
                told[role] |= {right.strip(" `") for right in cells[0].split(",")}
    assert told == {role: {right.value for right in MATRIX[role]} for role in Role}
    assert set().union(*told.values()) == {right.value for right in Right}
