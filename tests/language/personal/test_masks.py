"""A masked text is as long as its original, and hides every name wherever it stands again."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.masking import MASK, Masking, PersonalKind, PersonRole
from kb_service.language.personal.known import NO_NAMES, KnownNames, names_again
from kb_service.language.personal.masks import (
    masked,
    names_of,
    personal_spans,
)

ALL = Masking(frozenset(PersonalKind), frozenset(PersonRole))
PIECES = (
    *("报警人张伟，", "张 伟", "电话13812345678", "138 1234\n5678", "11010519491231002X。", " "),
    *("\n", "受害人", "The victim, John Smith, ", "Smith", "京A12345", "a@b.example", "：", "李强"),
    *(
        "6222021001116245702",
        "+44 20 7946 0958",
        "，",
        "x",
        "７",
        "\u200b",
        "事故编号20240817",
        "\t",
    ),
)


def hidden(text: str, masking: Masking = ALL) -> str:
    return masked(text, personal_spans(text, masking, names_of(text, masking)))


@settings(deadline=None)
@given(st.lists(st.sampled_from(PIECES), max_size=12).map("".join))
def test_lengths_hold_and_nothing_but_masks_is_new(text: str) -> None:
    spans = personal_spans(text, ALL, names_of(text, ALL))
    whole = masked(text, spans)
    assert len(whole) == len(text)
    assert all(a in (b, MASK) for a, b in zip(whole, text, strict=True))


@settings(deadline=None)
@given(st.text(max_size=80))
def test_any_text_keeps_its_length(text: str) -> None:
    assert len(hidden(text)) == len(text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("电话13812345678", "电话138****5678"),
        ("电话：8765432", "电话：8******"),
        ("身份证11010519491231002X", "身份证110***************"),
        ("卡号6222 0210 0111 6245 702", "卡号**** **** **** ***5 702"),
        ("车牌京A12345", "车牌京A*****"),
        ("邮箱zhang.wei@example.com", "邮箱z********@example.com"),
        ("受害人欧阳建国", "受害人欧***"),
        ("The victim, John Smith, died", "The victim, J*** S****, died"),
    ],
)
def test_what_stays_readable_of_each_kind(text: str, shown: str) -> None:
    assert hidden(text) == shown


def test_a_name_is_hidden_everywhere_in_its_text() -> None:
    text = (
        "受害人王丽受伤。王丽称，王 丽的丈夫在场。THE VICTIM, Ann Cole, fell. Cole left. ann cole"
    )
    shown = hidden(text)
    assert "丽" not in shown
    assert "ole" not in shown.replace("the", "")
    assert hidden("王丽称看见火光。") == "王丽称看见火光。"
    assert hidden("Victim: Ann Cole. Cole's bag.") == "Victim: A** C***. C***'s bag."


def test_a_word_of_a_name_within_another_name_stays() -> None:
    known = KnownNames.of(["Ann Brown"])
    text = "Brown lives in Brown Street; brown smoke."
    assert [span.of(text) for span in names_again(text, known)] == ["Brown"]
    assert names_again(text, NO_NAMES) == []


def test_only_the_roles_that_are_wanted_are_hidden() -> None:
    text = "报警人张伟，民警刘洋到场。"
    masking = Masking(roles=frozenset({PersonRole.REPORTER}))
    assert hidden(text, masking) == "报警人张*，民警刘洋到场。"
    assert hidden(text, Masking()) == text


def test_masking_again_hides_no_more() -> None:
    text = "报警人张伟，电话13812345678，6222021001116245702，a.b@example.com，京A12345"
    assert hidden(hidden(text)) == hidden(text)
