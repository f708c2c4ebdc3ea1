"""Which units are of what phrases call, by a model that reads what each of their records tells.

Knows where a record begins and ends in its text. Knows no question; decides nothing of its own.
"""

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Protocol

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import DOCUMENT_RECORD
from kb_service.domain.judged import Fit
from kb_service.domain.ports import PhraseJudge
from kb_service.domain.record_sets import RecordRow, Unit
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.services.assembly import RevisionTexts

MAX_JUDGED = 1000
"""So many records are read for one question: a second for each three hundred."""

_ORDER = (Fit.OTHER, Fit.OPEN, Fit.FITS)
_AROUND = 2000
"""So many characters on both sides of what a record states belong to it at most."""


def no_judge(phrases: Sequence[str]) -> InvalidRequest:
    """Return the error of phrases that no model is there to judge by."""
    told = ", ".join(phrases)[:100]
    return InvalidRequest(
        f"filters.meant is {told!r}; it needs a judging model, and none is there (KB_JUDGE__MODEL)",
        code="invalid_query",
    )


class RecordStarts(Protocol):
    """Where the records of texts begin; storage fulfils it."""

    def starts(self, revision_ids: Iterable[int]) -> Mapping[int, Sequence[int]]:
        """Return by revision where its records begin in its text, in order."""


class MeantRecords:
    """Sorts units by phrases. `judge`: None where no model is there."""

    def __init__(
        self, library: RevisionTexts, starts: RecordStarts, judge: Callable[[], PhraseJudge | None]
    ) -> None:
        self._library, self._starts, self._judge = library, starts, judge

    @property
    def is_there(self) -> bool:
        """True where a model judges."""
        return self._judge() is not None

    def sorted(
        self, units: Sequence[Unit], phrases: Sequence[str]
    ) -> tuple[list[Unit], list[Unit]]:
        """Return the units that are of what all the phrases call, and those of which it is open.

        Of several records of one unit the one that fits best counts. Raises InvalidRequest
        (invalid_query) for more than are read and where no model is there.
        """
        judge = self._judge()
        if judge is None:
            raise no_judge(phrases)
        rows = [row for unit in units for row in unit.records]
        if len(rows) > MAX_JUDGED:
            raise InvalidRequest(
                f"{len(rows)} records pass the other filters; filters.meant reads at most"
                f" {MAX_JUDGED}: narrow them by time, kind or document",
                code="invalid_query",
            )
        fits = dict(zip(rows, judge.judged(phrases, self._texts(rows)), strict=True))
        told = [(unit, _of_unit([fits[row] for row in unit.records])) for unit in units]
        return [u for u, fit in told if fit is Fit.FITS], [u for u, fit in told if fit is Fit.OPEN]

    def _texts(self, rows: Sequence[RecordRow]) -> list[str]:
        starts = self._starts.starts(row.revision_id for row in rows)
        places = [(row.revision_id, TextSpan(row.start, row.end)) for row in rows]
        around = self._library.stretches(places, _AROUND)
        return [
            words_of(row, text, starts.get(row.revision_id, ())) if text else ""
            for row, text in zip(rows, around, strict=True)
        ]


def words_of(row: RecordRow, text: MarkedText, starts: Sequence[int]) -> str:
    """Return what a record tells: from the line that it begins in to that of the next one.

    A document that is a record itself tells all it says. `starts`: of all records of the text.
    """
    if row.record == DOCUMENT_RECORD:
        return text.text
    later = bisect_right(starts, row.start)
    following = starts[later] if later < len(starts) else text.span.end
    start = text.text.rfind("\n", 0, row.start - text.start) + 1
    end = min(following, text.span.end) - text.start
    line = text.text.rfind("\n", 0, end) + 1
    is_apart = following < text.span.end and line > row.start - text.start
    return text.text[start : line if is_apart else end].strip()


def _of_unit(told: Sequence[tuple[Fit, ...]]) -> Fit:
    """Return how a unit fits all phrases: by each the best of its records, of these the worst."""
    best = [max(of, key=_ORDER.index) for of in zip(*told, strict=True)]
    return min(best, key=_ORDER.index, default=Fit.OTHER)
