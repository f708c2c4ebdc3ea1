"""What a document states, as facts: forms and tables first, then its title, then its sentences.

Pure functions on a stored text with its units. Of a field that a record has once, the surest value
is kept, the first of equals; what nobody states has no fact.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from itertools import chain
from operator import attrgetter

from kb_service.domain.facts import (
    CLOCK,
    DOCUMENT_RECORD,
    Fact,
    FactField,
    FactMethod,
    Precision,
)
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, Unit, UnitKind
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.lexicon import Tables, any_of, shipped_languages, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.accounts import Telling, told_by_account, told_in_rows
from kb_service.language.stated.blocks import blocks_in
from kb_service.language.stated.chosen import one_of_each, without_signed_day
from kb_service.language.stated.days_above import DaysAbove
from kb_service.language.stated.entries import (
    Entry,
    counted_in,
    cut_at,
    entries_in,
    is_called_digest,
    is_called_log,
)
from kb_service.language.stated.entry_facts import entry_facts
from kb_service.language.stated.fields import (
    Place,
    labelled,
    timed,
    timed_above,
)
from kb_service.language.stated.forms import FormField, form_fields
from kb_service.language.stated.labels import Label
from kb_service.language.stated.ledgers import ledgers_in
from kb_service.language.stated.logs import log_entries
from kb_service.language.stated.meaning import Sense
from kb_service.language.stated.measures import listed_measures
from kb_service.language.stated.moments import (
    Moment,
    at_clock,
    clocks_in,
    moments_in,
    year_of,
)
from kb_service.language.stated.own import own_fields
from kb_service.language.stated.own_area import with_area
from kb_service.language.stated.places import Places
from kb_service.language.stated.plain import Line, line_of, plain
from kb_service.language.stated.rows import Table, TableRow
from kb_service.language.stated.sentences import cause_told, fines_told, sentence_facts
from kb_service.language.stated.statistics import without_stretch_counted
from kb_service.language.stated.talks import (
    bare_times,
    is_writer,
    quoted_heads,
    reporters_told,
    speakers,
    turns_in,
    without_heads,
)
from kb_service.language.stated.titles import title_facts
from kb_service.language.stated.values import says_nothing, says_unknown
from kb_service.language.stated.years import Years, read_in_year

EXTRACTING = 41
"""Raise it when the code of this package finds other facts: stored ones are found anew then."""

MAX_PROSE_CHARS = 200_000
"""Sentences behind so many characters of a text are not read: a book is no report."""
_CONFIDENCE = {FactMethod.FORM: 0.95, FactMethod.COLUMN: 0.95, FactMethod.TITLE: 0.8}
_IN_SENTENCES, _BY_MEANING = 0.7, 0.65
"""What a label says that no list of words has is less sure than what a sentence says."""
_ANY_YEAR = 2000
_OF_ENTRIES = (FactField.TIME, FactField.KIND, FactField.REPORTED)
"""Where a text has entries these say so; what stands around them is no happening of its own."""
_MAIL_LABEL = any_of(shipped_lexicon().listed("stated", "mail_heads"))
_MAIL_HEAD = regex(rf"(?:(?:{_MAIL_LABEL})[ \u3000]*[:\uff1a][^\n]*\n+){{3,}}")
_TABLES_READ = (
    "fact_labels", "field_hints", "field_senses", "paper_senses", "stated", "events", "whole_kinds",
    "calendar", "names", "numerals", "time_words",
)  # fmt: skip


def fact_rules(languages: Mapping[str, Tables]) -> str:
    """Return the checksum of the code and of the words of some languages by which facts are found.

    SHA-256, hexadecimal.
    """
    tables = {
        code: {name: tables.get(name, {}) for name in _TABLES_READ}
        for code, tables in languages.items()
    }
    written = json.dumps([EXTRACTING, tables], sort_keys=True, ensure_ascii=False)
    return hashlib.sha256(written.encode()).hexdigest()


FACT_RULES = fact_rules(shipped_languages())
"""By which rules `facts_in` finds."""


def facts_in(
    marked: MarkedText,
    columns: Mapping[str, str] | None = None,
    sense: Sense | None = None,
    title: str = "",
    telling: Telling | None = None,
    came: date | None = None,
) -> tuple[Fact, ...]:
    """Return what a whole text states, record by record, in the order of the text.

    `columns`: what people said that columns of these names stand for. `sense`: what labels mean
    that no list of words has. `title`: what the text is called, which may not stand in it.
    `telling`: whether a paper without a kind tells of a happening. `came`: the day on which the
    text came to its base, by which records are dated where it names no year; None: they are not.
    """
    folded, known = with_dates_in_order(plain(marked.text)), columns or {}
    kept = ledgers_in(marked.text, folded, known, sense)
    reading = _Reading(marked, folded, title, kept, known, sense, telling)
    return read_in_year(reading.facts, folded, title, came)


@dataclass(frozen=True, slots=True)
class _Reading:
    """A text with its ledgers and what is known of it, but for the year of its days."""

    marked: MarkedText
    folded: str
    title: str
    ledgers: Sequence[tuple[Table, tuple[Label, ...]]]
    columns: Mapping[str, str]
    sense: Sense | None
    telling: Telling | None

    def facts(self, years: Years) -> tuple[Fact, ...]:
        """Return what the text states in that year."""
        marked, folded, year = self.marked, self.folded, years.of_records
        found = list(self._of_rows(year))
        rows = tuple(row.span for table, _ in self.ledgers for row in table.rows)
        fields, entries = _forms_of(
            marked, folded, rows, year, self.columns, self.sense, self.title
        )
        logged = chain.from_iterable(_log_facts(marked, folded, year, entries, fields))
        listed = told_in_rows(marked.text, [*logged, *found], self.telling)
        outside = (*rows, *(entry.span for entry in entries))
        around = _document_facts(marked, folded, outside, years, fields)
        told = without_signed_day(without_stretch_counted(around, folded))
        own = one_of_each(reporters_told(told))
        own = [item for item in own if not (entries and item.field in _OF_ENTRIES)]
        if not (self.ledgers or entries):
            own = told_by_account(marked, self.title, own, years, self.telling)
        return tuple(with_area((*own, *listed), marked.text, folded))

    def _of_rows(self, year: int | None) -> Iterator[Fact]:
        days = DaysAbove(self.folded, year)
        rows = ((row, labels) for table, labels in self.ledgers for row in table.rows)
        for number, (row, labels) in enumerate(rows, start=DOCUMENT_RECORD + 1):
            place = replace(_place(FactMethod.COLUMN, number, year), days=days)
            yield from one_of_each(_row_facts(self.marked.text, self.folded, row, labels, place))


def _row_facts(
    text: str, folded: str, row: TableRow, labels: Sequence[Label], at: Place
) -> Iterator[Fact]:
    by_name = {label.name: label for label in labels}
    fields = [(by_name[cell.name], cell.span) for cell in row.cells]
    return _labelled_facts(text, folded, fields, at)


def _labelled_facts(
    text: str, folded: str, fields: Sequence[tuple[Label, TextSpan]], at: Place
) -> Iterator[Fact]:
    clock: str | None = None
    found: list[Fact] = []
    if any(_is_of_unread_day(label, folded, span, at) for label, span in fields):
        at = replace(at, days=None)
    for label, span in fields:
        low = span.of(folded)
        is_clock = label.field == CLOCK
        is_whole = is_clock and bool(moments_in(low, at.year))
        if is_clock and not is_whole:
            clock = clock or low
        meant = replace(label, field=FactField.TIME) if is_whole else label
        place = replace(at, confidence=_BY_MEANING) if label.is_meant else at
        said = _in_lines(meant.field, line_of(text, folded, span), place)
        found += list(said) or labelled(meant, span.of(text), low, span, place)
        if meant.field == FactField.MEASURE:
            found += fines_told(line_of(text, folded, span), replace(place, confidence=_BY_MEANING))
    if not any(item.field == FactField.TIME for item in found):
        clocks = ((label, span) for label, span in fields if label.field == CLOCK)
        for _, span in list(clocks)[:1]:
            found += timed_above(FactField.TIME, span.of(text), span.of(folded), span, at)
    yield from (_with_clock(item, clock, at) for item in found)


def _is_of_unread_day(label: Label, folded: str, span: TextSpan, at: Place) -> bool:
    """True for a day that nobody can read: the one above is not that of the record."""
    words = span.of(folded)
    says = label.field == FactField.TIME and not (says_nothing(words) or says_unknown(words))
    return says and at.days is not None and at.days.is_unread(span.start, words)


def _in_lines(field: str, line: Line, at: Place) -> Iterator[Fact]:
    """Yield the cause that a sentence tells, and a time that is broken over two lines."""
    if field == FactField.CAUSE:
        yield from cause_told(line, at)
    elif field in (FactField.TIME, FactField.REPORTED) and "\n" in line.whole.strip():
        for moment in moments_in(line.plain, at.year)[:1]:
            span = line.span(moment.start, moment.end)
            yield timed(field, line.value(span), span, at, moment)


def _with_clock(item: Fact, clock: str | None, at: Place) -> Fact:
    """A day and a time of day in fields of their own are one time."""
    clocks = clocks_in(clock) if clock and item.field == FactField.TIME else []
    if not (clocks and item.time_from and item.time_to and item.precision is Precision.DAY):
        return item
    whole = Moment(0, len(item.value), item.time_from, item.time_to, item.precision)
    return timed(item.field, item.value, item.span, at, at_clock(whole, clocks[0]))


def _document_facts(
    marked: MarkedText,
    folded: str,
    rows: tuple[TextSpan, ...],
    years: Years,
    known: Sequence[FormField],
) -> Iterator[Fact]:
    """What is said outside the rows of tables and the entries of a log."""
    text = marked.text
    outside = Places(rows)
    fields = [field for field in known if not outside.touches(field.span)]
    place = _place(FactMethod.FORM, DOCUMENT_RECORD, years.of_records)
    head = _mail_head(folded)
    sent = [(f.label, f.value) for f in fields if f.span.end <= head and not is_writer(f.label)]
    bare = bare_times(folded)
    said = [(f.label, f.value) for f in fields if f.span.end > head and not is_writer(f.label)]
    told = [one for one in said if one[0].name.casefold() not in bare]
    yield from _labelled_facts(text, folded, told, place)
    sent += [one for one in said if one not in told]
    yield from _labelled_facts(text, folded, sent, replace(place, confidence=_BY_MEANING))
    taken = sorted([*rows, *(field.span for field in fields if not field.is_beside_prose)])
    days = DaysAbove(folded, years.named)
    titled = replace(_place(FactMethod.TITLE, DOCUMENT_RECORD, years.named), days=days)
    yield from title_facts(marked, folded, taken, titled)
    sure = Place(DOCUMENT_RECORD, FactMethod.SENTENCE, _IN_SENTENCES, years.named, days)
    turns = turns_in(folded)
    at = replace(sure, year=years.of_records, days=DaysAbove(folded, years.of_records))
    yield from speakers(text, folded, turns, at)
    heads = [turn.head for turn in turns] or quoted_heads(folded)
    for unit in _prose(without_heads(marked.units, heads), taken):
        yield from sentence_facts(line_of(text, folded, unit.span), sure)
    yield from listed_measures(marked, folded, sure)


def _mail_head(folded: str) -> int:
    """Where the head of a mail ends, 0 without one: it tells when it was sent, no more surely."""
    head = _MAIL_HEAD.match(folded)
    return head.end() if head else 0


def _log_facts(
    marked: MarkedText,
    folded: str,
    year: int | None,
    entries: Sequence[Entry],
    fields: Sequence[FormField],
) -> Iterator[list[Fact]]:
    """Yield what each entry of a log states; the day above it is of all of them."""
    taken = sorted(field.span for field in fields if not field.is_beside_prose)
    places = Places([entry.span for entry in entries])
    told = places.parted(fields, attrgetter("span"))
    units = cut_at(_prose(marked.units, taken), entries)
    prose = places.parted(units, attrgetter("span"))
    for number, entry in enumerate(entries, start=1):
        form = _place(FactMethod.FORM, number, year)
        sure = Place(number, FactMethod.SENTENCE, _IN_SENTENCES, year)
        within = [(f.label, f.value) for f in told[number - 1]]
        said = list(_labelled_facts(marked.text, folded, within, form))
        said += entry_facts(marked.text, folded, entry, prose[number - 1], form, sure)
        yield one_of_each(said)


def _entries_of(
    text: str, folded: str, year: int | None, fields: Sequence[FormField], title: str
) -> tuple[Entry, ...]:
    """The records that stand one below the other: blocks of labels, or entries of a log."""
    blocks = tuple(map(Entry, blocks_in(text, fields)))
    is_talk = bool(turns_in(folded)) and not is_called_log(f"{plain(title)}\n{folded}")
    if blocks or is_talk:
        return blocks or entries_in(folded, year)
    logged = log_entries(folded, year, plain(title))
    if logged is None or (not logged and is_called_digest(folded)):
        return entries_in(folded, year)
    return logged or counted_in(folded, year)


def forms_in(
    marked: MarkedText, columns: Mapping[str, str], sense: Sense | None = None
) -> tuple[list[FormField], int]:
    """Return the labels of a text that are no columns of a table, and of how many records."""
    folded = with_dates_in_order(plain(marked.text))
    ledgers = ledgers_in(marked.text, folded, columns, sense)
    rows = tuple(row.span for table, _ in ledgers for row in table.rows)
    year = year_of(folded[:20_000]) or _ANY_YEAR  # how many there are is the same in any
    fields, entries = _forms_of(marked, folded, rows, year, columns, sense)
    return fields, max(1, len(entries))


def _forms_of(
    marked: MarkedText,
    folded: str,
    rows: tuple[TextSpan, ...],
    year: int | None,
    columns: Mapping[str, str],
    sense: Sense | None,
    title: str = "",
) -> tuple[list[FormField], tuple[Entry, ...]]:
    """The labels with their values, understood or not, and the records that they tell of."""
    ends = {unit.span.start: unit.span.end for unit in marked.units if unit.kind is UnitKind.FIELD}
    taken = tuple(sorted([*rows, *(turn.head for turn in turns_in(folded))]))
    known = list(form_fields(marked.text, taken, ends, sense, columns))
    entries = () if rows else _entries_of(marked.text, folded, year, known, title)
    within = [entry.span for entry in entries]
    own = own_fields(marked.text, known, taken, within, columns)
    return sorted([*known, *own], key=lambda one: one.span), entries


def _prose(units: Iterable[Unit], taken: Sequence[TextSpan]) -> Iterator[Unit]:
    """Yield the units that are no rows and no fields; of a long field its sentences."""
    pending = iter(taken)
    span = next(pending, None)
    listed = list(units)
    for place, unit in enumerate(listed):
        if unit.span.start > MAX_PROSE_CHARS:
            return
        is_long = place + 1 < len(listed) and listed[place + 1].kind is UnitKind.PART
        if unit.kind is UnitKind.FIELD and is_long:
            continue
        while span and span.end <= unit.span.start:
            span = next(pending, None)
        if span is None or not span.overlap(unit.span):
            yield unit


def _place(method: FactMethod, record: int, year: int | None) -> Place:
    return Place(record, method, _CONFIDENCE[method], year)
