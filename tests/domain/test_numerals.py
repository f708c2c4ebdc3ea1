"""Numerals are read in both scripts."""

from kb_service.domain.numerals import cjk_number, whole_number


def test_chinese_numerals_are_read() -> None:
    numerals = ("三", "十", "十二", "二十", "三百零五", "一千二百", "二〇二三", "人")
    assert [cjk_number(n) for n in numerals] == [3, 10, 12, 20, 305, 1200, 2023, None]


def test_a_whole_number_is_digits_or_a_numeral() -> None:
    assert [whole_number(n) for n in ("12", "十二", "1.5", "twelve")] == [12, 12, None, None]
