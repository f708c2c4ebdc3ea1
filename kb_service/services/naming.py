"""What a question names, as filters over what records state: days, kinds, values of the base.

Reads the question's own words and looks values up (Vocabulary); tells what it cannot place.
"""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from itertools import pairwise

from kb_service.domain.facts import FIELD_OF_ROLE, STANDARD_FIELDS, FactField, Role
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.query_json import filters_from
from kb_service.domain.questions import Question, Subject, SubjectKind
from kb_service.domain.record_queries import NO_FILTERS
from kb_service.domain.spans import TextSpan
from kb_service.language.across import (
    fields_meant,
    sketch_of,
    without_brackets,
    without_title,
)
from kb_service.language.asked import as_meant
from kb_service.language.exclusions import exclusions_in
from kb_service.language.latin_names import place_end
from kb_service.language.periods import is_yearless, stated_days
from kb_service.language.roles import NAME, are_either, roles_in
from kb_service.language.text import normalise
from kb_service.language.time_bounds import Bound, Stretch, bounds_in
from kb_service.services.joined_names import joined, joined_in, with_either
from kb_service.services.named import Named
from kb_service.services.states_asked import states_named
from kb_service.services.values_named import (
    FINDABLE,
    NamedValue,
    values_in,
    with_column,
    with_numbers,
)
from kb_service.services.vocabulary import KnownBase, Vocabulary
from kb_service.services.years import Moved, days_of, in_years

_FIELDS_OF = {
    SubjectKind.PLACE: (FactField.PLACE, FactField.ORGANISATION),
    SubjectKind.ORGANISATION: (FactField.ORGANISATION, FactField.PLACE),
    SubjectKind.PERSON: (FactField.PERSON,),
    SubjectKind.IDENTIFIER: (FactField.NUMBER, FactField.VEHICLE),
}
_LISTED = {FactField.PLACE: "place", FactField.PERSON: "person", FactField.ORGANISATION: "unit"}
_NO_NAMES = frozenset({SubjectKind.EVENT, SubjectKind.DATE, SubjectKind.NUMBER})
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Names:
    """What a question names, as filters. Those of one sort are alternatives.

    `alternatives`: two sides that a comparison may hold against each other. `unknown`: names that
    no record states; `unread`: what was named in a way that no filter says; `apart`: what only a
    comparison may name together. `words`: of the question, normalised, what was read blank.
    `kinds`: its words for kinds of happenings, normalised, each with its kind.
    `asked`: of whom it asks, a field or role; `per`: of each of them. `roles`: those of the base,
    where the question has any. `moved`: days without a year that are meant of an earlier one.
    """

    filters: Filters = NO_FILTERS
    alternatives: tuple[Filters, ...] = ()
    unknown: tuple[str, ...] = ()
    unread: tuple[str, ...] = ()
    apart: tuple[str, ...] = ()
    words: str = ""
    kinds: tuple[tuple[str, str], ...] = ()
    asked: str | None = None
    per: bool = False
    roles: frozenset[Role] = frozenset()
    moved: tuple[Moved, ...] = ()


def names_in(
    question: Question,
    named: Named,
    base: KnownBase,
    given: Filters,
    today: date,
    *,
    is_own_first: bool = False,
) -> Names:
    """Return what a question names among the values of a base.

    `given`: filters that hold beside it. `is_own_first`: a value or name of the base's own columns
    goes before a kind of happening that it has in it.
    """
    kb_id, vocabulary, have = base.kb_id, base.vocabulary, base.have
    typed = as_meant(question.text)
    typed = typed if len(typed) == len(question.text) else question.text
    bounds = bounds_in(typed, _stretches(named, today))
    # 哪年中毒多: what names a happening is no half of a word for a time.
    happenings = [s.span for s in named.subjects if s.kind is SubjectKind.EVENT]
    bounds = [one for one in bounds if not any(map(one.span.overlap, happenings))]
    bounds, moved = in_years(bounds, question.normalised, base, given)
    states, state_spans = states_named(typed, base)
    said = [*(bound.span for bound in bounds), *state_spans]
    found = list(values_in(typed, said, kb_id, vocabulary, have, is_own_first=is_own_first))
    taken = [*said, *(name.span for name in found)]
    subjects = [s for s in named.subjects if not any(s.span.overlap(one) for one in taken)]
    own = [name for name in have if name not in STANDARD_FIELDS] if is_own_first else []
    found += [_looked_up(s, kb_id, vocabulary, own) for s in subjects if s.kind not in _NO_NAMES]
    events = [s for s in subjects if s.kind is SubjectKind.EVENT]
    events = [s for s in events if not (is_own_first and _is_column(s, have))]
    named_so = (_with_area(with_column(name, typed), typed, base) for name in found)
    found = [with_numbers(name, base) for name in named_so]
    left_out = exclusions_in(typed, [*(n.span for n in found), *(s.span for s in events)])
    blank = [*said, *(s.span for s in events), *left_out.words]
    blank += [s.span for s in subjects if s.kind is SubjectKind.DATE]
    dropped = [name for name in found if left_out.has(name.span)]
    blank += [name.span for name in dropped]
    found = [name for name in found if not left_out.has(name.span)]
    words = _blanked(question, typed, blank, [name.span for name in found])
    meant = [s for s in events if not left_out.has(s.span)]
    kinds = tuple((normalise(s.text), form) for s in meant for form in s.forms)
    asked = tuple(dict.fromkeys(kind for _, kind in kinds))
    names = Names(Filters(kind=asked, fields=states), words=words, kinds=kinds, moved=moved)
    _leave_out(names, dropped, [s for s in events if left_out.has(s.span)])
    _put_people(names, found, kb_id, vocabulary, have if is_own_first else None)
    _put_days(names, bounds, typed)
    _put_joined(names, typed, meant, found, base)
    names.alternatives = names.alternatives or _alternatives(names.filters, bounds)
    return names


def _put_joined(
    names: Names,
    typed: str,
    events: Sequence[Subject],
    found: Sequence[NamedValue],
    base: KnownBase,
) -> None:
    """Ask for either of two kinds; what a kind is joined to of another field is left apart."""
    if not events or not found:
        return
    whole = [_written_out(event, typed, base) for event in events]
    joined = list(joined_in(typed, whole, found))
    names.filters = with_either(names.filters, joined)
    for (_, kind, forms), (_, value, _), field in joined:
        if field != FactField.KIND:
            names.apart = (*names.apart, kind, value)
            kinds = Filters(kind=tuple(forms)) if forms else filter_of(FactField.KIND, kind)
            names.alternatives = names.alternatives or (kinds, filter_of(field, value))


def _written_out(event: Subject, typed: str, base: KnownBase) -> Subject:
    """Return a kind with all the words by which records write it, where these stand there."""
    behind = normalise(typed[event.span.start :])
    written = (w for form in event.forms for w in base.vocabulary.written_kinds(base.kb_id, form))
    length = max((len(one) for one in written if behind.startswith(one)), default=0)
    end = max(event.span.end, event.span.start + length)
    return replace(event, span=TextSpan(event.span.start, end))


def _is_column(subject: Subject, have: Collection[str]) -> bool:
    """True for a word for a happening by which the base calls a number: downtime."""
    words = normalise(subject.text)
    own = (without_brackets(normalise(one)) for one in have if one not in STANDARD_FIELDS)
    is_length = FactField.DURATION in have and FactField.DURATION in fields_meant(words)
    return words in own or is_length


def filter_of(name: str, words: str) -> Filters:
    """Return the filter by words in a field."""
    listed = _LISTED.get(FactField(name)) if name in STANDARD_FIELDS else None
    if listed:
        return filters_from({listed: (words,)})
    return Filters(fields=(FieldFilter(name, text=words),))


def listed_in(filters: Filters) -> list[str]:
    """Return the standard fields that filters restrict by names."""
    return [str(field) for field, name in _LISTED.items() if getattr(filters, name)]


def fields_of(filters: Filters) -> set[str]:
    """Return the fields that filters restrict, time aside."""
    kinds = {str(FactField.KIND)} if filters.kind else set()
    return {*kinds, *listed_in(filters), *(one.field for one in filters.fields)}


def _leave_out(names: Names, dropped: Iterable[NamedValue], events: Iterable[Subject]) -> None:
    """Restrict to what is not named so; a name that no one field states is told as unread."""
    for name in dropped:
        if len(name.fields) == 1:
            _narrow(names, FieldFilter(name.fields[0], none_of=(name.words,)))
        else:
            names.unread = (*names.unread, name.words)
    for event in events:
        _narrow(names, FieldFilter(FactField.KIND, none_of=tuple(event.forms)))


def _narrow(names: Names, asked: FieldFilter) -> None:
    names.filters = names.filters.merged(Filters(fields=(asked,)))


def _stretches(named: Named, today: date) -> list[Stretch]:
    """The days that a question names, each time once."""
    told = [time.window for time in named.told]
    found = [Stretch(w.span, w.first, w.last, w.is_yearless) for w in told]
    for subject in named.subjects:
        if subject.kind is SubjectKind.DATE and not any(
            subject.span.overlap(window.span) for window in told
        ):
            days = list(stated_days(subject, today))
            is_open = is_yearless(subject)
            found += [Stretch(subject.span, day.first, day.last, is_open) for day in days[:1]]
    return found


def _looked_up(
    subject: Subject, kb_id: str, vocabulary: Vocabulary, own: Collection[str]
) -> NamedValue:
    """Return a name by its fullest form that any record states. `own`: fields that come last."""
    fields = _FIELDS_OF.get(subject.kind, FINDABLE)
    for form in dict.fromkeys((*subject.forms, *map(without_title, subject.forms))):
        holding = vocabulary.holding(kb_id, form, fields)
        if FactField.PLACE in holding and subject.kind is SubjectKind.PLACE:
            holding = frozenset({FactField.PLACE})
        if holding:
            return NamedValue(subject.span, form, tuple(sorted(holding)))
    for form in subject.forms if own else ():
        if holding := vocabulary.holding(kb_id, form, own):
            return NamedValue(subject.span, form, tuple(sorted(holding)))
    return NamedValue(subject.span, subject.text)


def _with_area(name: NamedValue, typed: str, base: KnownBase) -> NamedValue:
    """Return a name of a place with the word for an area behind it, if any."""
    end = place_end(typed, name.span.end) if FactField.PLACE in name.fields else name.span.end
    if end == name.span.end:
        return name
    words = f"{name.words}{normalise(typed[name.span.end : end])}"
    span, places = TextSpan(name.span.start, end), (FactField.PLACE,)
    is_whole = base.vocabulary.holding(base.kb_id, words, places)
    return NamedValue(span, words, places) if is_whole else replace(name, span=span)


def _blanked(
    question: Question, typed: str, blank: Iterable[TextSpan], names: Iterable[TextSpan]
) -> str:
    """Return the normalised words, commas in place of what was read, names as runs of NAME."""
    text = typed
    for mark, spans in ((",", blank), (NAME, names)):
        for span in spans:
            text = f"{text[: span.start]}{mark * len(span)}{text[span.end :]}"
    return normalise(text) if text != question.text else question.normalised


def _put_people(
    names: Names,
    found: Sequence[NamedValue],
    kb_id: str,
    vocabulary: Vocabulary,
    have: Collection[str] | None,
) -> None:
    """Put names to filters, each in the role that the words give it. `have`: as for roles_in."""
    runs = [match.start() for match in re.finditer(f"{NAME}+", names.words)]
    ordered = sorted(found, key=lambda name: name.span.start)
    starts = dict(zip(runs, ordered, strict=False)) if len(runs) == len(ordered) else {}
    fields = {start: name.fields[0] for start, name in starts.items() if len(name.fields) == 1}
    told = roles_in(names.words, fields, have)
    is_either = are_either(names.words) and not sketch_of(told.words).compares
    names.words = told.words.replace(NAME, ",")
    if told.named or told.asked:
        names.roles = vocabulary.roles(kb_id)
    roles = {id(name): told.named.get(start) for start, name in starts.items()}
    in_role: dict[Role, list[str]] = {}
    for name in ordered:
        role = roles.get(id(name))
        if role and _is_in_role(names, name, role, kb_id, vocabulary):
            in_role.setdefault(role, []).append(name.words)
        else:
            _put_name(names, name)
    _put_roles(names, in_role, is_either=is_either)
    names.asked, names.per = told.asked and _known_as(told.asked, names.roles), told.per


def _is_in_role(
    names: Names, name: NamedValue, role: Role, kb_id: str, vocabulary: Vocabulary
) -> bool:
    """True where records say that somebody has a role, or might: they state it of others.

    Of whom they state another role only, no filter by name alone says what is meant.
    """
    of = str(FIELD_OF_ROLE[role])
    if of not in name.fields:
        return False
    stated = vocabulary.roles_of(kb_id, of, name.words)
    if role in stated or (None not in stated and role in names.roles):
        return True
    if None not in stated:
        names.unread = (*names.unread, name.words)
    return False


def _put_name(names: Names, name: NamedValue) -> None:
    if not name.fields:
        names.unknown = (*names.unknown, name.words)
    elif len(name.fields) == 1:
        names.filters = joined(names.filters, filter_of(name.fields[0], name.words))
    else:
        names.filters = joined(names.filters, Filters(text=(name.words,)))


def _put_roles(names: Names, in_role: Mapping[Role, Sequence[str]], *, is_either: bool) -> None:
    """Filter by people in their roles; two in one role are two sides of a comparison.

    `is_either`: unless the question joins them by "or", and compares nothing.
    """
    for role, people in in_role.items():
        if is_either and len(set(people)) > 1:
            either = FieldFilter(str(role), any_of=tuple(dict.fromkeys(people)))
            _narrow(names, either)
            continue
        sides = [filter_of(str(role), words) for words in dict.fromkeys(people)]
        if len(sides) == 1:
            names.filters = joined(names.filters, sides[0])
        else:
            names.alternatives = tuple(sides) if len(sides) == 2 else ()
            names.apart = (*names.apart, *people)


def _known_as(role: Role, roles: Collection[Role]) -> str:
    """Return a role, or its field where a base tells no roles of it apart."""
    of = FIELD_OF_ROLE[role]
    return str(role if any(FIELD_OF_ROLE[one] is of for one in roles) else of)


def _put_days(names: Names, bounds: Sequence[Bound], typed: str) -> None:
    """Restrict to the days of all bounds, or of all where none is left out between them."""
    if not bounds:
        return
    common: Bound | None = bounds[0]
    for other in bounds[1:]:
        common = common.within(other) if common else None
    if common is None:
        ordered = sorted(bounds, key=lambda one: (one.first or date.min, one.last or date.max))
        common = Bound(bounds[0].span, ordered[0].first, ordered[-1].last)
        if not _is_whole(ordered):
            names.apart = (*names.apart, *(bound.span.of(typed) for bound in bounds))
    names.filters = names.filters.merged(days_of(common))


def _is_whole(ordered: Sequence[Bound]) -> bool:
    """True where each stretch begins no later than the day behind the one before."""
    return all(
        one.last is not None and other.first is not None and other.first <= one.last + _DAY
        for one, other in pairwise(ordered)
    )


def _alternatives(filters: Filters, bounds: Sequence[Bound]) -> tuple[Filters, ...]:
    """Return what a comparison may hold against each other: two times, kinds, places, people."""
    if len(bounds) == 2:
        return tuple(map(days_of, bounds))
    for name in ("kind", "place", "person", "unit"):
        values = getattr(filters, name)
        if len(values) == 2:
            return tuple(filters_from({name: (value,)}) for value in values)
    either = [one for one in filters.fields if len(one.any_of) == 2]
    if len(either) == 1:
        name, values = either[0].field, either[0].any_of
        return tuple(Filters(fields=(FieldFilter(name, text=value),)) for value in values)
    return ()
