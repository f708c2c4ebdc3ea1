"""A question over what many documents state: RecordQuery and its parts. Values only.

Small and typed: which records are selected, what is made of them. Knows no SQL and no language.
"""

from dataclasses import dataclass
from enum import StrEnum

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Filters

NO_FILTERS = Filters()
MAX_LIMIT = 500
DEFAULT_LIMIT = 100
MAX_COLUMNS = 12


class Counted(StrEnum):
    """What is counted once: an incident that several documents tell of, a record, a document."""

    INCIDENTS = "incidents"
    RECORDS = "records"
    DOCUMENTS = "documents"


class Operation(StrEnum):
    """What is made of the selected records.

    `changes`: what corrected reports state otherwise than those before them. `group`: by a field or
    period; `trend`: by period, those without any included. `top`: the
    records with the most (or least) of a field. `which`: the values of a field, each with its
    records.
    """

    COUNT = "count"
    LIST = "list"
    EXISTS = "exists"
    WHICH = "which"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    MEDIAN = "median"
    TOP = "top"
    GROUP = "group"
    TREND = "trend"
    COMPARE = "compare"
    TIMELINE = "timeline"
    CHANGES = "changes"


class Measure(StrEnum):
    """What is told of each group: how many it has, or an aggregate of `field` over it."""

    COUNT = "count"
    SUM = "sum"
    MIN = "min"
    MAX = "max"
    AVERAGE = "average"
    MEDIAN = "median"


class ByPeriod(StrEnum):
    """Groups of the time of the incident."""

    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    QUARTER = "quarter"
    YEAR = "year"


PERIODS = frozenset(ByPeriod)
AGGREGATES = frozenset(
    {Operation.SUM, Operation.MIN, Operation.MAX, Operation.AVERAGE, Operation.MEDIAN}
)
NEEDS_FIELD = AGGREGATES | {Operation.TOP, Operation.WHICH}
NEEDS_BY = frozenset({Operation.GROUP, Operation.TREND})


@dataclass(frozen=True, slots=True)
class RecordQuery:
    """Which records, and what is made of them.

    `field`: what is summed, ranked by, or asked for. `by`: a field or a ByPeriod. `measure`: of a
    group, and of each side of a comparison. `columns`: the fields that a list shows. `groups`: the
    two that are compared, each beside `filters`. `cursor`: of the page of a list before. Raises
    InvalidRequest (invalid_query) at birth when the parts do not go together; the message names the
    value and what is accepted.
    """

    op: Operation
    filters: Filters = NO_FILTERS
    of: Counted = Counted.INCIDENTS
    field: str | None = None
    by: str | None = None
    measure: Measure = Measure.COUNT
    columns: tuple[str, ...] = ()
    groups: tuple[Filters, ...] = ()
    limit: int = DEFAULT_LIMIT
    descending: bool = True
    cursor: str | None = None

    def __post_init__(self) -> None:
        for problem in self._problems():
            raise InvalidRequest(problem, code="invalid_query")

    @property
    def measured(self) -> Measure:
        """What is told of the selected records as a whole."""
        return Measure(self.op.value) if self.op in AGGREGATES else self.measure

    def _problems(self) -> list[str]:
        found: list[str] = []
        needs_field = self.op in NEEDS_FIELD or self.measure is not Measure.COUNT
        if needs_field and not self.field:
            found.append(f"field is missing; {self.op} of {self.measure} needs the name of one")
        if self.op in NEEDS_BY and not self.by:
            found.append(f"by is missing; {self.op} needs a field or one of {_listed(ByPeriod)}")
        if self.op is Operation.TREND and self.by not in PERIODS:
            found.append(f"by is {self.by!r}; trend accepts {_listed(ByPeriod)}")
        if self.op is Operation.COMPARE and len(self.groups) != 2:
            found.append(f"groups has {len(self.groups)} filters; compare accepts 2")
        if self.op is not Operation.COMPARE and self.groups:
            found.append(f"groups is given; only {Operation.COMPARE} accepts it")
        if self.cursor and self.op is not Operation.LIST:
            found.append(f"cursor is given; only {Operation.LIST} has pages")
        if not 1 <= self.limit <= MAX_LIMIT:
            found.append(f"limit is {self.limit}; 1 to {MAX_LIMIT} are accepted")
        if len(self.columns) > MAX_COLUMNS:
            found.append(f"columns has {len(self.columns)} names; at most {MAX_COLUMNS}")
        return found


def _listed(words: type[StrEnum]) -> str:
    return ", ".join(words)
