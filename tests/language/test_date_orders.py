"""Dates in digits, in the order that their column or their text settles."""

import pytest

from kb_service.language.asked import parse_question
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.mentions import mentions
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise
from kb_service.language.values import supporting_values


def states(text: str, day: str) -> bool:
    ordered = with_dates_in_order(text)
    assert len(ordered) == len(text)
    return day in supporting_values(ordered)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Date: 03/11/26; Item: a\nDate: 25/11/26; Item: b", "date:2026-11-3"),
        ("Date: 11/03/26; Item: a\nDate: 11/25/26; Item: b", "date:2026-11-3"),
        ("Date: 03/11/2026; Item: a\nDate: 25/11/2026; Item: b", "date:2026-11-3"),
        ("Date: 02/11/26; n: 1\nDate: 03/11/26; n: 1\nDate: 05/11/26; n: 2", "date:2026-11-3"),
        ("Day: 26-11-03; n: 1\nDay: 26-11-30; n: 2", "date:2026-11-3"),
        ("Log of November 2026\nDate: 03/11/2026; n: 1", "date:2026-11-3"),
        ("It rang on 03/11/2026 and on 25/11/2026.", "date:2026-11-3"),
        ("日期: 26-11-03; 事: 甲\n日期: 26-11-05; 事: 乙", "date:2026-11-3"),
        ("日期: 26.11.3; 事: 甲\n日期: 26.11.12; 事: 乙", "date:2026-11-3"),
        ("日期: 26/11/03; 事: 甲", "date:2026-11-3"),
        ("日期: 11/3; 事: 甲\n日期: 11/25; 事: 乙", "date:11-3"),
        ("Date: 3/11; n: 1\nDate: 25/11; n: 2", "date:11-3"),
        ("Opened: 25/11/26; Due date: 12/03/26; n: 1", "date:2026-12-3"),
        ("Date (dd/mm/yyyy): 03/11/2026", "date:2026-11-3"),
        ("Date (MM/DD/YYYY): 11/03/2026", "date:2026-11-3"),
        ("When: 3.11.26 14:20", "date:2026-11-3"),
        ("日期: 11.3 星期二; 事: 甲\n日期: 11.25 星期三; 事: 乙", "date:11-3"),
        ("日期: 周二 11/3; 事: 甲", "date:11-3"),
        ("日期: 11-3（二）; 事: 甲", "date:11-3"),
        ("Date: Tue 3/11; n: 1\nDate: Wed 25/11; n: 2", "date:11-3"),
        ("Date: 3.11. (Tue); n: 1\nDate: 25.11. (Wed); n: 2", "date:11-3"),
    ],
)
def test_a_column_settles_the_order_of_its_dates(text: str, day: str) -> None:
    assert states(text, day)


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("Share: 1/3; n: 2", "date:1-3"),
        ("Share: Sun 1/3; n: 2", "date:1-3"),
        ("See part 4.2.10 and host 10.0.0.12.", "date:2010-2-4"),
        ("Date: 03/11/26; n: 1\nDate: 25/11/26; n: 2", "date:2026-3-11"),
        ("日期: 26-11-03; 事: 甲", "date:2003-11-26"),
        ("编号: 12-34-56; 事: 甲", "date:2012-34-56"),
    ],
)
def test_what_is_no_date_or_another_is_not_read(text: str, day: str) -> None:
    assert not states(text, day)


@pytest.mark.parametrize(
    ("question", "text", "other"),
    [
        ("What happened on 03/11/26?", "3 November 2026", "4 November 2026"),
        ("26-11-03发生了什么？", "2026年11月3日", "2026年11月4日"),
        ("What broke on 3-Nov-26?", "Date: 03-Nov-26", "Date: 04-Nov-26"),
    ],
)
def test_a_question_names_a_day_in_any_order(question: str, text: str, other: str) -> None:
    (subject,) = subjects_in(parse_question(question))
    assert mentions(normalise(text), subject)
    assert not mentions(normalise(other), subject)
