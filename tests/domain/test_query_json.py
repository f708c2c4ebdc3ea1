"""A query in JSON, by hand or by a program: what is no query is refused, whatever it holds."""

from datetime import datetime

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.query_json import query_from, query_json, query_of_text
from kb_service.domain.record_queries import Measure, Operation, RecordQuery


def test_a_query_comes_back_as_it_was_written() -> None:
    asked = RecordQuery(
        Operation.GROUP,
        Filters(time_from=datetime(2024, 5, 1), fields=(FieldFilter("dead", min=1),)),  # noqa: DTZ001  local time
        field="loss",
        by="month",
        measure=Measure.SUM,
        descending=False,
    )
    assert query_from(query_json(asked)) == asked


@pytest.mark.parametrize(
    "filters",
    [
        '{"fields": {"dead": 1%s}}' % ("0" * 400),
        '{"fields": {"dead": {"min": 1%s}}}' % ("0" * 400),
        '{"fields": {"dead": NaN}}',
        '{"fields": {"dead": {"max": Infinity}}}',
        "[" * 200_000,
    ],
    ids=["a number too large", "a bound too large", "no number", "an endless bound", "too deep"],
)
def test_numbers_and_depths_that_nothing_holds_are_refused(filters: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        query_of_text(f'{{"op": "count", "filters": {filters}}}')
    assert refused.value.code == "invalid_query"


def test_a_zone_is_left_out_of_the_times_of_incidents_as_papers_state_none() -> None:
    filters = '{"time_from": "2024-05-01T08:00:00Z", "time_to": "2024-06-01"}'
    asked = query_of_text(f'{{"op": "count", "filters": {filters}}}')
    assert asked.filters.time_from == datetime(2024, 5, 1, 8)  # noqa: DTZ001  local time
