"""The life of a question, from the request to the saved answer."""

from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from kb_service.domain.answers import Answer, AnswerStatus, CitationStatus, Understood
from kb_service.domain.chats import ChatMessage, SamplingOptions
from kb_service.domain.errors import GenerationError, InvalidRequest, NotFound
from kb_service.domain.people import OPERATOR, Principal, Right, Rights
from kb_service.domain.queries import Filters, Reranking
from kb_service.domain.questions import QuestionKind
from kb_service.domain.spans import TextSpan
from kb_service.generation.extractive import ExtractiveReader
from kb_service.generation.words_reader import WordsReader
from kb_service.language.messages import in_all_languages
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import (
    AskRequest,
    CitationEvent,
    DoneEvent,
    PhaseEvent,
    TokenEvent,
)
from kb_service.settings import RetrievalSettings
from tests.services.answer_fakes import (
    NOW,
    FakeLibrary,
    FakeLog,
    FakeShelf,
    FakeWriter,
    PointingReader,
)

PUMP = "The pump failed on 3 March 2021. Mr Willis Forman closed the valve after 40 minutes."
QUESTION = "When did the pump fail?"
NOT_STATED_EN, NOT_STATED_ZH = in_all_languages("not_stated")


class Desk:
    """A service over fakes, and the fakes."""

    def __init__(self, writer: FakeWriter, **texts: str) -> None:
        self.writer = writer
        self.shelf = FakeShelf(**texts)
        self.log = FakeLog()
        library = FakeLibrary(texts)
        self.service = AnsweringService(
            retriever=self.shelf,
            find_base=library.get_kb,
            library=library,
            reader=WordsReader(),
            generator=writer,
            answers=self.log,
            settings=RetrievalSettings(),
            clock=lambda: NOW,
        )

    def ask(self, question: str = QUESTION, **values: object) -> Answer:
        return self.service.ask(replace(AskRequest("kb_1", question), **values))  # type: ignore[arg-type]  named by each test


def test_an_answer_is_cited_saved_and_returned() -> None:
    desk = Desk(FakeWriter("The pump failed ", "on 3 March 2021[1]."), pump=PUMP)
    answer = desk.ask()
    assert (answer.status, answer.reason) == (AnswerStatus.ANSWERED, None)
    assert answer.answer == "The pump failed on 3 March 2021."
    (citation,) = answer.citations
    assert citation.cited_text == citation.source.of(PUMP) == "The pump failed on 3 March 2021."
    assert citation.answer == TextSpan(0, len(answer.answer))
    assert (citation.id, citation.number, citation.status) == ("c1", 1, CitationStatus.VERIFIED)
    assert [p.text for p in answer.passages] == [PUMP]
    assert (answer.model, answer.usage.prompt_tokens, answer.id) == ("fake-writer", 7, "ans_1")
    assert set(answer.timings) == {"retrieve_s", "first_token_s", "generate_s", "total_s"}
    (saved,) = desk.log.saved
    assert saved[0] == answer
    assert (saved[1].model_sha256, saved[1].seed, saved[1].prompt_token_ids) == (
        "model-hash",
        11,
        (1, 2),
    )
    assert saved[1].raw_output == "The pump failed on 3 March 2021[1]."
    assert saved[1].reranking == Reranking("reader", 20, 1)
    assert desk.shelf.queries[-1].is_reranked


def test_the_stream_releases_sentences_followed_by_their_citations_and_ends_with_the_answer() -> (
    None
):
    desk = Desk(
        FakeWriter("The pump failed on 3 March 2021. ", "Mr Willis Forman closed the valve."),
        pump=PUMP,
    )
    events = list(desk.service.stream(AskRequest("kb_1", QUESTION)))
    assert [type(event) for event in events] == [
        PhaseEvent, PhaseEvent, PhaseEvent,
        TokenEvent, CitationEvent, TokenEvent, CitationEvent, DoneEvent,
    ]  # fmt: skip
    phases = [event.phase for event in events if isinstance(event, PhaseEvent)]
    assert phases == ["retrieving", "reading", "writing"]
    done = events[-1]
    assert isinstance(done, DoneEvent)
    assert [e.citation for e in events if isinstance(e, CitationEvent)] == list(
        done.answer.citations
    )
    assert [c.number for c in done.answer.citations] == [1, 2]


def test_a_sentence_with_a_value_that_the_documents_lack_is_dropped_and_named() -> None:
    answer = Desk(
        FakeWriter("The pump failed on 3 March 2021. It cost 900 dollars."), pump=PUMP
    ).ask()
    assert answer.answer == "The pump failed on 3 March 2021."
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "unsupported_sentences_dropped")


def test_a_loosely_worded_sentence_stays_and_is_marked_unverified() -> None:
    answer = Desk(
        FakeWriter("Mr Forman closed the valve while colleagues watched silently."), pump=PUMP
    ).ask()
    assert (answer.status, answer.reason) == (AnswerStatus.PARTIAL, "unverified_sentences")
    assert {c.status for c in answer.citations} == {CitationStatus.UNVERIFIED}
    (citation,) = answer.citations
    assert [span.of(answer.answer) for span in citation.unsupported] == [
        "while colleagues watched silently"
    ]


def test_places_of_unsupported_words_count_in_the_answer() -> None:
    answer = Desk(
        FakeWriter("The pump failed on 3 March 2021. The pump failed on 4 March 2021."), pump=PUMP
    ).ask()
    statuses = [(c.status, [s.of(answer.answer) for s in c.unsupported]) for c in answer.citations]
    assert statuses == [("verified", []), ("unverified", ["4 March 2021"])]


def test_thoughts_and_marks_of_roles_never_reach_an_answer() -> None:
    writer = FakeWriter(
        "<thi", "nk>The moon. </think", ">Assistant: The pump failed ", "on 3 March 2021.<|us",
        "er|>The pump failed. <think>Mr Willis",
    )  # fmt: skip
    answer = Desk(writer, pump=PUMP).ask()
    assert (answer.answer, answer.status) == ("The pump failed on 3 March 2021.", "answered")


def test_the_rows_of_a_table_are_sentences_and_its_rule_is_kept() -> None:
    table = "Pump\tFailed\nP-1\t3 March 2021\nP-2\t4 May 2022"
    written = "| Pump | Failed |\n|---|---|\n| P-1 | 3 March 2021 |\n| P-2 | 3 March 2021 |"
    answer = Desk(FakeWriter(*written), pump=table).ask()
    assert answer.answer == written
    told = [(c.answer.of(written), c.status, c.cited_text) for c in answer.citations]
    assert told == [
        ("| Pump | Failed |", "verified", "Pump\tFailed"),
        ("| P-1 | 3 March 2021 |", "verified", "P-1\t3 March 2021"),
        ("| P-2 | 3 March 2021 |", "unverified", "P-1\t3 March 2021"),
    ]


def test_an_answer_without_any_supported_sentence_is_a_refusal() -> None:
    desk = Desk(FakeWriter("The moon is made of cheese."), pump=PUMP)
    answer = desk.ask()
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "no_supported_sentence")
    assert (answer.answer, answer.citations) == (NOT_STATED_EN, ())
    assert desk.log.saved[0][1].raw_output == "The moon is made of cheese."


def test_a_model_that_says_nothing_was_found_refuses() -> None:
    for text in ("", NOT_STATED_EN, NOT_STATED_ZH):
        answer = Desk(FakeWriter(text), pump=PUMP).ask()
        assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "no_answer_in_passages")


def test_a_cut_off_answer_is_partial() -> None:
    writer = FakeWriter("The pump failed on 3 March 2021", finish_reason="length")
    assert Desk(writer, pump=PUMP).ask().reason == "max_tokens_reached"


def test_without_evidence_the_model_is_not_even_asked() -> None:
    desk = Desk(FakeWriter("anything"), pump=PUMP)
    answer = desk.ask("编号SG-2024-001的保险公司是哪一家？")
    assert (answer.status, answer.reason) == (AnswerStatus.REFUSED, "subject_unknown")
    assert answer.missing == ("SG-2024-001",)
    assert "SG-2024-001" in answer.answer
    assert answer.passages and not desk.writer.requests
    assert desk.log.saved[0][0] == answer


def test_an_empty_knowledge_base_is_named_as_the_reason() -> None:
    desk = Desk(FakeWriter("anything"))
    assert desk.ask().reason == "knowledge_base_empty"
    assert not desk.shelf.queries
    assert desk.log.saved[0][1].reranking is None


def test_a_report_number_narrows_the_second_search_to_its_report() -> None:
    desk = Desk(FakeWriter("历时215分钟。"), a="SG-1-A 历时99分钟。", b="SG-1-B 历时215分钟。")
    answer = desk.ask("SG-1-B历时多久？", filters=Filters(tags=("fire",)))
    assert [q.filters for q in desk.shelf.queries] == [
        Filters(tags=("fire",)),
        Filters(tags=("fire",), document_ids=("b",)),
    ]
    assert {p.document_id for p in answer.passages} == {"b"}
    ((_, audit),) = desk.log.saved
    assert audit.reranking == Reranking("reader", 20, 2), "of the search that found them"


def test_closing_the_stream_cancels_the_generation_and_saves_nothing() -> None:
    desk = Desk(FakeWriter("The pump failed on 3 March 2021. ", "Mr Forman", " left."), pump=PUMP)
    events = desk.service.stream(AskRequest("kb_1", QUESTION))
    assert isinstance(events, Iterator)
    assert any(isinstance(event, TokenEvent) for event in events)
    events.close()  # type: ignore[attr-defined]  the stream is a generator
    assert desk.writer.was_cancelled
    assert desk.log.saved == []


def test_a_failure_of_the_model_passes_through_and_saves_nothing() -> None:
    class Broken(FakeWriter):
        def generate(self, request: object):  # type: ignore[no-untyped-def,override]  # noqa: ANN202
            raise GenerationError("too long", code="prompt_too_long")
            yield ""

    desk = Desk(Broken(), pump=PUMP)
    with pytest.raises(GenerationError, match="too long"):
        desk.ask()
    assert desk.log.saved == []


def test_a_conversation_goes_on_and_a_follow_up_is_searched_with_its_question() -> None:
    desk = Desk(FakeWriter("Mr Willis Forman closed the valve after 40 minutes."), pump=PUMP)
    first = desk.ask("How long did the pump failure last before the valve was closed?")
    second = desk.ask("And who closed it?", conversation_id=first.conversation_id)
    assert second.conversation_id == first.conversation_id
    full = "About pump: who closed it?"
    assert desk.shelf.queries[-1].question.text == full
    request = desk.writer.requests[-1]
    assert (request.question.text, request.messages[-1].content) == (full, full)
    assert second.question == "And who closed it?"
    assert second.understood == Understood(
        full, carried=("pump",), documents=("pump",), about="about pump"
    )
    roles = [message.role for message in desk.writer.requests[-1].messages]
    assert roles == ["system", "user", "assistant", "user"]


def test_what_was_said_elsewhere_is_gone_on_from_by_its_questions() -> None:
    desk = Desk(FakeWriter("Mr Willis Forman closed the valve after 40 minutes."), pump=PUMP)
    said = (ChatMessage("user", "What did Forman do?"), ChatMessage("assistant", "He left."))
    answer = desk.ask("How long did it take?", history=said)
    assert answer.understood == Understood(
        "About Forman: How long did it take?",
        ("Forman",),
        carried=("Forman",),
        about="about Forman",
    )


def test_thanks_in_between_do_not_end_what_a_conversation_is_about() -> None:
    desk = Desk(FakeWriter("Mr Willis Forman closed the valve after 40 minutes."), pump=PUMP)
    first = desk.ask("What did Forman close?")
    thanks = desk.ask("Thanks!", conversation_id=first.conversation_id)
    assert (first.kind, thanks.kind) == (QuestionKind.FACT, QuestionKind.SMALL_TALK)
    last = desk.ask("How long did it take?", conversation_id=first.conversation_id)
    assert last.understood.about == "about Forman"


def test_unknown_names_are_refused_before_the_stream_begins() -> None:
    desk = Desk(FakeWriter(), pump=PUMP)
    with pytest.raises(NotFound, match="kb_9"):
        desk.service.stream(AskRequest("kb_9", QUESTION))
    with pytest.raises(NotFound, match="conv_9"):
        desk.service.stream(AskRequest("kb_1", QUESTION, "conv_9"))


def test_a_conversation_of_another_base_is_not_found() -> None:
    desk = Desk(FakeWriter("The pump failed on 3 March 2021."), pump=PUMP)
    answer = desk.ask()
    desk.log.saved = [(replace(answer, kb_id="kb_2"), desk.log.saved[0][1])]
    with pytest.raises(NotFound, match="no conversation"):
        desk.ask(conversation_id=answer.conversation_id)


def test_a_conversation_is_its_keys_and_goes_on_for_no_other() -> None:
    desk = Desk(FakeWriter("The pump failed on 3 March 2021."), pump=PUMP)
    reads = Rights(by_base={"kb_1": Right.READ})
    mary, peter = Principal("mary", "key_1", reads), Principal("peter", "key_2", reads)
    first = desk.ask(who=mary)
    assert first.owner == "key_1"
    assert desk.ask(conversation_id=first.conversation_id, who=mary).owner == "key_1"
    with pytest.raises(NotFound, match="no conversation"):
        desk.ask(conversation_id=first.conversation_id, who=peter)
    desk.ask(conversation_id=first.conversation_id, who=OPERATOR)


@pytest.mark.parametrize(
    ("request_", "code", "message"),
    [
        (AskRequest("kb_1", " \n"), "question_empty", "1 to 2000"),
        (
            AskRequest("kb_1", "x" * 50_000),
            "question_too_long",
            "50000 characters; expected 1 to 2000",
        ),
        (AskRequest("kb_1", "\0x"), "unstorable_text", "U\\+0000 at position 0"),
        (AskRequest("kb_1", "x", top_k=0), "top_k_out_of_range", "top_k is 0; expected 1 to 100"),
        (
            AskRequest("kb_1", "x", options=SamplingOptions(temperature=2.5)),
            "temperature_out_of_range",
            "temperature is 2.5; expected 0.0 to 2.0",
        ),
        (
            AskRequest("kb_1", "x", options=SamplingOptions(temperature=float("nan"))),
            "temperature_out_of_range",
            "temperature is nan",
        ),
        (
            AskRequest("kb_1", "x", options=SamplingOptions(max_tokens=0)),
            "max_tokens_out_of_range",
            "max_tokens is 0; expected 1 to 32768",
        ),
        (
            AskRequest("kb_1", "x", options=SamplingOptions(seed=2**31)),
            "seed_out_of_range",
            "seed is 2147483648; expected 0 to 2147483647",
        ),
    ],
)
def test_a_value_outside_its_range_is_named_with_the_range(
    request_: AskRequest, code: str, message: str
) -> None:
    with pytest.raises(InvalidRequest, match=message) as raised:
        Desk(FakeWriter(), pump=PUMP).service.stream(request_)
    assert raised.value.code == code


def test_a_reader_without_a_prompt_says_so() -> None:
    with pytest.raises(InvalidRequest, match="fake-writer reads no prompt"):
        Desk(FakeWriter(), pump=PUMP).service.prompt_segments(AskRequest("kb_1", QUESTION))


def test_the_typed_words_of_the_extractive_reader_are_highlighted_in_the_answer() -> None:
    desk = Desk(FakeWriter(), pump=PUMP)
    desk.service._generator = ExtractiveReader()
    desk.service._finder._reader = PointingReader({"3 March 2021": 0.9})
    answer = desk.ask()
    assert answer.answer == "The pump failed on 3 March 2021."
    assert answer.highlight is not None
    assert answer.highlight.of(answer.answer) == "3 March 2021"
    assert not desk.shelf.queries[-1].is_reranked, "the reader reads what is found"
    assert (answer.model, answer.usage.completion_tokens) == ("extractive-reader", 0)


SENTENCES = (
    "The pump failed on 3 March 2021.",
    "Mr Willis Forman closed the valve.",
    "Forman closed the valve after 40 minutes [1].",
    "It cost 9 dollars.",
    "泵在2021年3月3日失效。",
    "[1]",
    "\n",
    " ",
    "Mr",
)


@settings(deadline=None)  # a shared machine pauses at will
@given(st.lists(st.sampled_from(SENTENCES), max_size=6), st.integers(1, 9))
def test_pieces_cut_anywhere_join_to_the_same_answer(parts: list[str], size: int) -> None:
    text = " ".join(parts)
    pieces = [text[n : n + size] for n in range(0, len(text), size)]
    whole = Desk(FakeWriter(text), pump=PUMP).ask()
    desk = Desk(FakeWriter(*pieces), pump=PUMP)
    events = list(desk.service.stream(AskRequest("kb_1", QUESTION)))
    tokens = "".join(event.text for event in events if isinstance(event, TokenEvent))
    answer = desk.log.saved[0][0]
    assert tokens == answer.answer == whole.answer
    assert (answer.citations, answer.status) == (whole.citations, whole.status)
    for citation in answer.citations:
        assert citation.source.of(PUMP) == citation.cited_text
        assert citation.answer.of(answer.answer).strip()
