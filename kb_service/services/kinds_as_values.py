"""A kind of happening that no record is of, read as a value where records state the word for it.

停电 may be a cause, fire a sort of alarm: that there was no outage is not said of a base whose rows
name it. Knows no rules of questions.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.facts import FactField
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.questions import Subject, SubjectKind
from kb_service.language.inflection import singular_forms
from kb_service.language.text import normalise
from kb_service.services.joined_names import joined
from kb_service.services.meaning import values_with
from kb_service.services.named import Named
from kb_service.services.naming import filter_of
from kb_service.services.placing import among
from kb_service.services.planning import Planned
from kb_service.services.vocabulary import KnownBase


@dataclass(frozen=True, slots=True)
class _Stated:
    """A field of which values have a word, and its filter; None where they are no mere values."""

    field: str
    word: str
    by: Filters | None


def read_as_values(
    planned: Planned, named: Named, given: Filters, base: KnownBase, *, is_found: bool = False
) -> Planned | None:
    """Return what is asked with the kinds read as values of the one field that states them.

    Without a query where several fields state the words, or longer texts do, or records are of one
    of several kinds and only state another: these are offered then. None where no field states a
    kind, or `is_found`: records are of the kinds, and no other kind is a value.
    """
    query = planned.query
    if query is None or query.groups or given.kind or not query.filters.kind:
        return None
    events = _events(named, query.filters)
    known = [one for one in events if len(events) > 1 and _is_known(one, base)]
    valued = events if len(known) == len(events) else [one for one in events if one not in known]
    if is_found and (not known or valued is events):
        return None
    stated = [one for event in valued for one in _stating(event, base)]
    if not stated:
        return None
    is_split = bool(known) and valued is not events
    by = None if is_split or len({one.field for one in stated}) > 1 else _by_any(stated, valued)
    if by is None:
        offered = [_called(one.field, base) for one in stated]
        offered += base.vocabulary.labels(base.kb_id, [FactField.KIND]) if is_split else ()
        words = tuple(dict.fromkeys(one.word for one in stated))
        told = tuple(dict.fromkeys(offered))
        return replace(planned, query=None, unread=words, offered=told)
    filters = joined(replace(query.filters, kind=()), by)
    also = tuple(replace(one, filters=filters) for one in planned.also)
    return replace(planned, query=replace(query, filters=filters), also=also)


def _by_any(stated: Sequence[_Stated], events: Sequence[Subject]) -> Filters | None:
    """Return the filter by any of the words of one field; a word that it does not state is one."""
    if len(events) == 1:
        return stated[0].by
    asked = [one for each in stated if each.by for one in each.by.fields]
    if not all(each.by for each in stated) or any(one.none_of for one in asked):
        return None
    values = [value for one in asked for value in (one.text, *one.any_of) if value]
    values += [form for event in events if not _is_stated(event, stated) for form in _words(event)]
    return Filters(fields=(FieldFilter(stated[0].field, any_of=tuple(dict.fromkeys(values))),))


def _is_stated(event: Subject, stated: Sequence[_Stated]) -> bool:
    return any(one.word in _words(event) for one in stated)


def _words(event: Subject) -> Sequence[str]:
    return singular_forms(normalise(event.text))


def _events(named: Named, filters: Filters) -> list[Subject]:
    """The words of a question that a filter by kind came of."""
    events = (one for one in named.subjects if one.kind is SubjectKind.EVENT)
    return [one for one in events if not set(filters.kind).isdisjoint(one.forms)]


def _stating(event: Subject, base: KnownBase) -> Iterator[_Stated]:
    """Yield the base's own columns, and the causes, of which a value has the word in it.

    Where records are of the kind, what longer texts mention beside it is none of it.
    """
    is_known = _is_known(event, base)
    within = [*base.own, *({str(FactField.CAUSE)} & {*map(str, base.have)})]
    few = base.categories(within)
    for form in _words(event):
        meant = values_with(form, few)
        yield from (_Stated(one.field, form, among(one)) for one in meant)
        others = [name for name in within if name not in few]
        holding = sorted(base.vocabulary.holding(base.kb_id, form, others))
        if FactField.CAUSE in holding:
            yield _Stated(FactField.CAUSE, form, filter_of(FactField.CAUSE, form))
        texts = [] if is_known else [name for name in holding if name != FactField.CAUSE]
        yield from (_Stated(name, form, None) for name in texts)
        if meant or holding:
            return


def _is_known(event: Subject, base: KnownBase) -> bool:
    return any(base.vocabulary.written_kinds(base.kb_id, kind) for kind in event.forms)


def _called(field: str, base: KnownBase) -> str:
    """Return how papers of the base call a field."""
    labels = base.vocabulary.labels(base.kb_id, [field]) if field == FactField.CAUSE else {}
    return min(labels, default=field)
