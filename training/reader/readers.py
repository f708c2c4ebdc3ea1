"""Two ways to use the pocket reader that the product does not offer, to be judged beside its own.

`CopyReader` chooses the sentence and the words in it. `SpanReader` leaves the sentence to the
extractive reader and copies the words; the product's `PocketGenerator` only ranks candidate words
of that sentence. All quote sentences word for word, so citations are spans as ever. Implements
Generator; knows no retrieval and no metric.
"""

from __future__ import annotations

from collections.abc import Generator
from dataclasses import dataclass

from kb_service.domain.answers import Generation, GenerationRequest, GeneratorInfo
from kb_service.domain.queries import Passage
from kb_service.domain.questions import content_terms, coverage, text_terms
from kb_service.generation.extractive import written
from kb_service.generation.pocket import PocketGenerator, said, spelled
from kb_service.generation.pocket_prompt import MAX_EVIDENCE
from kb_service.generation.reading import Quotation
from training.reader.evidence import Sentence, sentences_of
from training.reader.reading import CopyingReader

CONTEXT_WEIGHT = 0.7


@dataclass(frozen=True, slots=True)
class Shown:
    """A sentence of a passage that the reader sees."""

    passage: Passage
    sentence: Sentence


class CopyReader:
    """Reads the best sentences of all passages; abstains when the reader says that none answers."""

    def __init__(self, reader: CopyingReader, num_sentences: int = MAX_EVIDENCE) -> None:
        self._reader = reader
        self._num_sentences = num_sentences

    @property
    def info(self) -> GeneratorInfo:
        """Say what it is."""
        return GeneratorInfo(kind="extractive", name=f"pocket reader, {self._num_sentences}")

    def generate(self, request: GenerationRequest) -> Generator[str, None, Generation]:
        """Yield the sentence that was chosen; its words for the answer are `answer_words`."""
        shown = best_sentences(request, self._num_sentences)
        if not shown:
            return said([])
        texts = [each.sentence.text for each in shown]
        reading = self._reader.read(request.question, texts)
        if reading.span is None:
            return said([])
        chosen = shown[reading.number - 1]
        quotation = Quotation(
            chosen.passage,
            chosen.sentence.span,
            chosen.sentence.text,
            reading.span.of(chosen.sentence.text),
            reading.confidence,
        )
        yield from written([quotation])
        return said([quotation])


def best_sentences(request: GenerationRequest, limit: int) -> list[Shown]:
    """The sentences of the passages that cover the question best, alone and with their title."""
    terms = content_terms(request.question)
    scored: list[tuple[float, Shown]] = []
    seen: set[str] = set()
    for passage in request.passages:
        title = text_terms(passage.title)
        for sentence in sentences_of(passage.text):
            if sentence.text in seen:
                continue
            seen.add(sentence.text)
            own = coverage(terms, sentence.terms, request.idf)
            whole = coverage(terms, sentence.terms | title, request.idf)
            scored.append((own + CONTEXT_WEIGHT * whole, Shown(passage, sentence)))
    scored.sort(key=lambda pair: -pair[0])
    return [shown for _, shown in scored[:limit]]


class SpanReader(PocketGenerator):
    """Quotes what the extractive reader quotes; the reader copies the answering words of it."""

    def __init__(self, reader: CopyingReader) -> None:
        super().__init__(reader)
        self._copying = reader

    def words_of(self, question: str, quotation: Quotation) -> str:
        """The answering words of a quotation."""
        text = quotation.text
        reading = self._copying.read(spelled(question), [spelled(text)], forced=1)
        return reading.span.of(text) if reading.span else quotation.words
