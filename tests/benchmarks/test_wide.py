"""The papers of many users are made anew by seed, and most of what they state is read."""

import tomllib

import pytest

from benchmarks.facts import reads_of
from benchmarks.wide import DEVELOPED, HELD, is_of_several, papers

CONTENT, HELD_CONTENT = (
    tomllib.loads(path.read_text(encoding="utf-8")) for path in (DEVELOPED, HELD)
)


@pytest.mark.parametrize("shape", CONTENT["shape"], ids=lambda shape: shape["name"])
def test_most_fields_of_each_developed_shape_are_read(shape: dict) -> None:  # type: ignore[type-arg]
    reads = [
        read
        for text, held in papers(shape, CONTENT, 1, 24)
        for read in reads_of(text, held, is_ledger=is_of_several(shape))
        if read.expected
    ]
    assert sum(read.expected == read.found for read in reads) >= 0.7 * len(reads)


def test_the_same_seed_makes_the_same_papers() -> None:
    for shape in (CONTENT["shape"][0], HELD_CONTENT["shape"][0]):
        content = CONTENT if shape in CONTENT["shape"] else HELD_CONTENT
        one, other = (list(papers(shape, content, 3, 12)) for _ in range(2))
        assert one == other


def test_labels_of_held_papers_are_no_labels_of_developed_ones() -> None:
    for language in ("zh", "en"):
        for field, labels in HELD_CONTENT["labels"][language].items():
            assert not set(labels) & set(CONTENT["labels"][language][field])
