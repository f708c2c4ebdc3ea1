"""What documents state, field by field: Fact, and who corrected one. Values only.

A fact is words of a stored text with what they mean. What is not stated has no fact: it is neither
zero nor unknown. How facts are found is the language's business.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from kb_service.domain.spans import TextSpan

DOCUMENT_RECORD = 0
"""The record that is the document itself; rows of a ledger and entries of a log follow from 1."""

UNKNOWN = "unknown"
"""`text` of a fact that states that its value is not known (under investigation, 不详)."""

REPLACED = "replaced"
"""`role` of a value that the text that states it corrects: it was said, and holds no more."""

HAPPENED = "happened"
"""`role` of a time, of a record that tells of something that happened, whatever its kind."""

BY_REPORT = "by report"
"""`role` of the time of a report of which the record says no other: it stands for that time."""

OTHER_KIND = "other"
"""`text` of a kind that is stated in words of its own, for which there is no common one."""


class FactField(StrEnum):
    """The fields that any document may have; a column of a ledger beside them keeps its name.

    `kind`: of happening. `reported`: when it was told. `area`: a county, district or site in which
    the place lies. `dead`, `injured`, `missing`, `trapped`: people.
    `duration`: how long it lasted, in minutes.
    `follows`: the document that this one goes on from or corrects.
    """

    NUMBER = "number"
    KIND = "kind"
    TIME = "time"
    REPORTED = "reported"
    PLACE = "place"
    AREA = "area"
    ORGANISATION = "organisation"
    PERSON = "person"
    VEHICLE = "vehicle"
    PHONE = "phone"
    EMAIL = "email"
    DEAD = "dead"
    INJURED = "injured"
    MISSING = "missing"
    TRAPPED = "trapped"
    LOSS = "loss"
    FINE = "fine"
    DURATION = "duration"
    CAUSE = "cause"
    MEASURE = "measure"
    STATUS = "status"
    FOLLOWS = "follows"


STATED_ONCE = frozenset(
    {
        FactField.NUMBER,
        FactField.KIND,
        FactField.TIME,
        FactField.REPORTED,
        FactField.PLACE,
        FactField.AREA,
        FactField.DEAD,
        FactField.INJURED,
        FactField.MISSING,
        FactField.TRAPPED,
        FactField.LOSS,
        FactField.FINE,
        FactField.DURATION,
        FactField.CAUSE,
        FactField.STATUS,
    }
)
"""Of these a record has one."""
STANDARD_FIELDS = frozenset(FactField)
SORTING = frozenset({FactField.NUMBER, FactField.VEHICLE, FactField.MEASURE, FactField.STATUS})
"""Standard fields of which a value that is stated whole is no part of another: P1 of P10."""
CASUALTIES = "casualties"
"""What a label or a column over several counts of people at once stands for."""
CLOCK = "clock"
"""What one over times of day stands for, which belong to the date beside them."""
OWN_COLUMN = "column"
"""What a column stands for that keeps its own name as its field."""
COLUMN_FIELDS = (*FactField, CASUALTIES, CLOCK, OWN_COLUMN)
"""What a column of a ledger may be said to stand for."""


class Role(StrEnum):
    """In what role people and organisations are stated; in a query the name of a field of its own.

    `reporter` told of it, `handler` saw to it; `responding` came, `affected` is where it happened.
    """

    REPORTER = "reporter"
    HANDLER = "handler"
    RESPONDING = "responding"
    AFFECTED = "affected"


FIELD_OF_ROLE = {
    Role.REPORTER: FactField.PERSON,
    Role.HANDLER: FactField.PERSON,
    Role.RESPONDING: FactField.ORGANISATION,
    Role.AFFECTED: FactField.ORGANISATION,
}
COUNTS_OF_PEOPLE = (
    FactField.DEAD,
    FactField.INJURED,
    FactField.MISSING,
    FactField.TRAPPED,
)
CORRECTABLE = (*COUNTS_OF_PEOPLE, FactField.LOSS, FactField.FINE)
"""Fields of which one text may state the value that holds beside the one that it replaces."""
NUMBER_FIELDS = frozenset({*COUNTS_OF_PEOPLE, FactField.LOSS, FactField.FINE, FactField.DURATION})


@dataclass(frozen=True, slots=True)
class ColumnMeaning:
    """A column of a table: its name, what it stands for, by what that is known, some values.

    `field`: one of COLUMN_FIELDS. `by`: `name`, `values`, `meaning`, `person`, or ""
    where nothing tells it.
    """

    name: str
    field: str
    by: str
    examples: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class TableMeaning:
    """A table of a document: how many rows, and its columns in their order."""

    num_rows: int
    columns: tuple[ColumnMeaning, ...]


@dataclass(frozen=True, slots=True)
class ColumnField:
    """What a person said that a column of this name stands for in a base, and who and when."""

    name: str
    field: str
    by: str
    at: datetime


class FactMethod(StrEnum):
    """How a fact was found; `person`: somebody corrected or added it."""

    FORM = "form"
    COLUMN = "column"
    TITLE = "title"
    SENTENCE = "sentence"
    READER = "reader"
    PERSON = "person"


class Precision(StrEnum):
    """The smallest unit of a time that is stated."""

    YEAR = "year"
    MONTH = "month"
    DAY = "day"
    HOUR = "hour"
    MINUTE = "minute"
    SECOND = "second"


class ReportStatus(StrEnum):
    """`text` of a `status` fact: where a document stands among those of its incident."""

    INITIAL = "initial"
    FOLLOW_UP = "follow-up"
    FINAL = "final"
    CORRECTED = "corrected"


STANDING = {
    ReportStatus.INITIAL: 0,
    ReportStatus.FOLLOW_UP: 2,
    ReportStatus.FINAL: 3,
    ReportStatus.CORRECTED: 4,
}
"""What a report of a higher one states holds."""

UNMARKED = 1
"""A report that says nothing of its standing: later than a first notice, before a follow-up."""


@dataclass(frozen=True, slots=True)
class Fact:
    """One stated value.

    `record`: the row or entry that states it, DOCUMENT_RECORD for the document. `field`: a
    FactField, or the name of a column. `value == text[span]` of the stored text, always. `text`:
    the value as it is compared and grouped. `number`, with `number_to` for a range: counts, amounts
    in `unit` (`cny`, `usd`, `persons`), None where the value is no number. `time_from` until
    `time_to`, which is the first moment behind it: local time of the place, without a zone.
    `role`: of a person or organisation, as written, or REPLACED; of the number of a thing to which
    several incidents may happen, its label; of a time, its marks (`time_roles`).
    `confidence`: 0..1.
    """

    record: int
    field: str
    value: str
    span: TextSpan
    text: str
    method: FactMethod
    confidence: float
    number: float | None = None
    number_to: float | None = None
    unit: str = ""
    time_from: datetime | None = None
    time_to: datetime | None = None
    precision: Precision | None = None
    role: str = ""

    def __post_init__(self) -> None:
        if len(self.value) != len(self.span):
            raise ValueError(f"{len(self.value)} characters of {self.field} in {self.span}")
        if (self.time_from is None) != (self.time_to is None):
            raise ValueError(f"{self.field} begins or ends at no time")
        if self.time_from and self.time_to and self.time_to <= self.time_from:
            raise ValueError(f"{self.field} ends at {self.time_to}, begins at {self.time_from}")

    @property
    def is_unknown(self) -> bool:
        """True where the document says that it does not know."""
        return self.text == UNKNOWN

    @property
    def is_of_thing(self) -> bool:
        """True for a number of a lift or a bed, which numbers no incident."""
        return self.field == FactField.NUMBER and bool(self.role)


@dataclass(frozen=True, slots=True)
class Correction:
    """Who set a value right, and when."""

    by: str
    at: datetime


@dataclass(frozen=True, slots=True)
class StoredFact:
    """A fact of a searchable revision with its id, which a new reading of the text changes.

    `sha256`: the public name of the revision. `incident`: the number of what its record tells of,
    None where that is no incident.
    """

    id: int
    document_id: str
    document_name: str
    revision_id: int
    sha256: str
    fact: Fact
    incident: int | None = None
    correction: Correction | None = None


@dataclass(frozen=True, slots=True)
class Record:
    """What one document, row or entry states: its facts and the words that they lie in."""

    number: int
    span: TextSpan
    facts: tuple[Fact, ...]

    def first(self, field: str) -> Fact | None:
        """Return the fact of a field that is the surest, the first of equals; None: not stated."""
        found = [fact for fact in self.facts if fact.field == field]
        return max(found, key=lambda fact: fact.confidence, default=None)


def records_of(facts: Iterable[Fact]) -> tuple[Record, ...]:
    """Return the records that facts belong to, by number."""
    by_number: dict[int, list[Fact]] = {}
    for fact in facts:
        by_number.setdefault(fact.record, []).append(fact)
    return tuple(
        Record(number, _around(found), tuple(found)) for number, found in sorted(by_number.items())
    )


BEFALLS = frozenset({FactField.CAUSE, FactField.MEASURE, *NUMBER_FIELDS})
"""What is stated of a thing to which something happened."""


def name_an_incident(facts: Iterable[Fact]) -> bool:
    """True where the facts of a record say what happened, or number it.

    The number of a thing (a lift, the paper itself) does where they say what became of it.
    """
    told = tuple(facts)
    numbers = [fact for fact in told if fact.field == FactField.NUMBER]
    is_numbered = any(not number.is_of_thing for number in numbers)
    befell = bool(numbers) and any(fact.field in BEFALLS for fact in told)
    return is_numbered or befell or any(fact.field == FactField.KIND for fact in told)


def _around(facts: Iterable[Fact]) -> TextSpan:
    spans = [fact.span for fact in facts]
    return TextSpan(min(span.start for span in spans), max(span.end for span in spans))


CONFLICTING = (
    FactField.KIND,
    *COUNTS_OF_PEOPLE,
    FactField.LOSS,
    FactField.FINE,
)
"""Fields in which two documents on one incident contradict each other when they differ."""


@dataclass(frozen=True, slots=True)
class Stretch:
    """Words of a document, of its searchable revision unless `sha256` names another."""

    document_id: str
    sha256: str | None = None
    start: int = 0
    end: int | None = None


RecordName = tuple[str, int]
"""Id of a document and number of a record in it."""


@dataclass(frozen=True, slots=True)
class Incident:
    """What happened once, with all that documents, rows and entries state of it.

    `apart`: those of its records that a person said to be of no other incident, and who and when.
    """

    number: int
    facts: tuple[StoredFact, ...]
    apart: tuple[tuple[RecordName, Correction], ...] = ()

    @property
    def records(self) -> tuple[RecordName, ...]:
        """Which record of which document tells of it, in order."""
        return tuple(dict.fromkeys((item.document_id, item.fact.record) for item in self.facts))

    @property
    def conflicts(self) -> dict[str, tuple[StoredFact, ...]]:
        """The facts of each field in which its documents differ; what is unknown differs not."""
        found = {}
        for field in CONFLICTING:
            known = [
                item
                for item in self.facts
                if item.fact.field == field
                and not (item.fact.is_unknown or item.fact.role == REPLACED)
            ]
            if len({item.fact.text for item in known}) > 1:
                found[str(field)] = tuple(known)
        return found

    def surest(self, field: str) -> StoredFact | None:
        """Return the fact of a field that is the surest, the last of equals; None: not stated."""
        known = [i for i in self.facts if i.fact.field == field and i.fact.role != REPLACED]
        return max(reversed(known), key=lambda item: item.fact.confidence, default=None)

    @property
    def timeline(self) -> tuple[StoredFact, ...]:
        """Its times, the earliest first; not those under names of a document's own."""
        known = (item for item in self.facts if item.fact.field in STANDARD_FIELDS)
        timed = [(i.fact.time_from, i.id, i) for i in known if i.fact.time_from is not None]
        return tuple(item for _, _, item in sorted(timed))


def incidents_of(facts: Iterable[StoredFact]) -> tuple[Incident, ...]:
    """Return the incidents that facts tell of, by number."""
    by_number: dict[int, list[StoredFact]] = {}
    for item in facts:
        if item.incident is not None:
            by_number.setdefault(item.incident, []).append(item)
    return tuple(Incident(number, tuple(found)) for number, found in sorted(by_number.items()))
