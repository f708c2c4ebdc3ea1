"""Stop strings end a text at the first of them, however the text was cut."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm.chats.stop_strings import StopStrings


def run(pieces: list[str], stops: list[str]) -> tuple[str, bool]:
    machine = StopStrings(stops)
    text = "".join([machine.feed(piece) for piece in pieces])
    return text + machine.flush(), machine.is_found


@pytest.mark.parametrize(
    ("pieces", "stops", "expected"),
    [
        (["Hello", " world"], [], ("Hello world", False)),
        (["a\n", "\nb"], ["\n\n"], ("a", True)),
        (["a\n", "b"], ["\n\n"], ("a\nb", False)),
        (["one END two"], ["END", "one"], ("", True)),
        (["aab"], ["ab"], ("a", True)),
        (["aba"], ["b", "aba"], ("a", True)),
        (["ab", "a"], ["b", "aba"], ("a", True)),
        (["xab"], ["b", "ab"], ("x", True)),
        (["答", "案。完", "毕"], ["完毕"], ("答案。", True)),
    ],
)
def test_the_text_ends_in_front_of_the_first_stop_string(
    pieces: list[str], stops: list[str], expected: tuple[str, bool]
) -> None:
    assert run(pieces, stops) == expected


def test_what_cannot_become_a_stop_string_is_not_held_back() -> None:
    machine = StopStrings(["END"])
    assert machine.feed("the E") == "the "
    assert machine.feed("Nx") == "ENx"


@given(
    st.lists(st.text("ab", max_size=4), max_size=12),
    st.lists(st.text("ab", min_size=1, max_size=3), max_size=3),
)
def test_the_cut_depends_on_the_whole_text_only(pieces: list[str], stops: list[str]) -> None:
    whole = "".join(pieces)
    found = [(whole.find(stop) + len(stop), whole.find(stop)) for stop in stops if stop in whole]
    expected = whole[: min(found)[1]] if found else whole
    assert run(pieces, stops) == (expected, bool(found))
