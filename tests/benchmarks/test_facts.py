"""The made-up reports whose facts are measured hold what their truth says."""

import tomllib

import pytest

from benchmarks.facts import SHAPES, drawing, made_record, reads_of, texts_of

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
