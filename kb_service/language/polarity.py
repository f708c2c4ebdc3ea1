"""Where a text denies. Pure functions on normalised text; which words deny is data."""

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex

_NEGATION = regex("|".join(shipped_lexicon().patterns("negation", "words")))
_NOT_NEGATING = regex(any_of(shipped_lexicon().listed("negation", "not_negating")))


def negations_in(normalised: str) -> list[tuple[int, int]]:
    """Return where the words of negation stand, in order."""
    text = _NOT_NEGATING.sub(lambda match: " " * len(match.group()), normalised)
    return [match.span() for match in _NEGATION.finditer(text)]
