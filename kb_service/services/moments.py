"""What stands beside a time of the clock: "What happened at 10:17?" is answered by that line.

Knows no model: a line of a log that states the time says it, however it is worded.
"""

from collections.abc import Mapping, Sequence

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.language.kinds import moments_asked
from kb_service.language.values import stated_values
from kb_service.services.evidence import ReadDocument


def told_at(
    question: Question, passages: Sequence[Passage], documents: Mapping[str, ReadDocument]
) -> tuple[Reading, ...]:
    """Return the sentences and rows that state the time of which it is asked what happened.

    Of documents by id that meet what the question names; empty for any other question.
    """
    asked = moments_asked(question)
    if not asked:
        return ()
    return tuple(
        Reading(passage, unit.span, 1.0)
        for passage in passages
        if not documents[passage.document_id].unmet
        for unit in passage.units
        if asked <= stated_values(unit.span.of(passage.text))
    )
