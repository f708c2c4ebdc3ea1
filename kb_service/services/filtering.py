"""Filters as facts are compared: kinds by their names, other words normalised. Pure."""

from dataclasses import replace

from kb_service.domain.queries import FieldFilter, Filters
from kb_service.language.events import event_kinds
from kb_service.language.text import normalise


def as_compared(filters: Filters) -> Filters:
    """Return filters with their words as the values of facts are kept."""
    if not filters.asks_facts:
        return filters
    kinds = [kind for word in filters.kind for kind in _kinds(word)]
    return replace(
        filters,
        kind=tuple(dict.fromkeys(kinds)),
        place=_normalised(filters.place),
        person=_normalised(filters.person),
        unit=_normalised(filters.unit),
        text=_normalised(filters.text),
        fields=tuple(map(_words_compared, filters.fields)),
    )


def _words_compared(asked: FieldFilter) -> FieldFilter:
    text = None if asked.text is None else normalise(asked.text)
    either, none = _normalised(asked.any_of), _normalised(asked.none_of)
    return replace(asked, text=text, any_of=either, none_of=none)


def _kinds(word: str) -> list[str]:
    """The kinds that a word names, or the word itself: a base may have kinds of its own."""
    known = normalise(word)
    return sorted(event_kinds(known)) or [known]


def _normalised(words: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(map(normalise, words))
