"""Answers as JSON with what is personal in them hidden: every text but the names of things.

A text is hidden unless its field is one of those that no document and no person fills. Words of a
stored text are hidden as they are in the whole of it, so that spans stay true. Knows the names of
fields in the public shapes; what is personal is the veil's business.
"""

import base64
import binascii
import json
import math
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any

from kb_service.domain.errors import InvalidRequest, RightMissing
from kb_service.domain.facts import NUMBER_FIELDS, FactField, Role, StoredFact
from kb_service.domain.masking import MASK, Masking, PersonalKind
from kb_service.domain.spans import TextSpan
from kb_service.domain.watches import AnswerChange
from kb_service.language.personal.known import KnownNames
from kb_service.services.measuring_masked import check_measured
from kb_service.services.veils import Marks, MaskingService, Place, Veil

Json = Any
_THINGS = frozenset(
    {
        *(
            "id",
            "kb_id",
            "document_id",
            "document_ids",
            "revision",
            "sha256",
            "since",
            "request_id",
            "answer_id",
        ),
        *("conversation_id", "watch_id", "fact", "other_fact", "code", "model", "url", "lacking"),
        *("created_at", "updated_at", "started_at", "finished_at", "asked_at", "checked_at", "at"),
        *("media_type", "channel", "object", "webhook", "kb_answer_id", "next_at", "time_from"),
        *("time_to", "document_date"),
    }
)
"""Fields of names that the service gives to things, and of times."""
_OF_FIELD: Mapping[str, PersonalKind | None] = {
    FactField.PERSON: None,
    FactField.PHONE: PersonalKind.PHONE,
    FactField.EMAIL: PersonalKind.EMAIL,
    FactField.VEHICLE: PersonalKind.PLATE,
}
_OPEN_FIELDS = frozenset(
    {
        *(FactField.NUMBER, FactField.KIND, FactField.PLACE, FactField.ORGANISATION),
        *(FactField.STATUS, FactField.TIME, FactField.REPORTED, *NUMBER_FIELDS, *Role),
    }
)
"""By these is filtered, whatever is hidden; their values are no personal data."""
_NOT_ASKED = _THINGS | {"cursor"}
_MAX_DEPTH = 100
"""Of what is asked."""
_AT_ONCE = 500
_CELLS = frozenset({"value", "rows", "y"})
_LONG, _LONG_KINDS = 12, frozenset({PersonalKind.ID_NUMBER, PersonalKind.BANK_CARD})
_TOKENS = "prompt_token_ids"
"""The words of the passages in the model's own signs."""


@dataclass(frozen=True, slots=True)
class Hiding:
    """How a report hides personal data: by what masking, and a function on its data."""

    masking: Masking
    hide: Callable[[Json], Json]


class Veiling:
    """Hides what is personal in answers to one caller, base by base."""

    def __init__(self, service: MaskingService, bases: Mapping[str, Masking]) -> None:
        self._service, self._bases = service, bases
        self._names: dict[str, KnownNames] = {}

    def shown(self, value: Json, kb_id: str | None, place: Place | None = None) -> Json:
        """Return an answer with what is personal hidden. `place`: the document it is about.

        `kb_id`: the base it is of; None: what tells no base is read as of all of them.
        """
        self._names.clear()
        return self._shown(value, kb_id, place)

    def is_masked(self, kb_id: str | None) -> bool:
        """True for a base that hides anything; None: when any does."""
        return bool(self._of(kb_id))

    def asked(self, value: Json, kb_id: str | None) -> Json:
        """Return what is asked of a base as it may be searched: what is hidden finds nothing.

        Raises RightMissing (personal_data_masked) for what would tell hidden words by whether they
        are found, InvalidRequest (invalid_json).
        """
        asked, masking = self.plain(value, kb_id), self._of(kb_id)
        if masking:
            for filters in _filters_in(value):
                _check_filters(filters, masking)
            check_measured(value, lambda name: _is_hidden(name, masking))
        return asked

    def plain(self, value: Json, kb_id: str | None) -> Json:
        """Return a value with every text hidden by what is known of the base alone.

        For what comes in: a caller's own fields choose no other base, and quote nothing. Raises
        InvalidRequest (invalid_json) for what is too deep.
        """
        masking = self._of(kb_id)
        return _plain(value, self._service.veil(kb_id or "", masking)) if masking else value

    def hiding(self, kb_id: str) -> "Hiding | None":
        """Return what hides personal data of a base in a report; None where nothing is hidden."""
        masking = self._of(kb_id)
        return Hiding(masking, lambda value: self.shown(value, kb_id)) if masking else None

    def marks(self, kb_id: str, place: Place) -> Marks | None:
        """Return what a stored text of a base hides; None where nothing is hidden or it is gone."""
        masking = self._of(kb_id)
        return self._service.veil(kb_id, masking, [place]).marks.get(place) if masking else None

    def facts(self, found: Iterable[StoredFact], kb_id: str) -> Iterator[StoredFact]:
        """Yield facts of a base with what is personal in them hidden."""
        masking, items = self._of(kb_id), iter(found)
        while batch := list(islice(items, _AT_ONCE)):
            places = {(item.document_id, item.sha256) for item in batch}
            veil = self._service.veil(kb_id, masking, places)
            yield from (_hidden_fact(item, veil) for item in batch)

    def _of(self, kb_id: str | None) -> Masking:
        if kb_id is not None:
            return self._bases.get(kb_id, Masking())
        kinds = frozenset(kind for one in self._bases.values() for kind in one.kinds)
        return Masking(kinds, frozenset(r for one in self._bases.values() for r in one.roles))

    def _shown(self, value: Json, kb_id: str | None, place: Place | None) -> Json:
        masking = self._of(kb_id)
        veil = (
            self._veil(kb_id or "", masking, self._told(value, kb_id, place)) if masking else None
        )
        return self._value(value, veil, kb_id, place, "")

    def _told(self, value: Json, kb_id: str | None, place: Place | None) -> set[Place]:
        """Return the places that an answer speaks of; no place is of no base."""
        if kb_id is None:
            return set()
        places = {*_places(value), *([place] if place else [])}
        for answer_id in set(_answers(value)):
            places.update(self._service.answer_places(answer_id))
        return places

    def _veil(self, kb_id: str, masking: Masking, places: set[Place]) -> Veil:
        """Return the veil over these places; whom a base names is read once an answer."""
        if kb_id not in self._names:
            self._names[kb_id] = self._service.people(kb_id, masking)
        return self._service.veil(kb_id, masking, places, self._names[kb_id])

    def _value(
        self, value: Json, veil: Veil | None, kb_id: str | None, place: Place | None, name: str
    ) -> Json:
        if isinstance(value, dict):
            own = value.get("id" if "masking" in value else "kb_id")
            if isinstance(own, str) and own != kb_id:
                return self._shown(value, own, _place_of(value) or place)
            return self._object(value, veil, kb_id, _place_of(value) or place)
        if isinstance(value, list):
            return [self._value(item, veil, kb_id, place, name) for item in value]
        if veil is None or name in _THINGS:
            return value
        if isinstance(value, str):
            return self._cursor(value, veil) if name == "next_cursor" else veil.words(value)
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        return _number(value, veil) if is_number and name in _CELLS else value

    def _object(
        self, value: dict[str, Json], veil: Veil | None, kb_id: str | None, place: Place | None
    ) -> Json:
        # What stood in the other version of a document.
        before = (place[0], str(value["since"])) if place and "since" in value else place
        quotes = dict(_quotes(value)) if veil else {}
        shown = {
            name: self._value(item, veil, kb_id, before, name)
            for name, item in value.items()
            if name != "changes" and name not in quotes
        }
        if "changes" in value:
            shown["changes"] = self._changes(value["changes"], veil, kb_id, place, before)
        if veil is None:
            return shown
        for name, span in quotes.items():
            shown[name] = veil.quoted(value[name], place, span)
        if {"field", "span", "value"} <= value.keys():
            shown |= _fact(value, shown, veil)
        if _TOKENS in value:
            shown[_TOKENS] = []
        return {name: shown[name] for name in value}

    def _changes(
        self,
        changes: Json,
        veil: Veil | None,
        kb_id: str | None,
        place: Place | None,
        before: Place | None,
    ) -> Json:
        places = {"old": before, "new": place}
        if not isinstance(changes, list) or not all(isinstance(one, dict) for one in changes):
            return self._value(changes, veil, kb_id, place, "changes")
        return [
            {
                name: self._value(item, veil, kb_id, places.get(name, place), name)
                for name, item in one.items()
            }
            for one in changes
        ]

    def _cursor(self, cursor: str, veil: Veil) -> str:
        """A cursor that holds a name of a document is one that only this service reads."""
        try:
            padded = cursor + "=" * (-len(cursor) % 4)
            keys = json.loads(base64.urlsafe_b64decode(padded))
        except (ValueError, binascii.Error):
            return self._service.seal(cursor)
        is_open = isinstance(keys, list) and all(veil.words(str(key)) == str(key) for key in keys)
        return cursor if is_open else self._service.seal(cursor)


def masked_bodies(
    masking: MaskingService,
    body_of: Callable[[AnswerChange], Json],
    base_of: Callable[[str], str | None],
) -> Callable[[AnswerChange], Json]:
    """Return `body_of` with what is personal hidden: nobody knows who reads what is posted.

    `base_of`: id of a standing question -> id of its base, None when it is gone.
    """

    def masked(change: AnswerChange) -> Json:
        veiling = Veiling(masking, masking.masked_bases())
        return veiling.shown(body_of(change), base_of(change.watch_id))

    return masked


def _plain(value: Json, veil: Veil, name: str = "", depth: int = 0) -> Json:
    if depth > _MAX_DEPTH:
        raise InvalidRequest(
            f"the body is nested more than {_MAX_DEPTH} deep",
            code="invalid_json",
            details={"max_depth": _MAX_DEPTH},
        )
    if isinstance(value, dict):
        return {key: _plain(item, veil, key, depth + 1) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item, veil, name, depth + 1) for item in value]
    return veil.words(value) if isinstance(value, str) and name not in _NOT_ASKED else value


def _number(value: float, veil: Veil) -> float | str:
    """A long number may be a phone, or what rounding left of a longer one."""
    if not math.isfinite(value) or value != int(value):
        return value
    written = str(int(value))
    if len(written) >= _LONG and veil.masking.kinds & _LONG_KINDS:
        return MASK * len(written)
    shown = veil.words(written)
    return value if shown == written else shown


def _places(value: Json) -> Iterator[Place]:
    """Yield the documents that an answer speaks of."""
    if isinstance(value, list):
        for item in value:
            yield from _places(item)
    elif isinstance(value, dict):
        if place := _place_of(value):
            yield place
            if isinstance(since := value.get("since"), str):
                yield place[0], since
        for item in value.values():
            if isinstance(item, dict | list):
                yield from _places(item)


def _place_of(value: dict[str, Json]) -> Place | None:
    """Return the document and the revision that an object names."""
    document, revision = value.get("document_id"), value.get("revision")
    if "page_report" in value:
        document = value.get("id")
        revision = revision.get("sha256") if isinstance(revision, dict) else None
    if not isinstance(document, str):
        return None
    return document, revision if isinstance(revision, str) else None


def _answers(value: Json) -> Iterator[str]:
    """Yield the stored answers whose words an answer repeats."""
    if isinstance(value, list):
        for item in value:
            yield from _answers(item)
    elif isinstance(value, dict):
        for name in ("answer_id", "kb_answer_id"):
            if isinstance(answer_id := value.get(name), str):
                yield answer_id
        for item in value.values():
            if isinstance(item, dict | list):
                yield from _answers(item)


def _quotes(value: dict[str, Json]) -> Iterator[tuple[str, TextSpan]]:
    """Yield the fields of an object that hold words of a stored text, with where they stand."""
    name, place = "", None
    if "unsure" in value:
        text = value.get("text")
        name, place = "text", {"start": 0, "end": len(text) if isinstance(text, str) else 0}
    elif "cited_text" in value:
        name, place = "cited_text", value.get("source")
    elif "quote" in value:
        name, place = "quote", value
    elif isinstance(value.get("span"), dict):
        name, place = ("value" if "field" in value else "text"), value["span"]
    elif "start" in value and "text" in value:
        name, place = "text", value
    span = _span_of(place)
    if span and isinstance(value.get(name), str):
        yield name, span


def _span_of(place: Json) -> TextSpan | None:
    start, end = (place.get("start"), place.get("end")) if isinstance(place, dict) else (None, None)
    if not isinstance(start, int) or not isinstance(end, int):
        return None
    return TextSpan(start, end) if 0 <= start <= end else None


def _fact(value: dict[str, Json], shown: dict[str, Json], veil: Veil) -> dict[str, Json]:
    """Return what else tells the value of a fact whose words are hidden."""
    if shown["value"] == value["value"]:
        return {}
    said = str(value["text"]) if value.get("correction") else None
    text = shown["value"] if said is None else _said(str(value["field"]), said, veil)
    return {"text": text, "number": None, "number_to": None}


def _hidden_fact(item: StoredFact, veil: Veil) -> StoredFact:
    fact, name = item.fact, veil.words(item.document_name)
    value = veil.quoted(fact.value, (item.document_id, item.sha256), fact.span)
    if value == fact.value:
        return replace(item, document_name=name, fact=replace(fact, text=veil.words(fact.text)))
    text = _said(fact.field, fact.text, veil) if item.correction else value
    hidden = replace(fact, value=value, text=text, number=None, number_to=None)
    return replace(item, document_name=name, fact=hidden)


def _said(field: str, words: str, veil: Veil) -> str:
    """Return what a person said that a fact means."""
    return veil.whole(words, _OF_FIELD[field]) if field in _OF_FIELD else veil.words(words)


def _filters_in(value: Json) -> Iterator[dict[str, Json]]:
    """Yield the filters of a question, a search or a query."""
    if not isinstance(value, dict):
        return
    groups = value.get("groups")
    for one in (value.get("filters"), *(groups if isinstance(groups, list) else ())):
        if isinstance(one, dict):
            yield one
    yield from _filters_in(value.get("query"))


def _is_hidden(name: str, masking: Masking) -> bool:
    hidden = {*_OF_FIELD, *masking.roles} if masking.roles else set()
    return name not in _OPEN_FIELDS or name in hidden


def _check_filters(filters: dict[str, Json], masking: Masking) -> None:
    """A filter tells by what it finds whether words stand there, also those that are not shown."""
    fields = filters.get("fields")
    named = [*fields] if isinstance(fields, dict) else []
    refused = [name for name in named if _is_hidden(name, masking)]
    refused += [name for name in ("text",) if filters.get(name)]
    refused += [name for name in ("person",) if filters.get(name) and masking.roles]
    if refused:
        raise RightMissing(
            f"filters by {', '.join(sorted(refused))} would tell personal data that is masked",
            code="personal_data_masked",
            details={"filters": sorted(refused)},
        )
