"""Sentences with marked answers: what the reader's span model learns from.

Knows the question sets and how a row becomes a passage, and asks the reader itself which sentence
it would quote, so that training and use see the same sentences. Knows no optimisation.
"""

from __future__ import annotations

import math
import random
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.spans import TextSpan
from kb_service.evaluation.questions import Row, enumerate_rows, question_of
from kb_service.generation.reading import Quotation, take_apart, weigh
from kb_service.generation.span_features import AskedWords, Features, asked_words, features_of
from kb_service.language.asked import parse_question
from kb_service.language.text import index_terms, normalise
from kb_service.language.units import marked

SETS = ("train/zh_cmrc2018", "train/zh_drcd", "train/en_squad")
MAX_SENTENCES = 4
"""A question whose answer is in none of its best sentences teaches nothing."""


@dataclass(frozen=True, slots=True)
class SpanExample:
    """A question, the features of one sentence, and the answers in it as (first, last) tokens."""

    asked: AskedWords
    features: Features
    answers: tuple[tuple[int, int], ...]


def examples_of(data: Path, name: str, limit: int | None, seed: int) -> Iterator[SpanExample]:
    """Yield examples of a seeded sample of a set's answerable questions.

    Each question is asked of its own context and of one other, so that the reader's choice of
    sentence is not made for it.
    """
    rows = [row for _, row in enumerate_rows(data / f"{name}.jsonl.gz") if row["answerable"]]
    dice = random.Random(seed)  # noqa: S311  no secret
    dice.shuffle(rows)
    contexts = {str(row["context"]): str(row["title"]) for row in rows}
    texts = list(contexts)
    frequencies = Counter(term for text in texts for term in set(index_terms(text)))
    for row in rows[:limit]:
        question = question_of(row)
        passages = _passages(row, (other := dice.choice(texts)), contexts[other])
        asked = parse_question(question.text)
        rarities = _rarities(asked.terms, frequencies, len(texts))
        example = _example(asked, question.answers, passages, rarities)
        if example:
            yield example


def token_spans(features: Features, text: str, golds: Sequence[str]) -> list[tuple[int, int]]:
    """Return where gold answers stand in a sentence, as (first token, last token)."""
    folded = normalise(text)
    if len(folded) != len(text):
        folded = text
    found = []
    for gold in golds:
        wanted = normalise(gold).strip("。，,. ")
        start = folded.find(wanted) if wanted else -1
        while start >= 0:
            whole = TextSpan(start, start + len(wanted))
            inside = [n for n, token in enumerate(features.tokens) if token.span.overlap(whole)]
            if inside:
                found.append((inside[0], inside[-1]))
            start = folded.find(wanted, start + 1)
    return sorted(set(found))


def _passages(row: Row, other: str, other_title: str) -> list[Passage]:
    texts = {str(row["context"]): str(row["title"])}
    texts.setdefault(other, other_title)
    return [
        Passage(
            n,
            n,
            f"doc{n}",
            n,
            "0" * 64,
            title,
            TextSpan(0, len(text)),
            text,
            1.0,
            tuple(marked(text).quotable()),
        )
        for n, (text, title) in enumerate(texts.items(), start=1)
    ]


def _rarities(terms: Sequence[str], frequencies: Counter[str], num_texts: int) -> dict[str, float]:
    return {
        term: math.log(1 + (num_texts - frequencies[term] + 0.5) / (frequencies[term] + 0.5))
        for term in terms
    }


def _example(
    question: Question,
    golds: Sequence[str],
    passages: Sequence[Passage],
    rarities: dict[str, float],
) -> SpanExample | None:
    asked = asked_words(question)
    for quotation in _sentences(question, passages, rarities):
        features = features_of(asked, quotation.text)
        answers = token_spans(features, quotation.text, golds)
        if answers:
            return SpanExample(asked, features, tuple(answers))
    return None


def _sentences(
    question: Question, passages: Sequence[Passage], rarities: dict[str, float]
) -> list[Quotation]:
    found = sorted(weigh(take_apart(question, rarities), passages), key=lambda q: -q.score)
    best: dict[str, Quotation] = {}
    for quotation in found:
        if not quotation.is_field:
            best.setdefault(quotation.text, quotation)
    return list(best.values())[:MAX_SENTENCES]
