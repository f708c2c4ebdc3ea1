"""What is true of made-up records, and whether an answer over them says so. Draws nothing.

A condition of a record: `name=value`, `name!=value`, either of several with `|`, `name>=number`
with >, <= and <, and `from=` and `to=` for its time, which ends before `to`.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime
from operator import ge, gt, le, lt
from statistics import fmean, median

from benchmarks.made_up_base import Base
from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import AGGREGATES, Operation
from kb_service.language.asked import parse_question
from kb_service.language.stated.plain import plain
from kb_service.services.across import AcrossDocuments
from kb_service.services.follow_ups import carried_through, rewrite
from kb_service.services.named import named_in
from kb_service.services.planning import planned_for
from kb_service.services.querying import QueryResult
from kb_service.storage.records.store import RecordStore

TODAY = date(2025, 6, 1)
GOES_ON = " >> "
"""Between a question and one that goes on from it."""

_NUMBERS: Mapping[str, Callable[[list[float]], float]] = {
    "sum": sum,
    "average": fmean,
    "median": median,
}
_SIGNS = ((">=", ge), ("<=", le), (">", gt), ("<", lt))

Row = Mapping[str, str]
"""A record by the names of its values; a number that is not stated is ""."""

Key = tuple[str, int]
"""A record of a base: its document and its number there."""


@dataclass(frozen=True, slots=True)
class Held:
    """The records that a base was made of, and where each stands.

    `columns`: of a value that has no field of its own, how the columns are called that state it.
    """

    rows: Mapping[Key, Row]
    columns: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def passing(self, wanted: str) -> dict[Key, Row]:
        """Return the records that the conditions of a question select."""
        tests = [_test(one.strip()) for one in wanted.split(";") if one.strip()]
        return {key: row for key, row in self.rows.items() if all(test(row) for test in tests)}

    def states(self, name: str, found: str | None) -> bool:
        """True where a field of an answer is the one in which records state a value."""
        known = (found or "").casefold()
        return known == name or any(one in known for one in self.columns.get(name, ()))


def _test(condition: str) -> Callable[[Row], bool]:
    for sign, holds in _SIGNS:
        name, found, bound = condition.partition(sign)
        if found:
            return lambda row: _is_number(row[name]) and bool(holds(float(row[name]), float(bound)))
    name, _, value = condition.partition("=")
    if name in ("from", "to"):
        return lambda row: (row["time"] >= value) is (name == "from")
    is_meant, values = not name.endswith("!"), value.split("|")
    return lambda row: (row[name.rstrip("!")] in values) is is_meant


def _is_number(written: str) -> bool:
    return written.isdecimal()


def answered(base: Base, text: str) -> QueryResult | None:
    """Return what a question gives, None where it is refused; it may go on from one before."""
    *before, last = text.split(GOES_ON)
    question = rewrite(parse_question(last), carried_through(before)).question
    named, store = named_in(question, TODAY), RecordStore(base.database)
    planned = planned_for(question, named, Filters(), base.kb_id, store, TODAY)
    if planned is None or planned.query is None:
        return None
    return AcrossDocuments(store, base.catalog.revisions).found(base.kb_id, planned.query)


def verdict(held: Held, made: str, wanted: str, result: QueryResult | None) -> str:
    """Return `right`, `refused`, or `wrong`: of what must be refused any answer is."""
    if made == "refused":
        return "right" if result is None else "wrong"
    if result is None:
        return "refused"
    op, *rest = made.split()
    return "right" if _CHECKS[op](held, held.passing(wanted), [op, *rest], result) else "wrong"


def _keys(result: QueryResult) -> set[Key]:
    return {(row.document_id, row.record) for unit in result.units for row in unit.records}


def _are_counted(
    held: Held, chosen: Mapping[Key, Row], made: Sequence[str], result: QueryResult
) -> bool:
    is_plain = result.query.op in {Operation.COUNT, Operation.LIST, Operation.EXISTS}
    is_by = result.query.op in {Operation.WHICH, Operation.TIMELINE}
    return (is_plain or is_by) and _keys(result) == set(chosen)


def _is_total(
    held: Held, chosen: Mapping[Key, Row], made: Sequence[str], result: QueryResult
) -> bool:
    op, name = made
    if result.query.op not in AGGREGATES or not held.states(name, result.query.field):
        return False
    told = [number.value for number in result.numbers]
    numbers = [float(row[name]) for row in chosen.values() if _is_number(row[name])]
    if op == "average" and result.query.op is Operation.SUM:
        op = "sum"
    wanted = [_NUMBERS[op](numbers)] if numbers else []
    return _is_close(told, wanted) or (op == "sum" and not numbers and _is_close(told, [0]))


def _is_close(told: Sequence[float], wanted: Sequence[float]) -> bool:
    pairs = zip(told, wanted, strict=False)
    return len(told) == len(wanted) and all(abs(one - other) < 1e-6 for one, other in pairs)


def _are_grouped(
    held: Held, chosen: Mapping[Key, Row], made: Sequence[str], result: QueryResult
) -> bool:
    """The groups have their counts; those of a period without any may be told."""
    _, by, *rest = made
    counts = Counter(plain(_label(row, by)) for row in chosen.values())
    wanted = {label: float(number) for label, number in counts.items()}
    found = {plain(group.label): group.number for group in result.groups if group.number}
    if rest:
        measured: dict[str, list[float]] = {label: [] for label in wanted}
        for row in chosen.values():
            if _is_number(row[rest[1]]):
                measured[plain(_label(row, by))].append(float(row[rest[1]]))
        totals = {label: _NUMBERS[rest[0]](some) for label, some in measured.items() if some}
        wanted = {label: number for label, number in totals.items() if number}
    return result.query.op in {Operation.GROUP, Operation.TREND} and found == wanted


def _are_compared(
    held: Held, chosen: Mapping[Key, Row], made: Sequence[str], result: QueryResult
) -> bool:
    _, name, *sides = made
    wanted = [sum(_label(row, name) == side for row in chosen.values()) for side in sides]
    is_compared = result.query.op is Operation.COMPARE
    return is_compared and [group.number for group in result.groups] == wanted


def _label(row: Row, name: str) -> str:
    moment = datetime.fromisoformat(row["time"])
    if name == "month":
        return f"{moment:%Y-%m}"
    if name == "year":
        return f"{moment.year}"
    if name == "quarter":
        return f"{moment.year}-Q{(moment.month + 2) // 3}"
    return row[name]


def _are_extreme(
    held: Held, chosen: Mapping[Key, Row], made: Sequence[str], result: QueryResult
) -> bool:
    is_least = result.query.op is Operation.MIN or not result.query.descending
    is_meant = is_least is (made[0] == "least")
    return is_meant and _are_best(chosen, made, result)


def _are_best(chosen: Mapping[Key, Row], made: Sequence[str], result: QueryResult) -> bool:
    """All that share the place of the last one are right as well."""
    if result.query.op not in {Operation.TOP, Operation.MAX, Operation.MIN}:
        return False
    op, name, number = made
    is_most = op == "top"
    stated = {key: _order(row, name) for key, row in chosen.items() if _is_ordered(row, name)}
    best = sorted(stated.values(), reverse=is_most)[: int(number)]
    keys = _keys(result)
    found = sorted((stated[key] for key in keys if key in stated), reverse=is_most)
    return len(found) == len(keys) and set(found) == set(best) and len(found) >= len(best)


def _is_ordered(row: Row, name: str) -> bool:
    return name == "time" or _is_number(row[name])


def _order(row: Row, name: str) -> float:
    if name == "time":
        return datetime.fromisoformat(row["time"]).timestamp()
    return float(row[name])


_CHECKS: Mapping[str, Callable[[Held, Mapping[Key, Row], Sequence[str], QueryResult], bool]] = {
    "count": _are_counted,
    "list": _are_counted,
    "sum": _is_total,
    "average": _is_total,
    "median": _is_total,
    "group": _are_grouped,
    "compare": _are_compared,
    "top": _are_extreme,
    "least": _are_extreme,
}


def tallied(name: str, found: Iterable[str]) -> str:
    """Return the row of a table: how many of some questions were right, refused and wrong."""
    counts = Counter(found)
    shares = " | ".join(f"{counts[one]}" for one in ("right", "refused", "wrong"))
    return f"| {name} | {counts.total()} | {shares} |\n"


TABLE_HEAD = "| questions | n | right | refused | wrong |\n|---|---|---|---|---|\n"
