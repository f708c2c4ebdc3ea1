"""Whether an answer stands on what it cites: citation recall and precision, quotations that hold.

Pure functions. The judge is deterministic (values and wording), not a language model, so it cannot
see a wrong relation between right words. It uses none of the thresholds of `services.citations`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from kb_service.domain.answers import Answer, Citation
from kb_service.evaluation.wording import compact
from kb_service.language.identifiers import without_fixed_values
from kb_service.language.text import index_terms, normalise, sentence_spans
from kb_service.language.values import missing_values

MIN_WORDING = 0.5
"""Share of a sentence's search terms, dates and identifiers aside, that its citations must hold."""

StoredText = Callable[[str, str], str]
"""(document id, SHA-256 of the revision) -> the stored text that spans point into."""


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """One sentence of an answer and the words it cites."""

    text: str
    cited: tuple[str, ...]


def cited_sentences(answer: Answer) -> list[CitedSentence]:
    """Return the sentences of an answer, each with the citations whose range touches it."""
    return [
        CitedSentence(
            span.of(answer.answer),
            tuple(c.cited_text for c in answer.citations if c.answer.overlap(span)),
        )
        for span in sentence_spans(answer.answer)
    ]


def supports(sentence: str, cited: Sequence[str]) -> bool:
    """True when the cited words state every value of the sentence and half of its wording.

    Values: numbers, dates, times, names and identifiers, in any way of writing them.
    """
    words = "\n".join(cited)
    if not words or missing_values(sentence, words):
        return False
    wanted = set(index_terms(without_fixed_values(normalise(sentence))))
    shared = len(wanted & set(index_terms(words)))
    return not wanted or shared >= MIN_WORDING * len(wanted)


def citation_recall(sentences: Sequence[CitedSentence]) -> float:
    """Return the share of sentences that all their citations together support (ALCE, section 4).

    A sentence without a citation is not supported. ValueError without sentences.
    """
    _require(sentences)
    return sum(supports(s.text, s.cited) for s in sentences) / len(sentences)


def citation_precision(sentences: Sequence[CitedSentence]) -> float:
    """Return the share of citations that are needed (ALCE, section 4); 0.0 without citations.

    One counts when its sentence is supported and either it supports the sentence alone or the
    others do not support it without this one.
    """
    _require(sentences)
    marks = [mark for sentence in sentences for mark in _needed(sentence)]
    return sum(marks) / len(marks) if marks else 0.0


def quotations_hold(citations: Sequence[Citation], stored_text: StoredText) -> float:
    """Return the share of citations whose words are the stored text at their span.

    ValueError without citations.
    """
    _require(citations)
    return sum(_holds(citation, stored_text) for citation in citations) / len(citations)


def is_verbatim(answer: Answer) -> bool:
    """True when each sentence of the answer stands in one of its passages, white space aside."""
    passages = [compact(passage.text) for passage in answer.passages]
    said = [compact(span.of(answer.answer)) for span in sentence_spans(answer.answer)]
    return all(any(sentence in passage for passage in passages) for sentence in said)


def _needed(sentence: CitedSentence) -> list[bool]:
    if not supports(sentence.text, sentence.cited):
        return [False] * len(sentence.cited)
    return [
        supports(sentence.text, (words,))
        or not supports(sentence.text, sentence.cited[:place] + sentence.cited[place + 1 :])
        for place, words in enumerate(sentence.cited)
    ]


def _holds(citation: Citation, stored_text: StoredText) -> bool:
    text = stored_text(citation.document_id, citation.sha256)
    return text[citation.source.start : citation.source.end] == citation.cited_text


def _require(things: Sequence[object]) -> None:
    if not things:
        raise ValueError("at least one is expected, none was given")
