"""The life of a question: understand → find → read → weigh → write → cite → save.

The sequence only; what the steps do stands in turns, finding, evidence, telling and writing.
Knows no HTTP and no concrete model, index or database.
"""

from collections.abc import Callable, Generator, Sequence
from contextlib import closing
from copy import copy
from dataclasses import replace
from datetime import UTC, datetime
from time import perf_counter

from kb_service.domain import ports
from kb_service.domain.answers import Answer, Generation, GenerationRequest
from kb_service.domain.chats import ChatMessage
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Query
from kb_service.domain.questions import Question, QuestionKind
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.asked import parse_question
from kb_service.language.messages import message
from kb_service.services.across import AcrossDocuments, Told
from kb_service.services.as_of import States, only_the_present
from kb_service.services.asking import (
    AskEvent,
    AskRequest,
    CitationEvent,
    DoneEvent,
    Drafted,
    Drafting,
    Inquiry,
    Phase,
    PhaseEvent,
    TokenEvent,
    check_request,
)
from kb_service.services.filtering import as_compared
from kb_service.services.finding import (
    Finder,
    Finding,
    is_of_its_own,
    read_of,
)
from kb_service.services.named import Named, explicit_question, named_in
from kb_service.services.naming_apart import named_apart
from kb_service.services.numbering import numbered_together
from kb_service.services.passage_search import PassageSearch
from kb_service.services.prompting import (
    PromptMeter,
    PromptReader,
    Segment,
    build_messages,
)
from kb_service.services.telling import Plan, plan_answer, to_draft
from kb_service.services.turns import (
    AnswerLog,
    Draft,
    Library,
    Turn,
    as_typed,
    inquire,
    open_turn,
    to_answer,
    to_audit,
)
from kb_service.services.writing import GroundedWriter
from kb_service.settings import RetrievalSettings

DEFAULT_TOP_K = 20

Wording = Generator[TokenEvent | CitationEvent, None, Draft]


class AnsweringService:
    """Answers questions from one knowledge base, with citations. Safe to share between threads."""

    def __init__(
        self,
        *,
        retriever: ports.Retriever,
        find_base: Callable[[str], KnowledgeBase],
        library: Library,
        reader: ports.PassageReader,
        generator: ports.Generator,
        answers: AnswerLog,
        settings: RetrievalSettings,
        across: AcrossDocuments | None = None,
        states: States = only_the_present,
        clock: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        self._find_base = find_base
        self._library = library
        self._reader = reader
        self._generator = generator
        self._answers = answers
        self._settings = settings
        self._across = across
        self._clock = clock
        self._states = states
        self._retriever = retriever
        self._finder = self._finder_in(retriever)
        self._draft_by: Callable[[Inquiry], Drafting] = self.draft

    def through(self, draft: Callable[[Inquiry], Drafting]) -> "AnsweringService":
        """Return this service with answers that `draft` makes; it checks and keeps them itself."""
        other = copy(self)
        other._draft_by = draft  # noqa: SLF001  its own class
        return other

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
        return self._events(self.inquire(request))

    def prompt_segments(self, request: AskRequest) -> Sequence[Segment]:
        """Return the exact prompt of a question as token ids by segment; generates nothing.

        Raises InvalidRequest (no_prompt) when the generator is one that reads no prompt.
        """
        turn = open_turn(self.inquire(request))
        if not isinstance(self._generator, PromptReader):
            raise InvalidRequest(f"{self._generator.info.name} reads no prompt", code="no_prompt")
        reading = self._read_turn(turn)
        while True:
            try:
                next(reading)
            except StopIteration as end:
                turn, _ = end.value
                return self._generator.prompt_segments(self._messages(turn))

    def inquire(self, request: AskRequest) -> Inquiry:
        """Check a request, and find what was said before it. Raises InvalidRequest, NotFound."""
        check_request(request, self._settings)
        base = request.base or self._find_base(request.kb_id)
        request = replace(request, filters=as_compared(request.filters))
        state = self._states(base.id, request.as_of)
        if state is None:
            today = request.today or self._clock().date()
            return inquire(request, base, self._answers, today)
        then = replace(base, num_chunks=state.num_chunks)
        return inquire(request, then, self._answers, request.today or state.at.date(), state)

    def draft(self, inquiry: Inquiry) -> Drafting:
        """Make an answer and keep nothing. Raises KbError as the iterator of `stream` does."""
        turn = open_turn(inquiry)
        yield PhaseEvent(Phase.RETRIEVING)
        turn, findings = yield from self._read_turn(turn)
        # What documents state is kept of the present only.
        across = self._across if turn.as_of is None or turn.as_of.is_present else None
        over_many = across.answer(turn, findings) if across else None
        if isinstance(over_many, Told):
            draft = yield from turn.note_first(_tell(over_many))
        else:
            plan = over_many or plan_answer(
                turn, findings, self._library, self._reader, writes=self._writes
            )
            if plan.opened:
                turn.passages = (*turn.passages, plan.opened)
            draft = yield from turn.note_first(self._write(turn, plan))
        return self._drafted(turn, draft)

    def keep(self, drafted: Drafted) -> Answer:
        """Store an answer; return it as it may be shown. Raises NotFound, StorageError."""
        return self._answers.save_turn(drafted.answer, drafted.audit)

    def _finder_in(self, searcher: ports.Searcher) -> Finder:
        search = PassageSearch(searcher, self._library, self._settings)
        return Finder(search, searcher, self._library, self._reader)

    def _searcher(self, turn: Turn) -> ports.Searcher:
        """Return what searches the base as the turn asks it: as it is, or as it was."""
        if turn.as_of is None or turn.as_of.is_present:
            return self._retriever
        return self._retriever.as_of(turn.kb.id, turn.as_of.change)

    def _events(self, inquiry: Inquiry) -> Generator[AskEvent, None, None]:
        drafted = yield from self._draft_by(inquiry)
        yield DoneEvent(self.keep(drafted))

    @property
    def _writes(self) -> bool:
        """True when the generator writes words of its own."""
        return self._generator.info.kind != "extractive"

    def _read_turn(
        self, turn: Turn
    ) -> Generator[PhaseEvent, None, tuple[Turn, tuple[Finding, ...]]]:
        """Read a turn; as it was typed where another document says much more of those words."""
        findings = yield from self._read(turn)
        alone = as_typed(turn)
        if alone is not None and findings:
            others = yield from self._read(alone)
            idf = self._searcher(turn).idf(turn.kb.id, alone.question.terms)
            if is_of_its_own(alone.question, turn.pinned, findings, others, idf):
                return alone, others
        return turn, findings

    def _read(self, turn: Turn) -> Generator[PhaseEvent, None, tuple[Finding, ...]]:
        """Find and read for each part of the question; note the passages of all."""
        if turn.kind is QuestionKind.SMALL_TALK or turn.kb.num_chunks == 0:
            return ()
        began, findings = perf_counter(), list[Finding]()
        searcher = self._searcher(turn)
        is_now = searcher is self._retriever
        finder = self._finder if is_now else self._finder_in(searcher)
        asked = self._asked(turn)
        typed = parse_question(turn.asked) if turn.understood.carried and len(asked) == 1 else None
        for question, named, goes_on in asked:
            query = self._query(turn, explicit_question(question, named))
            before = read_of(findings[-1]) if goes_on and findings else ()
            findings.append((yield from finder.find(query, named, before or turn.pinned, typed)))
        turn.passages, numbered = numbered_together(findings)
        turn.reranking = findings[0].reranking
        turn.clock("retrieve_s", began)
        return numbered

    def _asked(self, turn: Turn) -> list[tuple[Question, Named, bool]]:
        """Return what is asked, part by part, and whether it goes on from the part before."""
        if len(turn.parts) < 2 or self._writes:
            return [(turn.question, turn.named, False)]
        parsed = [(parse_question(part.asked), part.goes_on) for part in turn.parts]
        return [(one, named_in(one, turn.today), goes_on) for one, goes_on in parsed]

    def _query(self, turn: Turn, question: Question) -> Query:
        top_k = turn.request.top_k or min(DEFAULT_TOP_K, self._settings.max_top_k)
        filters = turn.request.filters
        return Query(turn.kb.id, question, top_k, filters, is_reranked=self._writes)

    def _write(self, turn: Turn, plan: Plan) -> Wording:
        """Say and quote what was planned, sentence by sentence."""
        began = perf_counter()
        turn.passages = named_apart(turn.passages, self._library)
        writer = GroundedWriter(turn.passages, self._library.regions)
        generation: Generation | None = None
        highlight: TextSpan | None = None
        for saying in plan.sayings:
            if saying.text:
                yield from writer.say(saying.text)
            if not saying.asks:
                continue
            request = self._generation_request(turn, saying.readings)
            before = generation.text if generation else ""
            with closing(self._generator.generate(request)) as pieces:
                generation = yield from writer.write(pieces)
            generation = replace(generation, text=before + generation.text)
            highlight = highlight or writer.locate(generation.answer_words)
        turn.clock("generate_s", began)
        if not writer.text:
            yield from writer.say(message("not_stated", turn.question.language))
        return to_draft(plan, writer, generation, highlight)

    def _generation_request(self, turn: Turn, readings: Sequence[Reading]) -> GenerationRequest:
        return GenerationRequest(
            question=turn.question,
            passages=turn.passages,
            messages=self._messages(turn),
            readings=tuple(readings),
            options=turn.request.options,
            tenant=turn.kb.id,
            cancelled=turn.request.cancelled,
        )

    def _messages(self, turn: Turn) -> tuple[ChatMessage, ...]:
        meter = self._generator if isinstance(self._generator, PromptMeter) else None
        return build_messages(turn.question, turn.passages, turn.history, meter)

    def _drafted(self, turn: Turn, draft: Draft) -> Drafted:
        turn.locate(draft.nearest, self._library)
        turn.clock("total_s")
        info = self._generator.info
        answer = to_answer(turn, draft, self._answers.new_answer_id(), info, self._clock())
        return Drafted(answer, to_audit(turn, draft, info))


def _tell(told: Told) -> Wording:
    yield from told.events()
    return Draft(told.status, told.reason, told.text, told.citations, tabled=told.tabled)
