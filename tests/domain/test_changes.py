"""In which passages two texts differ."""

from hypothesis import given
from hypothesis import strategies as st

from kb_service.domain import changes
from kb_service.domain.changes import Change, ChangedPassage, changes_between

TEXTS = st.lists(st.sampled_from(["a\n", " b \n", "c", "\n", "d\r\n"]), max_size=12).map("".join)


def test_a_changed_line_is_told_with_what_it_was() -> None:
    old, new = "Head\n\nThe pump leaked.\nEnd\n", "Head\nThe valve leaked.\nEnd\n"
    assert changes_between(old, new) == (
        Change(
            ChangedPassage(6, 22, "The pump leaked."), ChangedPassage(5, 22, "The valve leaked.")
        ),
    )


def test_lines_that_came_or_went_have_one_side() -> None:
    assert changes_between("a\nb", "a\nx\ny\nb") == (Change(None, ChangedPassage(2, 5, "x\ny")),)
    assert changes_between("a\nb\nc", "a\nc") == (Change(ChangedPassage(2, 3, "b"), None),)


def test_space_around_lines_is_no_change() -> None:
    assert changes_between("a\n\n  b\n", "a \nb") == ()


@given(TEXTS, TEXTS)
def test_what_is_not_told_is_the_same_in_both(old: str, new: str) -> None:
    told = changes_between(old, new)
    for side, text in (("old", old), ("new", new)):
        for passage in (getattr(change, side) for change in told):
            assert passage is None or text[passage.start : passage.end] == passage.text
    assert _rest(old, [change.old for change in told]) == _rest(new, [c.new for c in told])


@given(TEXTS, TEXTS)
def test_a_text_without_bound_is_told_as_one_change(old: str, new: str) -> None:
    usual, changes.MAX_LINES = changes.MAX_LINES, 0
    try:
        told = changes_between(old, new)
    finally:
        changes.MAX_LINES = usual
    assert len(told) <= 1
    assert _rest(old, [change.old for change in told]) == _rest(new, [c.new for c in told])


def _rest(text: str, told: list[ChangedPassage | None]) -> list[str]:
    for passage in reversed(told):
        if passage is not None:
            text = text[: passage.start] + "\n" + text[passage.end :]
    return [line.strip() for line in text.splitlines() if line.strip()]
