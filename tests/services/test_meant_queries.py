"""Typed queries with phrases that a model judges records by: counted, grouped, paged, compared."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.judged import Fit
from kb_service.domain.queries import Filters
from kb_service.domain.query_json import query_from, query_json
from kb_service.domain.record_queries import ByPeriod, Counted, Operation, RecordQuery
from kb_service.services.across import AcrossDocuments, Told
from kb_service.services.meant_records import MeantRecords
from kb_service.services.querying import QueryResult, QueryRunner
from kb_service.storage.database import open_database
from kb_service.storage.records.store import RecordStore
from tests.services.answer_fakes import WordJudge
from tests.storage.world import World, build_world

_ROW = "Case number: C-{}; Occurred: 2024-0{}; Location: {}; Account: {}; Loss: {}"
LEDGER = [
    _ROW.format(1, "4-02 08:00", "Ward 3", "slipped in the bath", 10),
    _ROW.format(2, "4-05 09:00", "Pharmacy", "the wrong box was handed out", 20),
    _ROW.format(3, "5-11 10:00", "Lobby", "stumbled over a step", 30),
    _ROW.format(4, "5-20 11:00", "Ward 3", "slipped, and hot tea on one hand", 40),
    _ROW.format(5, "7-01 12:00", "Lobby", "unsteady, was held", 50),
]
FALLS, SCALDS = Filters(meant=("falls",)), Filters(meant=("scalds",))
FALLS_WORDS = {"slipped": Fit.FITS, "stumbled": Fit.FITS, "unsteady": Fit.OPEN}


@pytest.fixture
def world(tmp_path: Path) -> World:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    world = build_world(database, tmp_path)
    world.ingest(world.catalog.bases.create("reports").id, "ledger.csv", LEDGER)
    return world


@pytest.fixture
def judge() -> WordJudge:
    return WordJudge({"falls": FALLS_WORDS, "scalds": {"hot tea": Fit.FITS}})


@pytest.fixture
def run(world: World, judge: WordJudge) -> Callable[[RecordQuery], QueryResult]:
    store = RecordStore(world.database)
    meant = MeantRecords(world.catalog.revisions, store, lambda: judge)
    kb_id = world.catalog.bases.get("reports").id
    return lambda query: QueryRunner(store, meant).run(kb_id, query)


Run = Callable[[RecordQuery], QueryResult]


def cells(result: QueryResult) -> list[list[object]]:
    return [[cell.value for cell in row] for row in result.table.rows]


def numbers(result: QueryResult) -> list[object]:
    """The cases that a table shows, in its order."""
    shown = (str(value) for row in cells(result) for value in row)
    return [value for value in shown if value.startswith("C-")]


def test_those_that_fit_are_counted_out_of_all(run: Run, world: World) -> None:
    result = run(RecordQuery(Operation.COUNT, FALLS))
    assert (result.tally.matched, result.tally.of, result.tally.documents) == (3, 5, 1)
    assert numbers(result) == ["C-1", "C-3", "C-4"]
    assert len(result.open) == 1


def test_only_what_the_other_filters_leave_is_read(run: Run, judge: WordJudge) -> None:
    result = run(RecordQuery(Operation.COUNT, replace(FALLS, place=("ward 3",))))
    assert result.tally.matched == 2
    assert judge.read == [LEDGER[0], LEDGER[3]]


def test_all_phrases_have_to_fit(run: Run) -> None:
    result = run(RecordQuery(Operation.COUNT, Filters(meant=("falls", "scalds"))))
    assert numbers(result) == ["C-4"] and not result.open


def test_they_are_grouped_by_month_and_by_a_field(run: Run) -> None:
    months = run(RecordQuery(Operation.GROUP, FALLS, by=ByPeriod.MONTH))
    assert cells(months) == [["2024-04", 1], ["2024-05", 2]]
    assert len(months.open) == 1
    places = run(RecordQuery(Operation.GROUP, FALLS, by="place"))
    assert sorted(cells(places)) == [["Lobby", 1], ["Ward 3", 2]]


def test_a_sum_is_of_those_that_fit(run: Run) -> None:
    total = run(RecordQuery(Operation.SUM, FALLS, field="loss"))
    assert [number.value for number in total.numbers] == [80.0]
    most = run(RecordQuery(Operation.MAX, FALLS, field="loss"))
    assert [number.value for number in most.numbers] == [40.0]


@pytest.mark.parametrize("of", [Counted.RECORDS, Counted.DOCUMENTS])
def test_records_and_documents_are_counted_by_them_too(run: Run, of: Counted) -> None:
    result = run(RecordQuery(Operation.COUNT, FALLS, of=of))
    assert result.tally.matched == {Counted.RECORDS: 3, Counted.DOCUMENTS: 1}[of]


def test_a_list_has_pages(run: Run) -> None:
    first = run(RecordQuery(Operation.LIST, FALLS, limit=2))
    assert numbers(first) == ["C-1", "C-3"] and first.next_cursor
    assert first.tally.matched == 3 and len(first.open) == 1
    rest = run(RecordQuery(Operation.LIST, FALLS, limit=2, cursor=first.next_cursor))
    assert numbers(rest) == ["C-4"] and rest.next_cursor is None
    whole = run(RecordQuery(Operation.LIST, FALLS, limit=3))
    assert numbers(whole) == ["C-1", "C-3", "C-4"] and whole.next_cursor is None


def test_one_side_of_a_comparison_may_be_meant(run: Run) -> None:
    sides = (FALLS, Filters(place=("ward 3",)))
    result = run(RecordQuery(Operation.COMPARE, groups=sides))
    assert [row[1] for row in cells(result)] == [3, 2]
    assert len(result.open) == 1


def test_what_both_sides_are_of_may_be_meant(run: Run) -> None:
    sides = (Filters(place=("ward 3",)), Filters(place=("lobby",)))
    result = run(RecordQuery(Operation.COMPARE, FALLS, groups=sides))
    assert cells(result) == [["ward 3", 2], ["lobby", 1]]


def test_sides_that_are_meant_are_called_so(run: Run) -> None:
    result = run(RecordQuery(Operation.COMPARE, groups=(FALLS, SCALDS)))
    assert [row[1] for row in cells(result)] == [3, 1]
    assert ["falls" in str(row[0]) for row in cells(result)] == [True, False]
    assert "scalds" in str(cells(result)[1][0])


def test_without_a_judge_the_query_is_refused_by_its_phrases(world: World) -> None:
    store, kb_id = RecordStore(world.database), world.catalog.bases.get("reports").id
    query = RecordQuery(Operation.COUNT, FALLS)
    none = MeantRecords(world.catalog.revisions, store, lambda: None)
    for runner in (QueryRunner(store), QueryRunner(store, none)):
        with pytest.raises(InvalidRequest, match=r"filters\.meant is 'falls'") as caught:
            runner.run(kb_id, query)
        assert caught.value.code == "invalid_query"


def test_phrases_stand_in_the_json_of_a_query() -> None:
    asked = {"op": "compare", "groups": [{"meant": ["falls"]}, {"meant": ["scalds", "tea"]}]}
    query = query_from(asked)
    assert [side.meant for side in query.groups] == [("falls",), ("scalds", "tea")]
    assert query_from(query_json(query)) == query


def test_phrases_are_asked_beside_others() -> None:
    both = FALLS.both(Filters(meant=("scalds", "falls")))
    assert both and both.meant == ("falls", "scalds")
    assert FALLS.merged(Filters(place=("lobby",))).meant == ("falls",)
    assert FALLS.asks_facts and not FALLS.is_empty


@pytest.fixture
def told(world: World, judge: WordJudge) -> Callable[[RecordQuery], Told]:
    kb_id, store = world.catalog.bases.get("reports").id, RecordStore(world.database)
    across = AcrossDocuments(store, world.catalog.revisions, lambda: judge)
    return lambda query: across.told_of(kb_id, query, "en")


def test_that_a_model_judged_is_told_with_what_may_be_meant_too(
    told: Callable[[RecordQuery], Told],
) -> None:
    answer = told(RecordQuery(Operation.COUNT, FALLS))
    assert answer.text.startswith("“falls”: 3 incidents.")
    assert "Which ones are “falls” was judged by a model" in answer.text
    assert "1 more incident may be, too: ledger.csv." in answer.text
    assert "judged" not in told(RecordQuery(Operation.COUNT)).text


def test_it_is_told_of_the_sides_of_a_comparison(told: Callable[[RecordQuery], Told]) -> None:
    answer = told(RecordQuery(Operation.COMPARE, groups=(FALLS, SCALDS)))
    assert "was judged by a model" in answer.text
    assert "“falls”: 3" in answer.text and "“scalds”: 1" in answer.text
