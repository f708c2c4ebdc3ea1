"""Made-up documents on a few incidents are linked as they were made."""

from itertools import combinations

from benchmarks.facts import drawing
from benchmarks.incidents import documents, linked
from benchmarks.made_up_base import made_up_base


def test_documents_on_one_incident_are_linked_and_others_are_not() -> None:
    made = list(documents(drawing(1), 3))
    with made_up_base() as base:
        found = linked(base, [text for _, text in made])
    pairs = list(combinations(zip((of for of, _ in made), found, strict=True), 2))
    assert any(one[0] == other[0] for one, other in pairs)
    for one, other in pairs:
        assert (one[0] == other[0]) == (one[1] is not None and one[1] == other[1])
