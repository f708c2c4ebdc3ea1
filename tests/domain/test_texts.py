"""A stretch of stored text: its words by span, its units cut at the borders."""

import pytest

from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, Unit, UnitKind

SENTENCE, FIELD = UnitKind.SENTENCE, UnitKind.FIELD
TEXT = MarkedText(
    10,
    "One two.  Name: x",
    (Unit(TextSpan(10, 18), SENTENCE), Unit(TextSpan(20, 27), FIELD)),
)


def test_words_are_found_by_their_span_in_the_revision() -> None:
    assert TEXT.words(TextSpan(14, 18)) == "two."
    assert TEXT.span == TextSpan(10, 27)
    with pytest.raises(ValueError, match="span ends at"):
        TEXT.words(TextSpan(20, 28))


def test_a_part_keeps_the_units_that_meet_it() -> None:
    part = TEXT.cut(TextSpan(12, 19))
    assert (part.text, part.units) == ("e two. ", TEXT.units[:1])
    assert TEXT.around(TextSpan(18, 19), 2) == TEXT.cut(TextSpan(16, 21))
    assert TEXT.around(TextSpan(18, 19), 99) == TEXT


def test_a_unit_that_reaches_out_ends_at_the_border_without_white_space() -> None:
    assert list(TEXT.quotable()) == [
        Unit(TextSpan(0, 8), SENTENCE),
        Unit(TextSpan(10, 17), FIELD),
    ]
    assert list(TEXT.cut(TextSpan(13, 26)).quotable()) == [
        Unit(TextSpan(1, 5), SENTENCE),
        Unit(TextSpan(7, 12), FIELD),
    ]
    assert list(TEXT.cut(TextSpan(25, 26)).quotable()) == []


def test_a_field_that_has_lost_its_label_is_a_sentence() -> None:
    assert list(TEXT.cut(TextSpan(25, 27)).quotable()) == [Unit(TextSpan(1, 2), SENTENCE)]


LONG = MarkedText(
    0,
    "Name: x. Then y. And z. End",
    (
        Unit(TextSpan(0, 23), FIELD),
        Unit(TextSpan(0, 8), UnitKind.PART),
        Unit(TextSpan(9, 16), UnitKind.PART),
        Unit(TextSpan(17, 23), UnitKind.PART),
        Unit(TextSpan(24, 27), SENTENCE),
    ),
)


def test_a_long_field_is_one_unit_and_its_sentences_to_who_enters_it_in_the_middle() -> None:
    assert list(LONG.quotable()) == [LONG.units[0], LONG.units[-1]]
    assert list(LONG.cut(TextSpan(0, 20)).quotable()) == [Unit(TextSpan(0, 20), FIELD)]
    entered = LONG.cut(TextSpan(11, 27))
    assert [entered.words(unit.span.shifted(11)) for unit in entered.quotable()] == [
        "en y.",
        "And z.",
        "End",
    ]
    assert {unit.kind for unit in entered.quotable()} == {SENTENCE}


def test_a_passage_grows_over_the_sentences_of_a_long_field() -> None:
    part = LONG.cut(TextSpan(5, 27))
    assert part.steps() == [TextSpan(9, 16), TextSpan(17, 23), TextSpan(24, 27)]
