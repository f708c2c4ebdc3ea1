"""A question taken apart, once, at the door: everything that is read from its own words alone.

Puts together what the other modules know. Knows no documents.
"""

from kb_service.domain.questions import Question
from kb_service.language.identifiers import identifiers_in, without_fixed_values
from kb_service.language.messages import language_of
from kb_service.language.questions import answer_type, content_terms
from kb_service.language.subjects import names_asked, subjects_in
from kb_service.language.text import normalise, terms_of
from kb_service.language.values import stated_values


def parse_question(text: str) -> Question:
    """Return a question taken apart."""
    normalised = normalise(text)
    identifiers = identifiers_in(normalised)
    return Question(
        text=text,
        normalised=normalised,
        language=language_of(text),
        kind=answer_type(normalised),
        words=tuple(terms_of(normalised)),
        terms=content_terms(without_fixed_values(normalised)),
        identifiers=identifiers,
        values=stated_values(text, normalised),
        names=tuple(names_asked(text)),
        subjects=() if identifiers else subjects_in(normalised),
    )
