"""Typed queries over what documents state: what is counted, what is left out, and what is told."""

from datetime import datetime
from pathlib import Path

import pytest

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import REPLACED, incidents_of
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Counted, Measure, Operation, RecordQuery
from kb_service.services.querying import QueryResult, QueryRunner
from kb_service.storage.database import open_database
from kb_service.storage.facts.store import Facts
from kb_service.storage.records.store import RecordStore
from tests.storage.facts_of import at, incident_report, people, said
from tests.storage.test_listing_costs import statements
from tests.storage.world import World, build_world

AUGUST = Filters(
    time_from=datetime.fromisoformat("2024-08-01"), time_to=datetime.fromisoformat("2024-09-01")
)
FIRES = Filters(kind=("fire",))


@pytest.fixture
def world(tmp_path: Path) -> World:
    database = open_database(f"sqlite:///{tmp_path / 'kb.sqlite3'}")
    database.migrate()
    return build_world(database, tmp_path)


@pytest.fixture
def kb_id(world: World) -> str:
    return world.catalog.bases.create("reports").id


@pytest.fixture
def runner(world: World) -> QueryRunner:
    return QueryRunner(RecordStore(world.database))


@pytest.fixture
def desk(world: World, kb_id: str) -> dict[str, str]:
    """Three fires of which one is told twice and one is not dated, a theft, and a law."""

    def report(name: str, *facts: object, incident: int | None = None) -> str:
        return incident_report(world, kb_id, name, facts, incident)  # type: ignore[arg-type]

    fire, mill = said("kind", "fire"), said("place", "mill lane")
    return {
        "notice": report(
            "notice.txt",
            fire,
            at("2024-08-02"),
            mill,
            people("injured", 6),
            said("status", "initial"),
            incident=7,
        ),
        "final": report(
            "final.txt",
            fire,
            at("2024-08-02"),
            mill,
            people("injured", 5),
            said("status", "final"),
            incident=7,
        ),
        "yard": report(
            "yard.txt",
            fire,
            at("2024-08-20"),
            said("place", "oak yard"),
            people("injured", 0),
            said("person", "boone"),
        ),
        "undated": report("undated.txt", fire, said("place", "oak yard")),
        "theft": report(
            "theft.txt",
            said("kind", "theft"),
            at("2024-09-03"),
            mill,
            said("person", "boone"),
            said("loss", "1,200", number=1200, unit="usd"),
        ),
        "law": world.ingest(kb_id, "law.txt", ["a law"]).document_id,
    }


def cells(result: QueryResult) -> list[list[object]]:
    return [[cell.value for cell in row] for row in result.table.rows]


def test_an_incident_told_twice_is_counted_once(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    result = runner.run(kb_id, RecordQuery(Operation.COUNT, AUGUST.merged(FIRES)))
    assert (result.tally.matched, result.tally.of, result.tally.documents) == (2, 4, 3)
    assert result.tally.lacking == (desk["undated"],)
    assert [row[0] for row in cells(result)] == ["notice.txt; final.txt", "yard.txt"]


def test_what_the_final_report_says_holds(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    total = runner.run(kb_id, RecordQuery(Operation.SUM, FIRES, field="injured"))
    assert [(n.value, n.unit) for n in total.numbers] == [(5.0, "persons")]
    assert total.tally.lacking == (desk["undated"],)
    six = Filters(fields=(FieldFilter("injured", min=6),))
    assert runner.run(kb_id, RecordQuery(Operation.COUNT, six)).tally.matched == 0


def test_zero_that_is_stated_is_no_missing_value(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    none_hurt = Filters(fields=(FieldFilter("injured", min=0, max=0),))
    result = runner.run(kb_id, RecordQuery(Operation.LIST, none_hurt.merged(FIRES)))
    assert [row[0] for row in cells(result)] == ["yard.txt"]
    assert result.tally.lacking == (desk["undated"],)


def test_a_value_that_is_said_to_be_unknown_is_neither(
    runner: QueryRunner, world: World, kb_id: str, desk: dict[str, str]
) -> None:
    facts = (said("kind", "fire"), said("injured", "not known", text="unknown"))
    open_case = incident_report(world, kb_id, "open.txt", facts)
    result = runner.run(kb_id, RecordQuery(Operation.AVERAGE, FIRES, field="injured"))
    assert [n.value for n in result.numbers] == [2.5]
    assert result.tally.lacking == tuple(sorted((desk["undated"], open_case)))


def test_groups_and_periods_are_counted(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    by_place = runner.run(kb_id, RecordQuery(Operation.GROUP, by="place"))
    assert cells(by_place) == [["mill lane", 2], ["oak yard", 2]]
    assert by_place.chart and (by_place.chart.kind, by_place.chart.y) == ("bars", (2, 2))
    by_month = runner.run(kb_id, RecordQuery(Operation.TREND, by="month"))
    assert cells(by_month) == [["2024-08", 2], ["2024-09", 1]]
    assert by_month.chart and by_month.chart.kind == "line"
    assert by_month.tally.lacking == (desk["undated"],)


def test_a_group_is_called_as_it_is_written(
    runner: QueryRunner, world: World, kb_id: str, desk: dict[str, str]
) -> None:
    """Its units are alike whatever their capitals; a value in another form keeps that form."""
    for number, place in enumerate(("Quay Street", "QUAY STREET", "High street 2")):
        text = "high street" if number == 2 else "quay street"
        incident_report(world, kb_id, f"{number}.txt", (said("place", place, text=text),))
    by_place = runner.run(kb_id, RecordQuery(Operation.GROUP, by="place"))
    assert ["Quay Street", 2] in cells(by_place)
    assert ["high street", 1] in cells(by_place)


def test_every_unit_of_a_group_is_cited(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    result = runner.run(kb_id, RecordQuery(Operation.GROUP, by="place"))
    assert [len(row[1].places) for row in result.table.rows] == [2, 2]


def test_who_and_which_name_each_value_with_its_records(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    who = runner.run(kb_id, RecordQuery(Operation.WHICH, field="person"))
    assert cells(who) == [["boone", 2]]
    his = runner.run(kb_id, RecordQuery(Operation.LIST, Filters(person=("boone",))))
    assert [row[0] for row in cells(his)] == ["yard.txt", "theft.txt"]


def test_two_groups_are_compared(runner: QueryRunner, kb_id: str, desk: dict[str, str]) -> None:
    groups = (Filters(kind=("fire",)), Filters(kind=("theft",)))
    assert cells(runner.run(kb_id, RecordQuery(Operation.COMPARE, groups=groups))) == [
        ["fire", 3],
        ["theft", 1],
    ]


def test_the_most_is_told_with_all_that_have_it(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    most = runner.run(kb_id, RecordQuery(Operation.MAX, field="injured", columns=("injured",)))
    assert cells(most) == [["notice.txt; final.txt", 5]]
    top = runner.run(kb_id, RecordQuery(Operation.TOP, field="injured", limit=1))
    assert len(top.table.rows) == 1


def test_a_month_counts_in_no_shorter_stretch(
    runner: QueryRunner, world: World, kb_id: str, desk: dict[str, str]
) -> None:
    facts = (said("kind", "fire"), at("2024-08-01", "month"))
    incident_report(world, kb_id, "month.txt", facts)
    first_days = Filters(
        time_from=datetime.fromisoformat("2024-08-01"), time_to=datetime.fromisoformat("2024-08-11")
    )
    result = runner.run(kb_id, RecordQuery(Operation.COUNT, first_days))
    assert result.tally.matched == 1
    assert runner.run(kb_id, RecordQuery(Operation.COUNT, AUGUST)).tally.matched == 3


def test_rows_of_a_ledger_are_counted_and_cited_each(
    runner: QueryRunner, world: World, kb_id: str
) -> None:
    rows = [
        fact
        for n in range(1, 4)
        for fact in (said("kind", "fire", n), at(f"2024-08-{n:02}", record=n))
    ]
    incident_report(world, kb_id, "ledger.csv", rows)
    result = runner.run(kb_id, RecordQuery(Operation.COUNT, AUGUST))
    assert (result.tally.matched, result.tally.documents) == (3, 1)
    by_record = RecordQuery(Operation.COUNT, AUGUST, of=Counted.RECORDS)
    assert runner.run(kb_id, by_record).tally.matched == 3


def test_documents_are_counted_whether_they_state_anything_or_not(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    every = runner.run(kb_id, RecordQuery(Operation.COUNT, of=Counted.DOCUMENTS))
    assert (every.tally.matched, every.tally.of) == (6, 6)
    fires = runner.run(kb_id, RecordQuery(Operation.COUNT, FIRES, of=Counted.DOCUMENTS))
    assert (fires.tally.matched, fires.tally.of) == (4, 6)


def test_a_query_costs_the_same_statements_in_a_larger_base(
    runner: QueryRunner, world: World, kb_id: str, desk: dict[str, str]
) -> None:
    query = RecordQuery(Operation.GROUP, AUGUST, by="place", field="injured", measure=Measure.SUM)

    def cost() -> int:
        with statements(world.database) as said_:
            runner.run(kb_id, query)
        return len(said_)

    before = cost()
    for number in range(20):
        facts = (said("kind", "fire"), at("2024-08-05"), people("injured", number))
        incident_report(world, kb_id, f"{number}.txt", facts)
    assert cost() == before <= 6


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ({"op": Operation.SUM}, "field is missing"),
        ({"op": Operation.GROUP}, "by is missing"),
        ({"op": Operation.TREND, "by": "place"}, "'place'; trend accepts day, week"),
        ({"op": Operation.COMPARE}, "groups has 0 filters; compare accepts 2"),
        ({"op": Operation.COUNT, "limit": 0}, "limit is 0; 1 to 500"),
    ],
)
def test_parts_that_do_not_go_together_are_refused(given: dict[str, object], told: str) -> None:
    with pytest.raises(InvalidRequest, match=told):
        RecordQuery(**given)  # type: ignore[arg-type]


def test_the_latest_is_the_one_whose_day_is_the_last_known(
    runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    query = RecordQuery(Operation.TOP, FIRES, field="time", limit=1)
    result = runner.run(kb_id, query)
    assert [row.document_id for unit in result.units for row in unit.records] == [desk["yard"]]
    assert set(result.tally.lacking) == {desk["undated"]}


def test_people_are_counted_in_the_role_that_they_are_stated_in(
    world: World, runner: QueryRunner, kb_id: str
) -> None:
    def call(name: str, caller: str, officer: str) -> str:
        people = [
            said("person", caller, role="报警人"),
            said("person", officer, role="Handled by"),
            said("kind", "fire"),
        ]
        return incident_report(world, kb_id, name, people)

    first = call("1.txt", "ann", "bo")
    second = call("2.txt", "bo", "bo")
    third = call("3.txt", "bo", "cy")

    def documents(name: str, who: str) -> set[str]:
        query = RecordQuery(Operation.LIST, Filters(fields=(FieldFilter(name, text=who),)))
        return set(runner.run(kb_id, query).counted)

    assert documents("reporter", "bo") == {second, third}
    assert documents("handler", "bo") == {first, second}
    by = runner.run(kb_id, RecordQuery(Operation.GROUP, by="handler"))
    assert {group.label: group.number for group in by.groups} == {"bo": 2, "cy": 1}
    whoever = RecordQuery(Operation.GROUP, by="person")
    assert {g.label: g.number for g in runner.run(kb_id, whoever).groups} == {
        "ann": 1,
        "bo": 3,
        "cy": 1,
    }


def test_words_are_looked_for_in_every_value(
    world: World, runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    owner = incident_report(world, kb_id, "o.txt", [said("organisation", "brick lane foods")])
    place = incident_report(world, kb_id, "p.txt", [said("place", "4 brick lane")])
    query = RecordQuery(Operation.LIST, Filters(text=("brick lane",)))
    assert runner.run(kb_id, query).counted == {owner, place}
    both = RecordQuery(Operation.LIST, Filters(text=("brick lane", "foods")))
    assert runner.run(kb_id, both).counted == {owner}


def test_a_kind_is_narrowed_by_the_words_that_a_record_has_for_it(
    world: World, runner: QueryRunner, kb_id: str
) -> None:
    gas = incident_report(world, kb_id, "g.txt", [said("kind", "Gas leak", text="leak")])
    incident_report(world, kb_id, "w.txt", [said("kind", "Water leak", text="leak")])
    narrower = Filters(kind=("leak",), fields=(FieldFilter("kind", text="gas leak"),))
    assert runner.run(kb_id, RecordQuery(Operation.COUNT, narrower)).counted == {gas}


def test_a_value_that_its_own_paper_corrects_holds_no_more_and_is_told(
    runner: QueryRunner, world: World, kb_id: str
) -> None:
    facts = (
        said("kind", "fire"),
        people("injured", 6, role=REPLACED),
        people("injured", 5, confidence=0.7),
    )
    incident_report(world, kb_id, "n.txt", facts)
    total = runner.run(kb_id, RecordQuery(Operation.SUM, FIRES, field="injured"))
    assert ([n.value for n in total.numbers], total.tally.disputed) == ([5.0], 0)
    changed = runner.run(kb_id, RecordQuery(Operation.CHANGES))
    assert [row[2:] for row in cells(changed)] == [["injured", 6, 5]]
    six = Filters(fields=(FieldFilter("injured", min=6),))
    assert runner.run(kb_id, RecordQuery(Operation.LIST, six)).tally.matched == 0
    (number,) = Facts(world.database).incidents(kb_id).items
    (incident,) = incidents_of(Facts(world.database).of_incidents(kb_id, [number]))
    assert incident.conflicts == {}
    assert incident.surest("injured").fact.number == 5  # type: ignore[union-attr]
    assert len([item for item in incident.facts if item.fact.field == "injured"]) == 2


def test_a_list_is_read_page_by_page_in_time(
    world: World, runner: QueryRunner, kb_id: str, desk: dict[str, str]
) -> None:
    whole = runner.run(kb_id, RecordQuery(Operation.LIST))
    assert whole.next_cursor is None
    seen: list[str] = []
    query = RecordQuery(Operation.LIST, limit=2)
    for number in range(3):
        page = runner.run(kb_id, query)
        assert page.tally.matched == len(whole.units) + (number > 0)
        seen += [unit.records[0].document_id for unit in page.units[:2]]
        if number == 0:  # what comes in meanwhile before what was read shifts nothing
            incident_report(world, kb_id, "old.txt", [said("kind", "fire"), at("2020-01-01")])
        if page.next_cursor is None:
            break
        query = RecordQuery(Operation.LIST, limit=2, cursor=page.next_cursor)
    assert seen == [unit.records[0].document_id for unit in whole.units]


def test_only_lists_have_pages_and_only_cursors_given_out_are_read(
    runner: QueryRunner, kb_id: str
) -> None:
    with pytest.raises(InvalidRequest, match="only list has pages"):
        RecordQuery(Operation.COUNT, cursor="abc")
    with pytest.raises(InvalidRequest, match="cursor"):
        runner.run(kb_id, RecordQuery(Operation.LIST, cursor="abc"))


def test_a_place_is_shown_in_the_area_that_it_lies_in(
    runner: QueryRunner, world: World, kb_id: str
) -> None:
    for number, (words, text) in enumerate(
        (("4号客梯", "金港大厦4号客梯"), ("金港大厦北门", "金港大厦北门"))
    ):
        stated = (said("place", words, text=text), said("kind", "leak"))
        incident_report(world, kb_id, f"lift{number}.txt", stated)
    listed = runner.run(
        kb_id, RecordQuery(Operation.LIST, filters=Filters(place=("金港大厦",)), columns=("place",))
    )
    shown = [value for row in cells(listed) for value in row if "金港" in str(value)]
    assert sorted(map(str, shown)) == ["金港大厦4号客梯", "金港大厦北门"]
