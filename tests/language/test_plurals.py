"""Words stand in the number of what they speak of."""

import pytest

from kb_service.language.plurals import filled, num_of
from kb_service.language.report_words import report_text
from kb_service.language.tables import said


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 files are"), (1, "1 file is"), (2, "2 files are"), (1.0, "1.0 file is")],
)
def test_a_word_is_chosen_by_a_number(number: float, expected: str) -> None:
    assert filled("{n} {n:file is|files are}", n=number) == expected


def test_other_formats_stay_what_they_are() -> None:
    assert filled("{a:>4} {b:.1f} {c}", a="x", b=1.25, c="{d}") == "   x 1.2 {d}"
    with pytest.raises(KeyError):
        filled("{a}")


def test_numbers_of_things_are_said_with_their_word() -> None:
    assert [num_of(n, "row") for n in (0, 1, 2)] == ["0 rows", "1 row", "2 rows"]
    assert [num_of(n, "entry", "entries") for n in (1, 2)] == ["1 entry", "2 entries"]


def test_what_stands_behind_a_count_is_said_in_its_number() -> None:
    said_of = [
        said("stands", "en", documents=n, of=n, unit="incident" if n == 1 else "incidents")
        for n in (1, 2)
    ]
    assert said_of == [
        "From 1 document, out of 1 incident.",
        "From 2 documents, out of 2 incidents.",
    ]
    lacking = [said("lacking", "en", number=n, fields="time", names="a") for n in (1, 2)]
    assert lacking == [
        "1 document does not state the time and is not counted: a.",
        "2 documents do not state the time and are not counted: a.",
    ]
    assert said("unclear", "en", number=1, unit="incident").startswith("1 incident states it")
    told = {"matched": 1, "of": 2, "documents": 1, "lacking": 1}
    assert report_text("counted_lacking", "en", **told) == (
        "1 of 2, from 1 document; 1 more does not state what was asked for."
    )
