"""Chunks: exact spans, whole sentences, and cuts that an edit elsewhere does not move."""

import random
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ingest.chunking import SentenceChunker
from kb_service.domain.documents import (
    ChunkDraft,
    Heading,
    Page,
    PageKind,
    ParsedDocument,
    regions_of,
)
from kb_service.domain.spans import TextSpan
from kb_service.language.text import sentence_spans

CHUNKER = SentenceChunker()
WORDS = ["engine", "valve", "pressure", "runway", "cable", "pilot", "outage", "server", "of", "the"]
CHARACTERS = "事故发生时间地点现场人员报告设备管道泄漏火灾处置原因整改措施责任单位检查"


def document(text: str, headings: tuple[Heading, ...] = ()) -> ParsedDocument:
    page = Page(1, TextSpan(0, len(text)), PageKind.TEXT)
    return ParsedDocument(text, (page,), headings)


def chunks(text: str, title: str = "") -> list[ChunkDraft]:
    return CHUNKER.chunk(document(text), title)


def seeded(seed: int) -> random.Random:
    return random.Random(seed)  # noqa: S311 - test data, no secret


def english(rng: random.Random, num_words: int) -> str:
    words = [rng.choice(WORDS) for _ in range(num_words)]
    for index in range(11, num_words, 12):
        words[index] += ". The"
    return "The " + " ".join(words) + "."


def chinese(rng: random.Random, num_characters: int) -> str:
    letters = [rng.choice(CHARACTERS) for _ in range(num_characters)]
    return "，".join("".join(letters[i : i + 13]) for i in range(0, num_characters, 13)) + "。"


@settings(max_examples=150)
@given(st.text(alphabet=st.sampled_from("ab Z.。，；\n\f\t1二、（）x😀事故"), max_size=1500))
def test_spans_are_exact_and_cover_every_visible_character_once(text: str) -> None:
    drafts = chunks(text, "title")
    position = 0
    for ordinal, draft in enumerate(drafts):
        assert draft.ordinal == ordinal
        assert text[draft.span.start : draft.span.end] == draft.text
        assert draft.text and draft.text == draft.text.strip()
        assert not text[position : draft.span.start].strip()
        position = draft.span.end
    assert not text[position:].strip()


def test_chunks_hold_whole_sentences_within_the_limit() -> None:
    rng = seeded(4)
    text = "\n\n".join(english(rng, rng.randint(10, 400)) for _ in range(20))
    ends = {span.end for span in sentence_spans(text)}
    drafts = chunks(text)
    assert all(draft.span.end in ends for draft in drafts)
    assert max(CHUNKER.weight(draft.text) for draft in drafts) <= 1000
    assert 40 <= sum(len(draft.text.split()) for draft in drafts) / len(drafts) <= 115


def test_chinese_chunks_stay_near_two_hundred_characters() -> None:
    rng = seeded(5)
    text = "\n\n".join(chinese(rng, rng.randint(20, 600)) for _ in range(30))
    sizes = [len(draft.text) for draft in chunks(text)]
    assert max(sizes) <= 200
    assert sum(sizes) / len(sizes) >= 80


@pytest.mark.parametrize("text", ["x" * 50_000, "事" * 5_000, "a,b" * 9_000])
def test_unbroken_text_is_cut_hard_and_nothing_is_lost(text: str) -> None:
    drafts = chunks(text)
    assert len(drafts) > 10
    assert "".join(draft.text for draft in drafts) == text


def test_one_long_line_with_two_spaces_between_its_words_is_cut_and_nothing_is_lost() -> None:
    drafts = chunks("word  " * 3000)
    assert len(drafts) > 10
    assert sum(len(draft.text.split()) for draft in drafts) == 3000


@pytest.mark.parametrize("script", [english, chinese])
@pytest.mark.parametrize("seed", range(12))
def test_changing_one_paragraph_of_fifty_changes_at_most_three_embedded_texts(
    script: Callable[[random.Random, int], str], seed: int
) -> None:
    rng = seeded(seed)
    paragraphs = [script(rng, rng.randint(45, 160)) for _ in range(50)]
    before = {draft.embedded_text for draft in chunks("\n\n".join(paragraphs), "Report")}
    for _ in range(8):
        edited = list(paragraphs)
        edited[rng.randrange(50)] = script(rng, rng.randint(45, 160))
        after = {draft.embedded_text for draft in chunks("\n\n".join(edited), "Report")}
        assert 1 <= len(after - before) <= 3


@pytest.mark.parametrize("seed", range(12))
def test_an_inserted_line_moves_only_the_cuts_around_it(seed: int) -> None:
    rng = seeded(seed)
    lines = [f"Row {rng.randrange(10**9)}: {english(rng, 9)}" for _ in range(400)]
    before = {draft.embedded_text for draft in chunks("\n\n".join(lines))}
    lines.insert(rng.randrange(400), "Row 0: a new one.")
    after = [draft.embedded_text for draft in chunks("\n\n".join(lines))]
    assert len(after) > 50
    assert len([text for text in after if text not in before]) <= 5


def test_a_chunk_never_crosses_a_heading_and_carries_its_path() -> None:
    text = "Report\n\nIntro words here.\n\nCause\n\nA valve broke.\n\nMeasures\n\nReplace it."
    spans = {word: TextSpan(text.index(word), text.index(word) + len(word)) for word in
             ("Report", "Cause", "Measures")}  # fmt: skip
    headings = (
        Heading(spans["Report"], 1),
        Heading(spans["Cause"], 2),
        Heading(spans["Measures"], 2),
    )
    drafts = CHUNKER.chunk(document(text, headings), "Case 7")
    assert [draft.text.split("\n")[0] for draft in drafts] == ["Report", "Cause", "Measures"]
    assert [draft.heading_path for draft in drafts] == [
        ("Report",), ("Report", "Cause"), ("Report", "Measures"),
    ]  # fmt: skip
    assert drafts[1].prefix == "Case 7 > Report > Cause"


def test_the_prefix_names_number_time_and_place() -> None:
    drafts = chunks(
        "编号：SG-2024-001\n\n发生时间 2024年8月17日\n\n地点\t云岭市\n\n正文。", "泄漏事故"
    )
    assert drafts[0].prefix == "泄漏事故\n编号: SG-2024-001; 发生时间: 2024年8月17日; 地点: 云岭市"
    drafts = chunks("Location:\tTallahassee, FL\tAccident Number:\tNYC08CA055\n\nText.", "Report")
    assert drafts[0].prefix == "Report\nLocation: Tallahassee, FL; Accident Number: NYC08CA055"


def test_a_chunk_may_stand_on_two_pages() -> None:
    text = "The pump failed because\fthe valve broke."
    pages = (
        Page(1, TextSpan(0, 23), PageKind.TEXT),
        Page(2, TextSpan(24, len(text)), PageKind.TEXT),
    )
    (draft,) = CHUNKER.chunk(ParsedDocument(text, pages), "")
    assert [region.page_number for region in regions_of(pages, draft.span)] == [1, 2]


def test_limits_too_small_to_hold_a_sentence_are_refused() -> None:
    with pytest.raises(ValueError, match="5 characters"):
        SentenceChunker(max_chars_zh=5)
