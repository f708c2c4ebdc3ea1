"""What is quoted for a reading: the whole sentences, fields, rows or list items that it lies in.

Pure functions. A quotation is words of a passage as they stand there, line ends aside.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit, UnitKind
from kb_service.language.lists import introduction, whole_list
from kb_service.language.questions import content_terms, coverage, stem, text_terms
from kb_service.language.text import normalise
from kb_service.language.units import reflow

MAX_LIST_CHARS = 1200
"""A list that is longer is quoted from the item that was read on."""

MAX_EXPLANATION_CHARS = 600
ITEM_SHARE = 0.5
"""From this share of an item on, the item is what was read, and not a part of it."""

SAID_SHARE = 0.6
"""So much of what introduces a list is said by a question that means it."""

_ANNOUNCES = re.compile(r"[:\uff1a][ \t]*\n")


@dataclass(frozen=True, slots=True)
class Quotation:
    """Units of a passage in order, each on one line. `words`: what of them answers, "" for all."""

    passage: Passage
    spans: tuple[TextSpan, ...]
    words: str

    @property
    def sentences(self) -> tuple[str, ...]:
        """The units' words, each on one line."""
        return tuple(reflow(span.of(self.passage.text)) for span in self.spans)


def quote(reading: Reading, *, whole_lists: bool) -> Quotation:
    """Return the units that a reading lies in; with `whole_lists` the list that they belong to."""
    passage = reading.passage
    first, last = _touched(passage.units, reading.span)
    if first is None or last is None:
        return Quotation(passage, (reading.span,), reflow(reading.words))
    if whole_lists:
        wider = whole_list(passage.text, passage.units, first)
        begin, end = wider[0], max(wider[1], last)
        span = TextSpan(passage.units[begin].span.start, passage.units[end].span.end)
        if end > begin and len(span) <= MAX_LIST_CHARS:
            return _quotation(passage, begin, end, "")
    last = _explained(passage, first, last)
    return _quotation(passage, first, last, reflow(reading.words))


def means_list(reading: Reading, question: Question) -> bool:
    """True where a question says what introduces a list, and no item of it in particular.

    What was read is then most of one item, not a name or a number in it.
    """
    text, units = reading.passage.text, reading.passage.units
    first, last = _touched(units, reading.span)
    if first is None or last is None:
        return False
    begin, end = whole_list(text, units, first)
    lead = introduction(text, units, begin)
    item = TextSpan(units[first].span.start, units[last].span.end).of(text).removeprefix(lead)
    if begin == end or not lead or len(reading.span) < ITEM_SHARE * len(item):
        return False
    known = text_terms(reading.passage.title)
    asked = frozenset(map(stem, question.terms))
    own = asked - known
    is_said = coverage(content_terms(normalise(lead)), asked, {}) >= SAID_SHARE
    return is_said and len(own & text_terms(lead)) > len(own & text_terms(item))


def _explained(passage: Passage, first: int, last: int) -> int:
    """Return the unit that ends the paragraph which a unit announces: a colon, and a new line."""
    units, text = passage.units, passage.text
    if not _ANNOUNCES.search(units[first].span.of(text)):
        return last
    while last + 1 < len(units):
        gap = text[units[last].span.end : units[last + 1].span.start]
        is_long = units[last + 1].span.end - units[first].span.start > MAX_EXPLANATION_CHARS
        if units[last + 1].kind is not UnitKind.SENTENCE or gap.count("\n") > 1 or is_long:
            break
        last += 1
    return last


def _touched(units: Sequence[Unit], span: TextSpan) -> tuple[int | None, int | None]:
    touched = [n for n, unit in enumerate(units) if unit.span.overlap(span)]
    return (touched[0], touched[-1]) if touched else (None, None)


def _quotation(passage: Passage, first: int, last: int, words: str) -> Quotation:
    spans = tuple(unit.span for unit in passage.units[first : last + 1])
    return Quotation(passage, spans, words)
