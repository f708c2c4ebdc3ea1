"""From a parsed question to a typed query over what documents state: Planned. Runs nothing.

By rules: what the words ask for (language.across), what they name (Named), which fields and values
the base has (Vocabulary). A question of which a word is left unread gets no query.
"""

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from itertools import chain
from typing import Protocol

from kb_service.domain.facts import STANDARD_FIELDS, FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.query_json import filters_from
from kb_service.domain.questions import Question, Subject, SubjectKind
from kb_service.domain.record_queries import NO_FILTERS, Operation, RecordQuery
from kb_service.domain.times import Period
from kb_service.language.across import Sketch, blanked, sketch_of, without_title
from kb_service.language.asked import as_meant
from kb_service.language.periods import stated_days
from kb_service.language.text import normalise
from kb_service.services.choosing import NUMBERS, Asked, choose
from kb_service.services.named import Named

_FIELDS_OF = {
    SubjectKind.PLACE: (FactField.PLACE, FactField.ORGANISATION),
    SubjectKind.ORGANISATION: (FactField.ORGANISATION, FactField.PLACE),
    SubjectKind.PERSON: (FactField.PERSON,),
    SubjectKind.IDENTIFIER: (FactField.NUMBER, FactField.VEHICLE),
}
_FINDABLE = (
    FactField.PLACE,
    FactField.PERSON,
    FactField.ORGANISATION,
    FactField.VEHICLE,
    FactField.KIND,
)
_LISTED = {FactField.PLACE: "place", FactField.PERSON: "person", FactField.ORGANISATION: "unit"}
_BLANK = frozenset(SubjectKind) - {SubjectKind.NUMBER}
MAX_OWN_FIELDS = 4


class Vocabulary(Protocol):
    """Which fields and values a base has; storage fulfils it."""

    def fields(self, kb_id: str) -> frozenset[str]:
        """Return the fields that any record of a base states."""

    def holding(
        self, kb_id: str, words: Iterable[str], fields: Collection[str]
    ) -> list[tuple[str, str]]:
        """Return (field, value) of a base whose values have any of the words in them."""


@dataclass(frozen=True, slots=True)
class Planned:
    """What a question asks of many documents.

    `query`: None where it cannot be asked. `also`: sums that it asks for beside. `lacking`: fields
    that it needs and the base does not have. `unread`: its words that nothing was made of;
    `unknown`: names that no record states. `is_over_many`: its words ask over many documents; else
    it may as well ask about one. `is_measured`: it asks for groups, an order or an aggregate;
    `sums_up`: for a total in so many words. `order`: what it asks for the most or least of.
    `asks_people`: it counts people, where incidents may be meant. `asks_what_happened`: in so many
    words, of whatever there was.
    """

    query: RecordQuery | None
    also: tuple[RecordQuery, ...] = ()
    lacking: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    is_over_many: bool = True
    is_measured: bool = False
    sums_up: bool = False
    order: str | None = None
    asks_people: bool = False
    asks_what_happened: bool = False


@dataclass(slots=True)
class _Names:
    """Names of a question as filters: those of one field are alternatives."""

    filters: Filters = NO_FILTERS
    alternatives: tuple[Filters, ...] = ()
    unknown: tuple[str, ...] = ()


def planned_for(
    question: Question,
    named: Named,
    given: Filters,
    kb_id: str,
    vocabulary: Vocabulary,
    today: date,
) -> Planned | None:
    """Return what a question asks of many documents, None where its words do not.

    `given`: filters that came with it; they hold beside its own.
    """
    have = vocabulary.fields(kb_id)
    words, own = _own_fields(_words(question, named), have)
    sketch = sketch_of(words)
    if not (sketch.is_over_many or sketch.measured or sketch.columns or sketch.happened):
        return None
    names = _named(question, named, kb_id, vocabulary, today)
    rest, filters = _found(sketch.rest, names.filters, kb_id, vocabulary, have)
    filters = filters.merged(_ranges(sketch, own))
    rest += _unsaid(sketch)
    asked = Asked(sketch, own, given.merged(filters), names.alternatives, have)
    planned = choose(asked)
    if planned is None:
        return None
    query, also, lacking = planned
    return Planned(
        None if rest or lacking or names.unknown else query,
        also,
        lacking,
        tuple(rest),
        names.unknown,
        sketch.is_over_many,
        bool(sketch.operation or sketch.by or sketch.order or sketch.compares),
        sketch.operation is Operation.SUM,
        sketch.order,
        bool(sketch.measured) and not sketch.counts,
        sketch.happened,
    )


def _words(question: Question, named: Named) -> str:
    """The words of a question, those blank that name something."""
    text = as_meant(question.text)
    if len(text) != len(question.text):
        text = question.text
    told = ((time.window.span.start, time.window.span.end) for time in named.told)
    subjects = ((s.span.start, s.span.end) for s in named.subjects if s.kind in _BLANK)
    rest = blanked(text, chain(told, subjects))
    return question.normalised if rest == question.text else normalise(rest)


def _own_fields(words: str, have: Collection[str]) -> tuple[str, dict[str, str]]:
    """Put a word of the rules in the place of each column of the base's own; return which."""
    own: dict[str, str] = {}
    for name in sorted(set(have) - STANDARD_FIELDS, key=lambda one: (-len(one), one)):
        known = normalise(name)
        if len(own) < MAX_OWN_FIELDS and len(known) > 1 and known in words:
            words = words.replace(known, f"field{len(own)}")
            own[f"#{len(own)}"] = name
    return words, own


def _named(
    question: Question, named: Named, kb_id: str, vocabulary: Vocabulary, today: date
) -> _Names:
    """Look up what a question names among the values of the base."""
    kinds = tuple(form for s in named.subjects if s.kind is SubjectKind.EVENT for form in s.forms)
    windows = list(_windows(named, today))
    names = _Names(Filters(kind=tuple(dict.fromkeys(kinds))))
    for subject in named.subjects:
        if subject.kind in {SubjectKind.EVENT, SubjectKind.DATE, SubjectKind.NUMBER}:
            continue
        found = _looked_up(subject, kb_id, vocabulary)
        if found is None:
            names.unknown = (*names.unknown, subject.text)
        else:
            names.filters = _joined(names.filters, found)
    if windows:
        first = min(window.first for window in windows)
        last = max(window.last for window in windows)
        names.filters = names.filters.merged(_within(Period(first, last)))
    names.alternatives = _alternatives(names.filters, windows)
    return names


def _windows(named: Named, today: date) -> Iterator[Period]:
    told = [time.window for time in named.told]
    yield from (Period(window.first, window.last) for window in told)
    for subject in named.subjects:
        is_told = any(subject.span.overlap(window.span) for window in told)
        if subject.kind is SubjectKind.DATE and not is_told:
            yield from stated_days(subject, today)


def _within(period: Period) -> Filters:
    begins = datetime.combine(period.first, datetime.min.time())
    ends = datetime.combine(period.last, datetime.min.time()) + timedelta(days=1)
    return Filters(time_from=begins, time_to=ends)


def _alternatives(filters: Filters, windows: list[Period]) -> tuple[Filters, ...]:
    """Return what a comparison may hold against each other: two times, kinds, places, people."""
    if len(windows) == 2:
        return tuple(map(_within, windows))
    for name in ("kind", "place", "person", "unit"):
        values = getattr(filters, name)
        if len(values) == 2:
            return tuple(_only(name, (value,)) for value in values)
    return ()


def _looked_up(subject: Subject, kb_id: str, vocabulary: Vocabulary) -> Filters | None:
    """Return the filter of a name, by its fullest form that any record states; None: none does."""
    fields = _FIELDS_OF.get(subject.kind, _FINDABLE)
    for form in dict.fromkeys((*subject.forms, *map(without_title, subject.forms))):
        for name, _ in vocabulary.holding(kb_id, [form], fields):
            return _of_field(name, form)
    return None


def _of_field(name: str, words: str) -> Filters:
    listed = _LISTED.get(FactField(name)) if name in STANDARD_FIELDS else None
    if listed:
        return _only(listed, (words,))
    return Filters(fields=(FieldFilter(name, text=words),))


def _only(name: str, values: tuple[str, ...]) -> Filters:
    return filters_from({name: values})


def _joined(one: Filters, other: Filters) -> Filters:
    """Return both; several names of one sort are alternatives."""
    both = one.merged(other)
    for name in ("place", "person", "unit"):
        values = (*getattr(one, name), *getattr(other, name))
        both = both.merged(_only(name, tuple(dict.fromkeys(values))))
    return both


def _found(
    rest: Iterable[str],
    filters: Filters,
    kb_id: str,
    vocabulary: Vocabulary,
    have: Collection[str],
) -> tuple[list[str], Filters]:
    """Look words that nothing was made of up among the values of the base; return what is left."""
    left: list[str] = []
    findable = [name for name in have if name in _FINDABLE or name not in STANDARD_FIELDS]
    for words in rest:
        if not words:
            continue
        values = vocabulary.holding(kb_id, [words], findable) if len(words) > 1 else []
        names = {name for name, _ in values}
        if len(names) == 1:
            filters = _joined(filters, _of_field(names.pop(), words))
        else:
            left.append(words)
    return left, filters


def _unsaid(sketch: Sketch) -> list[str]:
    """Numbers that a count names without asking for them: which of the counted is meant by that?"""
    if not sketch.counts:
        return []
    limited = {one.field for one in sketch.ranges}
    named = [n for n in sketch.columns if n in NUMBERS and n not in limited]
    return [name for name in named if name not in sketch.measured]


def _ranges(sketch: Sketch, own: dict[str, str]) -> Filters:
    return Filters(
        fields=tuple(
            FieldFilter(own.get(one.field, one.field), min=one.low, max=one.high)
            for one in sketch.ranges
        )
    )
