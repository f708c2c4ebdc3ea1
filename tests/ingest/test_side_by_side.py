"""Two tables beside each other are two tables; a gap inside of one is none."""

import pytest

from ingest.side_by_side import tables_beside
from ingest.tables import row_texts

FUEL = [["Tank", "Litres", "Dip"], ["T1", "4200", "88"], ["T2", "1150", "23"]]
PARTS = [["Part", "Stock"], ["hose", "6"], ["motor", "2"], ["belt", "14"]]


def beside(left: list[list[str]], right: list[list[str]]) -> list[list[str]]:
    width = len(left[0])
    longer = max(len(left), len(right))
    return [
        [*(left[n] if n < len(left) else [""] * width), "", *(right[n] if n < len(right) else [])]
        for n in range(longer)
    ]


def test_tables_beside_each_other_are_told_one_after_the_other() -> None:
    rows = [["Stores of the depot"], *beside(FUEL, PARTS)]
    assert list(row_texts(rows)) == [
        "Stores of the depot",
        "Tank; Litres; Dip",
        "Tank: T1; Litres: 4200; Dip: 88",
        "Tank: T2; Litres: 1150; Dip: 23",
        "Part; Stock",
        "Part: hose; Stock: 6",
        "Part: motor; Stock: 2",
        "Part: belt; Stock: 14",
    ]


def test_tables_of_one_length_are_told_by_their_titles() -> None:
    titled = beside([["Fuel", "", ""], *FUEL], [["Spares", ""], *PARTS[:3]])
    assert [table[0][0] for table in tables_beside(titled)] == ["Fuel", "Spares"]
    assert len(tables_beside(beside(FUEL, PARTS[:3]))) == 1


@pytest.mark.parametrize(
    "right",
    [
        [["Level"], ["1"], ["2"], ["3"]],
        [["Level", "Flow"], ["1", "2"], ["3", "4"], ["5", "6"]],
        [["State", "By"], ["runs", "Li"], ["runs", "Wu"], ["runs", "Li"]],
    ],
)
def test_a_group_of_columns_behind_a_gap_belongs_to_the_table(right: list[list[str]]) -> None:
    assert len(tables_beside(beside(FUEL, right))) == 1
