"""Text without ends of sentences is cut at its marks, as LangChain cuts it; nothing is lost."""

from hypothesis import given, settings
from hypothesis import strategies as st
from langchain_text_splitters import RecursiveCharacterTextSplitter

from ingest.overlong import pieces

MARKS = ["\n", "；", ",", " "]
LIMIT = 12


def num_characters(text: str) -> int:
    """Weighs every character, spaces too."""
    return len(text)


def num_inked(text: str) -> int:
    """Weighs no space."""
    return len(text.replace(" ", ""))


WORDS = st.lists(st.sampled_from(["a", "bc", "word", "泵", "x" * 15, *MARKS]), max_size=60)


@given(words=WORDS)
@settings(max_examples=200, deadline=None)
def test_the_cuts_are_those_of_langchains_recursive_splitter(words: list[str]) -> None:
    text = "".join(words)
    theirs = RecursiveCharacterTextSplitter(
        separators=[*MARKS, ""],
        keep_separator="end",
        strip_whitespace=False,
        chunk_size=LIMIT,
        chunk_overlap=0,
        length_function=num_characters,
    )
    assert pieces(text, MARKS, num_characters, LIMIT) == theirs.split_text(text)


@given(words=WORDS)
@settings(max_examples=200, deadline=None)
def test_the_pieces_are_the_text_and_none_is_too_heavy(words: list[str]) -> None:
    text = "".join(words)
    found = pieces(text, MARKS, num_inked, LIMIT)
    assert "".join(found) == text
    assert all(num_inked(piece) <= LIMIT for piece in found)


def test_a_long_line_with_two_spaces_between_its_words_is_cut_between_words() -> None:
    text = "word  " * 20
    found = pieces(text, MARKS, num_inked, LIMIT)
    assert "".join(found) == text
    assert {piece.strip() for piece in found} == {"word  word  word", "word  word"}
