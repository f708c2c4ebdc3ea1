"""Filters and typed queries as JSON values, and back. Pure; every error names value and range."""

import json
import math
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import datetime
from enum import StrEnum
from typing import Any, TypeVar

from kb_service.domain.errors import InvalidRequest
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.record_queries import Counted, Measure, Operation, RecordQuery

Json = dict[str, Any]
Word = TypeVar("Word", bound=StrEnum)

MOMENTS = ("date_from", "date_to", "time_from", "time_to")
LISTS = ("document_ids", "tags", "labels", "kind", "place", "person", "unit", "text")


def filters_json(filters: Filters) -> Json:
    """Return the filters that restrict anything, by name."""
    found: Json = {}
    for name in LISTS:
        if values := getattr(filters, name):
            found[name] = list(values)
    for name in MOMENTS:
        if moment := getattr(filters, name):
            found[name] = moment.isoformat()
    if filters.fields:
        found["fields"] = {one.field: _field_json(one) for one in filters.fields}
    return found


def filters_from(item: object) -> Filters:
    """Return the filters that `filters_json` wrote. Raises InvalidRequest (invalid_query)."""
    given = _object("filters", item)
    known = {*LISTS, *MOMENTS, "fields"}
    _refuse_others("filters", given, known)
    # Filters that were stored before name what does not restrict, too.
    values: Json = {name: _strings(name, given.get(name) or []) for name in LISTS}
    values |= {name: _moment(name, given.get(name)) for name in MOMENTS}
    # Papers state local times: those of incidents have no zone.
    for name in ("time_from", "time_to"):
        values[name] = values[name] and values[name].replace(tzinfo=None)
    fields = _object("filters.fields", given.get("fields") or {})
    values["fields"] = tuple(_field(name, asked) for name, asked in fields.items())
    return _made(lambda: Filters(**values))


def query_json(query: RecordQuery) -> Json:
    """Return a query as the API shows and takes it, without what it leaves to the default."""
    found: Json = {"op": str(query.op), "of": str(query.of), "filters": filters_json(query.filters)}
    if query.field:
        found["field"] = query.field
    if query.by:
        found["by"] = str(query.by)
    if query.measure is not Measure.COUNT:
        found["measure"] = str(query.measure)
    if query.columns:
        found["columns"] = [str(name) for name in query.columns]
    if query.groups:
        found["groups"] = [filters_json(group) for group in query.groups]
    if not query.descending:
        found["descending"] = False
    if query.cursor:
        found["cursor"] = query.cursor
    return found | {"limit": query.limit}


def query_from(item: object) -> RecordQuery:
    """Return the query that JSON asks for. Raises InvalidRequest (invalid_query)."""
    given = _object("query", item)
    _refuse_others("query", given, set(RecordQuery.__match_args__))
    if "op" not in given:
        raise _invalid(f"op is missing; {_listed(Operation)} are accepted")
    plain = {name: given[name] for name in ("limit", "descending") if name in given}
    for name, kind in (("limit", int), ("descending", bool)):
        if name in plain and type(plain[name]) is not kind:
            raise _invalid(f"{name} is {plain[name]!r}; a {kind.__name__} is accepted")
    groups = given.get("groups", [])
    if not isinstance(groups, list | tuple):
        raise _invalid(f"groups is {_shown(groups)}; a list of two filters is accepted")
    return RecordQuery(
        op=_word("op", given["op"], Operation),
        of=_word("of", given.get("of", Counted.INCIDENTS), Counted),
        filters=filters_from(given.get("filters") or {}),
        field=_name("field", given.get("field")),
        by=_name("by", given.get("by")),
        measure=_word("measure", given.get("measure", Measure.COUNT), Measure),
        columns=_strings("columns", given.get("columns", [])),
        cursor=_name("cursor", given.get("cursor")),
        groups=tuple(map(filters_from, groups)),
        **plain,
    )


def query_of_text(text: str) -> RecordQuery:
    """Return the query that a JSON text asks for. Raises InvalidRequest (invalid_query)."""
    try:
        return query_from(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise _invalid(f"the query {_shown(text)} is no JSON: {error}") from error


def _field_json(asked: FieldFilter) -> str | Json:
    words = {"any_of": list(asked.any_of), "none_of": list(asked.none_of)}
    told: Json = {name: several for name, several in words.items() if several}
    if asked.text is not None and not told:
        return asked.text
    ends = {"text": asked.text, "min": asked.min, "max": asked.max}
    return {name: one for name, one in ends.items() if one is not None} | told


def _field(name: str, asked: object) -> FieldFilter:
    if isinstance(asked, str):
        return FieldFilter(name, text=asked)
    if isinstance(asked, int | float) and not isinstance(asked, bool):
        number = _number(f"fields.{name}", asked)
        return _made(lambda: FieldFilter(name, min=number, max=number))
    given = _object(f"fields.{name}", asked)
    _refuse_others(f"fields.{name}", given, {"text", "min", "max", "any_of", "none_of"})
    low, high = (
        None if given.get(end) is None else _number(f"fields.{name}.{end}", given[end])
        for end in ("min", "max")
    )
    text = _name(f"fields.{name}.text", given.get("text"))
    either, none = (
        _strings(f"fields.{name}.{key}", given.get(key, [])) for key in ("any_of", "none_of")
    )
    return _made(lambda: FieldFilter(name, text, low, high, either, none))


def _number(name: str, value: object) -> float:
    if isinstance(value, int | float) and not isinstance(value, bool):
        with suppress(OverflowError):
            found = float(value)
            if math.isfinite(found):
                return found
    raise _invalid(f"{name} is {_shown(value)}; a number is accepted")


Made = TypeVar("Made")


def _made(make: Callable[[], Made]) -> Made:
    try:
        return make()
    except ValueError as error:
        raise _invalid(str(error)) from error


def _word(name: str, value: object, words: type[Word]) -> Word:
    try:
        return words(str(value))
    except ValueError:
        raise _invalid(f"{name} is {_shown(value)}; {_listed(words)} are accepted") from None


def _name(name: str, value: object) -> str | None:
    if value is not None and (not isinstance(value, str) or not value):
        raise _invalid(f"{name} is {_shown(value)}; the name of a field is accepted")
    return value


def _moment(name: str, value: object) -> datetime | None:
    if value is None:
        return None
    try:
        return datetime.fromisoformat(str(value))
    except ValueError:
        raise _invalid(f"{name} is {_shown(value)}; an ISO 8601 date or time is accepted") from None


def _strings(name: str, value: object) -> tuple[str, ...]:
    is_list = isinstance(value, list | tuple) and all(isinstance(one, str) for one in value)
    if not is_list:
        raise _invalid(f"{name} is {_shown(value)}; a list of strings is accepted")
    return tuple(value)  # type: ignore[arg-type]


def _object(name: str, value: object) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise _invalid(f"{name} is {_shown(value)}; an object is accepted")
    return value


def _refuse_others(name: str, given: Mapping[str, Any], known: set[str]) -> None:
    for other in sorted(set(given) - known):
        accepted = ", ".join(sorted(known))
        raise _invalid(f"{name} has {_shown(other)}; {accepted} are accepted")


def _listed(words: type[StrEnum]) -> str:
    return ", ".join(words)


def _shown(value: object) -> str:
    return repr(value)[:100]


def _invalid(message: str) -> InvalidRequest:
    return InvalidRequest(message, code="invalid_query")
