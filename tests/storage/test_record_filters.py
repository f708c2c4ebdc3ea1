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
