"""Whether units pass filters by their settled values. Pure functions.

SQL selects units of which any report passes; where reports differ, the one that holds decides.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from string import digits

from kb_service.domain.facts import SORTING, STANDARD_FIELDS, FactField, Role
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_periods import is_within
from kb_service.domain.record_queries import ByPeriod
from kb_service.domain.record_sets import Unit, Value

_DIGITS = tuple(digits)


def passing(units: Iterable[Unit], filters: Filters) -> list[Unit]:
    """Return units whose settled values pass; a field that was not read is taken for passed."""
    tests = _tests(filters)
    return [unit for unit in units if not unit.values or _passes(unit, filters, tests)]


def _passes(
    unit: Unit, filters: Filters, tests: Sequence[tuple[str, Callable[[Value], bool]]]
) -> bool:
    is_excluded = any(_has_any(unit, one) for one in filters.fields)
    return not is_excluded and all(_meets(unit, name, test) for name, test in tests)


def _has_any(unit: Unit, asked: FieldFilter) -> bool:
    """True where a value that was read has words that none may have."""
    values = unit.all(asked.field) if asked.field in unit.values else ()
    return any(_has_whole(value, words) for value in values for words in asked.none_of)


def _tests(filters: Filters) -> list[tuple[str, Callable[[Value], bool]]]:
    tests: list[tuple[str, Callable[[Value], bool]]] = []
    if filters.time_from or filters.time_to:
        tests.append((FactField.TIME, lambda value: _in_time(value, filters)))
    if filters.kind:
        tests.append((FactField.KIND, lambda value: value.text in filters.kind))
    for name, wanted in (
        (FactField.PLACE, filters.place),
        (FactField.PERSON, filters.person),
        (FactField.ORGANISATION, filters.unit),
    ):
        if wanted:
            tests.append((name, _holding(wanted)))
    tests += [(one.field, test) for one in filters.fields for test in _as_asked(one)]
    return tests


def _meets(unit: Unit, name: str, test: Callable[[Value], bool]) -> bool:
    return name not in unit.values or any(map(test, unit.all(name)))


def _in_time(value: Value, filters: Filters) -> bool:
    if value.time_from is None or value.time_to is None:
        return False
    if filters.time_from and value.time_from < filters.time_from:
        return False
    if filters.time_to is None:
        return True
    is_fine = is_within(value.precision, ByPeriod.DAY)
    ends = value.time_from if is_fine else value.time_to
    return ends < filters.time_to or (not is_fine and ends == filters.time_to)


def _holding(wanted: Sequence[str]) -> Callable[[Value], bool]:
    return lambda value: any(_holds(value.text, words) for words in wanted)


def _holds(text: str, words: str) -> bool:
    """True for a text with words in it, of which no number goes on: stand 4 is not stand 40."""
    first = "(?<![0-9])" if words.startswith(_DIGITS) else ""
    last = "(?![0-9])" if words.endswith(_DIGITS) else ""
    return re.search(f"{first}{re.escape(words)}{last}", text) is not None


def _has(value: Value, words: str) -> bool:
    is_written = value.field == FactField.KIND and _holds(value.value.lower(), words)
    return is_written or _holds(value.text, words)


def _has_whole(value: Value, words: str) -> bool:
    """True for words that are no part of a longer one: of what sorts records, not unpaid."""
    is_other = value.field in STANDARD_FIELDS - SORTING or value.field in {*Role}
    if is_other or not words.isascii():
        return _has(value, words)
    return words in value.text and bool(re.search(rf"(?<!\w){re.escape(words)}(?!\w)", value.text))


def _as_asked(asked: FieldFilter) -> Iterator[Callable[[Value], bool]]:
    """Yield what each has to be met by a value: of several people two may meet two."""
    words = asked.text
    if words is not None:
        yield lambda value: _has(value, words)
    yield _in_range(asked)
    if asked.any_of:
        yield lambda value: any(_has(value, one) for one in asked.any_of)


def _in_range(asked: FieldFilter) -> Callable[[Value], bool]:
    def test(value: Value) -> bool:
        if asked.min is None and asked.max is None:
            return True
        if value.number is None:
            return False
        last = value.number if value.number_to is None else value.number_to
        is_enough = asked.min is None or value.number >= asked.min
        return is_enough and (asked.max is None or last <= asked.max)

    return test
