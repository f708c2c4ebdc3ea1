"""What personal data a text holds under a masking, and the text with it hidden.

Pure functions. A masked text has the length of its original: each hidden character becomes MASK.
"""

from collections.abc import Iterable

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
from kb_service.language.regexes import regex

_KEPT: dict[PersonalKind | None, tuple[int, int]] = {
    PersonalKind.PHONE: (3, 4),
    PersonalKind.ID_NUMBER: (3, 0),
    PersonalKind.BANK_CARD: (0, 4),
    PersonalKind.PLATE: (2, 0),
}
"""How many characters at the beginning and at the end of a long number stay readable."""
_LEAST_HIDDEN = 4
_CODE = regex(r"[a-z_]*")


def may_be_personal(text: str) -> bool:
    """False for what is no name and no number at a glance: a code in small letters."""
    return len(text) > 1 and _CODE.fullmatch(text) is None


def names_of(text: str, masking: Masking, more: Iterable[NamedPerson] = ()) -> KnownNames:
    """Return the names that are hidden wherever they stand in a text. `more`: of its facts."""
    if not masking.roles:
        return NO_NAMES
    people = (*people_in(text), *more)
    return KnownNames.of({one.name for one in people if one.role in masking.roles})


def personal_spans(text: str, masking: Masking, *names: KnownNames) -> tuple[PersonalSpan, ...]:
    """Return what is hidden of a text, in order; spans do not overlap."""
    numbers = personal_numbers(text, masking.kinds) if masking.kinds else ()
    named = (PersonalSpan(span, None) for known in names for span in names_again(text, known))
    return merged_spans((*numbers, *named))


def shown_spans(text: str, spans: Iterable[PersonalSpan]) -> list[tuple[TextSpan, str]]:
    """Return these spans of a text with what stands there instead."""
    return [(item.span, hidden(item.span.of(text), item.kind)) for item in spans]


def masked(text: str, spans: Iterable[PersonalSpan]) -> str:
    """Return a text with these spans hidden, of the same length."""
    characters = list(text)
    for span, instead in shown_spans(text, spans):
        characters[span.start : span.end] = instead
    return "".join(characters)


def hidden(words: str, kind: PersonalKind | None) -> str:
    """Return personal words with what is hidden of their kind hidden; None: of a name."""
    if kind is None:
        return _hidden_name(words)
    if kind is PersonalKind.EMAIL:
        return _hidden_mail(words)
    places = [place for place, c in enumerate(words) if c.isalnum()]
    first, last = _KEPT[kind]
    if len(places) < first + last + _LEAST_HIDDEN:
        first, last = min(first, max(0, len(places) - _LEAST_HIDDEN) // 2), 0
    starred = set(places[first : len(places) - last])
    return "".join(MASK if place in starred else c for place, c in enumerate(words))


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
