"""As what a question is read, told back to who asks: Understood. Pure; searches nothing."""

from collections.abc import Sequence
from datetime import date

from kb_service.domain.answers import Understood
from kb_service.domain.queries import Filters
from kb_service.domain.questions import Subject
from kb_service.language.messages import message
from kb_service.language.periods import days_meant, period_of
from kb_service.services.follow_ups import Rewritten


def understood_as(
    full: Rewritten, subjects: Sequence[Subject], filters: Filters, today: date
) -> Understood:
    """Return how a question was read, which names these subjects."""
    question = full.question
    told = [full.about] if full.about else []
    told += days_meant(question, today)
    return Understood(
        question=question.text,
        subjects=tuple(subject.text for subject in subjects),
        time=period_of(question, subjects, today),
        filters=filters,
        carried=full.carried,
        documents=full.documents,
        about=message("comma", question.language).join(told) or None,
    )
