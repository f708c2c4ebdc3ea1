"""In which role a question names somebody, and labels state them."""

import pytest

from kb_service.domain.facts import Role
from kb_service.language.roles import NAME, roles_in
from kb_service.language.stated.roles import role_of


@pytest.mark.parametrize(
    ("field", "label", "role"),
    [
        ("person", "报警人", Role.REPORTER),
        ("person", "处警民警", Role.HANDLER),
        ("person", "Sgt.", Role.HANDLER),
        ("person", "Reported by", Role.REPORTER),
        ("person", "司机", None),
        ("person", "", None),
        ("organisation", "处警单位", Role.RESPONDING),
        ("organisation", "Company", Role.AFFECTED),
        ("organisation", "报警人", None),
    ],
)
def test_a_label_says_in_which_role_somebody_is(field: str, label: str, role: Role | None) -> None:
    assert role_of(field, label) is role


@pytest.mark.parametrize(
    ("words", "roles"),
    [
        ("哪些警情是X报的", [Role.REPORTER]),
        ("X一共报了几次警", [Role.REPORTER]),
        ("报警人是X的有几条", [Role.REPORTER]),
        ("由X处理的有几起", [Role.HANDLER]),
        ("X报的警里有几起是X处理的", [Role.REPORTER, Role.HANDLER]),
        ("X告知的事", []),
        ("which calls did X report", [Role.REPORTER]),
        ("calls handled by X", [Role.HANDLER]),
        ("how many of the calls by X did X handle", [Role.REPORTER, Role.HANDLER]),
        ("which calls did X and X handle", [Role.HANDLER, Role.HANDLER]),
        ("incidents at X", []),
    ],
)
def test_words_beside_a_name_give_it_a_role(words: str, roles: list[Role]) -> None:
    text = words.replace("X", NAME * 2)
    found = roles_in(text, {})
    assert [found.named[start] for start in sorted(found.named)] == roles
    assert len(found.words) == len(text) and found.words.count(NAME) == text.count(NAME)


@pytest.mark.parametrize(
    ("words", "asked", "per"),
    [
        ("谁处理的警情最多", Role.HANDLER, False),
        ("按处警人统计", Role.HANDLER, True),
        ("who handled the most calls", Role.HANDLER, False),
        ("calls by unit", Role.RESPONDING, True),
        ("哪家公司事故最多", Role.AFFECTED, False),
        ("谁签发的通知", None, False),
    ],
)
def test_a_question_may_ask_for_those_in_a_role(words: str, asked: Role | None, per: bool) -> None:
    found = roles_in(words, {})
    assert (found.asked, found.per) == (asked, per)
