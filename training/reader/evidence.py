"""Evidence as the reader sees it: single sentences of a text, those first that cover a question.

The one place that says how long a sentence may be and how sentences are ranked, for training and
for answering alike. Knows the product's own terms and sentence ends; knows no tokens.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb_service.domain.questions import content_terms, coverage, text_terms
from kb_service.domain.spans import TextSpan
from kb_service.domain.text import CJK, index_terms, sentence_spans, trimmed_span

MAX_CHINESE_CHARS = 90
MAX_ENGLISH_CHARS = 260
MIN_CHARS = 4
_BREAK = re.compile(r"[，；：、,;:]\s*|\s")
_HAS_CJK = re.compile(f"[{CJK}]")
_SPACE = re.compile(r"\s|\u2581")


@dataclass(frozen=True, slots=True)
class Sentence:
    """A stretch of a text: its place, its words with every blank as one space, its terms."""

    span: TextSpan
    text: str
    terms: frozenset[str]


def sentences_of(text: str) -> list[Sentence]:
    """The sentences of a text; long ones are cut behind commas, very short ones left out."""
    found: list[Sentence] = []
    for whole in sentence_spans(text):
        for span in _cut(text, whole):
            if span.end - span.start >= MIN_CHARS:
                words = _SPACE.sub(" ", span.of(text))
                found.append(Sentence(span, words, text_terms(words)))
    return found


def _cut(text: str, span: TextSpan) -> list[TextSpan]:
    """Parts of at most the allowed length, each ending behind the last comma that fits."""
    is_chinese = len(_HAS_CJK.findall(span.of(text))) * 5 > span.end - span.start
    limit = MAX_CHINESE_CHARS if is_chinese else MAX_ENGLISH_CHARS
    parts: list[TextSpan] = []
    start = span.start
    while span.end - start > limit:
        breaks = [m.end() for m in _BREAK.finditer(text, start + limit // 3, start + limit)]
        end = breaks[-1] if breaks else start + limit
        part = trimmed_span(text, start, end)
        parts += [part] if part else []
        start = end
    rest = trimmed_span(text, start, span.end)
    return [*parts, rest] if rest else parts


def rarities(texts: Iterable[str]) -> dict[str, float]:
    """Inverse document frequency of every index term of the texts (BM25's form)."""
    counts: Counter[str] = Counter()
    num = 0
    for text in texts:
        counts.update(set(index_terms(text)))
        num += 1
    return {
        term: math.log(1 + (num - found + 0.5) / (found + 0.5)) for term, found in counts.items()
    }


def ranked(
    question: str, sentences: Sequence[Sentence], idf: Mapping[str, float]
) -> list[tuple[float, int]]:
    """(share of the question's rarity that a sentence holds, its index), best first."""
    terms = content_terms(question)
    weights = {term: idf[term] for term in terms if term in idf}
    scored = [(coverage(terms, s.terms, weights), index) for index, s in enumerate(sentences)]
    return sorted(scored, key=lambda pair: (-pair[0], pair[1]))
