"""A question that goes on from an answer over records: the query before it, narrowed or of others.

"其中还没关的有哪些", "and how many of those at Riverside" ask within what was selected; "那南苑呢",
"and in October?" ask the same of another name. Runs no query.
"""

from dataclasses import fields, replace
from datetime import date

from kb_service.domain.queries import Filters
from kb_service.domain.record_queries import Operation, RecordQuery
from kb_service.language.asked import parse_question
from kb_service.language.follow_ups import only_joins, points_at_those, without_lead
from kb_service.services.named import named_in
from kb_service.services.naming import Names, names_in
from kb_service.services.planning import Planned, planned_for
from kb_service.services.vocabulary import KnownBase

_OF_SOME = frozenset({Operation.TOP, Operation.MIN, Operation.MAX, Operation.COMPARE})
"""What these tell of is not all that their filters select."""

_TIMES = frozenset({"time_from", "time_to"})
_NAMES = frozenset({"place", "unit", "text"})
"""A name may be stated as any of these: one takes the place of another."""


def goes_on(
    typed: str, before: RecordQuery | None, given: Filters, base: KnownBase, today: date
) -> Planned | None:
    """Return what a question asks that goes on from a query; None where it asks for itself.

    `typed`: as it was typed. `given`: filters that came with it; they hold beside all others.
    """
    if before is None or before.op is Operation.CHANGES:
        return None
    question = parse_question(without_lead(typed))
    named = named_in(question, today)
    if points_at_those(parse_question(typed).normalised):
        within = None if before.op in _OF_SOME else given.both(before.filters)
        if within is None:
            return None
        planned = planned_for(question, named, within, base.kb_id, base.vocabulary, today)
        return planned and replace(planned, is_explicit=True, is_of_units=True)
    if before.op is Operation.COMPARE:
        return None
    for is_own_first in (False, True):
        names = names_in(question, named, base, given, today, is_own_first=is_own_first)
        if _only_names(names):
            filters = given.both(_with_others(before.filters, names.filters))
            again = replace(before, filters=filters, cursor=None) if filters else None
            return Planned(again, is_explicit=True, is_of_units=True, moved=names.moved)
    return None


def _only_names(names: Names) -> bool:
    """True where nothing is said but what records state, and words that only join it."""
    is_open = names.unknown or names.unread or names.apart or names.asked
    is_named = names.filters != Filters()
    return is_named and not is_open and only_joins(names.words)


def _with_others(before: Filters, named: Filters) -> Filters:
    """Return filters with what is named in the place of what is of the same sort."""
    empty = Filters()
    said = {
        one.name for one in fields(named) if getattr(named, one.name) != getattr(empty, one.name)
    }
    if said & _TIMES:
        said |= _TIMES
    own = {one.field for one in named.fields}
    if said & _NAMES:
        said |= _NAMES
    elif own and not own & {one.field for one in before.fields}:
        said |= {"text"}
    kept = tuple(one for one in before.fields if one.field not in own)
    changed = {name: getattr(named, name) for name in said if name != "fields"}
    return replace(before, fields=(*kept, *named.fields), **changed)
