"""The holder of another office is not the one who was asked for."""

import pytest

from kb_service.language.offices import is_of_another_office
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
