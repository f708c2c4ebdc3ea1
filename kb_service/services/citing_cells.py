"""Where what a table of an answer says stands: places of cells → quotations, numbered and cited.

Knows nothing of how the cells came about.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Protocol

from kb_service.domain.answers import Citation, CitationStatus
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.tables import Cell, Place
from kb_service.services.assembly import RevisionTexts
from kb_service.services.querying import QueryResult
from kb_service.services.table_words import Line
from kb_service.services.tabulating import Titled

MAX_CITED = 200
"""So many places are cited; the query itself pages through the rest."""

MAX_CITED_CHARS = 400
_MARGIN = 400


class Revisioned(Titled, Protocol):
    """A document by one of its revisions."""

    @property
    def document_id(self) -> str:
        """The id of the document."""

    @property
    def title(self) -> str:
        """The title of the revision."""

    @property
    def sha256(self) -> str:
        """The public name of the revision."""


class Library(RevisionTexts, Protocol):
    """Where stored texts are read, and where their words stand on pages."""

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return where the words of a span stand on the pages of a revision."""


class Sources(Protocol):
    """Where documents are found by what was read of them; storage fulfils it."""

    def of_revisions(self, revision_ids: Iterable[int]) -> Mapping[int, Revisioned]:
        """Return the documents of revisions; what is gone is left out."""


class CellCitations:
    """Cites cells. Safe to share between threads."""

    def __init__(self, sources: Sources, library: Library) -> None:
        self._sources, self._library = sources, library

    def cited(
        self, result: QueryResult, lines: Sequence[Line]
    ) -> tuple[dict[Place, int], tuple[Citation, ...]]:
        """Return the numbers of places, and the citations: of each cell one first, then others."""
        wanted = _places(result.table.rows)
        documents = self._sources.of_revisions({place.revision_id for place, _ in wanted})
        spans = self._quotable([place for place, _ in wanted])
        where = _line_spans(lines)
        numbers: dict[Place, int] = {}
        known: dict[tuple[int, TextSpan], int] = {}
        citations: list[Citation] = []
        for (place, row), quoted in zip(wanted, spans, strict=True):
            document = documents.get(place.revision_id)
            if quoted is None or document is None:
                continue
            span, words = quoted
            key = (place.revision_id, span)
            if key not in known:
                known[key] = len(known) + 1
                told = where.get(row, where[None])
                citations.append(self._citation(known[key], document, key, words, told))
            numbers[place] = known[key]
        return numbers, tuple(sorted(citations, key=lambda c: (c.answer.end, c.number)))

    def _citation(
        self,
        number: int,
        document: Revisioned,
        place: tuple[int, TextSpan],
        words: str,
        told: TextSpan,
    ) -> Citation:
        return Citation(
            id=f"c{number}",
            number=number,
            document_id=document.document_id,
            sha256=document.sha256,
            title=document.title,
            cited_text=words,
            source=place[1],
            regions=self._library.regions(*place),
            answer=told,
            score=1.0,
            status=CitationStatus.VERIFIED,
            document_name=document.name,
        )

    def _quotable(self, places: Sequence[Place]) -> list[tuple[TextSpan, str] | None]:
        """Return for each place the line or sentence around it and its words; None: it is gone."""
        spans = [TextSpan(place.start, place.end) for place in places]
        keys = [(p.revision_id, span) for p, span in zip(places, spans, strict=True)]
        found: list[tuple[TextSpan, str] | None] = []
        for span, text in zip(spans, self._library.stretches(keys, _MARGIN), strict=True):
            if text is None:
                found.append(None)
                continue
            units = [u.span for u in text.units if text.span.covers(u.span)]
            around = [unit for unit in units if unit.covers(span)]
            whole = min(around, key=len, default=_in_whole(span, units))
            kept = whole if len(whole) <= MAX_CITED_CHARS else span
            found.append((kept, text.words(kept)))
        return found


def _places(rows: Iterable[Sequence[Cell]]) -> list[tuple[Place, int]]:
    """Return the places to cite with their rows: one of every cell, then as many as may be."""
    cells = [(cell, number) for number, row in enumerate(rows) for cell in row]
    first = [(place, number) for cell, number in cells for place in cell.places[:1]]
    others = [(place, number) for cell, number in cells for place in cell.places[1:]]
    return list(dict.fromkeys([*first, *others]))[:MAX_CITED]


def _in_whole(span: TextSpan, units: Sequence[TextSpan]) -> TextSpan:
    """Return a span that several units make up, with all of the first and the last one."""
    within = [unit for unit in units if unit.overlap(span)]
    start = min((unit.start for unit in within), default=span.start)
    end = max((unit.end for unit in within), default=span.end)
    return TextSpan(min(start, span.start), max(end, span.end))


def _line_spans(lines: Sequence[Line]) -> dict[int | None, TextSpan]:
    """Where each row is told in the joined lines; None: the first line, which tells of all."""
    spans: dict[int | None, TextSpan] = {None: TextSpan(0, len(lines[0].text))}
    start = 0
    for line in lines:
        if line.row is not None:
            spans[line.row] = TextSpan(start, start + len(line.text))
        start += len(line.text) + 1
    return spans
