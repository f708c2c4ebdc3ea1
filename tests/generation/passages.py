"""Passages of a text as answering gets them."""

from kb_service.domain.queries import Passage
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.units import marked


def passage(text: str, title: str = "Report", number: int = 1, document: str = "doc_1") -> Passage:
    units = tuple(marked(text).quotable())
    span = TextSpan(0, len(text))
    return Passage(number, number, document, 1, "ab" * 32, title, span, text, 1.0, units)


def reading(of: Passage, words: str, confidence: float = 0.9) -> Reading:
    start = of.text.index(words)
    return Reading(of, TextSpan(start, start + len(words)), confidence)
