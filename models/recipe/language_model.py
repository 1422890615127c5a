"""The language model: a trigram over hand-written text that backs off to common words.

Absolute discounting, each order interpolated with the one below; the lowest is a mixture of the text's own words and
the word frequencies of jieba's dictionary. N-grams that say little more than their back-off are left out.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from models.recipe.lexicon import UNKNOWN, jieba_dictionary

BEGIN, END = "<s>", "</s>"
History = tuple[str, ...]


@dataclass(frozen=True)
class Settings:
    """Shape of the model.

    `discount` is taken off every count, `doubt` is added to every history as if so many unseen words had followed,
    and counts are first raised to `count_power`: grammar repeats itself more than callers do. `general_share` is the
    share of common words in the unigrams, `prune` a threshold in nats.
    """

    order: int = 3
    discount: float = 0.85
    doubt: float = 2.0
    count_power: float = 0.85
    general_share: float = 0.1
    general_power: float = 0.85
    unknown: float = 1e-6
    prune: float = 3e-7


@dataclass
class BackOff:
    """Probabilities of seen n-grams by history, and the weight that goes to the shorter history."""

    explicit: dict[History, dict[str, float]] = field(default_factory=dict)
    weight: dict[History, float] = field(default_factory=dict)

    def shorter(self, history: History) -> History:
        """The longest known history that ends as this one does."""
        history = history[1:]
        while history not in self.explicit:
            history = history[1:]
        return history

    def probability(self, history: History, word: str) -> float:
        """P(word | history)."""
        scale = 1.0
        while history:
            found = self.explicit.get(history)
            if found is not None:
                if word in found:
                    return scale * found[word]
                scale *= self.weight[history]
            history = history[1:]
        return scale * self.explicit[()].get(word, 0.0)

    def ngrams(self) -> int:
        """How many n-grams are explicit."""
        return sum(len(words) for words in self.explicit.values())


def unigrams(counts: Counter[str], words: Sequence[str], settings: Settings) -> dict[str, float]:
    """Mixture of the text's words, common words and, for `[unk]`, a fixed small probability."""
    dictionary = jieba_dictionary()
    common = {w: (dictionary[w].count if w in dictionary else 3) ** settings.general_power for w in words}
    common_total = sum(common.values())
    text_total = sum(counts.values())
    share = settings.general_share
    out = {
        w: (1 - settings.unknown) * (share * common[w] / common_total + (1 - share) * counts[w] / text_total)
        for w in words
    }
    out[END] = (1 - settings.unknown) * (1 - share) * counts[END] / text_total
    out[UNKNOWN] = settings.unknown
    return out


def _counts(sentences: Iterable[Sequence[str]], order: int) -> list[dict[History, Counter[str]]]:
    """Counts by order and history: of tokens for the highest order, of different words before for those below.

    What matters below is in how many places a word turns up: a digit is frequent, but only after digits, and must
    not be likely after a word that was never seen.
    """
    tokens: list[dict[History, Counter[str]]] = [defaultdict(Counter) for _ in range(order)]
    for sentence in sentences:
        history: list[str] = [BEGIN]
        for word in [*sentence, END]:
            for length in range(order):
                if length <= len(history):
                    tokens[length][tuple(history[len(history) - length :])][word] += 1
            history.append(word)
    for length in range(order - 1):
        places: dict[History, Counter[str]] = defaultdict(Counter)
        for history_above, following in tokens[length + 1].items():
            for word in following:
                places[history_above[1:]][word] += 1
        # Nothing comes before the beginning.
        places.update({h: following for h, following in tokens[length].items() if h and h[0] == BEGIN})
        tokens[length] = places
    return tokens


def estimate(sentences: Iterable[Sequence[str]], words: Sequence[str], settings: Settings) -> BackOff:
    """Count, discount, interpolate, prune."""
    counts = _counts(sentences, settings.order)
    model = BackOff()
    model.explicit[()] = unigrams(counts[0][()], words, settings)
    model.weight[()] = 0.0
    total = sum(sum(following.values()) for following in counts[-1].values())
    for order in range(1, settings.order):
        shares: dict[History, float] = {}
        for history, following in counts[order].items():
            flat = {w: n**settings.count_power for w, n in following.items()}
            seen = sum(flat.values()) + settings.doubt
            rest = (settings.discount * len(flat) + settings.doubt) / seen
            below = {w: model.probability(history[1:], w) for w in flat}
            model.explicit[history] = {w: (n - settings.discount) / seen + rest * below[w] for w, n in flat.items()}
            shares[history] = sum(following.values()) / total
        for history, share in shares.items():
            _prune(model, history, share, settings.prune)
    return model


def _prune(model: BackOff, history: History, share: float, threshold: float) -> None:
    """Drop what the shorter history says nearly as well, then set the weight so that all sums to one."""
    explicit = model.explicit[history]
    below = {w: model.probability(history[1:], w) for w in explicit}
    kept = {w: p for w, p in explicit.items() if share * p * abs(math.log(p / max(below[w], 1e-12))) > threshold}
    left = 1.0 - sum(kept.values())
    left_below = 1.0 - sum(below[w] for w in kept)
    model.explicit[history] = kept
    model.weight[history] = max(left, 1e-6) / max(left_below, 1e-6)


def perplexity(model: BackOff, sentences: Iterable[Sequence[str]], order: int) -> float:
    """Per character, so that different word lists can be compared."""
    cost, characters = 0.0, 0
    for sentence in sentences:
        history = [BEGIN]
        for word in [*sentence, END]:
            cost -= math.log(max(model.probability(tuple(history[-(order - 1) :]), word), 1e-12))
            history.append(word)
        characters += sum(map(len, sentence))
    return math.exp(cost / characters)
