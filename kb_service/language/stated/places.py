"""In which of many stretches of a text something stands. Pure functions; reads no text."""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from kb_service.domain.spans import TextSpan

_Item = TypeVar("_Item")


class Places:
    """Stretches in the order of the text, none over another."""

    def __init__(self, spans: Sequence[TextSpan]) -> None:
        self._spans = spans
        self._starts = [span.start for span in spans]

    def at(self, place: int) -> int | None:
        """Return the index of the stretch that a character stands in, None for none."""
        index = bisect_right(self._starts, place) - 1
        return index if index >= 0 and place < self._spans[index].end else None

    def touches(self, span: TextSpan) -> bool:
        """True for what shares a character with any of them."""
        index = bisect_left(self._starts, span.end) - 1
        return index >= 0 and self._spans[index].overlap(span) is not None

    def parted(
        self, found: Iterable[_Item], span_of: Callable[[_Item], TextSpan]
    ) -> list[list[_Item]]:
        """Return for each stretch what lies in it whole, in the order in which it is given."""
        parts: list[list[_Item]] = [[] for _ in self._spans]
        for item in found:
            span = span_of(item)
            index = self.at(span.start)
            if index is not None and self._spans[index].covers(span):
                parts[index].append(item)
        return parts
