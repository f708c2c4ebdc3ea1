"""Answers, feedback and conversations; and that deleted words do not live on in them."""

from dataclasses import replace
from datetime import UTC, date, datetime

import pytest

from kb_service.domain.answers import (
    Answer,
    AnswerAudit,
    AnswerStatus,
    Channel,
    Citation,
    CitationStatus,
    Understood,
)
from kb_service.domain.chats import Usage
from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.queries import Filters, Passage, Reranking
from kb_service.domain.questions import QuestionKind
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.times import Period
from kb_service.storage.answers.codec import answer_from, answer_json, audit_from, audit_json
from tests.storage.world import World

AUDIT = AnswerAudit(
    "m" * 64, "t" * 64, (1, 2, 3), {"top_p": 0.8, "seed": None}, 7, "secret raw",
    Reranking("cross", 20, 15),
)  # fmt: skip
SECRET = "the pump failed"


@pytest.fixture
def answer(world: World) -> Answer:
    """An answer that cites a.txt and was also shown b.txt."""
    kb_id = world.catalog.bases.create("reports").id
    cited = world.ingest(kb_id, "a.txt", [SECRET])
    shown = world.ingest(kb_id, "b.txt", ["the valve held"])
    span, boxes = TextSpan(0, len(SECRET)), ((0.5, 1.0, 2.0, 3.0),)
    return Answer(
        id=world.answers.new_answer_id(),
        kb_id=kb_id,
        question="What failed?",
        status=AnswerStatus.ANSWERED,
        answer=SECRET,
        reason=None,
        citations=(
            Citation(
                id="cit_1",
                number=1,
                document_id=cited.document_id,
                sha256=cited.sha256,
                title="a",
                cited_text=SECRET,
                source=span,
                regions=(PageRegion(1, boxes),),
                answer=span,
                score=0.9,
                status=CitationStatus.UNVERIFIED,
                unsupported=(TextSpan(1, 3), TextSpan(5, 6)),
                document_name="a.txt",
                document_date=date(2026, 5, 8),
                document_line="8 May 2026",
            ),
        ),
        passages=tuple(
            Passage(n, n, revision.document_id, revision.id, revision.sha256, "t", span, words, 0.5)
            for n, revision, words in ((1, cited, SECRET), (2, shown, "the valve held"))
        ),
        conversation_id="conv_1",
        model="extractive",
        usage=Usage(1, 2, 3),
        timings={"total_s": 0.25},
        created_at=datetime(2026, 1, 1, 12, 30, 15, 250000, UTC),
        understood=Understood("What failed?"),
        highlight=TextSpan(4, 8),
    )


def test_an_answer_is_read_back_as_it_was(world: World, answer: Answer) -> None:
    assert world.answers.save_turn(answer, AUDIT) == answer
    assert world.answers.get(answer.id) == (answer, AUDIT)
    plain = replace(answer, id="ans_2", highlight=None, citations=(), passages=())
    world.answers.save_turn(plain, AUDIT)
    assert world.answers.get("ans_2")[0] == plain
    with pytest.raises(NotFound):
        world.answers.get("ans_unknown")
    world.assert_clean()


def test_how_a_question_was_understood_is_read_back_and_was_not_told_before(
    world: World, answer: Answer
) -> None:
    understood = Understood(
        question="About a: what failed on 8 May?",
        subjects=("a", "8 May"),
        time=Period(date(2026, 5, 8), date(2026, 5, 8)),
        filters=Filters(("doc_1",), ("x",), answer.created_at, None),
        carried=("a",),
        documents=(answer.citations[0].document_id,),
        about="about a, 8 May 2026",
    )
    asked = replace(answer, understood=understood, kind=QuestionKind.LIST)
    world.answers.save_turn(asked, AUDIT)
    assert world.answers.get(answer.id)[0] == asked
    payload = answer_json(answer)
    del payload["understood"], payload["kind"]
    assert answer_from({**payload, "not_stored": None}) == replace(
        answer, passages=tuple(replace(p, units=()) for p in answer.passages)
    )


def test_an_answer_that_told_what_was_carried_but_not_what_was_named_is_read(
    answer: Answer,
) -> None:
    told = {"about": "about a", "question": "About a: what failed?", "documents": ["doc_1"]}
    payload = {**answer_json(answer), "understood": told}
    assert answer_from(payload).understood == Understood(
        "About a: what failed?", documents=("doc_1",), about="about a"
    )


def test_an_answer_from_before_documents_were_told_apart_is_read(answer: Answer) -> None:
    payload = answer_json(answer)
    for named in (*payload["citations"], *payload["passages"]):
        del named["document_name"], named["document_date"], named["document_line"]
    read = answer_from(payload)
    assert (read.citations[0].document_name, read.citations[0].document_date) == ("", None)


def test_the_last_answers_of_a_conversation_come_latest_first(world: World, answer: Answer) -> None:
    turns = [replace(answer, id=f"ans_{n}") for n in (1, 2, 3)]
    for turn in turns:
        world.answers.save_turn(turn, AUDIT)
    world.answers.save_turn(replace(answer, id="ans_9", conversation_id="conv_2"), AUDIT)
    assert world.answers.latest_answers("conv_1", 2) == (turns[2], turns[1])
    assert world.answers.latest_answers("conv_unknown", 2) == ()


def test_a_question_asked_with_the_title_of_a_document_loses_it_with_the_document(
    world: World, answer: Answer
) -> None:
    document_id = answer.citations[0].document_id
    understood = Understood(
        "About a: what failed?", carried=("a",), documents=(document_id,), about="about a"
    )
    refused = replace(answer, citations=(), passages=(), highlight=None, understood=understood)
    world.answers.save_turn(refused, AUDIT)
    world.catalog.documents.delete(answer.kb_id, document_id)
    assert world.answers.get(answer.id)[0].understood == Understood("What failed?")


def test_an_audit_record_from_before_there_was_a_reranker_is_read() -> None:
    payload = audit_json(AUDIT)
    del payload["reranking"]
    assert audit_from(payload) == replace(AUDIT, reranking=None)


def test_an_answer_from_before_unsupported_words_were_told_is_read(answer: Answer) -> None:
    payload = answer_json(answer)
    for item in payload["citations"]:
        del item["unsupported"]
    (citation,) = answer_from(payload).citations
    assert citation == replace(answer.citations[0], unsupported=())


def test_an_audit_record_from_when_a_reranker_had_a_time_budget_is_read() -> None:
    payload = audit_json(AUDIT)
    payload["reranking"]["budget_s"] = 0.3
    assert audit_from(payload) == AUDIT


@pytest.mark.parametrize("name", ["a.txt", "b.txt"])
def test_deleting_a_document_takes_its_words_out_of_answers(
    world: World, answer: Answer, name: str
) -> None:
    world.answers.save_turn(answer, AUDIT)
    world.answers.feedback(answer.id, "up", f"right, {SECRET}")
    document = world.catalog.documents.find(answer.kb_id, name)
    assert document is not None
    world.catalog.documents.delete(answer.kb_id, document.id)
    found, audit = world.answers.get(answer.id)
    assert (found.answer, found.citations, found.passages) == ("", (), ())
    assert (found.question, found.reason, found.highlight) == (
        "What failed?",
        "document_deleted",
        None,
    )
    assert (audit.raw_output, audit.prompt_token_ids) == ("", ())
    contents = [turn.content for turn in world.answers.get_conversation("conv_1").messages]
    assert contents == ["What failed?", ""]
    assert world.answers.get_feedback(answer.id) == ("up", "")
    world.assert_clean()


def test_an_answer_finished_after_the_delete_is_stored_without_words(
    world: World, answer: Answer
) -> None:
    world.catalog.documents.delete(answer.kb_id, answer.citations[0].document_id)
    stored = world.answers.save_turn(answer, AUDIT)
    assert (stored.answer, stored.citations, stored.passages) == ("", (), ())
    assert world.answers.get(answer.id)[0] == stored
    assert world.answers.get_conversation("conv_1").messages[1].content == ""
    world.assert_clean()


def test_an_answer_of_a_deleted_base_is_not_stored(world: World, answer: Answer) -> None:
    world.answers.save_turn(answer, AUDIT)
    world.catalog.bases.delete(answer.kb_id)
    for read in (lambda: world.answers.get(answer.id), lambda: conversation(world)):
        with pytest.raises(NotFound):
            read()
    with pytest.raises(NotFound):
        world.answers.save_turn(answer, AUDIT)
    world.assert_clean()


def test_turns_follow_each_other_in_one_conversation(world: World, answer: Answer) -> None:
    world.answers.save_turn(answer, AUDIT)
    world.answers.save_turn(replace(answer, id="ans_2", question="And then?"), AUDIT)
    found = conversation(world)
    assert found.title == "What failed?"
    assert [turn.role for turn in found.messages] == ["user", "assistant"] * 2
    assert [turn.answer_id for turn in found.messages] == [None, answer.id, None, "ans_2"]
    world.answers.delete_conversation("conv_1")
    for read in (lambda: world.answers.get(answer.id), lambda: conversation(world)):
        with pytest.raises(NotFound):
            read()
    world.assert_clean()


def test_feedback_keeps_the_latest_and_refuses_other_ratings(world: World, answer: Answer) -> None:
    world.answers.save_turn(answer, AUDIT)
    assert world.answers.get_feedback(answer.id) is None
    world.answers.feedback(answer.id, "down", "wrong")
    world.answers.feedback(answer.id, "up")
    assert world.answers.get_feedback(answer.id) == ("up", "")
    for rating, comment in (("great", ""), ("up", "x" * 10_001)):
        with pytest.raises(InvalidRequest):
            world.answers.feedback(answer.id, rating, comment)
    with pytest.raises(NotFound):
        world.answers.feedback("ans_unknown", "up")


def test_conversations_are_listed_latest_first(world: World, answer: Answer) -> None:
    kb_id, other = answer.kb_id, world.catalog.bases.create("other").id
    plain = replace(answer, citations=(), passages=())

    def ask(number: int, conversation_id: str, base: str = kb_id) -> None:
        world.clock.advance(1)
        turn = replace(plain, id=f"ans_{number}", kb_id=base, conversation_id=conversation_id)
        world.answers.save_turn(turn, AUDIT)

    made = [f"conv_{number}" for number in range(5)]
    for number, conversation_id in enumerate(made):
        ask(number, conversation_id)
    ask(5, "conv_other", other)
    ask(6, made[0])
    expected = [made[0], *reversed(made[1:])]
    seen: list[str] = []
    cursor = None
    while True:
        listing = world.answers.list_conversations(kb_id, cursor, limit=2)
        seen += [item.id for item in listing.items]
        cursor = listing.next_cursor
        if cursor is None:
            break
    assert seen == expected
    assert len(world.answers.list_conversations().items) == 6
    with pytest.raises(InvalidRequest):
        world.answers.list_conversations(kb_id, "bm90IGEgY3Vyc29y")
    with pytest.raises(NotFound):
        world.answers.get_conversation("conv_unknown")


def test_conversations_are_told_apart_by_where_they_began_and_found_by_what_was_said(
    world: World, answer: Answer
) -> None:
    plain = replace(answer, citations=(), passages=())
    world.answers.save_turn(plain, AUDIT)
    paged = replace(plain, id="ans_2", conversation_id="conv_2", channel=Channel.PAGE)
    world.answers.save_turn(replace(paged, question="Where is 100% of it?"), AUDIT)

    def ids(channel: Channel | None = None, contains: str | None = None) -> list[str]:
        found = world.answers.list_conversations(channel=channel, contains=contains)
        return [item.id for item in found.items]

    assert ids(Channel.PAGE) == ["conv_2"]
    assert ids(Channel.API) == [answer.conversation_id]
    assert ids(contains="PUMP FAILED") == ["conv_2", answer.conversation_id]
    assert ids(contains="100%") == ["conv_2"]
    assert ids(Channel.API, "100%") == []
    assert world.answers.get_conversation("conv_2").channel is Channel.PAGE
    assert world.answers.get("ans_2")[0].channel is Channel.PAGE


def test_a_conversation_takes_another_title(world: World, answer: Answer) -> None:
    world.answers.save_turn(answer, AUDIT)
    renamed = world.answers.rename_conversation(answer.conversation_id, "  Pumps ")
    assert (renamed.title, len(renamed.messages)) == ("Pumps", 2)
    for title in (" ", "x" * 101):
        with pytest.raises(InvalidRequest):
            world.answers.rename_conversation(answer.conversation_id, title)
    with pytest.raises(NotFound):
        world.answers.rename_conversation("conv_unknown", "x")


def conversation(world: World):  # noqa: ANN201  read by the tests above
    return world.answers.get_conversation("conv_1")
