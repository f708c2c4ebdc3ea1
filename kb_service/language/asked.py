"""A question taken apart, once, at the door: everything that is read from its own words alone.

Puts together what the other modules know. Knows no documents.
"""

from kb_service.domain.questions import Question
from kb_service.language.folding import without_stray_spaces
from kb_service.language.identifiers import identifiers_asked, without_fixed_values
from kb_service.language.messages import language_of
from kb_service.language.questions import content_terms
from kb_service.language.text import normalise, terms_of
from kb_service.language.values import stated_values


def parse_question(text: str) -> Question:
    """Return a question taken apart; `Question.text` is as it was typed."""
    meant = as_meant(text)
    normalised = normalise(meant)
    return Question(
        text=text,
        normalised=normalised,
        language=language_of(text),
        words=tuple(terms_of(normalised)),
        terms=content_terms(without_fixed_values(normalised)),
        identifiers=identifiers_asked(normalised),
        values=stated_values(meant, normalised),
    )


def as_meant(text: str) -> str:
    """Return a question without what its typing alone has put there: spaces, capitals throughout.

    Capitals throughout tell no names; in small letters none is taken for one.
    """
    joined = without_stray_spaces(text)
    return joined.lower() if joined.isupper() and language_of(joined) == "en" else joined
