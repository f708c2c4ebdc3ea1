"""Tables are read as their values stand: names over columns, beside rows, or in pairs."""

from ingest.orientation import has_names_beside, has_pairs
from ingest.tables import row_texts

BESIDE = [
    ["Ref", "A-1", "A-2", "A-3"],
    ["Happened", "2024-05-03 08:10", "2024-05-04 09:00", "2024-06-01 22:05"],
    ["Whereabouts", "Pier 4", "Dock 9", "the yard"],
    ["Hurt", "2", "none", "1"],
]
PAIRS = [
    ["Ref", "A-1", "Happened", "2024-05-03 08:10"],
    ["Whereabouts", "Pier 4", "Hurt", "2"],
    ["Ring", "555-0142", "Weather", ""],
]


def test_a_column_is_a_record_where_names_stand_beside_the_rows() -> None:
    assert has_names_beside(BESIDE)
    assert list(row_texts([["Overview"], *BESIDE])) == [
        "Overview",
        "Ref; Happened; Whereabouts; Hurt",
        "Ref: A-1; Happened: 2024-05-03 08:10; Whereabouts: Pier 4; Hurt: 2",
        "Ref: A-2; Happened: 2024-05-04 09:00; Whereabouts: Dock 9; Hurt: none",
        "Ref: A-3; Happened: 2024-06-01 22:05; Whereabouts: the yard; Hurt: 1",
    ]


def test_the_same_with_names_over_the_columns_is_read_as_it_stands() -> None:
    upright = [list(column) for column in zip(*BESIDE, strict=True)]
    assert not has_names_beside(upright)
    assert list(row_texts(upright))[1:] == list(row_texts(BESIDE))[1:]


def test_numbers_by_years_are_no_records() -> None:
    table = [["", "2021", "2022"], ["Fires", "3", "4"], ["Thefts", "1", "2"], ["Leaks", "0", "5"]]
    assert not has_names_beside(table)


def test_pairs_of_several_sorts_are_a_form_whatever_they_are_called() -> None:
    assert has_pairs(PAIRS)
    assert list(row_texts(PAIRS)) == [
        "Ref: A-1; Happened: 2024-05-03 08:10",
        "Whereabouts: Pier 4; Hurt: 2",
        "Ring: 555-0142; Weather:",
    ]


def test_names_with_phones_are_a_table() -> None:
    rows = [["Name", "Ring"], ["Ann", "555-0142"], ["Bo", "555-0143"], ["Cy", "555-0144"]]
    assert not has_pairs(rows)
    assert list(row_texts(rows))[1] == "Name: Ann; Ring: 555-0142"
