"""Pages of a list that an index orders are those of a list that is read and sorted whole."""

import random
from collections.abc import Collection, Iterator
from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from kb_service.domain.aggregating import PlaceInTime, behind, in_time
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import REPLACED, UNKNOWN, Fact
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_filters import passing
from kb_service.domain.record_queries import Counted, Operation, RecordQuery
from kb_service.domain.record_sets import UnitPage, units_of, with_values
from kb_service.domain.spans import TextSpan
from kb_service.language.stated.extraction import facts_in
from kb_service.language.units import marked
from kb_service.services.querying import QueryResult, QueryRunner
from kb_service.storage.identity import encode_cursor
from kb_service.storage.records.store import RecordStore
from kb_service.storage.rows import BATCH
from tests.storage.facts_of import at, incident_report, people, said
from tests.storage.test_listing_costs import num_rows, statements
from tests.storage.world import World

KINDS = ("fire", "theft", "leak")
PLACES = ("mill lane", "oak yard", "quay street")
PEOPLE = ("boone", "闻静", "闻静茹", UNKNOWN)
FIRST = datetime.fromisoformat("2024-01-01")
NUM_QUERIES = 200


class ReadWhole(RecordStore):
    """The same pages by reading all that passes, sorting it and cutting the page out."""

    def page(
        self,
        kb_id: str,
        of: Counted,
        filters: Filters,
        fields: Collection[str],
        limit: int,
        after: PlaceInTime | None,
    ) -> UnitPage:
        found = self.select(kb_id, of, filters, fields)
        units = units_of(found.rows, of)
        with_values(units, found.values)
        passed = in_time(passing(units, filters))
        names = {row.document_id for unit in passed for row in unit.records}
        shown = behind(passed, after) if after else passed
        return UnitPage(tuple(shown[:limit]), len(passed), len(names), found.total, found.lacking)


def drawing(seed: str) -> random.Random:
    """Draws that are the same in every run."""
    return random.Random(seed)  # noqa: S311  data for tests, no secret


def stated(draw: random.Random, record: int = 0) -> list[Fact]:
    """What one record states: now and then nothing of a field, twice, roughly, or not known."""
    facts: list[Fact] = []
    for _ in range(draw.choice((0, 1, 1, 1, 2))):
        precision = draw.choice(("day", "day", "minute", "month"))
        begins = FIRST + timedelta(days=draw.randrange(90))
        facts.append(at(begins.date().isoformat(), precision, record))
    if draw.random() < 0.1:
        facts.append(said("time", "not known", record, text=UNKNOWN))
    for field, words in (("kind", (*KINDS, UNKNOWN)), ("place", PLACES), ("person", PEOPLE)):
        for _ in range(draw.choice((0, 1, 1, 1, 2))):
            role = draw.choice(("报警人", "处警人")) if field == "person" else ""
            facts.append(said(field, draw.choice(words), record, role=role))
    if draw.random() < 0.7:
        number = draw.randrange(5)
        until = draw.choice((None, None, float(number + 2)))
        facts.append(people("injured", number, record, number_to=until))
    if draw.random() < 0.5:
        facts.append(said("status", draw.choice(("initial", "final", "corrected")), record))
    sure = (replace(fact, confidence=draw.choice((0.7, 0.9))) for fact in facts)
    return [
        replace(fact, span=TextSpan(n, n + len(fact.value)), record=record)
        for n, fact in enumerate(sure, 100 * record)
    ]


def filled(world: World, draw: random.Random) -> tuple[str, list[str]]:
    """A base of reports that share incidents, with and without a register of the same."""
    kb_id = world.catalog.bases.create(f"base {draw.random()}").id
    made = [
        incident_report(world, kb_id, f"{n}.txt", stated(draw), draw.randrange(501, 540))
        for n in range(45)
    ]
    rows = [fact for number in range(1, 41) for fact in stated(draw, number)]
    return kb_id, [*made, incident_report(world, kb_id, "register.csv", rows, 500)]


def some_filters(draw: random.Random, ids: list[str]) -> Filters:
    def maybe(*words: str) -> tuple[str, ...]:
        return tuple(draw.sample(words, draw.choice((1, 2)))) if draw.random() < 0.3 else ()

    fields: list[FieldFilter] = []
    if draw.random() < 0.3:
        least = draw.randrange(4)
        fields.append(FieldFilter("injured", min=least, max=draw.choice((None, least + 1))))
    if draw.random() < 0.2:
        fields.append(FieldFilter(draw.choice(("handler", "reporter")), text="闻静"))
    if draw.random() < 0.2:
        name = draw.choice(("kind", "person", "place"))
        fields.append(FieldFilter(name, none_of=(draw.choice((*KINDS, *PLACES, "boone")),)))
    begin = FIRST + timedelta(days=draw.randrange(60))
    is_timed = draw.random() < 0.3
    return Filters(
        document_ids=tuple(draw.sample(ids, 20)) if draw.random() < 0.2 else (),
        time_from=begin if is_timed else None,
        time_to=begin + timedelta(days=draw.randrange(1, 60)) if is_timed else None,
        kind=maybe(*KINDS),
        place=maybe(*PLACES),
        person=maybe(*PEOPLE),
        fields=tuple(fields),
        text=maybe("mill", "boone"),
    )


def pages(runner: QueryRunner, kb_id: str, query: RecordQuery) -> Iterator[QueryResult]:
    cursor: str | None = None
    while True:
        result = runner.run(kb_id, replace(query, cursor=cursor))
        yield result
        cursor = result.next_cursor
        if cursor is None:
            return


@pytest.mark.parametrize("seed", [1, 2])
def test_pages_from_an_index_equal_those_of_a_list_that_is_read_whole(
    world: World, seed: int
) -> None:
    draw = drawing(f"pages {seed}")
    kb_id, ids = filled(world, draw)
    paged, whole = QueryRunner(RecordStore(world.database)), QueryRunner(ReadWhole(world.database))
    num_pages = num_undated = 0
    for _ in range(NUM_QUERIES // 2):
        filters = Filters() if draw.random() < 0.1 else some_filters(draw, ids)
        of = draw.choice((Counted.INCIDENTS, Counted.INCIDENTS, Counted.RECORDS))
        query = RecordQuery(Operation.LIST, filters, of, limit=draw.choice((8, 20, 50)))
        for mine, expected in zip(
            pages(paged, kb_id, query), pages(whole, kb_id, query), strict=True
        ):
            assert mine.table == expected.table, query
            assert mine.tally == expected.tally, query
            assert mine.next_cursor == expected.next_cursor, query
            num_pages += 1
            num_undated += any(row[2].value is None for row in mine.table.rows)
    assert num_pages > NUM_QUERIES // 2
    assert num_undated > 5


def test_a_page_reads_no_more_rows_in_a_larger_base(world: World) -> None:
    draw = drawing("pages")
    kb_id = world.catalog.bases.create("reports").id
    runner = QueryRunner(RecordStore(world.database))
    query = RecordQuery(Operation.LIST, Filters(kind=("fire",)), limit=5)

    def cost_beside(num_more: int) -> tuple[int, int]:
        for _ in range(num_more):
            day = FIRST + timedelta(days=draw.randrange(300))
            facts = (said("kind", "fire"), at(day.date().isoformat()))
            incident_report(world, kb_id, f"{draw.random()}.txt", facts)
        with statements(world.database) as asked:
            runner.run(kb_id, query)
        with world.database.read() as connection:
            return len(asked), sum(num_rows(connection, one) for one in asked)

    before = cost_beside(60)
    after = cost_beside(60)
    assert after[0] == before[0] <= 12
    assert after[1] <= before[1] + 5


LOG = """Harbour Station day book
Date: 4 March 2024. Duty sergeant: Ann Cole

1. 08:15 A fire broke out at Mill Lane 4. The number of dead was corrected from 5 to 3.
2. 09:40 A fire broke out at Oak Lane 7. 6 people died.
3. 11:05 A theft was reported at Station Square. No injuries.
"""
LATER = LOG.replace("was corrected from 5 to 3", "was 5. The number of dead was corrected to 3")


@pytest.mark.parametrize("of", [Counted.INCIDENTS, Counted.RECORDS])
@pytest.mark.parametrize(
    ("least", "most", "dead"), [(5, None, [6]), (None, 3, [3]), (3, 6, [3, 6])]
)
@pytest.mark.parametrize("log", [LOG, LATER])
def test_the_number_that_an_entry_of_a_log_corrects_passes_no_filter(
    world: World, log: str, of: Counted, least: int | None, most: int | None, dead: list[int]
) -> None:
    kb_id = world.catalog.bases.create("reports").id
    facts = facts_in(marked(log))
    assert all(fact.record for fact in facts if fact.field == "dead")
    incident_report(world, kb_id, "log.txt", [fact for fact in facts if fact.record])
    asked = Filters(fields=(FieldFilter("dead", min=least, max=most),))
    runner = QueryRunner(RecordStore(world.database))
    listed = runner.run(kb_id, RecordQuery(Operation.LIST, asked, of))
    assert listed.tally.matched == len(dead)
    assert [unit.settled("dead").number for unit in listed.units] == dead  # type: ignore[union-attr]
    assert runner.run(kb_id, RecordQuery(Operation.COUNT, asked, of)).tally.matched == len(dead)


@pytest.mark.parametrize("of", [Counted.INCIDENTS, Counted.RECORDS])
def test_however_many_fail_no_statement_takes_more_values(world: World, of: Counted) -> None:
    kb_id = world.catalog.bases.create("reports").id
    runner = QueryRunner(RecordStore(world.database))
    many = Filters(fields=(FieldFilter("dead", min=5),))

    def widest_beside(num_entries: int, num_holding: int, incident: int) -> int:
        failing = range(num_holding + 1, num_entries + 1)
        facts = [people("dead", 5, n, role=REPLACED) for n in failing]
        facts += [people("dead", 3, n) for n in failing]
        facts += [people("dead", 7, n) for n in range(1, num_holding + 1)]
        incident_report(world, kb_id, f"{incident}.txt", facts, incident)
        with statements(world.database) as asked:
            tally = runner.run(kb_id, RecordQuery(Operation.LIST, many, of)).tally
        assert (tally.matched, tally.documents) == (1, 1)
        return max(len(parameters) for _, parameters in asked)

    assert widest_beside(BATCH + 1, 1, 10_000) == widest_beside(2 * BATCH, 0, 20_000)


@pytest.mark.parametrize(
    "keys",
    [
        ("x", "1", "1"),
        ("2024-01-01", "-1", "0"),
        ("~", "1", "9" * 20),
        ("~", "9" * 5000, "1"),
        ("~", "1", "0" * 20),
    ],
)
def test_a_cursor_that_names_no_place_is_refused(world: World, keys: tuple[str, ...]) -> None:
    kb_id = world.catalog.bases.create("reports").id
    query = RecordQuery(Operation.LIST, cursor=encode_cursor(*keys))
    with pytest.raises(InvalidRequest, match="cursor") as refused:
        QueryRunner(RecordStore(world.database)).run(kb_id, query)
    assert refused.value.code == "invalid_cursor"
