"""The made-up reports whose facts are measured hold what their truth says."""

import tomllib

import pytest

from benchmarks.facts import (
    FRESH_SHAPES,
    SHAPES,
    drawing,
    is_of_several,
    made_record,
    made_records,
    reads_of,
    shapes_in,
    texts_of,
)

CONTENT = tomllib.loads(SHAPES.read_text(encoding="utf-8"))


@pytest.mark.parametrize("shape", CONTENT["shape"], ids=lambda shape: shape["name"])
def test_most_fields_of_each_shape_are_read(shape: dict) -> None:  # type: ignore[type-arg]
    draw = drawing(1)
    records = [made_record(draw, shape, CONTENT["values"][shape["language"]]) for _ in range(20)]
    texts = list(texts_of(shape, records))
    assert sum(len(held) for _, held in texts) == len(records)
    reads = [
        read
        for text, held in texts
        for read in reads_of(text, held, is_ledger=bool(shape.get("ledger")))
    ]
    right = [read for read in reads if read.expected == read.found]
    assert len(right) >= 0.6 * len(reads)
    if shape["developed"]:
        assert right == reads


def test_the_same_seed_draws_the_same_records() -> None:
    shape = CONTENT["shape"][0]
    values = CONTENT["values"][shape["language"]]
    assert made_record(drawing(7), shape, values) == made_record(drawing(7), shape, values)


@pytest.mark.parametrize("shape", shapes_in(FRESH_SHAPES)["shape"], ids=lambda shape: shape["name"])
def test_shapes_of_other_hands_tell_all_records(shape: dict) -> None:  # type: ignore[type-arg]
    values = shapes_in(FRESH_SHAPES)["values"][shape["language"]]
    records = made_records(drawing(1), shape, values, 12)
    texts = list(texts_of(shape, records))
    assert [made for _, held in texts for made in held] == records
    for text, held in texts:
        assert all(made.written["place"] in text for made in held)
        reads = list(reads_of(text, held, is_ledger=is_of_several(shape)))
        assert sum(bool(read.expected) for read in reads) == sum(len(made.truth) for made in held)


def test_a_correction_states_the_true_number_and_the_one_before() -> None:
    content = shapes_in(FRESH_SHAPES)
    shape = next(one for one in content["shape"] if "corrected" in one)
    records = made_records(drawing(1), shape, content["values"][shape["language"]], 30)
    corrected = [made for made in records if made.written["correction"]]
    assert corrected
    assert all(made.truth["injured"] in made.written["correction"] for made in corrected)
