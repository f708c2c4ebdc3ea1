"""What a document states, as facts: forms and tables first, then its title, then its sentences.

Pure functions on a stored text with its units. Of a field that a record has once, the surest value
is kept, the first of equals; what nobody states has no fact.
"""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from kb_service.domain.facts import (
    CLOCK,
    DOCUMENT_RECORD,
    REPLACED,
    STATED_ONCE,
    Fact,
    FactField,
    FactMethod,
    Precision,
)
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, Unit, UnitKind
from kb_service.language.identifiers import identifier_matches
from kb_service.language.lexicon import BULLETS, Tables, shipped_languages, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.blocks import blocks_in
from kb_service.language.stated.entries import Entry, entries_in
from kb_service.language.stated.fields import (
    Place,
    compared,
    fact,
    labelled,
    status_of,
    tight,
    timed,
)
from kb_service.language.stated.forms import FormField, form_fields
from kb_service.language.stated.labels import Label, column_as, column_of, sorted_out
from kb_service.language.stated.meaning import Sense, settled
from kb_service.language.stated.moments import Moment, at_clock, clocks_in, moments_in, year_of
from kb_service.language.stated.plain import Line, line_of, plain
from kb_service.language.stated.rows import Table, TableRow, tables_in
from kb_service.language.stated.sentences import happenings_in, numbers_of, sentence_facts

EXTRACTING = 9
"""Raise it when the code of this package finds other facts: stored ones are found anew then."""

MAX_PROSE_CHARS = 200_000
"""Sentences behind so many characters of a text are not read: a book is no report."""
_TITLE_LINES = 3
_MAX_TITLE = 120
_CONFIDENCE = {FactMethod.FORM: 0.95, FactMethod.COLUMN: 0.95, FactMethod.TITLE: 0.8}
_IN_SENTENCES, _BY_MEANING = 0.7, 0.65
"""What a label says that no list of words has is less sure than what a sentence says."""
_MIN_MEASURE = 4
_SAMPLED_ROWS = 100
_HEADS = regex(
    rf"[\W\d_]*(?:{'|'.join(shipped_lexicon().patterns('stated', 'measure_heads'))})[\W_]*"
)
_DATED_NAME = regex(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)-?(?P<m>0[1-9]|1[0-2])-?(?P<d>0[1-9]|[12]\d|3[01])[-_ ]+"
    r"(?P<who>[^\W\d](?:[\w .:+-]{0,38}\w))\s*$"
)
"""How a report on an outage is called: its day, and the service that it is about."""
_NAMED = regex("|".join(shipped_lexicon().patterns("stated", "named_reports")))
_SERVICE = "service"
_ITEM = regex(rf"\s*(?:[(\uff08]?\d{{1,2}}[.)\u3001\uff09]|[-*{BULLETS}])\s*")
_TABLES_READ = (
    "fact_labels", "field_hints", "field_senses", "stated", "events", "whole_kinds", "calendar",
    "names", "numerals",
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
    marked: MarkedText, columns: Mapping[str, str] | None = None, sense: Sense | None = None
) -> tuple[Fact, ...]:
    """Return what a whole text states, record by record, in the order of the text.

    `columns`: what people said that columns of these names stand for. `sense`: what labels mean
    that no list of words has.
    """
    text, folded = marked.text, plain(marked.text)
    year = year_of(folded[:20_000])
    tables = [_understood(text, table, columns or {}, sense) for table in tables_in(text)]
    kept = [(table, labels) for table, labels in tables if any(x.is_standard for x in labels)]
    found: list[Fact] = []
    number = DOCUMENT_RECORD
    for table, labels in kept:
        for row in table.rows:
            number += 1
            place = _place(FactMethod.COLUMN, number, year)
            found += _one_of_each(_row_facts(text, folded, row, labels, place))
    rows = tuple(row.span for table, _ in kept for row in table.rows)
    fields = _fields_of(marked, rows, sense)
    entries = () if rows else _entries_of(text, folded, year, fields)
    logged = [item for told in _log_facts(marked, folded, year, entries, fields) for item in told]
    outside = (*rows, *(entry.span for entry in entries))
    own = _one_of_each(_document_facts(marked, folded, outside, year, fields))
    # The day of a log is no time of a happening: each entry has its own.
    own = [item for item in own if not (entries and item.field == FactField.TIME)]
    return (*own, *logged, *found)


def _understood(
    text: str, table: Table, columns: Mapping[str, str], sense: Sense | None
) -> tuple[Table, tuple[Label, ...]]:
    return table, labels_of(table, values_of(text, table), columns, sense)


def labels_of(
    table: Table,
    values: Mapping[str, Sequence[str]],
    columns: Mapping[str, str],
    sense: Sense | None = None,
) -> tuple[Label, ...]:
    """Return what the columns of a table stand for; `columns`: what people said of some."""
    labels = [
        column_as(name, columns[name])
        if name in columns
        else column_of(name, values[name], table.heads)
        for name in table.names
    ]
    told = settled(sorted_out(labels, values), values, sense)
    return tuple(
        labels[place] if label.name in columns else label for place, label in enumerate(told)
    )


def values_of(text: str, table: Table) -> dict[str, list[str]]:
    """Return the values under each name of a table, of its first rows."""
    values: dict[str, list[str]] = {name: [] for name in table.names}
    for row in table.rows[:_SAMPLED_ROWS]:
        for cell in row.cells:
            values[cell.name].append(cell.span.of(text))
    return values


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
    for label, span in fields:
        low = span.of(folded)
        is_clock = label.field == CLOCK
        is_whole = is_clock and bool(moments_in(low, at.year))
        if is_clock and not is_whole:
            clock = clock or low
        meant = replace(label, field=FactField.TIME) if is_whole else label
        place = replace(at, confidence=_BY_MEANING) if label.is_meant else at
        found += labelled(meant, span.of(text), low, span, place)
    yield from (_with_clock(item, clock, at) for item in found)


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
    year: int | None,
    known: Sequence[FormField],
) -> Iterator[Fact]:
    """What is said outside the rows of tables and the entries of a log."""
    text = marked.text
    fields = [field for field in known if not any(map(field.span.overlap, rows))]
    place = _place(FactMethod.FORM, DOCUMENT_RECORD, year)
    yield from _labelled_facts(text, folded, [(f.label, f.value) for f in fields], place)
    taken = sorted([*rows, *(field.span for field in fields if not field.is_beside_prose)])
    yield from _title_facts(marked, folded, taken, year)
    sure = Place(DOCUMENT_RECORD, FactMethod.SENTENCE, _IN_SENTENCES, year)
    for unit in _prose(marked.units, taken):
        yield from sentence_facts(line_of(text, folded, unit.span), sure)
    yield from _listed_measures(marked, folded, sure)


def _log_facts(
    marked: MarkedText,
    folded: str,
    year: int | None,
    entries: Sequence[Entry],
    fields: Sequence[FormField],
) -> Iterator[list[Fact]]:
    """Yield what each entry of a log states; the day above it is of all of them."""
    taken = sorted(field.span for field in fields if not field.is_beside_prose)
    prose = list(_prose(marked.units, taken))
    for number, entry in enumerate(entries, start=1):
        form = _place(FactMethod.FORM, number, year)
        within = [(f.label, f.value) for f in fields if entry.span.covers(f.span)]
        said = list(_labelled_facts(marked.text, folded, within, form))
        if entry.clock and entry.moment:
            words = entry.clock.of(marked.text)
            said.append(timed(FactField.TIME, words, entry.clock, form, entry.moment))
        sure = Place(number, FactMethod.SENTENCE, _IN_SENTENCES, year)
        for unit in (unit for unit in prose if entry.span.covers(unit.span)):
            said += sentence_facts(line_of(marked.text, folded, unit.span), sure)
        yield _one_of_each(said)


def _entries_of(
    text: str, folded: str, year: int | None, fields: Sequence[FormField]
) -> tuple[Entry, ...]:
    """The records that stand one below the other: blocks of labels, or entries of a log."""
    blocks = tuple(map(Entry, blocks_in(text, fields)))
    return blocks or entries_in(folded, year)


def _fields_of(
    marked: MarkedText, rows: tuple[TextSpan, ...], sense: Sense | None
) -> list[FormField]:
    ends = {unit.span.start: unit.span.end for unit in marked.units if unit.kind is UnitKind.FIELD}
    return list(form_fields(marked.text, rows, ends, sense))


def _title_facts(
    marked: MarkedText, folded: str, taken: Sequence[TextSpan], year: int | None
) -> Iterator[Fact]:
    """What the first lines say that are no fields and no rows. `taken`: these, in order."""
    at = _place(FactMethod.TITLE, DOCUMENT_RECORD, year)
    for unit in marked.units[:_TITLE_LINES]:
        is_field = any(unit.span.overlap(span) for span in taken[:100])
        if is_field or len(unit.span) > _MAX_TITLE:
            continue
        yield from _line_facts(line_of(marked.text, folded, unit.span), at)


def _line_facts(line: Line, at: Place) -> Iterator[Fact]:
    """A title of one line: kind, status, number and day."""
    whole = line.span(0, len(line.plain))
    status = status_of(line.plain)
    if status:
        yield fact(FactField.STATUS, line.value(whole), whole, at, status)
    kinds = happenings_in(line.plain)
    if kinds:
        kind, start, end = kinds[0]
        span = line.span(start, end)
        yield fact(FactField.KIND, line.value(span), span, at, kind)
    dated = _DATED_NAME.search(line.plain)
    day = next(iter(moments_in("-".join(dated.group("y", "m", "d")))), None) if dated else None
    if dated and day and _NAMED.search(line.plain, 0, dated.start()):
        span = line.span(dated.start("y"), dated.end("d"))
        yield timed(FactField.TIME, line.value(span), span, at, day)
        span = line.span(*dated.span("who"))
        text, role = compared(dated["who"]), _SERVICE
        yield fact(FactField.ORGANISATION, line.value(span), span, at, text, role=role)
        whole = line.span(dated.start("y"), dated.end("who"))
        yield fact(FactField.NUMBER, line.value(whole), whole, at, tight(dated.group().strip()))
        return
    named = list(numbers_of(line, at))
    yield from named
    if not named:
        for match in list(identifier_matches(line.plain))[:1]:
            span = line.span(*match.span())
            yield fact(FactField.NUMBER, line.value(span), span, at, tight(match.group()))


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


def _listed_measures(marked: MarkedText, folded: str, at: Place) -> Iterator[Fact]:
    """The items of a list under a heading of measures."""
    is_under = False
    for unit in marked.units:
        words = unit.span.of(folded)
        if _HEADS.fullmatch(words):
            is_under = True
        elif unit.kind is UnitKind.HEADING or unit.kind is UnitKind.FIELD:
            is_under = False
        elif is_under:
            item = _ITEM.match(words)
            if item is None:
                is_under = False
                continue
            span = TextSpan(unit.span.start + item.end(), unit.span.end)
            if len(span) >= _MIN_MEASURE:
                yield fact(
                    FactField.MEASURE, span.of(marked.text), span, at, compared(span.of(folded))
                )


def _place(method: FactMethod, record: int, year: int | None) -> Place:
    return Place(record, method, _CONFIDENCE[method], year)


def _one_of_each(found: Iterable[Fact]) -> list[Fact]:
    """Return the surest fact of a field that is stated once, and each value of the others once.

    Somebody in two roles is stated twice.
    """
    best: dict[tuple[str, str, str], Fact] = {}
    for item in found:
        is_one = item.field in STATED_ONCE and item.role != REPLACED
        key = (item.field, "", "") if is_one else (item.field, item.text, item.role)
        if key not in best or best[key].confidence < item.confidence:
            best[key] = item
    return sorted(best.values(), key=lambda item: (item.span, item.field))
