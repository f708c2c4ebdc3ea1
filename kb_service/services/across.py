"""Answers over many documents: plan → run → put in words → cite. No prose is read, none is written.

Knows when such an answer is given and when the words of one document go first. The steps stand in
planning, querying and table_words.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from kb_service.domain.answers import AnswerStatus, Citation, CitationStatus
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Filters
from kb_service.domain.questions import QuestionKind
from kb_service.domain.record_queries import AGGREGATES, Counted, Operation, RecordQuery
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.tables import Cell, CitedCell, Place, Tabled
from kb_service.language.tables import LANGUAGES, field_name, said
from kb_service.language.values import stated_values
from kb_service.services.asking import CitationEvent, TokenEvent
from kb_service.services.assembly import RevisionTexts
from kb_service.services.filtering import as_compared
from kb_service.services.finding import Finding
from kb_service.services.naming import Vocabulary
from kb_service.services.planning import Planned, planned_for
from kb_service.services.querying import QueryResult, QueryRunner, Records
from kb_service.services.table_words import MAX_NAMES, Line, lines_of
from kb_service.services.tabulating import Titled
from kb_service.services.telling import (
    ACROSS,
    CANNOT_COUNT,
    Plan,
    cannot,
    says_outright,
    titles_of,
    unknown_subject,
)
from kb_service.services.turns import Turn

FIELD_MISSING = "field_missing"
_TOLD_IN_ONE = frozenset({QuestionKind.FACT, QuestionKind.LIST})
"""That no record is of what is asked for says nothing beside a document that answers such a one."""

MAX_CITED = 200
"""So many places are cited; the query itself pages through the rest."""

MAX_CITED_CHARS = 400
_MARGIN = 400
_FIGURES = frozenset(
    {
        *(Operation.COUNT, Operation.SUM, Operation.AVERAGE, Operation.MEDIAN),
        *(Operation.GROUP, Operation.TREND, Operation.WHICH),
    }
)


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


class Desk(Records, Vocabulary, Protocol):
    """Where records, their fields and their documents are read; storage fulfils it."""

    def of_revisions(self, revision_ids: Iterable[int]) -> Mapping[int, Revisioned]:
        """Return the documents of revisions; what is gone is left out."""


class Library(RevisionTexts, Protocol):
    """Where stored texts are read, and where their words stand on pages."""

    def regions(self, revision_id: int, span: TextSpan) -> tuple[PageRegion, ...]:
        """Return where the words of a span stand on the pages of a revision."""


@dataclass(frozen=True, slots=True)
class Told:
    """An answer over many documents, before it is an Answer."""

    text: str
    citations: tuple[Citation, ...]
    tabled: Tabled
    status: AnswerStatus
    reason: str | None

    def events(self) -> Iterator[TokenEvent | CitationEvent]:
        """Yield the words line by line, each followed by its citations."""
        sent = 0
        for end in [i + 1 for i, c in enumerate(self.text) if c == "\n"] + [len(self.text)]:
            if sent < end:
                yield TokenEvent(self.text[sent:end])
            for citation in self.citations:
                if sent < citation.answer.end <= end:
                    yield CitationEvent(citation)
            sent = end


class AcrossDocuments:
    """Answers questions over what many documents state. Safe to share between threads."""

    def __init__(self, desk: Desk, library: Library) -> None:
        self._desk, self._library = desk, library
        self._runner = QueryRunner(desk)

    def answer(self, turn: Turn, findings: Sequence[Finding]) -> Told | Plan | None:
        """Return the answer over many documents; None where one document answers.

        Where a document states the asked figure itself, its words go first. Of years that no
        record is of nothing is known: that nothing was counted there says nothing.
        """
        if turn.kind is QuestionKind.SMALL_TALK or not findings:
            return None
        given, language = turn.request.filters, turn.question.language
        planned = planned_for(turn.question, turn.named, given, turn.kb.id, self._desk, turn.today)
        if planned is None:
            return None
        if planned.query is None:
            return _refusal(turn, planned, findings, language)
        result = self.found(turn.kb.id, planned.query)
        if result.query.op is Operation.CHANGES and not result.table.rows:
            return None
        if not result.tally.of or _states_figure(turn, findings, result):
            return None
        if turn.kind not in ACROSS and _is_of_one(findings, result):
            return None
        if turn.kind in _TOLD_IN_ONE and not result.tally.matched and _is_any_said(findings):
            return None
        if not result.tally.matched and not self._has_years_of(turn.kb.id, result.query):
            return None
        if not planned.is_explicit and not _is_of_many(planned, findings, result):
            return None
        turn.understood = replace(turn.understood, filters=result.query.filters)
        return self.told(turn.kb.id, result, planned, language)

    def found(self, kb_id: str, query: RecordQuery) -> QueryResult:
        """Run a query; over a base without incidents its records are counted themselves."""
        result = self._runner.run(kb_id, query)
        if query.of is Counted.INCIDENTS and not result.tally.of:
            return self._runner.run(kb_id, replace(query, of=Counted.RECORDS))
        return result

    def _has_years_of(self, kb_id: str, query: RecordQuery) -> bool:
        """True where anything is known of the years that a query asks for, or it names no time."""
        begin, end = query.filters.time_from, query.filters.time_to
        first = begin and begin.replace(month=1, day=1)
        after = end and (end - timedelta(microseconds=1)).replace(month=12, day=31)
        years = Filters(time_from=first, time_to=after and after + timedelta(days=1))
        return years == Filters() or bool(
            self.found(
                kb_id, replace(query, op=Operation.COUNT, filters=years, field=None, by=None)
            ).tally.matched
        )

    def told_of(self, kb_id: str, query: RecordQuery, language: str) -> Told:
        """Answer a typed query.

        Raises NotFound, InvalidRequest (invalid_query), StorageError.
        """
        if language not in LANGUAGES:
            known = ", ".join(LANGUAGES)
            raise InvalidRequest(
                f"language is {language[:20]!r}; {known} are accepted", code="invalid_query"
            )
        groups = tuple(map(as_compared, query.groups))
        asked = replace(query, filters=as_compared(query.filters), groups=groups)
        result = self.found(kb_id, asked)
        return self.told(kb_id, result, Planned(asked), language)

    def told(self, kb_id: str, result: QueryResult, planned: Planned, language: str) -> Told:
        """Put a result in words, every cell cited."""
        sums = [self._runner.run(kb_id, one) for one in planned.also]
        names = self._desk.named(result.tally.lacking[:MAX_NAMES])
        called = {one: document.name for one, document in names.items()}
        lines = list(lines_of(result, sums, planned, called, language))
        text = "\n".join(line.text for line in lines)
        numbers, citations = self._cited(result, lines)
        rows = tuple(
            tuple(
                CitedCell(
                    c.value, tuple(dict.fromkeys(numbers[p] for p in c.places if p in numbers))
                )
                for c in row
            )
            for row in result.table.rows
        )
        documents = tuple(dict.fromkeys(citation.document_id for citation in citations))
        tabled = Tabled(
            result.query,
            result.table.columns,
            rows,
            result.tally,
            result.chart,
            documents,
            result.next_cursor,
        )
        is_short = result.query.op in AGGREGATES and bool(result.tally.lacking)
        none = result.query.op in AGGREGATES and result.tally.matched and not result.numbers
        if none:
            return Told(text, citations, tabled, AnswerStatus.PARTIAL, FIELD_MISSING)
        status = AnswerStatus.PARTIAL if is_short else AnswerStatus.ANSWERED
        return Told(text, citations, tabled, status, FIELD_MISSING if is_short else None)

    def _cited(
        self, result: QueryResult, lines: Sequence[Line]
    ) -> tuple[dict[Place, int], tuple[Citation, ...]]:
        """Return the numbers of places, and the citations: of each cell one first, then others."""
        wanted = _places(result.table.rows)
        documents = self._desk.of_revisions({place.revision_id for place, _ in wanted})
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
            units = [u.span for u in text.units if u.span.covers(span) and text.span.covers(u.span)]
            whole = min(units, key=len, default=span)
            kept = whole if len(whole) <= MAX_CITED_CHARS else span
            found.append((kept, text.words(kept)))
        return found


def _refusal(
    turn: Turn, planned: Planned, findings: Sequence[Finding], language: str
) -> Plan | None:
    """Say which field no record states, or by which words nothing can be selected.

    None where a document may say it itself, or no record is asked for in so many words.
    """
    if _is_said(turn, planned, findings):
        return None
    if planned.unknown and len(findings) == 1:
        return unknown_subject(findings[0], language)
    documents, apart = titles_of(findings), said("apart", language)
    if planned.lacking:
        fields = apart.join(field_name(f, language) for f in planned.lacking)
        text = said(FIELD_MISSING, language, fields=fields, documents=documents)
        return cannot(FIELD_MISSING, text, findings, planned.lacking)
    if planned.unread and planned.is_explicit and planned.is_of_units:
        words = apart.join(field_name(word, language) for word in planned.unread)
        text = said("unread", language, words=words, documents=documents)
        return cannot(CANNOT_COUNT, text, findings, planned.unread)
    return None


def _is_said(turn: Turn, planned: Planned, findings: Sequence[Finding]) -> bool:
    """True where a document says what is asked: of many documents, only when it counts outright.

    A sum (一共) in one incident that is named is what its paper says; so is the number of what is
    no incident.
    """
    is_sum_of_one = planned.sums_up and not planned.counts and turn.named.is_one
    is_of_many = planned.is_explicit and planned.is_of_units and not is_sum_of_one
    if turn.kind in ACROSS or is_of_many:
        return any(says_outright(found, turn.question) for found in findings)
    return not all(found.evidence.is_empty for found in findings)


def _states_figure(turn: Turn, findings: Sequence[Finding], result: QueryResult) -> bool:
    """True where a document that is none of those counted states the figure that is asked for.

    A sum over one incident is what its report says.
    """
    if len(findings) != 1 or result.query.op not in _FIGURES:
        return False
    is_of_one = result.query.op in AGGREGATES and result.tally.matched == 1
    if not is_of_one and turn.kind not in ACROSS:
        return False
    if not says_outright(findings[0], turn.question):
        return False
    if is_of_one:
        return True
    best = findings[0].evidence.readings[0]
    return best.passage.document_id not in result.counted or _is_several(best.words)


def _is_of_one(findings: Sequence[Finding], result: QueryResult) -> bool:
    """True where values of one record are asked for, as a table's row, and its own words say it."""
    is_of_values = result.query.op in {Operation.GROUP, Operation.WHICH}
    return is_of_values and result.tally.matched == 1 and _is_any_said(findings)


def _is_any_said(findings: Sequence[Finding]) -> bool:
    return any(not found.evidence.is_empty for found in findings)


def _is_several(words: str) -> bool:
    """True for words that state a number above one, as no report of one incident counts itself."""
    numbers = (v.removeprefix("num:") for v in stated_values(words) if v.startswith("num:"))
    return any(number.isdecimal() and int(number) > 1 for number in numbers)


def _is_of_many(planned: Planned, findings: Sequence[Finding], result: QueryResult) -> bool:
    """True where what was asked of nothing in particular is true of several incidents."""
    is_open = any(f.evidence.is_empty or f.evidence.shortfall for f in findings)
    if result.tally.matched < 2:
        return bool(result.tally.matched) and planned.asks_what_happened and is_open
    begin, end = result.query.filters.time_from, result.query.filters.time_to
    is_long = begin is not None and end is not None and end - begin > timedelta(days=1)
    return planned.sums_up or is_long or is_open


def _places(rows: Iterable[Sequence[Cell]]) -> list[tuple[Place, int]]:
    """Return the places to cite with their rows: one of every cell, then as many as may be."""
    cells = [(cell, number) for number, row in enumerate(rows) for cell in row]
    first = [(place, number) for cell, number in cells for place in cell.places[:1]]
    others = [(place, number) for cell, number in cells for place in cell.places[1:]]
    return list(dict.fromkeys([*first, *others]))[:MAX_CITED]


def _line_spans(lines: Sequence[Line]) -> dict[int | None, TextSpan]:
    """Where each row is told in the joined lines; None: the first line, which tells of all."""
    spans: dict[int | None, TextSpan] = {None: TextSpan(0, len(lines[0].text))}
    start = 0
    for line in lines:
        if line.row is not None:
            spans[line.row] = TextSpan(start, start + len(line.text))
        start += len(line.text) + 1
    return spans
