"""The life of a question: retrieve → assemble → gate → generate → cite → save.

The sequence only; what the steps do stands in passage_search, evidence, prompting and writing.
Knows no HTTP and no concrete model, index or database.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

from kb_service.domain import ports
from kb_service.domain.answers import Answer, AnswerStatus, GenerationRequest
from kb_service.domain.chats import ChatMessage
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Query
from kb_service.language.messages import message
from kb_service.services.asking import (
    AskEvent,
    AskRequest,
    CitationEvent,
    DoneEvent,
    Phase,
    PhaseEvent,
    TokenEvent,
    check_request,
)
from kb_service.services.evidence import weigh_evidence
from kb_service.services.passage_search import PassageSearch
from kb_service.services.prompting import (
    PromptMeter,
    PromptReader,
    Segment,
    build_messages,
)
from kb_service.services.turns import (
    AnswerLog,
    Draft,
    Library,
    Turn,
    open_turn,
    to_answer,
    to_audit,
)
from kb_service.services.writing import GroundedWriter
from kb_service.settings import RetrievalSettings

DEFAULT_TOP_K = 20
KNOWLEDGE_BASE_EMPTY = "knowledge_base_empty"

Drafting = Generator[TokenEvent | CitationEvent, None, Draft]


class AnsweringService:
    """Answers questions from one knowledge base, with citations. Safe to share between threads."""

    def __init__(
        self,
        *,
        retriever: ports.Retriever,
        find_base: Callable[[str], KnowledgeBase],
        library: Library,
        generator: ports.Generator,
        answers: AnswerLog,
        settings: RetrievalSettings,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._retriever = retriever
        self._find_base = find_base
        self._library = library
        self._generator = generator
        self._answers = answers
        self._settings = settings
        self._clock = clock
        self._search = PassageSearch(retriever, library, settings)

    def ask(self, request: AskRequest) -> Answer:
        """Return the answer: the last event of `stream`. Raises KbError."""
        *_, last = self.stream(request)
        if not isinstance(last, DoneEvent):
            raise RuntimeError("the stream ended without an answer")
        return last.answer

    def stream(self, request: AskRequest) -> Generator[AskEvent, None, None]:
        """Check the request now, then yield the events of its answer.

        Joined token texts are `answer.answer` and citation events `answer.citations`. Closing the
        iterator cancels the generation, and nothing is saved. Raises KbError: InvalidRequest and
        NotFound from this call, GenerationError and StorageError from the iterator.
        """
        check_request(request, self._settings)
        return self._answer(open_turn(request, self._find_base(request.kb_id), self._answers))

    def prompt_segments(self, request: AskRequest) -> Sequence[Segment]:
        """Return the exact prompt of a question as token ids by segment; generates nothing.

        Raises InvalidRequest (no_prompt) when the generator is one that reads no prompt.
        """
        check_request(request, self._settings)
        turn = open_turn(request, self._find_base(request.kb_id), self._answers)
        if not isinstance(self._generator, PromptReader):
            raise InvalidRequest(f"{self._generator.info.name} reads no prompt", code="no_prompt")
        self._find_passages(turn)
        return self._generator.prompt_segments(self._messages(turn))

    def _answer(self, turn: Turn) -> Generator[AskEvent, None, None]:
        yield PhaseEvent(Phase.RETRIEVING)
        refusal = self._find_passages(turn)
        yield PhaseEvent(Phase.READING)
        drafting = self._refuse(turn, refusal) if refusal else self._write(turn)
        draft = yield from turn.note_first(drafting)
        yield DoneEvent(self._save(turn, draft))

    def _find_passages(self, turn: Turn) -> str | None:
        """Retrieve, assemble and weigh passages; return the reason to refuse, None to go on."""
        began = perf_counter()
        if turn.kb.num_chunks == 0:
            return KNOWLEDGE_BASE_EMPTY
        context = self._search.find(self._query(turn))
        turn.passages, turn.reranking = context.passages, context.reranking
        turn.idf = self._retriever.idf(turn.kb.id, turn.question.terms)
        turn.clock("retrieve_s", began)
        return weigh_evidence(turn.question, turn.passages, turn.idf, context.confirmed).reason

    def _query(self, turn: Turn) -> Query:
        top_k = turn.request.top_k or min(DEFAULT_TOP_K, self._settings.max_top_k)
        return Query(turn.kb.id, turn.question, top_k, turn.request.filters)

    def _refuse(self, turn: Turn, reason: str) -> Drafting:
        text = message("not_stated", turn.question.language)
        yield TokenEvent(text)
        return Draft(AnswerStatus.REFUSED, reason, text)

    def _write(self, turn: Turn) -> Drafting:
        """Generate and cite, sentence by sentence."""
        began = perf_counter()
        writer = GroundedWriter(turn.passages, self._library.regions)
        with closing(self._generator.generate(self._generation_request(turn))) as pieces:
            generation = yield from writer.write(pieces)
        turn.clock("generate_s", began)
        status, reason = writer.verdict(generation)
        if status is AnswerStatus.REFUSED:
            refused = yield from self._refuse(turn, reason or "")
            return replace(refused, generation=generation)
        highlight = writer.locate(generation.answer_words)
        citations = tuple(writer.citations)
        return Draft(status, reason, writer.text, citations, generation, highlight)

    def _generation_request(self, turn: Turn) -> GenerationRequest:
        return GenerationRequest(
            question=turn.question,
            passages=turn.passages,
            messages=self._messages(turn),
            options=turn.request.options,
            idf=turn.idf,
            tenant=turn.kb.id,
            cancelled=turn.request.cancelled,
        )

    def _messages(self, turn: Turn) -> tuple[ChatMessage, ...]:
        meter = self._generator if isinstance(self._generator, PromptMeter) else None
        return build_messages(turn.question, turn.passages, turn.history, meter)

    def _save(self, turn: Turn, draft: Draft) -> Answer:
        turn.clock("total_s")
        info = self._generator.info
        answer = to_answer(turn, draft, self._answers.new_answer_id(), info, self._clock())
        return self._answers.save_turn(answer, to_audit(turn, draft, info))
