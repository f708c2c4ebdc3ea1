"""Stored text as readers get it: a stretch of a revision with its units. Values only.

A unit is what can be quoted on its own; how a text is cut into units is the language's business.
All spans are of the revision's text.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from kb_service.domain.spans import TextSpan


class UnitKind(StrEnum):
    """What a unit is; only headings are never an answer.

    `part`: a sentence of a long field that is marked as a whole too, for whoever begins to read in
    the middle of it; never quotable beside it.
    """

    SENTENCE = "sentence"
    FIELD = "field"
    HEADING = "heading"
    PART = "part"


@dataclass(frozen=True, slots=True)
class Unit:
    """A quotable stretch: `span` in the text it was cut from, without surrounding white space."""

    span: TextSpan
    kind: UnitKind


@dataclass(frozen=True, slots=True)
class MarkedText:
    """Words of a revision from `start` on, with the units that lie in them whole or in part."""

    start: int
    text: str
    units: tuple[Unit, ...]

    @property
    def span(self) -> TextSpan:
        """Where the words stand in the revision."""
        return TextSpan(self.start, self.start + len(self.text))

    def words(self, span: TextSpan) -> str:
        """Return the words of a span inside; ValueError when it reaches out."""
        return span.shifted(-self.start).of(self.text)

    def cut(self, span: TextSpan) -> "MarkedText":
        """Return the words of a span inside with their units."""
        inside = (unit for unit in self.units if unit.span.overlap(span))
        return MarkedText(span.start, self.words(span), tuple(inside))

    def around(self, span: TextSpan, margin: int) -> "MarkedText":
        """Return a span inside and up to `margin` characters on both sides of it."""
        start = max(self.start, span.start - margin)
        return self.cut(TextSpan(start, min(self.span.end, span.end + margin)))

    def steps(self) -> list[TextSpan]:
        """Return what lies whole in these words, to grow over: of a long field its sentences."""
        long, here = self._long_fields(), self.span
        whole = (unit.span for unit in self.units if unit not in long)
        return [span for span in whole if here.covers(span)]

    def quotable(self) -> Iterator[Unit]:
        """Yield the units with offsets into these words; one that reaches out ends at the border.

        What has lost its beginning is no field or heading any more; of a long field its sentences
        are left. White space that a cut leaves at an end is no part of a unit.
        """
        here = self.span
        entered = {unit for unit in self.units if unit.span.start < self.start}
        split = entered & self._long_fields()
        for unit in self.units:
            is_left = any(field.span.covers(unit.span) for field in split)
            if unit in split or (unit.kind is UnitKind.PART and not is_left):
                continue
            span = self._trimmed(unit.span.overlap(here))
            if span is not None:
                is_prose = unit in entered or unit.kind is UnitKind.PART
                yield Unit(span, UnitKind.SENTENCE if is_prose else unit.kind)

    def _long_fields(self) -> set[Unit]:
        """Return the fields whose sentences are marked too: those follow right behind."""
        return {
            unit
            for unit, after in pairwise(self.units)
            if after.kind is UnitKind.PART and unit.kind is not UnitKind.PART
        }

    def _trimmed(self, span: TextSpan | None) -> TextSpan | None:
        """Return a span as offsets into these words, without white space at its ends."""
        words = self.words(span) if span else ""
        if span is None or not words.strip():
            return None
        start = span.start - self.start + len(words) - len(words.lstrip())
        return TextSpan(start, start + len(words.strip()))
