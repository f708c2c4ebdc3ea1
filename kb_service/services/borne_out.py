"""Readings that their document bears out: the value that it states for the very field asked for.

Pure. Two witnesses that know nothing of each other, the reading model and the rules for facts, have
pointed at the same words: then these answer, however unsure the model is of wordings like these.
"""

from collections.abc import Sequence
from dataclasses import replace

from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.language.across import sketch_of
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked


def borne_out(readings: Sequence[Reading], question: Question, sure: float) -> tuple[Reading, ...]:
    """Return the readings that their passage states as what is asked for, each at least so `sure`.

    None unless the question asks for a field and says nothing else.
    """
    sketch = sketch_of(question.normalised)
    asked = {str(name) for name in (*sketch.columns, *sketch.measured)}
    if not asked or sketch.rest or sketch.is_over_many:
        return ()
    return tuple(
        replace(reading, confidence=max(reading.confidence, sure))
        for reading in readings
        if _states(reading, asked)
    )


def _states(reading: Reading, fields: set[str]) -> bool:
    stated = facts_in(marked(reading.passage.text))
    return any(fact.field in fields and fact.span.overlap(reading.span) for fact in stated)
