"""Titles as the service shows them to the reader: with what a document meets of a question's names.

The same rules as in services.finding, so that the reader is trained on what it will be shown.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import replace

from kb_service.language.asked import parse_question
from kb_service.language.mentions import unmentioned
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise
from training.reader.passages import Asked

Maker = Callable[[random.Random], Asked | None]


def introducing(make: Maker, share: float) -> Maker:
    """A maker of the same examples, a share of them with what is asked of told in the title."""

    def made(rng: random.Random) -> Asked | None:
        found = make(rng)
        return introduced(found) if found and rng.random() < share else found

    return made


def introduced(asked: Asked) -> Asked:
    """The same example behind a title that also says which names of the question its text meets."""
    question = parse_question(asked.question)
    title = normalise(asked.title)
    text = f"{title}\n{normalise(asked.text)}"
    subjects = subjects_in(question)
    unmet = {subject.span for subject in unmentioned(subjects, text, question.language)}
    told = [subject.text for subject in subjects if subject.span not in unmet]
    told = [words for words in told if normalise(words) not in title]
    return replace(asked, title=" ".join(filter(None, (asked.title, *told))))
