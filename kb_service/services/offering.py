"""What a base can be asked by, nearest to words that it does not know: columns of its own.

Pure functions. Near is what shares beginnings of words, or characters that stand together. Values
are looked at and not told: who deletes a document deletes its words.
"""

from collections.abc import Iterable, Mapping, Sequence

from kb_service.language.text import needed_terms, normalise

MAX_OFFERED = 6
_MIN_SHARED = 4
"""So many letters begin words alike that may be meant for one another."""


def offers_for(
    unread: Iterable[str], columns: Iterable[str], values: Mapping[str, Sequence[str]]
) -> tuple[str, ...]:
    """Return columns that are near the words by name or value; all where none is, a few at most.

    `values`: the few that columns have.
    """
    words, known = _terms(unread), sorted(columns)
    near = [name for name in known if _are_near(words, _terms((name, *values.get(name, ()))))]
    return tuple(near or known)[:MAX_OFFERED]


def _terms(texts: Iterable[str]) -> set[str]:
    terms = (term for text in texts for term in needed_terms(normalise(text)))
    return {term[:_MIN_SHARED] for term in terms if len(term) >= _shortest(term)}


def _shortest(term: str) -> int:
    return _MIN_SHARED if term.isascii() else 2


def _are_near(words: set[str], terms: set[str]) -> bool:
    return not words.isdisjoint(terms)
