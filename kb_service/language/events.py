"""Kinds of happenings, by the words that speak of each in any language: fire, 火灾, blaze.

Pure functions on normalised text. Knows no documents.
"""

import re
from collections.abc import Iterable, Iterator

from kb_service.language.lexicon import HAN, any_of, shipped_languages, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
_HAN = regex(f"[{HAN}]")
_KINDS = tuple(
    dict.fromkeys(kind for tables in shipped_languages().values() for kind in tables["events"])
)


def _pattern(kinds: Iterable[str], *tables: str) -> re.Pattern[str]:
    """Latin words stand whole; in a script without spaces a word stands wherever it stands."""
    words = [word for kind in kinds for table in tables for word in _LEXICON.listed(table, kind)]
    han = any_of(word for word in words if _HAN.search(word))
    latin = any_of(word for word in words if not _HAN.search(word))
    return regex(rf"(?=(?P<words>{han}|\b(?:{latin})\b))")


_NAMED = {kind: _pattern((kind,), "events") for kind in _KINDS}
_SPOKEN = {kind: _pattern((kind,), "events", "event_words") for kind in _KINDS}
_ANY_NAMED = _pattern(_KINDS, "events")
"""Most sentences name none: one look tells."""


def event_places(normalised: str) -> Iterator[tuple[str, int, int]]:
    """Yield every kind of happening that a text names, with where the first words that do stand.

    Of words over one another the longest counts, the later one of two: 多少起火灾 is no 起火.
    """
    found = sorted(_words_in(normalised), key=lambda item: (item[2] - item[1], item[1]))
    kept: dict[str, tuple[int, int]] = {}
    taken: list[tuple[int, int]] = []
    for kind, start, end in reversed(found):
        if all(end <= first or last <= start for first, last in taken):
            taken.append((start, end))
            kept[kind] = min(kept.get(kind, (start, end)), (start, end))
    yield from ((kind, *place) for kind, place in kept.items())


def _words_in(normalised: str) -> Iterator[tuple[str, int, int]]:
    if not _ANY_NAMED.search(normalised):
        return
    for kind, pattern in _NAMED.items():
        for match in pattern.finditer(normalised):
            yield kind, *match.span("words")


def event_kinds(normalised: str) -> frozenset[str]:
    """Return the kinds of happenings that a normalised text names."""
    return frozenset(kind for kind, *_ in event_places(normalised))


def speaks_of_event(normalised: str, kind: str) -> bool:
    """True when a normalised text has any word of a kind of happening."""
    return bool(_SPOKEN[kind].search(normalised))
