"""Which windows of the passages are read, and that none reaches past its length."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from kb_service.domain.spans import TextSpan
from kb_service.generation.windows import choose_windows, windows_of
from kb_service.language.asked import parse_question
from tests.generation.passages import passage

SENTENCES = [f"Sentence number {n} tells of pump {n}." for n in range(40)]
LONG = passage(" ".join(SENTENCES))


def test_every_word_of_a_passage_lies_in_a_window_that_is_short_enough() -> None:
    windows = list(windows_of(LONG, len, 200))
    assert all(len(window.text) <= 200 for window in windows)
    assert all(any(sentence in window.text for window in windows) for sentence in SENTENCES)


@given(st.text(alphabet="ab. \n", min_size=1, max_size=300), st.integers(3, 40))
def test_no_window_is_too_long_and_no_character_is_lost(text: str, size: int) -> None:
    of = passage(text)
    windows = list(windows_of(of, num_letters, size))
    covered = {i for w in windows for i in range(w.span.start, w.span.end)}
    assert {i for i, c in enumerate(text) if not c.isspace()} <= covered
    assert all(num_letters(window.text) <= size for window in windows)


def num_letters(text: str) -> int:
    return sum(not character.isspace() for character in text)


def test_the_window_that_shares_words_with_the_question_is_read_first() -> None:
    chosen = choose_windows(parse_question("31"), {}, [LONG], len, max_tokens=200, max_windows=2)
    assert "number 31" in chosen[0].text


def test_each_of_the_first_passages_is_read_before_a_second_window_of_any() -> None:
    others = [passage(LONG.text, number=n, document=f"doc_{n}") for n in (2, 3)]
    chosen = choose_windows(
        parse_question("pump"), {}, [LONG, *others], len, max_tokens=300, max_windows=6
    )
    assert [window.passage.number for window in chosen[:3]] == [1, 2, 3]
    assert len(chosen) == 6


def found(*sentences: int) -> tuple[TextSpan, ...]:
    starts = (LONG.text.index(SENTENCES[n]) for n in sentences)
    return tuple(TextSpan(start, start + 30) for start in starts)


def test_across_languages_the_window_that_was_found_is_read_first() -> None:
    across = parse_question("泵为何停了")
    passages = [replace(LONG, found=found(31, 4))]
    chosen = choose_windows(across, {}, passages, len, max_tokens=200, max_windows=3)
    assert "number 31" in chosen[0].text
    assert any("number 4 " in window.text for window in chosen)


def test_in_one_language_what_was_found_is_no_reason() -> None:
    passages = [replace(LONG, found=found(31))]
    asked = parse_question("number 7")
    chosen = choose_windows(asked, {}, passages, len, max_tokens=200, max_windows=1)
    assert "number 7 " in chosen[0].text


def test_across_languages_every_passage_is_read_where_it_was_found() -> None:
    across = parse_question("泵为何停了")
    passages = [
        replace(passage(LONG.text, number=n, document=f"doc_{n}"), found=found(12 + n))
        for n in range(1, 7)
    ]
    chosen = choose_windows(across, {}, passages, len, max_tokens=200, max_windows=8)
    for of in passages:
        first = next(window for window in chosen if window.passage is of)
        assert f"number {12 + of.number}" in first.text
