"""As what a question is read, told back to who asks: Understood. Pure; searches nothing."""

from kb_service.domain.answers import Understood
from kb_service.domain.queries import Filters
from kb_service.language.messages import message
from kb_service.language.periods import days_meant, period_of
from kb_service.services.follow_ups import Rewritten
from kb_service.services.named import Named


def understood_as(full: Rewritten, named: Named, filters: Filters) -> Understood:
    """Return how a question was read, which names all that."""
    question = full.question
    told = [full.about] if full.about else []
    windows = [time.window for time in named.told]
    told += days_meant(question, windows)
    return Understood(
        question=question.text,
        subjects=tuple(subject.text for subject in named.subjects),
        time=period_of(named.subjects, windows),
        filters=filters,
        carried=full.carried,
        documents=full.documents,
        about=message("comma", question.language).join(told) or None,
    )
