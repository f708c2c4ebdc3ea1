"""Numerals are read in both scripts."""

from kb_service.language.numerals import NUMERALS, whole_number


def test_chinese_numerals_are_read() -> None:
    numerals = ("三", "十", "十二", "二十", "三百零五", "一千二百", "二〇二三", "人")
    assert [NUMERALS.in_characters(n) for n in numerals] == [3, 10, 12, 20, 305, 1200, 2023, None]


def test_a_whole_number_is_digits_a_numeral_or_a_word() -> None:
    found = [whole_number(n) for n in ("12", "十二", "twelve", "1.5", "dozens")]
    assert found == [12, 12, 12, None, None]
