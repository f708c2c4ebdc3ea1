"""Numbers as their cells show them."""

import math
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.number_formats import BUILT_IN, general, shown


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (42, "000000", "000042"), (12345.5, '"¥"#,##0.00', "¥12,345.50"),
        (12345.5, "[$¥-804]#,##0.00", "¥12,345.50"), (12345.5, "#,##0.00 [$€-407]", "12,345.50 €"),
        (-12.345, "0.00", "-12.35"), (1.005, "0.00", "1.01"), (0.5, "#.##", ".5"),
        (0, "#", ""), (1234567, "#,##0", "1,234,567"), (1234567, '#,##0,"K"', "1,235K"),
        (13800138000, "000-0000-0000", "138-0013-8000"), (12.5, '0.00"kg"', "12.50kg"),
        (1 / 3, "0.0%", "33.3%"), (0.25, "0%", "25%"), (1e20, "0", "100000000000000000000"),
        (0.000123, "0.00E+00", "1.23E-04"), (123456, "##0.0E+0", "1.2E+5"), (5, "@", "5"),
        (-5, "0;(0)", "(5)"), (0, '0;-0;"none"', "none"), (5, '"exactly "0', "exactly 5"),
        (150, '[>100]"high";"low"', "high"), (50, '[>100]"high";"low"', "low"),
        (5, "[Red]0.0", "5.0"), (5, "_(0_)", "5"), (5, ";;;", "5"), (1.5, "# ?/?", "1.5"),
        (7, 'General" days"', "7 days"),
    ],
)  # fmt: skip
def test_a_number_is_shown_by_its_format(value: float, code: str, words: str) -> None:
    assert shown(value, code) == words


@pytest.mark.parametrize(
    ("value", "code", "words"),
    [
        (45521, "yyyy-mm-dd", "2024-08-17"), (45521, "yyyy/m/d", "2024/8/17"),
        (45521.5, 'yyyy"年"m"月"d"日" h:mm', "2024年8月17日 12:00"),
        (45521.75, "h:mm AM/PM", "6:00 PM"),
        (45521.75, '上午/下午h"时"mm"分"', "下午6时00分"), (0.25, "上午/下午h:mm", "上午6:00"),
        (45521.75, "hh:mm:ss", "18:00:00"),
        (1.0868055555, "[h]:mm", "26:05"), (0.0625, "[mm]:ss", "90:00"), (0.5, "[s]", "43200"),
        (5.5 / 1440, "mm:ss", "05:30"), (5.505 / 1440, "mm:ss.0", "05:30.3"),
        (45521, "mmm d, yyyy", "Aug 17, 2024"), (45521, "mmmm", "August"),
        (45521, "dddd", "Saturday"), (45521, "d-mmm-yy", "17-Aug-24"),
        (1, "yyyy-mm-dd", "1900-01-01"), (60, "yyyy-mm-dd", "1900-02-28"),
        (61, "yyyy-mm-dd", "1900-03-01"),
        (0.999999999, "h:mm:ss", "0:00:00"), (-1, "yyyy-mm-dd", "-1"), (1e9, "yyyy", "1000000000"),
    ],
)  # fmt: skip
def test_a_date_or_time_is_shown_by_its_format(value: float, code: str, words: str) -> None:
    assert shown(value, code) == words


def test_the_epoch_of_the_workbook_counts() -> None:
    assert shown(44059, "yyyy-mm-dd", from_1904=True) == "2024-08-17"


@pytest.mark.parametrize("value", [1.000000062271131e28, -1e300])
def test_a_number_of_many_digits_is_shown_whole(value: float) -> None:
    assert shown(value, "0") == f"{Decimal(repr(value)):f}"


@given(st.floats(allow_nan=False, allow_infinity=False, width=32), st.sampled_from([*BUILT_IN]))
def test_every_built_in_format_shows_every_number(value: float, number: int) -> None:
    assert shown(value, BUILT_IN[number])


@given(st.floats(min_value=-1e12, max_value=1e12), st.text(max_size=12))
def test_no_format_code_fails(value: float, code: str) -> None:
    assert isinstance(shown(value, code), str)


@given(st.floats(min_value=-1e14, max_value=1e14))
def test_a_general_number_keeps_fifteen_digits(value: float) -> None:
    assert math.isclose(float(general(value)), value, rel_tol=1e-14, abs_tol=1e-300)
