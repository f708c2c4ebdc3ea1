"""Stand-ins for what answering stands on: a shelf of texts with its retriever, a writer, a log."""

from collections.abc import Collection, Generator, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime

from kb_service.domain.answers import (
    Answer,
    AnswerAudit,
    Conversation,
    Generation,
    GenerationRequest,
    GeneratorInfo,
    Message,
)
from kb_service.domain.chats import Usage
from kb_service.domain.documents import Chunk, ChunkDraft, KnowledgeBase
from kb_service.domain.errors import NotFound
from kb_service.domain.queries import Passage, Query, Reranking, RetrievalResult, ScoredChunk
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.generation.extractive import ExtractiveReader
from kb_service.language.identifiers import names_whole
from kb_service.language.scripts import is_across
from kb_service.language.text import normalise
from kb_service.language.units import marked
from kb_service.services.answering import AnsweringService
from kb_service.services.asking import AskRequest
from kb_service.settings import RetrievalSettings

NOW = datetime(2026, 1, 1, tzinfo=UTC)


class FakeShelf:
    """Documents as one chunk each, found in the order given; remembers the queries.

    The reranker of its nth search scored n of 20.
    """

    def __init__(self, **texts: str) -> None:
        self.texts = texts
        self.queries: list[Query] = []

    def retrieve(self, query: Query) -> RetrievalResult:
        self.queries.append(query)
        wanted = query.filters.document_ids
        chunks = [
            Chunk(n, "kb_1", name, n, name, ChunkDraft(0, TextSpan(0, len(text)), text))
            for n, (name, text) in enumerate(self.texts.items(), 1)
            if not wanted or name in wanted
            if not query.is_across or is_across(query.question.language, text)
        ]
        items = (ScoredChunk(c, "ab" * 32, 1 / c.id, {}, {}) for c in chunks)
        return RetrievalResult(tuple(items), {}, Reranking("reader", 20, len(self.queries)))

    def idf(self, kb_id: str, terms: Iterable[str]) -> dict[str, float]:
        return {}

    def stating(
        self, kb_id: str, names: Collection[str], document_ids: Collection[str]
    ) -> dict[str, frozenset[str]]:
        return {
            name: frozenset(d for d in document_ids if names_whole(normalise(self.texts[d]), name))
            for name in names
        }

    def refresh(self, kb_id: str) -> None: ...

    def rebuild(self, kb_id: str) -> None: ...

    def drop(self, kb_id: str) -> None: ...


class FakeLibrary:
    """The same texts as a catalog."""

    def __init__(self, texts: dict[str, str]) -> None:
        self.texts = texts

    def get_kb(self, key: str) -> KnowledgeBase:
        if key != "kb_1":
            raise NotFound(f"no knowledge base {key}", code="kb_not_found")
        return KnowledgeBase(key, key, "", len(self.texts), len(self.texts), NOW, NOW)

    def stretches(
        self, places: Sequence[tuple[int, TextSpan]], margin: int
    ) -> list[MarkedText | None]:
        texts = list(self.texts.values())
        return [marked(texts[number - 1]).around(span, margin) for number, span in places]

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        return (PageRegion(1),)


class FakeWriter:
    """Writes a fixed text piece by piece; remembers the requests and whether it was closed."""

    info = GeneratorInfo("fake", "fake-writer", "model-hash", "tokenizer-hash")

    def __init__(self, *pieces: str, finish_reason: str = "stop") -> None:
        self.pieces = pieces
        self.finish_reason = finish_reason
        self.requests: list[GenerationRequest] = []
        self.was_cancelled = False

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        self.requests.append(request)
        try:
            yield from self.pieces
        except GeneratorExit:
            self.was_cancelled = True
            raise
        usage = Usage(7, len(self.pieces))
        sampling: dict[str, float | int | None] = {"temperature": 0.5, "seed": 11}
        return Generation("".join(self.pieces), usage, (1, 2), sampling, self.finish_reason)


class FakeLog:
    """Keeps answers and conversations in memory."""

    def __init__(self) -> None:
        self.saved: list[tuple[Answer, AnswerAudit]] = []

    def new_answer_id(self) -> str:
        return f"ans_{len(self.saved) + 1}"

    def get_conversation(self, conversation_id: str) -> Conversation:
        turns = [a for a, _ in self.saved if a.conversation_id == conversation_id]
        if not turns:
            raise NotFound(f"no conversation {conversation_id}", code="conversation_not_found")
        messages = [
            message
            for answer in turns
            for message in (
                Message("user", answer.question, None, NOW),
                Message("assistant", answer.answer, answer.id, NOW),
            )
        ]
        began = Conversation(conversation_id, turns[0].kb_id, "", tuple(messages), NOW, NOW)
        return replace(began, owner=turns[0].owner)

    def latest_answers(self, conversation_id: str, limit: int) -> tuple[Answer, ...]:
        turns = [a for a, _ in self.saved if a.conversation_id == conversation_id]
        return tuple(reversed(turns))[:limit]

    def save_turn(self, answer: Answer, audit: AnswerAudit) -> Answer:
        self.saved.append((answer, audit))
        return answer


class PointingReader:
    """Reads given words wherever they stand, with the given confidence."""

    name = "pointing"

    def __init__(self, words: Mapping[str, float]) -> None:
        self._words = words
        self.asked: list[str] = []

    def read(
        self, question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
    ) -> tuple[Reading, ...]:
        self.asked.append(question.text)
        found = [
            Reading(passage, TextSpan(at, at + len(words)), confidence)
            for passage in passages
            for words, confidence in self._words.items()
            if (at := passage.text.find(words)) >= 0
        ]
        return tuple(sorted(found, key=lambda reading: -reading.confidence))


class PartsReader(PointingReader):
    """Reads given words for the questions that hold a word."""

    def __init__(self, words: Mapping[str, Mapping[str, float]]) -> None:
        super().__init__({})
        self._of = words

    def read(
        self, question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
    ) -> tuple[Reading, ...]:
        self._words = next(read for word, read in self._of.items() if word in question.text)
        return super().read(question, passages, idf)


def asked_of(
    question: str, shelf: FakeShelf, reads: Mapping[str, float] | PointingReader
) -> Answer:
    """The extractive reader's answer from a shelf, on which the reader points at given words."""
    library = FakeLibrary(shelf.texts)
    service = AnsweringService(
        retriever=shelf,
        find_base=library.get_kb,
        library=library,
        reader=reads if isinstance(reads, PointingReader) else PointingReader(reads),
        generator=ExtractiveReader(),
        answers=FakeLog(),
        settings=RetrievalSettings(),
        clock=lambda: NOW,
    )
    return service.ask(AskRequest("kb_1", question))
