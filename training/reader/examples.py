"""One reading task: a question, one to four sentences, and the words in one of them that answer.

Knows how question-answer rows and clozes become examples. Does not know tokens or files.
"""

from __future__ import annotations

import random
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from kb_service.generation.pocket_prompt import MAX_EVIDENCE
from training.corpus import Row
from training.reader.evidence import Sentence, ranked, sentences_of

NUM_SENTENCES_SHARES = (0.6, 0.22, 0.1, 0.08)
MAX_ANSWER_CHARS = 120
HIDE_ANSWER_SHARE = 0.06
"""How often the answering sentence is taken away, so that "not here" is learnt as well."""


@dataclass(frozen=True, slots=True)
class Example:
    """``gold``: number of the answering sentence, from 1; 0 when none answers.

    ``sentences[gold - 1][start:end]`` are the answering words, checked at birth.
    """

    question: str
    sentences: tuple[str, ...]
    gold: int
    start: int = 0
    end: int = 0

    def __post_init__(self) -> None:
        if not 1 <= len(self.sentences) <= MAX_EVIDENCE:
            raise ValueError(f"{len(self.sentences)} sentences; expected 1 to {MAX_EVIDENCE}")
        if self.gold and not 0 <= self.start < self.end <= len(self.sentences[self.gold - 1]):
            raise ValueError(
                f"the answer [{self.start}, {self.end}) is not in sentence {self.gold}"
            )

    @property
    def answer(self) -> str:
        """The answering words; empty when no sentence answers."""
        return self.sentences[self.gold - 1][self.start : self.end] if self.gold else ""


@dataclass(frozen=True, slots=True)
class Target:
    """Where a question is answered among the sentences of its text."""

    question: str
    index: int
    start: int
    end: int


def arranged(
    target: Target | None,
    question: str,
    sentences: list[Sentence],
    idf: Mapping[str, float],
    rng: random.Random,
) -> Example | None:
    """Choose and order sentences as answering does: the best by coverage, best first.

    A gold sentence that is not among the best takes the place of one of them, or is left out for
    an example that nothing answers. None when the hidden answer still stands in another sentence.
    """
    wanted = rng.choices(range(1, MAX_EVIDENCE + 1), NUM_SENTENCES_SHARES)[0]
    order = [index for _, index in ranked(question, sentences, idf)]
    if target is None:
        return Example(question, tuple(sentences[i].text for i in order[:wanted]), 0)
    if rng.random() < HIDE_ANSWER_SHARE:
        answer = sentences[target.index].text[target.start : target.end]
        shown = [sentences[i].text for i in order if i != target.index][:wanted]
        is_hidden = shown and not any(answer in text for text in shown)
        return Example(question, tuple(shown), 0) if is_hidden else None
    chosen = order[:wanted]
    if target.index not in chosen:
        chosen[rng.randrange(len(chosen))] = target.index
    texts = tuple(sentences[i].text for i in chosen)
    return Example(question, texts, chosen.index(target.index) + 1, target.start, target.end)


def target_of(row: Row, sentences: list[Sentence]) -> Target | None:
    """The first answer that lies inside one sentence, without blanks at its ends."""
    for answer in row["answers"]:
        start, end = answer["start"], answer["start"] + len(answer["text"])
        for index, sentence in enumerate(sentences):
            if sentence.span.start <= start and end <= sentence.span.end and start >= 0:
                first, last = start - sentence.span.start, end - sentence.span.start
                words = sentence.text[first:last]
                first += len(words) - len(words.lstrip())
                last -= len(words) - len(words.rstrip())
                if 0 < last - first <= MAX_ANSWER_CHARS:
                    return Target(row["question"], index, first, last)
    return None


def question_examples(
    rows: Iterable[Row], idf: Mapping[str, float], rounds: int, rng: random.Random
) -> Iterator[Example]:
    """Examples of question rows, each row ``rounds`` times with other sentences around it.

    Rows whose answer crosses a sentence end are left out.
    """
    cache: dict[str, list[Sentence]] = {}
    rows = list(rows)
    for _ in range(rounds):
        for row in rows:
            context = row["context"]
            if context not in cache:
                cache[context] = sentences_of(context)
            sentences = cache[context]
            target = target_of(row, sentences) if row["answerable"] else None
            if not sentences or (row["answerable"] and target is None):
                continue
            example = arranged(target, row["question"], sentences, idf, rng)
            if example:
                yield example
