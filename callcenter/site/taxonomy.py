"""`config/taxonomy.yaml`, and what a site adds to it or renames."""

from __future__ import annotations

from pathlib import Path

from callcenter.config import ROOT
from callcenter.domain.taxonomy import Category, Name, Taxonomy
from callcenter.site.source import Node, optional_text, read

TAXONOMY = ROOT / "config" / "taxonomy.yaml"


def _name(key: str, node: Node, *more: str) -> Name:
    node.only("zh", "en", *more)
    return Name(node.get("zh").text(), optional_text(node, "en", key.replace("_", " ")))


def load_taxonomy(path: Path = TAXONOMY, site: Path | None = None) -> Taxonomy:
    """Labels of the product, with those of a site's own `taxonomy.yaml` over them, where it has one."""
    sources = [read(path)] + ([read(site)] if site is not None and site.exists() else [])
    names: dict[str, dict[str, Name]] = {k: {} for k in ("kinds", "urgencies", "departments", "outside_bodies")}
    categories: dict[str, Category] = {}
    for source in sources:
        source.only(*names, "categories")
        for part, found in names.items():
            if (node := source.find(part)) is not None:
                found |= {key: _name(key, child) for key, child in node.items()}
        node = source.find("categories")
        for key, child in node.items() if node is not None else ():
            name = _name(key, child, "department")
            department = child.get("department")
            if department.text() not in names["departments"]:
                raise department.error(
                    "unknown_department", f"no department {department.text()!r}",
                    f"use one of {', '.join(names['departments'])}",
                )  # fmt: skip
            categories[key] = Category(name.zh, name.en, department.text())
    return Taxonomy(**names, categories=categories)
