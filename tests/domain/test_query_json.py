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


def test_ranges_of_one_field_meet_and_what_cannot_both_be_stays_two() -> None:
    low, high = FieldFilter("dead", min=1), FieldFilter("dead", max=3)
    not_fire = FieldFilter("kind", none_of=("fire",))
    asked = Filters(fields=(low, not_fire)).merged(Filters(fields=(high,)))
    assert asked.fields == (FieldFilter("dead", min=1, max=3), not_fire)
    apart = Filters(fields=(FieldFilter("dead", min=5),)).merged(Filters(fields=(high,)))
    assert apart.fields == (FieldFilter("dead", min=5), high)


def test_what_a_field_may_and_may_not_say_comes_back_as_it_was_written() -> None:
    either = FieldFilter("handler", any_of=("ann", "bo"), none_of=("cy",))
    asked = RecordQuery(Operation.COUNT, Filters(fields=(either,)))
    assert query_json(asked)["filters"] == {
        "fields": {"handler": {"any_of": ["ann", "bo"], "none_of": ["cy"]}}
    }
    assert query_from(query_json(asked)) == asked
    with pytest.raises(InvalidRequest):
        query_of_text('{"op": "count", "filters": {"fields": {"handler": {"any_of": []}}}}')


def test_a_zone_is_left_out_of_the_times_of_incidents_as_papers_state_none() -> None:
    filters = '{"time_from": "2024-05-01T08:00:00Z", "time_to": "2024-06-01"}'
    asked = query_of_text(f'{{"op": "count", "filters": {filters}}}')
    assert asked.filters.time_from == datetime(2024, 5, 1, 8)  # noqa: DTZ001  local time
