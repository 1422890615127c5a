"""The labels a matter may have at one site, with their names for people (R7, R8)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Name:
    """What people see."""

    zh: str
    en: str


@dataclass(frozen=True)
class Category:
    """One category and the department in charge of it."""

    zh: str
    en: str
    department: str


@dataclass(frozen=True)
class Taxonomy:
    """Key → name for people. Keys are the names in code, the API and the CLI."""

    kinds: Mapping[str, Name]
    urgencies: Mapping[str, Name]
    departments: Mapping[str, Name]
    categories: Mapping[str, Category]
    outside_bodies: Mapping[str, Name]
