"""Records that state something else, or somebody of a longer name, are not found."""

import pytest

from kb_service.domain.facts import UNKNOWN
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Counted
from kb_service.storage.records.store import RecordStore
from tests.storage.facts_of import incident_report, said
from tests.storage.world import World

PEOPLE = {"a": "闻静", "b": "闻静茹", "c": "鲁大成", "d": "sgt. boone"}
KINDS = {"a": "fire", "b": "theft", "c": "electric_shock", "d": UNKNOWN}


def handled(**asked: object) -> Filters:
    return Filters(fields=(FieldFilter("handler", **asked),))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        (Filters(person=("闻静",)), "a"),
        (Filters(person=("闻静茹",)), "b"),
        (Filters(person=("鲁",)), "c"),
        (Filters(person=("boone",)), "d"),
        (handled(text="闻静"), "a"),
        (handled(any_of=("闻静", "boone")), "ad"),
        (handled(none_of=("闻静",)), "bcd"),
        (handled(none_of=("闻静", "鲁大成")), "bd"),
        (Filters(fields=(FieldFilter("kind", none_of=("fire",)),)), "bc"),
        (Filters(fields=(FieldFilter("kind", any_of=("fire", "theft")),)), "ab"),
    ],
)
def test_filters_find_whom_and_what_they_say(world: World, filters: Filters, names: str) -> None:
    kb_id = world.catalog.bases.create("reports").id
    ids = {
        incident_report(
            world,
            kb_id,
            f"{name}.txt",
            [said("person", who, role="处警人")]
            + ([said("kind", KINDS[name])] if name in KINDS else []),
        ): name
        for name, who in PEOPLE.items()
    }
    found = RecordStore(world.database).select(kb_id, Counted.INCIDENTS, filters, ())
    assert sorted(ids[row.document_id] for row in found.rows) == list(names)


ROSTER = {
    "a": (
        ("person", "王小磊", "报警人"),
        ("person", "李小娜", "负责人"),
        ("organisation", "一中队", ""),
    ),
    "b": (
        ("person", "王小磊", "报警人"),
        ("organisation", "一中队", ""),
        ("organisation", "供电局", ""),
    ),
    "c": (
        ("person", "李小娜", "负责人"),
        ("person", "王小磊", "处警人"),
        ("person", "鲁成", "处警人"),
    ),
}


@pytest.mark.parametrize("of", [Counted.INCIDENTS, Counted.RECORDS])
@pytest.mark.parametrize(
    ("one", "other", "names"),
    [
        (Filters(person=("王小磊",)), Filters(person=("李小娜",)), "ac"),
        (Filters(person=("李小娜",)), Filters(person=("王小磊",)), "ac"),
        (Filters(person=("李小娜",)), Filters(person=("赵四",)), ""),
        (Filters(unit=("一中队",)), Filters(unit=("供电局",)), "b"),
        (handled(text="王小磊"), handled(text="鲁成"), "c"),
        (handled(text="王小磊"), handled(any_of=("李小娜", "赵四")), "c"),
        (
            Filters(fields=(FieldFilter("负责人", text="李小娜"),)),
            Filters(person=("王小磊",)),
            "ac",
        ),
        (handled(any_of=("李小娜",)), handled(none_of=("鲁成",)), "a"),
    ],
)
def test_two_who_are_asked_for_are_two_facts_of_a_record(
    world: World, one: Filters, other: Filters, names: str, of: Counted
) -> None:
    kb_id = world.catalog.bases.create("reports").id
    ids = {
        incident_report(
            world, kb_id, f"{name}.txt", [said(field, who, role=role) for field, who, role in told]
        ): name
        for name, told in ROSTER.items()
    }
    both = one.both(other)
    assert both is not None
    store = RecordStore(world.database)
    fields = ("person", "organisation", "handler")
    found = store.select(kb_id, of, both, fields)
    assert sorted({ids[row.document_id] for row in found.rows}) == list(names)
    page = store.page(kb_id, of, both, fields, 10, None)
    assert page.matched == len(page.units) == len(names)
