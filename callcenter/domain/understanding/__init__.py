"""Understanding of what callers say by pure rules: no I/O, no third-party imports, light enough for a line."""

from callcenter.domain.understanding.rules import understand_by_rules

__all__ = ["understand_by_rules"]
