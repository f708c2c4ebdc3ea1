"""Passages: grown over sentences, merged, sliced from the stored text, within their budgets."""

import itertools
from collections.abc import Collection, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.documents import Chunk, ChunkDraft
from kb_service.domain.queries import ScoredChunk
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.language.asked import parse_question
from kb_service.language.identifiers import names_whole
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise
from kb_service.language.units import marked
from kb_service.services.assembly import ContextAssembler, approximate_tokens, fixed_by

SENTENCES = [f"Sentence number {n} tells one thing about the pump." for n in range(40)]
STORY = " ".join(SENTENCES)


class Texts:
    """Stored texts by document id."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def stretches(
        self, places: Sequence[tuple[int, TextSpan]], margin: int
    ) -> list[MarkedText | None]:
        texts = [(self.texts.get(chr(number)), span) for number, span in places]
        return [marked(text).around(span, margin) if text else None for text, span in texts]

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        folded = {d: normalise(self.texts[d]) for d in document_ids if d in self.texts}
        return {
            name: frozenset(d for d, text in folded.items() if names_whole(text, name))
            for name in names
        }


def fixed(text: str) -> tuple[str, ...]:
    question = parse_question(text)
    return fixed_by(question, subjects_in(question))


def chunk(text: str, words: str, rank: int = 1, document: str = "a") -> ScoredChunk:
    start = text.index(words)
    draft = ChunkDraft(rank, TextSpan(start, start + len(words)), words)
    stored = Chunk(rank, "kb_1", document, ord(document[0]), f"title of {document}", draft)
    return ScoredChunk(stored, "ab" * 32, 1 / rank, {"lexical": rank}, {"lexical": 1 / rank})


def assembler(
    texts: Texts, passages: int = 6, each: int = 60, total: int = 500
) -> ContextAssembler:
    return ContextAssembler(
        texts, texts, max_passages=passages, passage_tokens=each, context_tokens=total
    )


def test_a_chunk_grows_to_whole_sentences_on_both_sides_within_the_budget() -> None:
    (passage,) = assembler(Texts(a=STORY)).assemble("kb_1", [chunk(STORY, SENTENCES[10])]).passages
    assert SENTENCES[10] in passage.text
    assert passage.text.startswith("Sentence number") and passage.text.endswith("pump.")
    assert SENTENCES[11] in passage.text and SENTENCES[9] in passage.text
    assert approximate_tokens(passage.text) <= 60
    assert passage.span.of(STORY) == passage.text


def test_chunks_that_touch_become_one_passage_at_the_better_rank() -> None:
    items = [
        chunk(STORY, SENTENCES[30], 1),
        chunk(STORY, SENTENCES[5], 2),
        chunk(STORY, SENTENCES[31], 3),
    ]
    passages = assembler(Texts(a=STORY), each=20).assemble("kb_1", items).passages
    assert [p.number for p in passages] == [1, 2]
    assert passages[0].text == f"{SENTENCES[30]} {SENTENCES[31]}"
    assert passages[0].chunk_id == 1


def test_equal_places_in_different_documents_are_not_merged() -> None:
    items = [chunk(STORY, SENTENCES[0], 1, "a"), chunk(STORY, SENTENCES[0], 2, "b")]
    passages = assembler(Texts(a=STORY, b=STORY)).assemble("kb_1", items).passages
    assert [p.document_id for p in passages] == ["a", "b"]


def test_a_deleted_document_is_left_out() -> None:
    items = [chunk(STORY, SENTENCES[0], 1, "gone"), chunk(STORY, SENTENCES[0], 2, "a")]
    passages = assembler(Texts(a=STORY)).assemble("kb_1", items).passages
    assert [p.document_id for p in passages] == ["a"]


def test_number_and_total_length_are_limited_but_the_best_passage_stays() -> None:
    items = [chunk(STORY, SENTENCES[n], 1 + n // 6) for n in (0, 12, 24, 36)]
    assert len(assembler(Texts(a=STORY), 2).assemble("kb_1", items).passages) == 2
    assert len(assembler(Texts(a=STORY), total=100).assemble("kb_1", items).passages) == 1
    assert len(assembler(Texts(a=STORY), each=1, total=1).assemble("kb_1", items).passages) == 1


def test_a_report_number_in_the_question_picks_its_report() -> None:
    texts = Texts(a=f"No. SG-2024-0011. {STORY}", b=f"{STORY} No. SG-2024-001.")
    items = [
        chunk(texts.texts["a"], SENTENCES[0], 1, "a"),
        chunk(texts.texts["b"], SENTENCES[0], 2, "b"),
    ]
    context = assembler(texts).assemble("kb_1", items, fixed("SG-2024-001的原因？"))
    assert [p.document_id for p in context.passages] == ["b"]
    assert context.confirmed == {"sg-2024-001"}


def test_a_date_in_the_question_picks_the_chunks_that_state_it() -> None:
    texts = Texts(a="2023年8月17日发生泄漏。", b="2024-08-17 发生泄漏。")
    items = [chunk(texts.texts[d], texts.texts[d], n, d) for n, d in enumerate("ab", 1)]
    context = assembler(texts).assemble("kb_1", items, fixed("2024年8月17日发生了什么？"))
    assert [p.document_id for p in context.passages] == ["b"]


def documents_for(question: str, **stories: str) -> list[str]:
    texts = Texts(**stories)
    items = [chunk(story, story, n, d) for n, (d, story) in enumerate(stories.items(), 1)]
    return [
        p.document_id for p in assembler(texts).assemble("kb_1", items, fixed(question)).passages
    ]


def test_an_organisation_in_the_question_picks_its_reports_whatever_its_legal_form() -> None:
    reports = {"a": "中环数据中心发生火灾。", "b": "博源热力有限公司发生火灾。"}
    assert documents_for("博源热力公司火灾的原因？", **reports) == ["b"]
    assert documents_for("江南港务集团火灾的原因？", **reports) == ["a", "b"]


def test_a_place_in_the_question_picks_the_one_report_that_names_it() -> None:
    reports = {"a": "Calm winds at Tallahassee.", "b": "Seward, AK. The pilot landed."}
    assert documents_for("What was the weather at Seward?", **reports) == ["b"]


def test_a_latin_name_that_many_documents_state_picks_none() -> None:
    reports = {d: f"Report {d} of the Board." for d in "abc"} | {"d": "Calm winds."}
    assert documents_for("What did the Board say of winds?", **reports) == ["a", "b", "c", "d"]


def test_a_whole_latin_name_picks_where_many_documents_state_its_parts() -> None:
    """Lists of people hold an Erik and a Brandt each; one of them holds Erik Brandt."""
    lists = dict.fromkeys("abcdef", "Erik Hollis, warden. Nora Brandt, marshal.")
    lists["c"] = "Nora Hollis, warden. Erik Brandt, marshal."
    assert documents_for("What is the role of Erik Brandt?", **lists) == ["c"]


def test_latin_names_that_no_document_states_together_pick_none() -> None:
    reports = {"a": "The UMC met.", "b": "The church sought status in the Association."}
    question = "What did the UMC seek in the Association?"
    assert documents_for(question, **reports) == ["a", "b"]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("江南港务集团2号仓库的机械伤害的直接原因是什么", ("江南港务",)),
        ("东方石化有限公司火灾的直接原因是什么？", ("东方石化",)),
        ("永固建材公司机器停机的损失？", ("永固建材",)),
        ("位于石门县的火灾", ("石门县",)),
        ("What was the weather at Seward?", ("name:seward",)),
        ("When did Chevroux's crash in May occur on Monday?", ("name:chevroux",)),
        (
            "Who founded the Walt Disney Company?",
            ("name:walt", "name:disney", "name:company", "name:walt disney company"),
        ),
        ("Weather at noon?", ()),
        ("我们公司的年假有几天？", ()),
        ("SG-2024-001中江南港务集团的罚款是多少？", ("sg-2024-001",)),
        ("What did Lewis say of NYC08CA055?", ("nyc08ca055",)),
    ],
)
def test_names_pick_documents_unless_an_identifier_says_better_which(
    question: str, names: tuple[str, ...]
) -> None:
    assert fixed(question) == names


def test_without_a_match_nothing_is_left_out() -> None:
    items = [chunk(STORY, SENTENCES[0])]
    context = assembler(Texts(a=STORY)).assemble("kb_1", items, ("sg-9",))
    assert (len(context.passages), context.confirmed) == (1, frozenset())


def test_a_chinese_character_counts_as_a_token_and_latin_text_by_its_length() -> None:
    assert approximate_tokens("泄漏事故") == 4
    assert approximate_tokens("a" * 35) == 10


@settings(deadline=None)  # a shared machine pauses at will
@given(
    text=st.text(alphabet="泄漏事故。\n ab.1：", min_size=1, max_size=200),
    cuts=st.lists(st.integers(0, 199), min_size=2, max_size=8),
)
def test_passages_are_slices_of_the_text_that_do_not_overlap(text: str, cuts: list[int]) -> None:
    ends = sorted({min(cut, len(text)) for cut in cuts} | {0, len(text)})
    items = [
        chunk(text, text[a:b], n)
        for n, (a, b) in enumerate(itertools.pairwise(ends), 1)
        if text[a:b].strip()
    ]
    passages = assembler(Texts(a=text), each=20).assemble("kb_1", items).passages
    assert all(p.span.of(text) == p.text for p in passages)
    assert not any(
        p.span.overlap(q.span) for p in passages for q in passages if p.number < q.number
    )


def test_a_file_name_in_the_question_picks_its_document_whatever_its_title() -> None:
    texts = Texts(a=f"Pump trials. {STORY}", b=f"Pump memo. {STORY}")
    items = [chunk(texts.texts[d], SENTENCES[0], n, d) for n, d in enumerate("ab", 1)]
    filed = replace(items[1], chunk=replace(items[1].chunk, document_name="pump_2025_v2.docx"))
    asked = fixed("In pump_2025_v2.docx, who led the trials?")
    context = assembler(texts).assemble("kb_1", [items[0], filed], asked)
    assert [p.document_id for p in context.passages] == ["b"]
