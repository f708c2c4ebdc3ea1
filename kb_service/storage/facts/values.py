"""Facts as rows of their table, and back. Pure; knows no other table."""

from typing import Any

from sqlalchemy import Row

from kb_service.domain.facts import Fact, FactMethod, Precision
from kb_service.domain.spans import TextSpan
from kb_service.storage.rows import value_of

MAX_COMPARED_CHARS = 200
"""A longer text is compared by its beginning: an index holds no paragraphs."""


def fact_of(row: Row[Any]) -> Fact:
    """Return the fact of a row of the facts table."""
    return value_of(
        Fact,
        row,
        span=TextSpan(row.start, row.end),
        method=FactMethod(row.method),
        precision=Precision(row.precision) if row.precision else None,
    )


def fact_values(fact: Fact) -> dict[str, object]:
    """Return the columns of a fact, without what it belongs to."""
    return {
        "record": fact.record,
        "field": str(fact.field),
        "number": fact.number,
        "number_to": fact.number_to,
        "unit": fact.unit,
        "time_from": fact.time_from,
        "time_to": fact.time_to,
        "precision": fact.precision,
        "role": fact.role,
        "start": fact.span.start,
        "end": fact.span.end,
        "method": fact.method,
        "confidence": fact.confidence,
        "text": fact.text[:MAX_COMPARED_CHARS],
        "value": fact.value,
    }
