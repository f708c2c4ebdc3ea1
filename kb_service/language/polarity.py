"""Where a text denies. Pure functions on normalised text; which words deny is data."""

import re

from kb_service.language.lexicon import any_of, shipped_lexicon

_NEGATION = re.compile("|".join(shipped_lexicon().patterns("negation", "words")))
_NOT_NEGATING = re.compile(any_of(shipped_lexicon().listed("negation", "not_negating")))


def negations_in(normalised: str) -> list[tuple[int, int]]:
    """Return where the words of negation stand, in order."""
    text = _NOT_NEGATING.sub(lambda match: " " * len(match.group()), normalised)
    return [match.span() for match in _NEGATION.finditer(text)]
