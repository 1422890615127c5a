"""Words of danger act while the caller still speaks (R8, R29): the ticket is opened before the sentence is over."""

from __future__ import annotations

from callcenter.domain.understanding.dangers import find_dangers
from callcenter.domain.understanding.rules import worst_danger
from callcenter.domain.understanding.text import utterance

SURE_ENOUGH = 0.8
"""Strength of a danger that is acted on before anything else was understood."""
STANDS_MS = 1000
"""A recogniser changes its mind within the first second after a word; what still stands then was said."""
LOOKED_AT_CHARACTERS = 400
"""Only the newest words of a long telling are searched: a look costs under a millisecond."""


class EmergencyWatch:
    """Looks at every piece of text of one call; says once that the caller is in danger."""

    def __init__(self, language: str) -> None:
        self._language = language
        self._finals: list[str] = []
        self._told = False
        self._suspected: tuple[str, int] | None = None
        """Words of danger that stand in every partial since, and since when."""

    def final(self, text: str) -> bool:
        """An utterance is finished. True when this is the moment to act."""
        self._finals.append(text)
        self._suspected = None
        if self._told or self._danger("，".join(self._finals)) is None:
            return False
        self._told = True
        return True

    def partial(self, text: str, at_ms: int) -> bool:
        """The utterance so far, at a moment of the call. True when this is the moment to act."""
        if self._told:
            return False
        words = self._danger("，".join([*self._finals, text]))
        if words is None or words not in text:
            self._suspected = None
        elif self._suspected is None or self._suspected[0] != words:
            self._suspected = words, at_ms
        elif at_ms - self._suspected[1] >= STANDS_MS:
            self._told = True
        return self._told

    @property
    def text(self) -> str:
        """Everything heard so far."""
        return "，".join(self._finals)

    def _danger(self, text: str) -> str | None:
        danger = worst_danger(find_dangers(utterance(text[-LOOKED_AT_CHARACTERS:]), self._language))
        return danger.evidence if danger is not None and danger.strength >= SURE_ENOUGH else None
