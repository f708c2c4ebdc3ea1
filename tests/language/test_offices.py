"""The holder of another office is not the one who was asked for."""

import pytest

from kb_service.language.offices import is_of_another_office, names_no_holder
from kb_service.language.text import normalise


@pytest.mark.parametrize(
    ("asked", "told", "is_other"),
    [
        ("Who reviewed PM-212?", "Author: Arjun Mehta", True),
        ("Who wrote PM-212?", "Author: Arjun Mehta", False),
        ("Who approved it?", "Reviewed by: B. Holt. Approved by: C. Lund.", False),
        ("Who is the plant manager?", "Walter Pym, yard foreman, saw it.", True),
        ("Who is the supervisor at dock 4?", "Gwen Tully, shift supervisor", False),
        ("Who is the general manager?", "Deputy general manager: Ana Reyes", True),
        ("Who fell?", "Author: Arjun Mehta", False),
        ("Who is the mayor?", "Lena Ott came at once.", False),
        ("冷库的总经理叫什么？", "审核：安全环保部部长葛文。", True),
        ("调查组的组长是谁？", "调查组组长：安环部长 申屠雁", False),
        ("报告是谁批准的？", "报告人：凌工", True),
        ("厂长让谁检查了阀门？", "班长李明检查了阀门。", False),
        ("院长叫什么", "Dr Milan Petrov, registrar", True),
    ],
)
def test_only_another_office_is_told_apart(asked: str, told: str, *, is_other: bool) -> None:
    assert is_of_another_office(normalise(asked), normalise(told)) is is_other


@pytest.mark.parametrize(
    ("asked", "told", "name", "is_none"),
    [
        ("“海丰九号”的船长叫什么名字？", "问陆某(口门内):登轮时船长说一切正常。", "陆某", True),
        ("“海丰九号”的船长叫什么名字？", "问“东拖15”船长巴某:缆绳用了一年。", "巴某", True),
        ("“东拖15”的船长是谁？", "问“东拖15”船长巴某:缆绳用了一年。", "巴某", False),
        ("船长是谁？", "船长:巴某", "巴某", False),
        ("组长是谁？", "姓名:卫某;职务:组长", "卫某", False),
        ("组长是谁？", "职务:组长;姓名:卫某", "卫某", False),
        ("专案组组长是谁？", "专案组组长:刑侦大队副大队长卫某", "卫某", False),
        ("船长是谁？", "巴某(船长)在驾驶台。", "巴某", False),
        ("船长是谁？", "巴某,2019年起任该轮船长。", "巴某", False),
        ("Who is the site manager?", "Kay Lund, the new site manager", "kay lund", False),
        ("Who is the site manager?", "Kay Lund rang: the site manager was out.", "kay lund", True),
        ("Who is the site manager?", "Kay Lund was out.", "kay lund", False),
        (
            "Who rang the site manager?",
            "Kay Lund rang: the site manager was out.",
            "kay lund",
            False,
        ),
    ],
)
def test_who_only_speaks_of_an_office_does_not_hold_it(
    asked: str, told: str, name: str, *, is_none: bool
) -> None:
    assert names_no_holder(normalise(asked), normalise(told), name) is is_none
