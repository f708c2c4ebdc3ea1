"""One question against one reply: which metrics apply, and what they say."""

from dataclasses import replace

import pytest

from kb_service.domain.answers import Answer, AnswerStatus, Citation, CitationStatus, Understood
from kb_service.domain.chats import Usage
from kb_service.domain.documents import Chunk, ChunkDraft
from kb_service.domain.queries import Passage, ScoredChunk
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.evaluation.grounding import (
    CitedSentence,
    citation_precision,
    citation_recall,
    cited_sentences,
    is_verbatim,
    quotations_hold,
    supports,
)
from kb_service.evaluation.judging import (
    document_aliases,
    judge_answer,
    judge_failure,
    judge_ranking,
    resolved,
)
from kb_service.evaluation.questions import LabelledQuestion, RelevantPlace
from tests.services.answer_fakes import NOW

TEXT = "The pump leaked at 14:20. Nobody was hurt. The valve was closed."
ASKED = LabelledQuestion(
    "q", "When did the pump leak?", ("14:20",), relevant=(RelevantPlace("pump"),)
)


def citation(quoted: str, answer: TextSpan, document_id: str = "pump") -> Citation:
    start = TEXT.index(quoted)
    source = TextSpan(start, start + len(quoted))
    status = CitationStatus.VERIFIED
    return Citation("c", 1, document_id, "ab", "Pump", quoted, source, (), answer, 1.0, status)


def reply(text: str, *citations: Citation, status: str = "answered") -> Answer:
    passage = Passage(1, 1, "pump", 1, "ab", "Pump", TextSpan(0, len(TEXT)), TEXT, 1.0)
    return Answer(
        "ans", "kb", "?", AnswerStatus(status), text, None, citations, (passage,), "conv", "m",
        Usage(), {}, NOW, Understood("?"),
    )  # fmt: skip


SENTENCE = "The pump leaked at 14:20."
GOOD = reply(SENTENCE, citation(SENTENCE, TextSpan(0, len(SENTENCE))))


def stored(document_id: str, sha256: str) -> str:
    return TEXT


def test_a_right_quotation_is_right_in_every_way_but_length() -> None:
    found = judge_answer(ASKED, GOOD, stored, 0.5)
    perfect = {
        "contains", "cites_answer", "cites_document", "citation_recall", "citation_precision",
        "quotes_hold", "verbatim",
    }  # fmt: skip
    assert {key for key, value in found.scores.items() if value == 1.0} == perfect
    # 14 and 20 of five tokens the, pump, leaked, at, 14, 20: run 2, P 2/6, R 1.
    assert found.scores["f1"] == pytest.approx(2 * 2 / 8)
    assert (found.status, found.seconds, found.is_refused) == ("answered", 0.5, False)


def test_where_the_reader_names_the_words_they_are_scored() -> None:
    start = SENTENCE.index("14:20")
    named = replace(GOOD, highlight=TextSpan(start, start + 5))
    found = judge_answer(ASKED, named, stored, 0.5)
    assert found.words == "14:20"
    assert found.scores["f1"] == found.scores["em"] == found.scores["bag_f1"] == 1.0


def test_a_refusal_of_an_answerable_question_is_wrong_and_has_no_citations_to_judge() -> None:
    refusal = reply("The documents do not say.", status="refused")
    found = judge_answer(ASKED, refusal, stored, 0.1)
    assert found.is_refused
    expected = dict.fromkeys(("f1", "em", "bag_f1", "contains", "cites_answer"), 0.0)
    assert found.scores == expected


def test_an_answer_to_an_unanswerable_question_is_judged_by_its_citations_only() -> None:
    found = judge_answer(LabelledQuestion("q", "Why?", is_answerable=False), GOOD, stored, 0.1)
    assert set(found.scores) == {
        "citation_recall", "citation_precision", "quotes_hold", "verbatim",
    }  # fmt: skip


def test_an_error_is_a_wrong_answer_and_no_refusal() -> None:
    found = judge_failure(ASKED, "generation_failed", 0.2)
    assert found.scores["f1"] == 0.0
    assert not found.is_refused
    assert judge_failure(LabelledQuestion("q", "?", is_answerable=False), "x", 0.1).scores == {}


def test_citing_another_document_or_other_words_is_seen() -> None:
    wrong = citation("Nobody was hurt.", TextSpan(0, len(SENTENCE)), "valve")
    found = judge_answer(ASKED, reply(SENTENCE, wrong), stored, 0.1).scores
    assert found["cites_document"] == found["cites_answer"] == found["citation_recall"] == 0.0
    assert found["other_document"] == 1.0
    evidence = replace(ASKED, evidence=("Nobody was hurt.",))
    assert judge_answer(evidence, reply(SENTENCE, wrong), stored, 0.1).scores["cites_evidence"] == 1
    assert judge_answer(evidence, GOOD, stored, 0.1).scores["cites_evidence"] == 0


def test_a_sentence_is_supported_when_values_and_half_of_the_wording_are_cited() -> None:
    assert supports(SENTENCE, ("At 14:20 the pump leaked badly.",))
    assert not supports(SENTENCE, ("The pump leaked at 14:30.",))
    assert not supports(SENTENCE, ("14:20",))
    assert not supports(SENTENCE, ())
    assert supports("2024年8月17日泵泄漏", ("2024-08-17 18:12，泵发生泄漏",))


def test_citation_recall_counts_sentences_and_precision_counts_citations() -> None:
    needless = CitedSentence(SENTENCE, (SENTENCE, "Nobody was hurt."))
    uncited = CitedSentence("Nobody was hurt.", ())
    assert citation_recall([needless, uncited]) == 0.5
    # The first quotation carries the sentence; the second neither does nor is missed.
    assert citation_precision([needless, uncited]) == 0.5
    both = CitedSentence(
        "Ann left at 14:20 for Rome.", ("Ann left at 14:20.", "She left for Rome.")
    )
    assert citation_precision([both]) == 1.0
    assert citation_precision([uncited]) == 0.0
    with pytest.raises(ValueError, match="at least one"):
        citation_recall([])


def test_each_sentence_has_the_citations_that_touch_it() -> None:
    text = f"{SENTENCE} Nobody was hurt."
    first = citation(SENTENCE, TextSpan(0, 25))
    second = citation("Nobody was hurt.", TextSpan(26, 42))
    assert cited_sentences(reply(text, first, second)) == [
        CitedSentence(SENTENCE, (SENTENCE,)),
        CitedSentence("Nobody was hurt.", ("Nobody was hurt.",)),
    ]


def test_a_quotation_that_is_not_the_stored_text_is_seen() -> None:
    assert quotations_hold(GOOD.citations, stored) == 1.0
    assert quotations_hold(GOOD.citations, lambda *_: f" {TEXT}") == 0.0


def test_an_answer_is_verbatim_when_each_sentence_stands_in_a_passage() -> None:
    assert is_verbatim(reply("The pump\nleaked at 14:20. The valve was closed."))
    assert not is_verbatim(reply("The pump leaked at 14:20. It was old."))


def hit(number: int, document_id: str, text: str, page: int = 1) -> ScoredChunk:
    draft = ChunkDraft(0, TextSpan(0, len(text)), text)
    chunk = Chunk(number, "kb", document_id, 1, document_id, draft)
    return ScoredChunk(chunk, "ab", 1.0, {}, {}, (PageRegion(page),))


def test_a_ranking_is_judged_by_documents_and_by_gold_words() -> None:
    items = [hit(1, "valve", "at 14:20"), hit(2, "pump", "no"), hit(3, "pump", "at 14:20")]
    found = judge_ranking(ASKED, items)
    assert found["mrr@10"] == 0.5
    assert (found["holds@1"], found["holds@5"]) == (0.0, 1.0)
    anywhere = judge_ranking(replace(ASKED, relevant=()), items)
    assert anywhere == {"holds@1": 1.0, "holds@5": 1.0, "holds@10": 1.0}


def test_of_two_parts_both_must_be_said_and_cited() -> None:
    both = replace(ASKED, answers=("14:20&nobody was hurt",))
    found = judge_answer(both, GOOD, stored, 0.1).scores
    assert (found["contains"], found["cites_answer"]) == (0.0, 0.0)
    text = f"{SENTENCE} Nobody was hurt."
    whole = reply(
        text,
        citation(SENTENCE, TextSpan(0, 25)),
        citation("Nobody was hurt.", TextSpan(26, 42)),
    )
    found = judge_answer(both, whole, stored, 0.1).scores
    assert (found["contains"], found["cites_answer"]) == (1.0, 1.0)


def test_the_parts_may_stand_in_two_chunks_of_the_right_documents() -> None:
    both = replace(ASKED, answers=("14:20&Ann Lee",))
    items = [hit(1, "pump", "at 14:20"), hit(2, "valve", "Ann Lee"), hit(3, "pump", "Ann Lee")]
    found = judge_ranking(both, items)
    assert (found["holds@1"], found["holds@5"]) == (0.0, 1.0)
    assert judge_ranking(both, items[:2])["holds@5"] == 0.0


def test_a_relevant_page_is_not_any_page_of_its_document() -> None:
    paged = replace(ASKED, relevant=(RelevantPlace("pump", 2), RelevantPlace("valve")))
    items = [hit(1, "pump", "x", page=1), hit(2, "pump", "x", page=2), hit(3, "pump", "x", page=2)]
    found = judge_ranking(paged, items)
    assert found["mrr@10"] == 0.5
    assert found["recall@10"] == 0.5


def test_documents_are_known_by_id_name_and_name_without_folder_or_suffix() -> None:
    aliases = document_aliases(
        {"doc_1": "2024/pump.pdf", "doc_2": "ntsb-77.pdf", "doc_3": "pump.md"}
    )
    for name in ("doc_1", "2024/pump.pdf", "pump.pdf", "elsewhere/pump.pdf"):
        found, unknown = resolved(replace(ASKED, relevant=(RelevantPlace(name, 2),)), aliases)
        assert (found.relevant, unknown) == ((RelevantPlace("doc_1", 2),), [])
    slashed = replace(ASKED, relevant=(RelevantPlace("ntsb/77"), RelevantPlace("x")))
    found, unknown = resolved(slashed, aliases)
    assert (found.relevant, unknown) == ((RelevantPlace("doc_2"),), ["x"])
    both, _ = resolved(ASKED, aliases)
    assert [place.document for place in both.relevant] == ["doc_1", "doc_3"]
