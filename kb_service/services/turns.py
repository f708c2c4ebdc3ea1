"""One question on its way to an answer: Turn, Draft, and the records made of them.

Knows what answering needs of documents and of the answer log (two Protocols that storage fulfils).
Decides nothing.
"""

from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter
from typing import Protocol, TypeVar, cast

from kb_service.domain.answers import (
    Answer,
    AnswerAudit,
    AnswerStatus,
    Citation,
    Conversation,
    Generation,
    GeneratorInfo,
)
from kb_service.domain.chats import ChatMessage, Usage
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import NotFound
from kb_service.domain.queries import Passage, Reranking
from kb_service.domain.questions import Question
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.language.asked import parse_question
from kb_service.services.asking import AskRequest, Phase, PhaseEvent
from kb_service.services.assembly import RevisionTexts
from kb_service.services.followup import search_question
from kb_service.storage.identity import new_id

E = TypeVar("E")
R = TypeVar("R")
TIMINGS = ("retrieve_s", "first_token_s", "generate_s", "total_s")


class Library(RevisionTexts, Protocol):
    """What answering reads of the documents; the stored revisions fulfil it."""

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return where the words of a span stand on the pages of a revision."""


class AnswerLog(Protocol):
    """Where answers and conversations are kept."""

    def new_answer_id(self) -> str:
        """Return an id for an answer that is about to be made."""

    def get_conversation(self, conversation_id: str) -> Conversation:
        """Return a conversation. Raises NotFound (conversation_not_found)."""

    def save_turn(self, answer: Answer, audit: AnswerAudit) -> Answer:
        """Store the answer, and question and answer as the next messages of its conversation.

        One transaction; a conversation that does not exist yet begins with it. Returns the answer
        as stored: without any words when a document it saw was deleted meanwhile.
        """


@dataclass(slots=True)
class Turn:
    """What was fixed at the start of a question, and what the steps add to it.

    `search`: what to search with; a follow-up question takes the one before it along.
    """

    request: AskRequest
    question: Question
    search: Question
    kb: KnowledgeBase
    conversation_id: str
    history: tuple[ChatMessage, ...]
    started: float = field(default_factory=perf_counter)
    passages: tuple[Passage, ...] = ()
    reranking: Reranking | None = None
    idf: dict[str, float] = field(default_factory=dict)
    timings: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMINGS, 0.0))

    def clock(self, name: str, since: float | None = None) -> None:
        """Note the seconds since a moment, or since the question came in."""
        self.timings[name] = round(perf_counter() - (since or self.started), 6)

    def note_first(self, events: Generator[E, None, R]) -> Generator[E | PhaseEvent, None, R]:
        """Pass events on; note, and tell, when the first one came."""
        with closing(events):
            try:
                first = next(events)
            except StopIteration as end:
                return cast(R, end.value)
            self.clock("first_token_s")
            yield PhaseEvent(Phase.WRITING)
            yield first
            return (yield from events)


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written, before it is an Answer. A refusal has neither citations nor output."""

    status: AnswerStatus
    reason: str | None
    text: str
    citations: tuple[Citation, ...] = ()
    generation: Generation = field(default_factory=lambda: Generation("", Usage()))
    highlight: TextSpan | None = None


def open_turn(request: AskRequest, kb: KnowledgeBase, log: AnswerLog) -> Turn:
    """Look up the conversation of a request. Raises NotFound (conversation_not_found)."""
    if request.conversation_id is None:
        return _turn(request, kb, new_id("conv"), request.history)
    conversation = log.get_conversation(request.conversation_id)
    if conversation.kb_id != kb.id:
        raise NotFound(
            f"conversation {conversation.id} does not belong to knowledge base {kb.id}",
            code="conversation_not_found",
        )
    history = tuple(ChatMessage(m.role, m.content) for m in conversation.messages)
    return _turn(request, kb, conversation.id, history)


def _turn(
    request: AskRequest, kb: KnowledgeBase, conversation_id: str, history: tuple[ChatMessage, ...]
) -> Turn:
    question = parse_question(request.question)
    search = search_question(question, history)
    return Turn(request, question, search, kb, conversation_id, history)


def to_answer(
    turn: Turn, draft: Draft, answer_id: str, info: GeneratorInfo, now: datetime
) -> Answer:
    """Return the finished answer."""
    return Answer(
        id=answer_id,
        kb_id=turn.kb.id,
        question=turn.request.question,
        status=draft.status,
        answer=draft.text,
        reason=draft.reason,
        citations=draft.citations,
        passages=turn.passages,
        conversation_id=turn.conversation_id,
        model=info.name,
        usage=draft.generation.usage,
        timings=turn.timings,
        created_at=now,
        highlight=draft.highlight,
    )


def to_audit(turn: Turn, draft: Draft, info: GeneratorInfo) -> AnswerAudit:
    """Return what explains the answer and lets it be repeated."""
    seed = draft.generation.sampling.get("seed")
    return AnswerAudit(
        model_sha256=info.model_sha256,
        tokenizer_sha256=info.tokenizer_sha256,
        prompt_token_ids=draft.generation.prompt_token_ids,
        sampling=draft.generation.sampling,
        seed=None if seed is None else int(seed),
        raw_output=draft.generation.text,
        reranking=turn.reranking,
    )
