"""What is said for what was found: several incidents, conflicts, parts, openings, refusals."""

import pytest

from kb_service.domain.answers import Answer, AnswerStatus
from kb_service.domain.spans import PageRegion
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.settings import RetrievalSettings
from tests.services.answer_fakes import (
    NOW,
    FakeLibrary,
    FakeLog,
    FakeShelf,
    FakeWriter,
    PartsReader,
    PointingReader,
    asked_of,
)

HARBOUR = "Harbour fire of 3 May 2024. The cause was a corroded valve. Damage was 40,000 dollars."
MILL = "Mill fire of 9 June 2023. The cause was a dropped cigarette. Two men were hurt."
NOTICE = "海城市码头火灾通报，2024年5月3日。火灾造成3人受伤。"
FINAL = "海城市码头火灾调查报告，2024年8月1日。火灾造成5人受伤。直接原因是阀门锈蚀。"


def ask(question: str, reads: dict[str, float], **texts: str) -> Answer:
    return asked_of(question, FakeShelf(**texts), reads)


def test_a_vague_question_that_fits_two_incidents_gets_both_with_their_names() -> None:
    reads = {"a corroded valve": 0.9, "a dropped cigarette": 0.85}
    answer = ask("What was the cause of the fire?", reads, harbour=HARBOUR, mill=MILL)
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "several_incidents")
    assert "“harbour”: The cause was a corroded valve." in answer.answer
    assert "“mill”: The cause was a dropped cigarette." in answer.answer
    assert {c.title for c in answer.citations} == {"harbour", "mill"}
    assert all(c.answer.of(answer.answer).startswith("The cause") for c in answer.citations)


def test_the_incident_that_is_named_answers_alone() -> None:
    reads = {"a corroded valve": 0.6, "a dropped cigarette": 0.9}
    answer = ask("What was the cause of the Harbour fire?", reads, harbour=HARBOUR, mill=MILL)
    assert (answer.status, answer.answer) == (
        AnswerStatus.ANSWERED,
        "The cause was a corroded valve.",
    )


def test_what_no_document_names_is_said_and_the_nearest_is_opened() -> None:
    answer = ask("What was the cause of the Kafka outage?", {"a corroded valve": 0.9}, a=HARBOUR)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "subject_unknown")
    assert "Kafka" in answer.missing
    assert answer.nearest == (1,)
    assert answer.passages[0].regions == (PageRegion(1),)
    assert "Kafka" in answer.answer and "“a”" in answer.answer
    assert answer.citations == ()


def test_papers_that_disagree_are_both_quoted_with_the_later_one_first() -> None:
    reads = {"3人": 0.9, "5人": 0.85}
    answer = ask("海城市码头火灾造成几人受伤？", reads, notice=NOTICE, final=FINAL)
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "conflicting_sources")
    assert [c.title for c in answer.citations] == ["final", "notice"]
    assert "5人受伤" in answer.answer and "3人受伤" in answer.answer


def test_a_question_in_two_parts_is_answered_part_by_part() -> None:
    answer = ask(
        "What was the cause of the Harbour fire and who was hurt in the Mill fire?",
        {"a corroded valve": 0.9, "Two men": 0.8},
        harbour=HARBOUR,
        mill=MILL,
    )
    assert answer.status is AnswerStatus.ANSWERED
    assert answer.answer == "The cause was a corroded valve.\nTwo men were hurt."
    assert [c.title for c in answer.citations] == ["harbour", "mill"]


def test_an_amount_that_the_first_part_states_of_whom_it_means_is_not_read_elsewhere() -> None:
    text = "码头触碰通报。引航员陆某停岗60日，并复训16学时。6号泊位停用41小时又2天。"
    reads = PartsReader({"处理": {"停岗60日": 0.7}, "停了": {"41小时又2天": 0.6}})
    shelf = FakeShelf(port=text)
    answer = asked_of("码头触碰后来怎么处理的，停了他多少天？", shelf, reads)
    assert answer.answer == "引航员陆某停岗60日，并复训16学时。"
    apart = asked_of("码头触碰后来怎么处理的，停了泊位多少天？", shelf, reads)
    assert apart.answer.endswith("6号泊位停用41小时又2天。")


def test_a_sentence_that_answers_both_parts_is_quoted_once() -> None:
    reads = {"Kay Hollis": 0.9, "9 June": 0.9}
    text = "Harbour fire of 3 May 2024. Kay Hollis has to mend the valve by 9 June."
    answer = ask("Who has to mend the valve, and by when?", reads, harbour=text)
    assert answer.answer == "Kay Hollis has to mend the valve by 9 June."


def test_a_total_in_the_incident_that_is_named_is_what_its_paper_says() -> None:
    reads = {"一百五十六户": 0.5}
    answer = ask(
        "南苑小区停电一共影响了多少户居民？", reads, note="南苑小区停电，影响一百五十六户。"
    )
    assert answer.answer == "南苑小区停电，影响一百五十六户。"


def test_a_part_that_fits_two_incidents_gets_both_with_their_names() -> None:
    answer = ask(
        "What was the cause of the fire and who was the captain of the Kittiwake?",
        {"a corroded valve": 0.9, "a dropped cigarette": 0.85},
        harbour=HARBOUR,
        mill=MILL,
    )
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "part_missing")
    assert "“harbour”: The cause was a corroded valve." in answer.answer
    assert "“mill”: The cause was a dropped cigarette." in answer.answer


def test_a_part_that_names_nothing_is_asked_of_the_paper_that_answered_the_one_before() -> None:
    blamed = {"a dropped cigarette": 0.3, "a corroded valve": 0.8}
    reader = PartsReader({"hurt": {"Two men": 0.9}, "blame": blamed})
    shelf = FakeShelf(harbour=HARBOUR, mill=MILL)
    answer = asked_of("How many were hurt, and what was to blame?", shelf, reader)
    assert "dropped cigarette" in answer.answer
    assert {citation.title for citation in answer.citations} == {"mill"}


def test_the_part_that_nothing_answers_is_named() -> None:
    answer = ask(
        "What was the cause of the Harbour fire and who was the captain of the Kittiwake?",
        {"a corroded valve": 0.9},
        harbour=HARBOUR,
    )
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "part_missing")
    assert "corroded valve" in answer.answer
    assert "captain" in " ".join(answer.missing)


@pytest.mark.parametrize(
    ("question", "reason"),
    [
        ("How many incidents were there in total?", "cannot_count"),
        ("一共有多少份报告？", "cannot_count"),
        ("Summarise all reports.", "cannot_summarise"),
    ],
)
def test_what_it_cannot_do_is_said_with_the_documents_that_match(
    question: str, reason: str
) -> None:
    answer = ask(question, {"a corroded valve": 0.3}, harbour=HARBOUR, mill=MILL)
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, reason)
    assert "harbour" in answer.answer and "mill" in answer.answer


def test_what_a_document_is_about_is_told_by_how_it_opens() -> None:
    answer = ask("What is the report about?", {}, harbour=HARBOUR)
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "cannot_summarise")
    assert "Harbour fire of 3 May 2024." in answer.answer
    assert answer.citations[0].source.of(HARBOUR) == answer.citations[0].cited_text


REPORT = (
    "Harbour fire of 3 May 2024. The pier is eighty years old. It belongs to the town. "
    "The cause was a corroded valve. Nobody spoke of the weather. Damage was 40,000 dollars."
)


def test_a_summary_quotes_what_the_document_says_of_what_is_asked_of_every_report() -> None:
    reads = {"a corroded valve": 0.9, "40,000 dollars": 0.8, "eighty years": 0.1}
    answer = ask("Summarise the Harbour report.", reads, harbour=REPORT)
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "cannot_summarise")
    quoted = [citation.cited_text for citation in answer.citations]
    assert quoted[:2] == ["Harbour fire of 3 May 2024.", "The cause was a corroded valve."]
    assert "eighty" not in answer.answer and "weather" not in answer.answer


def test_what_happened_is_told_by_the_gist_where_no_words_answer() -> None:
    reads = {"a corroded valve": 0.3, "40,000 dollars": 0.3}
    answer = ask("What happened at the Harbour?", reads, harbour=REPORT)
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "cannot_summarise")
    assert "The cause was a corroded valve." in answer.answer


def test_fields_that_are_quoted_are_told_and_verified_each_by_itself() -> None:
    text = "Date: 3 May 2024\nSeverity: high\nA valve failed and the pier of Harbour burnt."
    answer = ask("Summarise the Harbour report.", {"3 May": 0.9, "high": 0.8}, harbour=text)
    assert {c.status.value for c in answer.citations} == {"verified"}
    assert "Date: 3 May 2024\n" in answer.answer


def test_a_summary_that_the_document_has_is_quoted_and_nothing_else() -> None:
    text = f"# Overview\nA valve failed and the pier burnt.\n# Findings\n{REPORT}"
    answer = ask("Summarise the Harbour report.", {"a corroded valve": 0.9}, harbour=text)
    assert [c.cited_text for c in answer.citations] == ["A valve failed and the pier burnt."]


@pytest.mark.parametrize(("question", "word"), [("hello", "Hello"), ("你好", "你好")])
def test_a_greeting_is_answered_in_its_language_and_searches_nothing(
    question: str, word: str
) -> None:
    answer = ask(question, {}, harbour=HARBOUR)
    assert (answer.status, answer.reason) == (AnswerStatus.ANSWERED, "greeting")
    assert word in answer.answer
    assert answer.passages == () and answer.citations == ()


def test_a_time_told_from_today_picks_the_paper_of_that_day() -> None:
    reads = {"a corroded valve": 0.6, "a dropped cigarette": 0.9}
    old = HARBOUR.replace("3 May 2024", "31 December 2025")  # the clock stands on 1 January 2026
    answer = ask("What was the cause of the fire yesterday?", reads, harbour=old, mill=MILL)
    assert answer.answer == "The cause was a corroded valve."


def test_a_model_writes_when_the_reader_is_unsure_but_not_about_another_subject() -> None:
    texts = {"harbour": HARBOUR}
    writer = FakeWriter("The cause was a corroded valve[1].")
    library = FakeLibrary(texts)
    service = AnsweringService(
        retriever=FakeShelf(**texts),
        find_base=library.get_kb,
        library=library,
        reader=PointingReader({}),
        generator=writer,
        answers=FakeLog(),
        settings=RetrievalSettings(),
        clock=lambda: NOW,
    )
    assert service.ask(AskRequest("kb_1", "What was the cause of the fire?")).citations
    refused = service.ask(AskRequest("kb_1", "What was the cause of the Kafka outage?"))
    assert refused.reason == "subject_unknown"
    assert len(writer.requests) == 1


@pytest.mark.parametrize(
    "question", ["What happened at the Harbour?", "So what exactly happened at the Harbour then?"]
)
def test_what_happened_is_told_by_the_gist_where_the_words_read_are_not_sure(
    question: str,
) -> None:
    reads = {"a corroded valve": 0.5, "40,000 dollars": 0.45}
    answer = ask(question, reads, harbour=REPORT)
    assert answer.reason == "cannot_summarise"
    assert "The cause was a corroded valve." in answer.answer
    sure = ask(question, {"a corroded valve": 0.9}, harbour=REPORT)
    assert (sure.status, sure.reason) == (AnswerStatus.ANSWERED, None)


@pytest.mark.parametrize(
    ("question", "title", "text"),
    [
        ("校车安全专题会议纪要讲了什么？", "校车安全专题会议纪要", "会议讨论了校车管理。"),
        ("总结一下安全生产月工作方案。", "安全生产月工作方案", "本月检查四次。"),
        ("Summarise the lighting review.", "lighting review", "The lamps were changed."),
        ("What is the pump house memo about?", "Pump house memo", "It asks for two more pumps."),
    ],
)
def test_the_document_whose_title_a_question_says_is_the_one_that_is_meant(
    question: str, title: str, text: str
) -> None:
    answer = ask(question, {}, **{"an other paper": HARBOUR, title: text, "third": MILL})
    assert {citation.title for citation in answer.citations} == {title}
    assert text in answer.answer


def test_a_paper_of_whose_words_none_could_answer_is_not_said_to_be_missing() -> None:
    text = "雪豹“霜月二号”进入通道。该豹体长1.2米。"
    shelf = FakeShelf(zoo=text, mill=MILL)
    answer = asked_of("“霜月二号”的体重是多少？", shelf, PointingReader({"1.2米": 0.7, "1": 0.1}))
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "no_answer_in_passages")
    assert answer.missing == ()
