"""Answers over many documents: plan → run → put in words → cite. No prose is read, none is written.

Knows when such an answer is given and when the words of one document go first. The steps stand in
planning, querying and table_words.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Protocol

from kb_service.domain.answers import AnswerStatus, Citation
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import Filters
from kb_service.domain.questions import Question, QuestionKind
from kb_service.domain.record_queries import AGGREGATES, Counted, Operation, RecordQuery
from kb_service.domain.tables import CitedCell, Tabled
from kb_service.language.asked import parse_question
from kb_service.language.messages import message
from kb_service.language.stated.accounts import is_called_otherwise
from kb_service.language.tables import LANGUAGES, filters_in_words, said
from kb_service.language.values import stated_values
from kb_service.services.asking import CitationEvent, TokenEvent
from kb_service.services.citing_cells import CellCitations, Library, Sources
from kb_service.services.filtering import as_compared
from kb_service.services.finding import Finding
from kb_service.services.going_on import goes_on
from kb_service.services.kinds_as_values import read_as_values
from kb_service.services.named import Named, named_in
from kb_service.services.planning import Planned, planned_for
from kb_service.services.querying import QueryResult, QueryRunner, Records
from kb_service.services.refusing import FIELD_MISSING, refusal, refused_by_a_row
from kb_service.services.table_words import MAX_NAMES, lines_of
from kb_service.services.telling import (
    ACROSS,
    Plan,
    says_outright,
    unknown_subject,
)
from kb_service.services.turns import Turn
from kb_service.services.vocabulary import KnownBase, Vocabulary

_MOST_SILENT = 0.25
"""The share of papers above which a count is a part, where no incident was read of them."""

_TOLD_IN_ONE = frozenset({QuestionKind.FACT, QuestionKind.LIST})
"""That no record is of what is asked for says nothing beside a document that answers such a one."""

_FIGURES = frozenset(
    {
        *(Operation.COUNT, Operation.SUM, Operation.AVERAGE, Operation.MEDIAN),
        *(Operation.GROUP, Operation.TREND, Operation.WHICH),
    }
)


class SilentDocuments(Protocol):
    """Documents that tell of no incident."""

    @property
    def num_documents(self) -> int:
        """How many searchable documents there are."""

    @property
    def names(self) -> tuple[tuple[str, str], ...]:
        """Title and name of each that tells of none."""


class Desk(Records, Vocabulary, Sources, Protocol):
    """Where records, their fields and their documents are read; storage fulfils it."""

    def silent(self, kb_id: str, of: Counted) -> SilentDocuments:
        """Return which documents of a base tell of no incident, and of how many."""


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
        self._desk = desk
        self._runner = QueryRunner(desk)
        self._citations = CellCitations(desk, library)

    def answer(self, turn: Turn, findings: Sequence[Finding]) -> Told | Plan | None:
        """Return the answer over many documents; None where one document answers."""
        told = self._answer(turn, findings)
        if told is not None or turn.kind is QuestionKind.SMALL_TALK:
            return told
        return refused_by_a_row(turn, findings, turn.question.language)

    def _answer(self, turn: Turn, findings: Sequence[Finding]) -> Told | Plan | None:
        """Return the answer over many documents, None where there is none.

        Where a document states the asked figure itself, its words go first. Of years that no
        record is of nothing is known: that nothing was counted there says nothing.
        """
        if turn.kind is QuestionKind.SMALL_TALK or not findings:
            return None
        language = turn.question.language
        going_on = self._goes_on(turn)
        planned = going_on or self._of_its_own(turn)
        if planned is None:
            return None
        planned, result = self._ran(turn, planned)
        if result is None:
            return refusal(turn, planned, findings, language)
        if result.query.op is Operation.CHANGES and not result.table.rows:
            return None
        if not result.tally.of or _states_figure(turn, findings, result):
            return None
        if turn.kind not in ACROSS and _is_of_one(findings, result):
            return None
        if turn.kind in _TOLD_IN_ONE and not result.tally.matched and _is_any_said(findings):
            return None
        if not result.tally.matched and not self._has_years_of(turn.kb.id, result.query):
            return None if _is_any_said(findings) else unknown_subject(findings[0], language)
        if not planned.is_explicit and not _is_of_many(planned, findings, result):
            return None
        _note(turn, result, going_on=going_on is not None)
        return self._complete(turn.kb.id, result, planned, language)

    def _complete(self, kb_id: str, result: QueryResult, planned: Planned, language: str) -> Told:
        """Put a result in words, and say of how many papers nothing was read that it could count.

        Each may tell of what is asked; where they are many, the answer is told as a part. Papers
        that are called otherwise (rules, minutes, a roster) are none of them. What restricts the
        documents is taken at its word.
        """
        told = self.told(kb_id, result, planned, language)
        if result.query.of is Counted.DOCUMENTS or _restricts_documents(result.query.filters):
            return told
        silent = self._desk.silent(kb_id, result.query.of)
        number = sum(not _is_otherwise(*called) for called in silent.names)
        if not number:
            return told
        is_part = number > _MOST_SILENT * silent.num_documents
        form = "silent" if is_part else "silent_few"
        words = said(form, language, number=number, documents=silent.num_documents)
        text = f"{told.text}\n{words}"
        if not is_part:
            return replace(told, text=text)
        reason = told.reason or FIELD_MISSING
        return replace(told, text=text, status=AnswerStatus.PARTIAL, reason=reason)

    def _planned(self, turn: Turn, question: Question, named: Named) -> Planned | None:
        given = turn.request.filters
        return planned_for(question, named, given, turn.kb.id, self._desk, turn.today)

    def _of_its_own(self, turn: Turn) -> Planned | None:
        return self._total_within(turn) or self._planned(turn, turn.question, turn.named)

    def _goes_on(self, turn: Turn) -> Planned | None:
        if turn.before is None:
            return None
        base = KnownBase(turn.kb.id, self._desk, self._desk.fields(turn.kb.id))
        return goes_on(turn.asked, turn.before, turn.request.filters, base, turn.today)

    def _total_within(self, turn: Turn) -> Planned | None:
        """Return the total that the typed words ask for, of what the answer before was of.

        None where they restrict it themselves, or what is before is one document of many records.
        """
        if turn.within is None:
            return None
        asked, given = parse_question(turn.asked), turn.request.filters
        planned = self._planned(turn, asked, named_in(asked, turn.today))
        query = planned.query if planned else None
        both = given.both(turn.within)
        if not planned or not query or query.op not in AGGREGATES or query.filters != given:
            return None
        if both is None:
            return None
        also = tuple(replace(one, filters=both) for one in planned.also)
        within = replace(planned, query=replace(query, filters=both), also=also)
        is_of_many = bool(turn.within.document_ids) and self._counts(turn, within) != 1
        return None if is_of_many else within

    def _counts(self, turn: Turn, planned: Planned) -> int:
        return self.found(turn.kb.id, planned.query).tally.matched if planned.query else 0

    def _ran(self, turn: Turn, planned: Planned) -> tuple[Planned, QueryResult | None]:
        """Run what is asked; kinds that nothing is of are asked for as values where they are."""
        if planned.query is None:
            return planned, None
        result = self.found(turn.kb.id, planned.query)
        is_found = bool(result.tally.matched)
        asks_whether = planned.query.op is Operation.EXISTS
        if planned.mentioned and not is_found and not asks_whether:  # in other words, perhaps
            return replace(planned, query=None, unread=planned.mentioned), None
        if is_found and len(planned.query.filters.kind) < 2:
            return planned, result
        base = KnownBase(turn.kb.id, self._desk, self._desk.fields(turn.kb.id))
        given = turn.request.filters
        valued = read_as_values(planned, turn.named, given, base, is_found=is_found)
        if valued is None:
            return planned, result
        if valued.query is None:
            bare = replace(planned.query.filters, kind=())
            queries = [
                replace(planned.query, filters=replace(bare, text=(*bare.text, word)))
                for word in valued.unread
            ]
            is_any = any(self._found_anywhere(turn.kb.id, one).tally.matched for one in queries)
            return (valued, None) if is_any else (planned, result)
        by_value = self._found_anywhere(turn.kb.id, valued.query)
        return (valued, by_value) if by_value.tally.matched else (planned, result)

    def _found_anywhere(self, kb_id: str, query: RecordQuery) -> QueryResult:
        """Run a query by a value; rows that have it may be of no incident that is known."""
        result = self.found(kb_id, query)
        if query.of is Counted.INCIDENTS and not result.tally.matched:
            return self._runner.run(kb_id, replace(query, of=Counted.RECORDS))
        return result

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
        return self._complete(kb_id, result, Planned(asked), language)

    def told(self, kb_id: str, result: QueryResult, planned: Planned, language: str) -> Told:
        """Put a result in words, every cell cited."""
        sums = [self._runner.run(kb_id, one) for one in planned.also]
        names = self._desk.named(result.tally.lacking[:MAX_NAMES])
        called = {one: document.name for one, document in names.items()}
        lines = list(lines_of(result, sums, planned, called, language))
        text = "\n".join(line.text for line in lines)
        numbers, citations = self._citations.cited(result, lines)
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
        is_of_those = result.query.op in AGGREGATES or not result.tally.matched
        is_short = bool(result.tally.lacking) and (is_of_those or _is_of_few(result))
        none = result.query.op in AGGREGATES and result.tally.matched and not result.numbers
        if none:
            return Told(text, citations, tabled, AnswerStatus.PARTIAL, FIELD_MISSING)
        status = AnswerStatus.PARTIAL if is_short else AnswerStatus.ANSWERED
        return Told(text, citations, tabled, status, FIELD_MISSING if is_short else None)


def _is_of_few(result: QueryResult) -> bool:
    """True where more documents lack what was asked for than state it; one says that it is."""
    lacking = set(result.tally.lacking)
    state = result.tally.documents - len(lacking & result.counted)  # some are in none of the groups
    return result.query.op is not Operation.EXISTS and len(lacking) > state


def _is_otherwise(title: str, name: str) -> bool:
    return is_called_otherwise(title) or is_called_otherwise(name.rpartition(".")[0] or name)


def _restricts_documents(filters: Filters) -> bool:
    of_documents = (filters.tags, filters.labels, filters.document_ids)
    return any(of_documents) or bool(filters.date_from or filters.date_to)


def _note(turn: Turn, result: QueryResult, *, going_on: bool) -> None:
    """Note the filters in force; of a question that goes on from another in words as well."""
    filters, language = result.query.filters, turn.question.language
    turn.understood = replace(turn.understood, filters=filters)
    if going_on and not turn.understood.about:
        told = said("apart", language).join(filters_in_words(filters, language))
        about = message("about_it", language, subject=told) if told else None
        turn.understood = replace(turn.understood, about=about)


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
    if result.query.filters.fields:  # a paper that states the column is one of the records
        return best.passage.document_id in result.tally.lacking
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
