"""Questions of papers written by hand: of what they say, of what they do not, and of others.

Every eighth paper of a file is held: never trained on, the gap to them is what is reported.
"""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

from kb_service.language.asked import parse_question
from kb_service.language.mentions import unmentioned
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise, sentence_spans
from training.reader.passages import Asked
from training.reader.recipe import Mix
from training.reader.sources import said_otherwise
from training.reader.written import Question, WrittenPaper, read_written

FOLDER = Path(__file__).with_name("written_papers")
HELD_EVERY, HELD = 8, 5
ELSEWHERE = 0.1
"""So often a passage is a part of the right paper that does not hold the answer."""


@cache
def named_papers(*, held: bool) -> tuple[tuple[str, WrittenPaper], ...]:
    """The papers that are trained on, or those that are not, by file and number in it."""
    return tuple(
        (f"{path.stem}-{number:02}", paper)
        for path in sorted(FOLDER.glob("*.txt"))
        for number, paper in enumerate(read_written(path))
        if (number % HELD_EVERY == HELD) == held
    )


def papers(*, held: bool) -> tuple[WrittenPaper, ...]:
    """The same without their names."""
    return tuple(paper for _, paper in named_papers(held=held))


class WrittenPapers:
    """Draws a question beside a passage of the papers."""

    def __init__(self, of: tuple[WrittenPaper, ...], mix: Mix) -> None:
        self._papers, self._mix = of, mix
        self._asked = [(paper, question) for paper in of for question in paper.questions]

    def draw(self, rng: random.Random) -> Asked | None:
        """One question beside a passage; None when this draw gives nothing."""
        paper, question = rng.choice(self._asked)
        wording = rng.choice(question.wordings)
        if rng.random() < self._mix.otherwise / 2:
            wording = said_otherwise(wording, rng)
        kind = rng.random()
        if kind < self._mix.foreign:
            return self._foreign(wording, rng)
        title = paper.title if rng.random() < self._mix.titled else ""
        if kind < self._mix.foreign + ELSEWHERE:
            return _elsewhere(wording, title, paper, question, rng)
        return Asked(wording, title, paper.text, question.answer)

    def _foreign(self, wording: str, rng: random.Random) -> Asked | None:
        """A paper that does not meet what the question names."""
        other = rng.choice(self._papers)
        question = parse_question(wording)
        text = normalise(f"{other.title}\n{other.text}")
        if not unmentioned(subjects_in(question), text, question.language):
            return None
        return Asked(wording, other.title, other.text, None)


def _elsewhere(
    wording: str, title: str, paper: WrittenPaper, question: Question, rng: random.Random
) -> Asked | None:
    """The longer of the two parts beside the sentence of the answer."""
    if question.answer is None:
        return None
    spans = sentence_spans(paper.text)
    first = max((s.start for s in spans if s.start <= question.answer[0]), default=0)
    last = min((s.end for s in spans if s.end >= question.answer[1]), default=len(paper.text))
    beside = max(paper.text[:first], paper.text[last:], key=len).strip()
    words = paper.text[slice(*question.answer)]
    if len(beside) < rng.choice([40, 80, 160]) or words in beside:
        return None
    return Asked(wording, title, beside, None)
