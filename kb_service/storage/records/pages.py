"""A page of a list in time: its order comes from an index, only its units are read whole.

Units of which reports differ in what filters ask for are read too: the one that holds decides. Of
all others SQL knows that they pass.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from operator import itemgetter

from sqlalchemy import Connection

from kb_service.domain.aggregating import PlaceInTime, place_in_time
from kb_service.domain.facts import CORRECTABLE, DOCUMENT_RECORD, FactField
from kb_service.domain.queries import Filters
from kb_service.domain.record_filters import passing
from kb_service.domain.record_queries import Counted
from kb_service.domain.record_sets import RecordRow, Unit, Value, units_of, with_values
from kb_service.storage.labels.tables import by_label_ids
from kb_service.storage.records.roles import Roles
from kb_service.storage.records.selections import Key, Selection
from kb_service.storage.rows import batches

_MORE = 20
"""So many are read beside those that are wanted: of the last moment all have to be known."""


@dataclass(frozen=True, slots=True)
class _Sizes:
    records: int
    of_incidents: int
    incidents: int
    revisions: int
    first_record: int | None

    @property
    def is_linked(self) -> bool:
        return self.incidents < self.of_incidents

    @property
    def is_plain(self) -> bool:
        """True where each unit is a row of a ledger or an entry of a log."""
        return not self.is_linked and self.first_record != DOCUMENT_RECORD


class PageReader:
    """Reads pages of one selection in one snapshot. `fields`: what is read of every unit."""

    def __init__(
        self,
        connection: Connection,
        kb_id: str,
        of: Counted,
        filters: Filters,
        roles: Roles,
        fields: Collection[str],
    ) -> None:
        self._connection, self._of, self._filters = connection, of, filters
        self._roles, self._fields = roles, frozenset(fields)
        self.chosen = Selection(kb_id, of, by_label_ids(connection, kb_id, filters), roles)

    @cached_property
    def _sizes(self) -> _Sizes:
        return _Sizes(*self._connection.execute(self.chosen.sizes()).one())

    @cached_property
    def _settling(self) -> frozenset[str]:
        settling = settling_fields(
            self.chosen.fields, is_plain=self._sizes.is_plain, is_linked=self._sizes.is_linked
        )
        return frozenset(settling) - self._fields

    @cached_property
    def _failing(self) -> tuple[Unit, ...]:
        """The units of which the report that holds does not pass."""
        read = self._settling | self._fields
        fields = [field for field in self.chosen.fields if field in read]
        found = (self._connection.execute(self.chosen.contested(field)) for field in fields)
        keys = dict.fromkeys(tuple(row) for rows in found for row in rows)
        units = [*self._units(keys)]
        passed = {id(unit) for unit in passing(units, self._filters)}
        return tuple(unit for unit in units if id(unit) not in passed)

    @property
    def matched(self) -> int:
        """How many units pass."""
        sizes = self._sizes
        num_units = sizes.incidents if self._of is Counted.INCIDENTS else sizes.records
        return num_units - len(self._failing)

    @property
    def total(self) -> int:
        """How many there are where nothing has to be stated."""
        if self.chosen.is_whole:
            return self.matched
        return int(self._connection.execute(self.chosen.total()).scalar_one())

    @property
    def num_documents(self) -> int:
        """In how many documents those that pass stand."""
        failing = Counter(row.revision_id for unit in self._failing for row in unit.records)
        emptied = 0
        for batch in batches(sorted(failing)):
            rows = self._connection.execute(self.chosen.sizes_of(batch))
            emptied += sum(num_records == failing[revision] for revision, num_records in rows)
        return self._sizes.revisions - emptied

    def units(self, limit: int, after: PlaceInTime | None) -> tuple[Unit, ...]:
        """Return the first units that pass behind a place in time."""
        found = list[Unit]()
        for some in self._in_time(limit, after):
            behind = [unit for unit in some if after is None or place_in_time(unit) > after]
            found += passing(behind, self._filters)
            if len(found) >= limit or (after is None and len(found) == self.matched):
                break
        return tuple(found[:limit])

    def _in_time(self, limit: int, after: PlaceInTime | None) -> Iterator[list[Unit]]:
        if after is None or after.moment is not None:
            yield from self._dated(after.moment if after else None, limit + _MORE)
        of_undated = after is not None and after.moment is None
        yield from self._undated(after.row if after and of_undated else None, limit + _MORE)

    def _dated(self, begin: datetime | None, size: int) -> Iterator[list[Unit]]:
        """Yield units by their time, all of one moment together."""
        while True:
            rows = self._connection.execute(self.chosen.dated(begin, size)).all()
            is_last = len(rows) < size
            end = None if is_last else rows[-1].time_from
            times = {(tuple(key), when) for when, *key in rows if when != end}
            if times:
                units = self._units(dict.fromkeys(key for key, _ in times))
                placed = ((place_in_time(unit), unit) for unit in units)
                held = [one for one in placed if (self._key_of(one[1]), one[0].moment) in times]
                yield [unit for _, unit in sorted(held, key=itemgetter(0))]
            if is_last:
                return
            size, begin = (size, end) if times else (2 * size, begin)

    def _undated(self, after: tuple[int, int] | None, size: int) -> Iterator[list[Unit]]:
        """Yield units without a time, by the first of their records."""
        while True:
            rows = self._connection.execute(self.chosen.undated(after, size)).all()
            places = {(revision, record) for revision, record, *_ in rows}
            units = self._units(dict.fromkeys(tuple(key) for _, _, *key in rows))
            here = [(place_in_time(unit), unit) for unit in units]
            kept = [one for one in here if one[0].row in places and one[0].moment is None]
            yield [unit for _, unit in sorted(kept, key=itemgetter(0))]
            if len(rows) < size:
                return
            after = (rows[-1].revision_id, rows[-1].record)

    def _units(self, keys: Iterable[Key]) -> list[Unit]:
        """Return units whole: their records, and what these state of the fields that are read."""
        found: list[Unit] = []
        for batch in batches(keys):
            mine = self.chosen.narrowed(batch)
            rows = map(RecordRow._make, self._connection.execute(mine.rows()))
            units = units_of(sorted(rows, key=lambda row: row[1:3]), self._of)
            wanted = self._fields | self._settling
            if wanted:
                values = self._connection.execute(mine.values(self._fields, self._settling))
                with_values(
                    units, (v for one in values for v in self._roles.seen(Value._make(one), wanted))
                )
            found += units
        return found

    def _key_of(self, unit: Unit) -> Key:
        first = unit.records[0]
        if self._of is Counted.INCIDENTS and first.incident is not None:
            return (first.incident,)
        return first.revision_id, first.record


def settling_fields(asked: Collection[str], *, is_plain: bool, is_linked: bool) -> set[str]:
    """Return the fields that settle whether a unit passes, or which of several reports holds.

    A row of a ledger or an entry of a log states a field once, or with the value that it corrects;
    a report may state several, and so may several reports, of which each says where it stands.
    """
    settling = {*asked}.intersection(CORRECTABLE) if is_plain else {*asked}
    return settling | {str(FactField.STATUS)} if is_linked else settling
