"""BM25 as arithmetic: what a term weighs in a base, and how much of a text it is. Pure functions.

Knows numbers; knows no index and no text. After Robertson and Zaragoza: The Probabilistic Relevance
Framework (2009), section 3.4.
"""

import math
from collections.abc import Mapping

K1 = 1.2
B = 0.75

TITLE_BOOST = 0.5
"""Weight of a term in the title (the chunk's prefix) against the same term in the body."""

MIN_COLLECTION = 1000
MAX_QUERY_TERMS = 128
"""Distinct terms of a question that are searched; the rarest are kept."""

_EXACT_LENGTH = 40
_STEPS = 8


def idf(num_holding: int, total: int) -> float:
    """Return ln(1 + (N - n + 0.5) / (n + 0.5)); n counts as N at most."""
    # Removed chunks may still count in the frequency, so it can pass the number of live ones.
    holding = min(num_holding, total)
    return math.log(1 + (total - holding + 0.5) / (holding + 0.5))


def idf_of(frequencies: Mapping[str, int], num_chunks: int) -> dict[str, float]:
    """Return the inverse document frequency of each term.

    N is at least `MIN_COLLECTION`: in a base of one report every word of its subject stands in
    every chunk and would weigh nothing, while one chance pair of characters would weigh all.
    """
    total = max(num_chunks, MIN_COLLECTION)
    return {term: idf(num, total) for term, num in frequencies.items()}


def rarest(terms: Mapping[str, float], frequencies: Mapping[str, int]) -> dict[str, float]:
    """Return the terms that are searched, with their weights: known ones, the rarest first."""
    known = [term for term in terms if frequencies[term]]
    kept = sorted(known, key=lambda term: frequencies[term])[:MAX_QUERY_TERMS]
    return {term: terms[term] for term in kept}


def confidence(
    terms: Mapping[str, float], frequencies: Mapping[str, int], num_chunks: int, best: float
) -> float:
    """Return how well the best hit holds the terms: 0.0 not at all, about 1.0 every one once.

    It is the hit's score over the sum of weight * idf, terms unknown to the index included;
    no term counts more than once there, whatever its weight.
    """
    known = {term: idf(frequencies[term], num_chunks) for term in terms}
    possible = sum(min(terms[term], 1.0) * weight for term, weight in known.items())
    return best / possible if possible > 0 else 0.0


def kept_length(num_terms: int) -> int:
    """Return a length as tantivy keeps it in one byte: exact to 40, above in steps of some 5 %."""
    low, step = _EXACT_LENGTH, 2
    if num_terms <= low:
        return num_terms
    while num_terms >= low + _STEPS * step:
        low, step = low + _STEPS * step, 2 * step
    return low + (num_terms - low) // step * step


def damping(length: int, average: float) -> float:
    """Return what a frequency is set against in a text of that (kept) length."""
    return K1 * (1 - B + B * length / average)


def share(frequency: float, damp: float) -> float:
    """Return how much of a text is one term that stands in it so often, below K1 + 1."""
    return (K1 + 1) * frequency / (frequency + damp)


def frequency_of(part: float, damp: float) -> int:
    """Return the frequency whose `share` that is."""
    return round(part * damp / (K1 + 1 - part))
