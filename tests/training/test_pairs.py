"""Cutting texts into sentences and passages, and what each kind of pair is made of."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from training.pairs import (
    KEEP_QUERY_IN_PASSAGE,
    answer_window,
    inverse_cloze_pairs,
    passages_of,
    question_pairs,
    sample,
    sentences_of,
    title_pairs,
    translation_pairs,
)
from training.seeding import seeded

TEXT = "第一句话说明了时间和地点。第二句话说明了事故的原因。第三句话说明了伤亡的人数。"


@given(st.text(alphabet="火灾事故a. 。！\n", max_size=200))
def test_sentences_keep_every_letter_in_order(text: str) -> None:
    joined = "".join("".join(sentence.split()) for sentence in sentences_of(text))
    assert joined == "".join(text.split())


def test_passages_hold_whole_sentences_within_the_limit() -> None:
    passages = passages_of(TEXT, 26)
    assert [sentence for passage in passages for sentence in passage] == sentences_of(TEXT)
    assert [len(passage) for passage in passages] == [2, 1]


@pytest.mark.parametrize("word", ["时间", "原因", "人数"])
def test_the_window_of_an_answer_contains_it(word: str) -> None:
    window = answer_window(TEXT, TEXT.index(word), 14)
    assert word in window
    assert len(window) < len(TEXT)


def test_a_question_is_paired_with_its_context_and_with_its_window() -> None:
    row = {
        "question": "原因是什么？",
        "context": TEXT,
        "title": "事故",
        "lang": "zh",
        "answers": [{"text": "原因", "start": TEXT.index("原因")}],
    }
    whole, window = question_pairs([row], "qa", seeded(0))
    assert (whole.source, whole.passage) == ("qa", TEXT)
    assert window.source == "qa/window"
    assert "原因" in window.passage
    assert whole.group == window.group == TEXT


def test_a_question_without_an_answer_has_no_window() -> None:
    row = {"question": "谁？", "context": TEXT, "title": "t", "lang": "zh", "answers": []}
    assert len(list(question_pairs([row], "qa", seeded(0)))) == 1


def test_inverse_cloze_takes_the_sentence_out_nine_times_in_ten() -> None:
    texts = [f"{TEXT}这是编号为{i}的报告中的最后一句。" for i in range(500)]
    pairs = list(inverse_cloze_pairs(texts, "s", 500, 1, seeded(0)))
    kept = sum(pair.query in pair.passage for pair in pairs) / len(pairs)
    assert kept == pytest.approx(KEEP_QUERY_IN_PASSAGE, abs=0.05)
    assert all(pair.query in pair.group for pair in pairs)


def test_a_single_sentence_gives_no_inverse_cloze() -> None:
    assert not list(inverse_cloze_pairs(["只有一句话的报告正文。"], "s", 500, 1, seeded(0)))


def test_translations_go_both_ways_and_short_ones_are_left_out() -> None:
    rows = [{"en": "A fire started.", "zh": "起火了。"}, {"en": "Fire", "zh": "火"}]
    there, back = translation_pairs(rows, "p", min_chars=10)
    assert (there.query, there.passage) == (back.passage, back.query)
    assert there.source != back.source


def test_titles_are_queries_of_their_texts() -> None:
    (pair,) = title_pairs([("火灾", TEXT)], "wiki")
    assert (pair.query, pair.passage, pair.source) == ("火灾", TEXT, "wiki/title")


def test_a_sample_is_never_larger_than_its_limit() -> None:
    pairs = list(title_pairs(((str(i), str(i)) for i in range(9)), "t"))
    assert len(sample(pairs, 4, seeded(0))) == 4
    assert sorted(p.query for p in sample(pairs, 99, seeded(0))) == [str(i) for i in range(9)]
