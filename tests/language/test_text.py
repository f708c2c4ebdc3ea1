"""Sentences of Chinese and English text as spans."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kb_service.language.text import index_terms, sentence_spans


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("他说：“好！”然后走了。第二；第三", ["他说：“好！”", "然后走了。", "第二；", "第三"]),
        ("What?! No... yes. It ended.", ["What?!", "No... yes.", "It ended."]),
        ("The U.S. Navy came. See Fig. 3 of it.", ["The U.S. Navy came.", "See Fig. 3 of it."]),
        ("Open http://x.org/a?b=1!c now. Next.", ["Open http://x.org/a?b=1!c now.", "Next."]),
        ("It flew 2,319 hours; most of them solo.", ["It flew 2,319 hours; most of them solo."]),
        ("第一行\n第二行。", ["第一行\n第二行。"]),
        ("损失约\n12.5万元。", ["损失约\n12.5万元。"]),
        ("Title\n\nBody text", ["Title", "Body text"]),
        ("1. one\n2. two\n3. three", ["1. one", "2. two", "3. three"]),
        ("措施：\n（一）甲\n（二）乙", ["措施：", "（一）甲", "（二）乙"]),
        ("", []),
        (" \n\t ", []),
    ],
)  # fmt: skip
def test_cuts_at_end_marks_blank_lines_and_list_items(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@given(st.text(alphabet='ab Z.。！?;；\n\t1.、（一）"”\f', max_size=200))
def test_every_visible_character_lies_in_exactly_one_sentence(text: str) -> None:
    spans = sentence_spans(text)
    covered = [index for span in spans for index in range(span.start, span.end)]
    assert len(covered) == len(set(covered)) == len(sorted(covered))
    assert {i for i, c in enumerate(text) if not c.isspace()} <= set(covered)
    assert all(span.of(text) == span.of(text).strip() != "" for span in spans)
    assert spans == sorted(spans)


@pytest.mark.parametrize(
    "broken", ["inves\u00adtigation", "inves\u200btigation", "inves\u2060tigation"]
)
def test_what_only_says_where_a_line_may_end_splits_no_word(broken: str) -> None:
    assert index_terms(f"The {broken} ended") == ["the", "investigation", "ended"]


@pytest.mark.parametrize("end", ["-\n", "-\n  ", "\u00ad\n"])
def test_a_word_that_a_line_end_breaks_is_found_whole(end: str) -> None:
    assert "investigation" in index_terms(f"The inves{end}tigation ended")


def test_a_hyphen_at_a_line_end_may_be_the_words_own() -> None:
    assert {"well-known", "wellknown", "well", "known"} <= set(index_terms("a well-\nknown crane"))
    assert "2024x" not in index_terms("from 2024-\nx")
