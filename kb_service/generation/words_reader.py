"""Reads passages by shared words: what is left when the reader's model cannot be used.

Implements PassageReader without any model, and says so by its name. It lights whole sentences.
"""

from collections.abc import Mapping, Sequence

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.texts import UnitKind
from kb_service.language.questions import coverage, text_terms

NAME = "words alone"


class WordsReader:
    """Confidence is the share of the question's rarity that a unit and what surrounds it hold."""

    name = NAME

    def read(
        self, question: Question, passages: Sequence[Passage], idf: Mapping[str, float]
    ) -> tuple[Reading, ...]:
        """Return the best unit of every passage, surest first."""
        found = [reading for p in passages if (reading := _best_unit(question, p, idf))]
        return tuple(sorted(found, key=lambda r: (-r.confidence, r.passage.number)))


def _best_unit(question: Question, passage: Passage, idf: Mapping[str, float]) -> Reading | None:
    title, before = text_terms(passage.title), frozenset[str]()
    best: Reading | None = None
    for unit in passage.units:
        own = text_terms(unit.span.of(passage.text))
        share = coverage(question.terms, title | before | own, idf)
        # Its own words decide between the units of a passage; the title says the same of all.
        share = (share + coverage(question.terms, own, idf)) / 2
        before = own
        is_better = best is None or share > best.confidence
        if unit.kind is not UnitKind.HEADING and is_better:
            best = Reading(passage, unit.span, share)
    return best
