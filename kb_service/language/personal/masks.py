"""What personal data a text holds under a masking, and the text with it hidden.

Pure functions. A masked text has the length of its original: each hidden character becomes MASK.
"""

from collections.abc import Iterable, Sequence

from kb_service.domain.masking import (
    MASK,
    Masking,
    PersonalKind,
    PersonalSpan,
    merged_spans,
)
from kb_service.domain.spans import TextSpan
from kb_service.language.personal.known import NO_NAMES, KnownNames, names_again
from kb_service.language.personal.numbers import personal_numbers
from kb_service.language.personal.people import NamedPerson, people_in

_KEPT: dict[PersonalKind | None, tuple[int, int]] = {
    PersonalKind.PHONE: (3, 4),
    PersonalKind.ID_NUMBER: (3, 0),
    PersonalKind.BANK_CARD: (0, 4),
    PersonalKind.PLATE: (2, 0),
}
"""How many characters at the beginning and at the end of a long number stay readable."""
_LEAST_HIDDEN = 4


def names_of(text: str, masking: Masking, more: Iterable[NamedPerson] = ()) -> KnownNames:
    """Return the names that are hidden wherever they stand in a text. `more`: of its facts."""
    if not masking.roles:
        return NO_NAMES
    people = (*people_in(text), *more)
    return KnownNames.of({one.name for one in people if one.role in masking.roles})


def personal_spans(text: str, masking: Masking, names: KnownNames) -> tuple[PersonalSpan, ...]:
    """Return what is hidden of a text, in order; spans do not overlap."""
    numbers = personal_numbers(text, masking.kinds) if masking.kinds else ()
    named = (PersonalSpan(span, None) for span in names_again(text, names))
    return merged_spans((*numbers, *named))


def masked(text: str, spans: Sequence[PersonalSpan]) -> str:
    """Return a text with these spans hidden, of the same length."""
    characters = list(text)
    for item in spans:
        hidden = _hidden(item.span.of(text), item.kind)
        characters[item.span.start : item.span.end] = hidden
    return "".join(characters)


def masked_within(text: str, span: TextSpan, spans: Sequence[PersonalSpan]) -> str:
    """Return what the masked text has at a span. `text`: the whole one."""
    low = max(0, span.start)
    met = [item for item in spans if item.span.overlap(span)]
    if not met:
        return span.of(text)
    start, end = min(low, met[0].span.start), max(span.end, met[-1].span.end)
    inside = [PersonalSpan(one.span.shifted(-start), one.kind) for one in met]
    return masked(text[start:end], inside)[span.start - start : span.end - start]


def _hidden(words: str, kind: PersonalKind | None) -> str:
    if kind is None:
        return _hidden_name(words)
    if kind is PersonalKind.EMAIL:
        return _hidden_mail(words)
    places = [place for place, c in enumerate(words) if c.isalnum()]
    first, last = _KEPT[kind]
    if len(places) < first + last + _LEAST_HIDDEN:
        first, last = min(first, max(0, len(places) - _LEAST_HIDDEN) // 2), 0
    hidden = set(places[first : len(places) - last])
    return "".join(MASK if place in hidden else c for place, c in enumerate(words))


def _hidden_name(words: str) -> str:
    """Keep the first character of each word; every other letter is hidden."""
    shown: list[str] = []
    for place, c in enumerate(words):
        is_first = place == 0 or not words[place - 1].isalpha()
        shown.append(c if (is_first and c.isalpha() and c.isascii()) or place == 0 else _star(c))
    return "".join(shown)


def _star(character: str) -> str:
    return MASK if character.isalpha() else character


def _hidden_mail(words: str) -> str:
    """Keep the first character of the user, and the host."""
    at = next((place for place, c in enumerate(words) if c in "@\uff20([{"), len(words))
    return words[0] + "".join(MASK if not c.isspace() else c for c in words[1:at]) + words[at:]
