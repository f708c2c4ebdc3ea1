"""In which year the days are meant that a question names without one. Runs no query.

A year that is named, or picked beside the question, is that one. Else it is the latest of which the
base has records in these days; where it has none at all, the latest that has begun.
"""

from collections.abc import Callable, Sequence
from datetime import date, datetime, time, timedelta

from kb_service.domain.queries import Filters
from kb_service.domain.times import Period
from kb_service.language.across import sketch_of
from kb_service.language.time_bounds import Bound
from kb_service.services.vocabulary import KnownBase

MAX_YEARS_BACK = 20

Moved = tuple[Period, Period]
"""Days in the latest year that has begun, and those that are meant in its place."""


def in_years(
    bounds: Sequence[Bound], asked: str, base: KnownBase, given: Filters
) -> tuple[list[Bound], tuple[Moved, ...]]:
    """Return the days in the years that are meant, and those that are of an earlier one for it.

    Several without a year are of one together; what is compared with a year need not be in it.
    `asked`: the normalised question. `given`: filters that hold beside it.
    """
    open_ones = [bound for bound in bounds if bound.is_yearless and bound.first]
    if not open_ones:
        return list(bounds), ()
    is_compared = sketch_of(asked).compares
    years = [] if is_compared else [bound for bound in bounds if not bound.is_yearless]

    def is_possible(bound: Bound) -> bool:
        is_picked = given.both(days_of(bound)) is not None
        return is_picked and all(bound.within(year) for year in years)

    possible = _latest(open_ones, lambda moved: any(map(is_possible, moved)))
    if possible is None:
        return list(bounds), ()

    def is_told(bound: Bound) -> bool:
        return is_possible(bound) and _is_dated(bound, base)

    meant = _latest(possible, lambda moved: any(map(is_told, moved))) or possible
    by_span = {one.span: one for one in meant}
    told = zip(possible, meant, strict=True)
    moved = tuple((_period(one), _period(other)) for one, other in told if one != other)
    return [by_span.get(bound.span, bound) for bound in bounds], moved


def days_of(bound: Bound) -> Filters:
    """Return the days as a filter."""
    begins = datetime.combine(bound.first, time.min) if bound.first else None
    ends = datetime.combine(bound.last + timedelta(1), time.min) if bound.last else None
    return Filters(time_from=begins, time_to=ends)


def _latest(
    bounds: Sequence[Bound], is_meant: Callable[[Sequence[Bound]], bool]
) -> list[Bound] | None:
    """Return the days in the latest of some years for which that holds."""
    for back in range(MAX_YEARS_BACK):
        moved = [one.in_year(one.first.year - back) for one in bounds if one.first]
        if all(moved) and is_meant(found := [one for one in moved if one]):
            return found
    return None


def _is_dated(bound: Bound, base: KnownBase) -> bool:
    if bound.first is None or bound.last is None:
        return False
    return base.vocabulary.is_dated(base.kb_id, bound.first, bound.last)


def _period(bound: Bound) -> Period:
    return Period(bound.first or date.min, bound.last or date.max)
