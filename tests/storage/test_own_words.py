"""What a base calls its own fields and values, read from its records and asked of them."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from kb_service.domain.facts import Fact, FactMethod
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Counted
from kb_service.domain.spans import TextSpan
from kb_service.storage.database import Database
from kb_service.storage.facts.store import Facts
from kb_service.storage.records.store import RecordStore
from kb_service.storage.records.words import MAX_CATEGORIES
from tests.storage.facts_of import incident_report, people, said
from tests.storage.world import World

BILLS = {"a": "paid", "b": "unpaid", "c": "paid late", "d": "p1", "e": "p10"}


def bills(**asked: object) -> Filters:
    return Filters(fields=(FieldFilter("bill", **asked),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (bills(text="paid"), "a"),
        (bills(text="p1"), "d"),
        (bills(text="late"), "c"),
        (bills(any_of=("paid", "p1")), "ad"),
        (bills(none_of=("paid",)), "bcde"),
        (bills(none_of=("unpaid", "p1")), "ace"),
    ],
)
def test_a_value_that_is_stated_whole_is_no_part_of_another(
    world: World, filters: Filters, names: str
) -> None:
    kb_id = world.catalog.bases.create("bills").id
    ids = {
        incident_report(world, kb_id, f"{name}.txt", [said("bill", bill)]): name
        for name, bill in BILLS.items()
    }
    store = RecordStore(world.database)
    found = store.select(kb_id, Counted.INCIDENTS, filters, ("bill",))
    assert sorted(ids[row.document_id] for row in found.rows) == list(names)


def test_people_are_asked_for_under_a_label_that_means_no_role(world: World) -> None:
    kb_id = world.catalog.bases.create("claims").id
    drivers = {"a": ("gary", "driver"), "b": ("gary", "witness"), "c": ("ines", "driver")}
    ids = {
        incident_report(world, kb_id, f"{name}.txt", [said("person", who, role=role)]): name
        for name, (who, role) in drivers.items()
    }
    # Where nobody is read as a person the same label is a column.
    ids[incident_report(world, kb_id, "d.txt", [said("driver", "gary")])] = "d"
    store = RecordStore(world.database)
    asked = Filters(fields=(FieldFilter("driver", text="gary"),))
    found = store.select(kb_id, Counted.INCIDENTS, asked, ("driver",))
    assert sorted(ids[row.document_id] for row in found.rows) == ["a", "d"]
    assert {(value.field, value.text) for value in found.values} == {("driver", "gary")}
    assert store.people(kb_id) == {"driver", "witness"}


def test_labels_are_read_before_the_values_of_forms_and_columns(world: World) -> None:
    kb_id = world.catalog.bases.create("forms").id
    text = "Amount claimed: £120\nIt said: injured 3"
    revision = world.ingest(kb_id, "a.txt", [text])
    loss = said("loss", "£120", number=120.0, method=FactMethod.FORM)
    hurt = said("injured", "3", number=3.0, method=FactMethod.SENTENCE)
    Facts(world.database).put(revision.id, [placed(text, loss), placed(text, hurt)])
    store = RecordStore(world.database)
    assert store.labels(kb_id, ("loss", "injured", "dead")) == {"Amount claimed": "loss"}
    assert store.numeric(kb_id, ("loss", "injured", "dead")) == {"loss", "injured"}


def test_a_field_of_many_values_has_no_sorts(world: World) -> None:
    kb_id = world.catalog.bases.create("many").id
    rows = [said("note", f"note {n}", n) for n in range(1, MAX_CATEGORIES + 2)]
    rows += [said("state", ("open", "closed")[n % 2], n) for n in range(1, 60)]
    incident_report(world, kb_id, "a.txt", rows)
    found = RecordStore(world.database).categories(kb_id, ("note", "state", "ward"))
    assert found == {"state": ("closed", "open"), "ward": ()}


@pytest.mark.parametrize(
    "look",
    [
        lambda store, kb_id: store.categories(kb_id, ("state", "note", "minutes")),
        lambda store, kb_id: store.numeric(kb_id, ("state", "note", "minutes")),
        lambda store, kb_id: store.labels(kb_id, ("injured",)),
        lambda store, kb_id: store.people(kb_id),
        lambda store, kb_id: store.fields(kb_id),
    ],
    ids=["categories", "numeric", "labels", "people", "fields"],
)
def test_a_look_costs_no_more_in_a_larger_base(
    world: World, look: Callable[[RecordStore, str], object]
) -> None:
    steps: list[int] = []
    for size in (100, 4000):
        kb_id = world.catalog.bases.create(f"{size} rows").id
        revision = world.ingest(kb_id, "a.txt", ["rows"])
        Facts(world.database).put(revision.id, [one for n in range(size) for one in row(n + 1)])
        with counted_steps(world.database) as spent:
            look(RecordStore(world.database), kb_id)
        steps.append(len(spent))
    assert steps[1] <= 1.3 * steps[0] + 5


def placed(text: str, fact: Fact) -> Fact:
    start = text.index(fact.value)
    return replace(fact, span=TextSpan(start, start + len(fact.value)))


def row(number: int) -> list[Fact]:
    return [
        said("state", ("open", "closed")[number % 2], number),
        said("note", f"note {number}", number),
        people("injured", number % 7, number),
        people("minutes", number, number),
        said("person", f"somebody {number % 50}", number, role=("driver", "witness")[number % 2]),
    ]


@contextmanager
def counted_steps(database: Database) -> Iterator[list[int]]:
    """Count tens of steps of SQLite's machine."""
    if database.engine.dialect.name != "sqlite":
        pytest.skip("counts steps of SQLite")
    spent: list[int] = []

    def step() -> int:
        spent.append(1)
        return 0

    def listen(connection: Any, *_: object) -> None:  # noqa: ANN401  a driver's connection
        connection.set_progress_handler(step, 10)

    def deafen(connection: Any, *_: object) -> None:  # noqa: ANN401
        connection.set_progress_handler(None, 10)

    event.listen(database.engine, "checkout", listen)
    event.listen(database.engine, "checkin", deafen)
    yield spent
    event.remove(database.engine, "checkout", listen)
    event.remove(database.engine, "checkin", deafen)


def test_a_kind_that_only_the_title_of_a_ledger_tells_is_none_of_its_rows(world: World) -> None:
    kb_id = world.catalog.bases.create("shifts").id
    title, row = said("kind", "outage"), replace(said("shift", "night"), record=1)
    incident_report(world, kb_id, "log.txt", [title, row])
    store = RecordStore(world.database)
    assert not store.states_kind(kb_id, "outage")
    incident_report(world, kb_id, "report.txt", [title])
    assert store.states_kind(kb_id, "outage") and not store.states_kind(kb_id, "fire")


def test_days_are_of_a_base_where_a_record_begins_in_them(world: World) -> None:
    kb_id = world.catalog.bases.create("times").id
    begins = datetime(2025, 3, 31, 23, 59)  # noqa: DTZ001  local time
    late = replace(
        said("time", "31 March"), time_from=begins, time_to=begins + timedelta(minutes=1)
    )
    incident_report(world, kb_id, "a.txt", [late])
    store = RecordStore(world.database)
    assert store.is_dated(kb_id, date(2025, 3, 1), date(2025, 3, 31))
    assert not store.is_dated(kb_id, date(2025, 4, 1), date(2025, 4, 30))
    assert not store.is_dated(kb_id, date(2024, 3, 1), date(2025, 3, 30))
