"""A list whose items are counted by a question: "How many action items are there?", 措施有几条？

It is known by what introduces it, a heading or a line with a colon, which names what is counted.
Knows no model: none reads a number that no word of the text says.
"""

from collections.abc import Iterator, Mapping, Sequence

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.lists import introduction, whole_list
from kb_service.language.questions import content_terms, coverage, stem
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.services.evidence import ReadDocument

SURE = 0.9
"""How surely a list answers that is introduced by what is counted."""

SAID_SHARE = 0.6
"""So much of what introduces a list is what is counted."""

_COUNTS = tuple(map(regex, shipped_lexicon().patterns("lists", "counts_items")))


def told_in_lists(
    question: Question, passages: Sequence[Passage], documents: Mapping[str, ReadDocument]
) -> tuple[Reading, ...]:
    """Return the first item of each list that a question counts; it is quoted whole.

    Of documents by id that meet what the question names; empty for any other question.
    """
    asked = next((m for p in _COUNTS if (m := p.search(question.normalised))), None)
    if asked is None:
        return ()
    counted = frozenset(map(stem, content_terms(asked["counted"])))
    return tuple(
        Reading(passage, passage.units[place].span, SURE)
        for passage in passages
        if not documents[passage.document_id].unmet
        for place in _lists_of(passage, counted)
    )


def _lists_of(passage: Passage, counted: frozenset[str]) -> Iterator[int]:
    """Yield where lists begin that are introduced by what is counted and by nothing else."""
    text, units = passage.text, passage.units
    for place in range(len(units)):
        begin, end = whole_list(text, units, place)
        if begin != place or end == begin:
            continue
        lead = content_terms(normalise(introduction(text, units, begin)))
        if coverage(lead, counted, {}) >= SAID_SHARE:
            yield place
