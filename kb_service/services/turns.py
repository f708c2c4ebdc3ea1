"""One question on its way to an answer: Turn, Draft, and the records made of them.

Knows what answering needs of documents and of the answer log (two Protocols that storage fulfils).
Decides nothing.
"""

from collections.abc import Collection, Generator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import date, datetime
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
    Understood,
)
from kb_service.domain.chats import ChatMessage, Usage
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.history import AsOf
from kb_service.domain.queries import Filters, Passage, Reranking
from kb_service.domain.questions import Question, QuestionKind, QuestionPart
from kb_service.domain.record_queries import RecordQuery
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.tables import Tabled
from kb_service.language.asked import parse_question
from kb_service.language.follow_ups import points_back
from kb_service.language.kinds import kind_of
from kb_service.language.question_parts import parts_of
from kb_service.services.asking import AskRequest, Inquiry, Phase, PhaseEvent
from kb_service.services.assembly import RevisionTexts
from kb_service.services.follow_ups import (
    Carried,
    carried_from,
    carried_through,
    is_elsewhere,
    rewrite,
)
from kb_service.services.named import Named, named_in
from kb_service.services.understanding import understood_as
from kb_service.storage.answers.conversations import no_conversation
from kb_service.storage.identity import new_id

E = TypeVar("E")
R = TypeVar("R")
MAX_EARLIER = 6
"""So many questions back is looked for what a follow-up is about."""

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

    def latest_answers(self, conversation_id: str, limit: int) -> tuple[Answer, ...]:
        """Return the last answers of a conversation, the latest first."""

    def save_turn(self, answer: Answer, audit: AnswerAudit) -> Answer:
        """Store the answer, and question and answer as the next messages of its conversation.

        One transaction; a conversation that does not exist yet begins with it. Returns the answer
        as stored: without any words when a document it saw was deleted meanwhile.
        """


@dataclass(slots=True)
class Turn:
    """What was fixed at the start of a question, and what the steps add to it.

    `question`: the full one, which everything downstream gets; `understood`: as what it was read.
    `parts`: the questions it consists of. `named`: what it names when it is asked `today`.
    `within`: what a total stays in that goes on from the answer before. `before`: the query of that
    answer, where it was one over records.
    """

    inquiry: Inquiry
    question: Question
    understood: Understood
    kind: QuestionKind
    parts: tuple[QuestionPart, ...]
    named: Named
    conversation_id: str
    history: tuple[ChatMessage, ...]
    within: Filters | None = None
    before: RecordQuery | None = None
    passages: tuple[Passage, ...] = ()
    reranking: Reranking | None = None
    timings: dict[str, float] = field(default_factory=lambda: dict.fromkeys(TIMINGS, 0.0))

    @property
    def request(self) -> AskRequest:
        """What was asked for."""
        return self.inquiry.request

    @property
    def kb(self) -> KnowledgeBase:
        """The base that is asked."""
        return self.inquiry.base

    @property
    def today(self) -> date:
        """The day by which times are told."""
        return self.inquiry.today

    @property
    def as_of(self) -> AsOf | None:
        """The earlier state of the base that is asked; None: the present one."""
        return self.inquiry.state

    @property
    def asked(self) -> str:
        """The question as it was typed."""
        return self.request.question

    @property
    def pinned(self) -> tuple[str, ...]:
        """The documents of the answer before that the question goes on from; may be searched first.

        They may not answer it: then all are searched.
        """
        return self.understood.documents

    def locate(self, numbers: Collection[int], library: Library) -> None:
        """Note where the passages of these numbers stand on their pages."""
        self.passages = tuple(
            replace(one, regions=library.regions(one.revision_id, one.span))
            if one.number in numbers
            else one
            for one in self.passages
        )

    def clock(self, name: str, since: float | None = None) -> None:
        """Note the seconds since a moment, or since the question came in."""
        self.timings[name] = round(perf_counter() - (since or self.inquiry.started), 6)

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
    missing: tuple[str, ...] = ()
    nearest: tuple[int, ...] = ()
    tabled: Tabled | None = None


def inquire(
    request: AskRequest, kb: KnowledgeBase, log: AnswerLog, today: date, state: AsOf | None = None
) -> Inquiry:
    """Find what was said before a question. Raises NotFound (conversation_not_found)."""
    if request.conversation_id is None:
        return Inquiry(request, kb, today, state)
    conversation = log.get_conversation(request.conversation_id)
    if conversation.kb_id != kb.id or not request.who.owns(conversation.owner):
        raise no_conversation(conversation.id)
    earlier = log.latest_answers(conversation.id, MAX_EARLIER)
    return Inquiry(request, kb, today, state, conversation, earlier)


def open_turn(inquiry: Inquiry) -> Turn:
    """Read a question in its conversation."""
    request, conversation = inquiry.request, inquiry.conversation
    if conversation is None:
        said = [m.content for m in request.history if m.role == "user"]
        carried = carried_through(said[-MAX_EARLIER:])
        return _turn(inquiry, new_id("conv"), request.history, carried)
    history = tuple(ChatMessage(m.role, m.content) for m in conversation.messages)
    told = (answer for answer in inquiry.earlier if answer.kind is not QuestionKind.SMALL_TALK)
    last = next(told, None)
    carried = carried_from(last) if last else None
    return _turn(inquiry, conversation.id, history, carried)


def _turn(
    inquiry: Inquiry,
    conversation_id: str,
    history: tuple[ChatMessage, ...],
    carried: Carried | None,
) -> Turn:
    request, today = inquiry.request, inquiry.today
    if carried and is_elsewhere(carried, request.filters):
        carried = None
    full = rewrite(parse_question(request.question), carried)
    question, named = full.question, named_in(full.question, today)
    return Turn(
        inquiry=inquiry,
        question=question,
        understood=understood_as(full, named, request.filters),
        kind=kind_of(question),
        parts=parts_of(question),
        named=named,
        conversation_id=conversation_id,
        history=history,
        within=full.within,
        before=carried.query if carried else None,
    )


def as_typed(turn: Turn) -> Turn | None:
    """Return the turn of the question as it was typed; None where nothing was carried to it.

    And where it points back itself ("when did he see it?").
    """
    if not turn.understood.carried or points_back(parse_question(turn.asked).normalised):
        return None
    return _turn(turn.inquiry, turn.conversation_id, turn.history, None)


def to_answer(
    turn: Turn, draft: Draft, answer_id: str, info: GeneratorInfo, now: datetime
) -> Answer:
    """Return the finished answer."""
    return Answer(
        id=answer_id,
        kb_id=turn.kb.id,
        question=turn.asked,
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
        missing=draft.missing,
        nearest=draft.nearest,
        understood=turn.understood,
        kind=turn.kind,
        tabled=draft.tabled,
        channel=turn.request.channel,
        as_of=turn.as_of.change if turn.as_of else None,
        owner=turn.request.who.key_id,
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
