"""The evidence gate: opens for passages that speak of what is asked, and for nothing else."""

import pytest

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.language.units import marked
from kb_service.services.evidence import NO_EVIDENCE, missing_slots, weigh_evidence

REPORT = "编号：SG-2024-001\n2024年8月17日，中环数据中心三号机房发生一起泄漏事故，造成5人受伤。"


def passage(text: str, title: str = "调查报告") -> Passage:
    return Passage(
        1,
        1,
        "doc_1",
        1,
        "ab" * 32,
        title,
        TextSpan(0, len(text)),
        text,
        1.0,
        tuple(marked(text).quotable()),
    )


def test_the_gate_opens_when_two_neighbouring_sentences_hold_the_question() -> None:
    evidence = weigh_evidence(parse_question("三号机房的泄漏造成几人受伤？"), [passage(REPORT)], {})
    assert evidence.reason is None
    assert evidence.coverage > 0.7


def test_the_title_counts_as_context_of_every_sentence() -> None:
    text = "He was born in Hodgenville."
    question = "Where was Abraham Lincoln born?"
    assert weigh_evidence(parse_question(question), [passage(text)], {}).reason == NO_EVIDENCE
    assert (
        weigh_evidence(parse_question(question), [passage(text, "Abraham Lincoln")], {}).reason
        is None
    )


def test_foreign_passages_are_no_evidence() -> None:
    evidence = weigh_evidence(
        parse_question("What colour was the aircraft painted?"), [passage(REPORT)], {}
    )
    assert (evidence.reason, evidence.coverage) == (NO_EVIDENCE, 0.0)
    assert weigh_evidence(parse_question("机房在哪里？"), [], {}).reason == NO_EVIDENCE


def test_rare_words_weigh_more_than_common_ones() -> None:
    text = passage("The aircraft of the accident was a Piper.")
    idf = {"aircraft": 0.1, "accident": 0.1, "colour": 5.0}
    assert weigh_evidence(
        parse_question("colour of the aircraft of the accident"), [text], idf
    ).reason
    assert (
        weigh_evidence(parse_question("colour of the aircraft of the accident"), [text], {}).reason
        is None
    )


@pytest.mark.parametrize(
    ("question", "missing"),
    [
        ("SG-2024-001的泄漏造成几人受伤？", ()),
        ("SG-2024-002的泄漏造成几人受伤？", ("sg-2024-002",)),
        ("SG-2024-00的泄漏造成几人受伤？", ("sg-2024-00",)),
        ("2024年8月17日三号机房发生了什么？", ()),
        ("2023年8月17日三号机房发生了什么？", ("date:2023-8-17",)),
        ("In 1998, what happened?", ("num:1998",)),
        ("第2条措施是什么？", ()),
    ],
)
def test_what_a_question_fixes_must_be_stated(question: str, missing: tuple[str, ...]) -> None:
    assert missing_slots(parse_question(question), [passage(REPORT)]) == missing


def test_an_identifier_that_no_passage_names_closes_the_gate() -> None:
    question = "SG-2024-002的泄漏造成几人受伤？"
    evidence = weigh_evidence(parse_question(question), [passage(REPORT)], {})
    assert (evidence.reason, evidence.missing) == (NO_EVIDENCE, ("sg-2024-002",))


def test_an_identifier_confirmed_elsewhere_in_the_document_is_enough() -> None:
    later = passage("造成5人受伤，机房发生泄漏。")
    question = "SG-2024-001的泄漏造成几人受伤？"
    assert weigh_evidence(parse_question(question), [later], {}).reason == NO_EVIDENCE
    assert weigh_evidence(parse_question(question), [later], {}, {"sg-2024-001"}).reason is None


def test_identifiers_dates_and_question_words_are_no_terms_to_cover() -> None:
    assert parse_question("编号SG-2024-001在2024年8月17日的泄漏是什么？").terms == (
        "泄",
        "泄漏",
        "漏",
    )
    assert parse_question("How badly was the aircraft damaged?").terms == ("aircraft", "damaged")


def test_a_date_in_a_title_counts_as_stated() -> None:
    dated = passage("The pump leaked.", title="Incidents/20150803-Pump")
    assert missing_slots(parse_question("What leaked in August 2015?"), [dated]) == ()
    assert missing_slots(parse_question("What leaked in May 2016?"), [dated]) == ("date:2016-5",)


def test_an_organisation_that_no_passage_names_closes_the_gate() -> None:
    question = "东方石化有限公司三号机房的泄漏造成几人受伤？"
    evidence = weigh_evidence(parse_question(question), [passage(REPORT)], {})
    assert (evidence.reason, evidence.missing) == (NO_EVIDENCE, ("东方石化",))
    own = "中环数据中心三号机房的泄漏造成几人受伤？"
    assert weigh_evidence(parse_question(own), [passage(REPORT)], {}).reason is None
    assert missing_slots(parse_question("中环云数据中心的泄漏？"), [passage(REPORT)]) == ()


def test_a_kind_of_accident_that_a_known_organisation_did_not_have_closes_the_gate() -> None:
    question = "中环数据中心的火灾造成几人受伤？"
    assert missing_slots(parse_question(question), [passage(REPORT)], {"中环数据"}) == ("火灾",)
    assert (
        missing_slots(
            parse_question(question.replace("火灾", "泄漏")), [passage(REPORT)], {"中环数据"}
        )
        == ()
    )
    assert missing_slots(parse_question("那次火灾造成几人受伤？"), [passage(REPORT)]) == ()
