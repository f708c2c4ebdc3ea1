"""What a client may send, as strict pydantic models. Ranges are checked by the services, which name
the accepted range; here stand types and names, and what the published schema says of the ranges.
"""

import re
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.schema import (
    BaseName,
    ColumnName,
    Comment,
    ConversationTitle,
    Description,
    Id,
    Json,
    MaxTokens,
    Question,
    ScheduleLine,
    SearchText,
    Seed,
    Tag,
    Temperature,
    TopK,
    Typed,
    WatchName,
    Whole,
    a_day_or_a_time,
    one_of,
    stated,
)
from kb_service.domain.answers import Channel
from kb_service.domain.chats import SamplingOptions
from kb_service.domain.documents import KnowledgeBase
from kb_service.domain.errors import InvalidRequest
from kb_service.domain.facts import COLUMN_FIELDS
from kb_service.domain.masking import Masking, PersonalKind, PersonRole
from kb_service.domain.queries import FieldFilter, Filters
from kb_service.domain.query_json import filters_json, query_from
from kb_service.domain.record_queries import (
    DEFAULT_LIMIT,
    MAX_COLUMNS,
    MAX_LIMIT,
    Counted,
    Measure,
    Operation,
    RecordQuery,
)
from kb_service.domain.schedules import AFTER_CHANGES
from kb_service.domain.watches import Asked
from kb_service.language.tables import LANGUAGES
from kb_service.services.asking import AskRequest
from kb_service.services.uploads import MAX_TAGS

MAX_FILTER_VALUES = 1000
MAX_FILTER_FIELDS = 50
MAX_ENCODING_CHARS = 40
ENCODING_NAME = r"^[A-Za-z0-9_.: -]*$"
EncodingName = Annotated[str, Field(max_length=MAX_ENCODING_CHARS, pattern=ENCODING_NAME)]

_LEAP_SECOND = re.compile(r"(?<=T\d\d:\d\d):60(?![\d:])")
"""RFC 3339 has it, Python's times do not."""


class Input(BaseModel):
    """Exact types, and no field that is not known."""

    model_config = ConfigDict(strict=True, extra="forbid")


def utc_time(value: object) -> datetime:
    """Return the UTC time of an ISO 8601 date or time; without a zone it is UTC already."""
    if isinstance(value, datetime):
        return value
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 date or time such as 2024-05-01T12:00:00Z")
    try:
        parsed = datetime.fromisoformat(_LEAP_SECOND.sub(":59", value.upper()))
        if parsed.tzinfo is None:
            return parsed.replace(tzinfo=UTC)
        return parsed.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(
            "expected an ISO 8601 date or time such as 2024-05-01T12:00:00Z"
        ) from error


def last_utc_time(value: object) -> datetime:
    """Return the UTC time of an ISO 8601 time, or the last moment of a date: a day has hours."""
    moment = utc_time(value)
    try:
        day = date.fromisoformat(str(value))
    except ValueError:
        return moment
    return datetime.combine(day, time.max, UTC)


UtcTime = Annotated[datetime, BeforeValidator(utc_time), a_day_or_a_time()]
LastUtcTime = Annotated[datetime, BeforeValidator(last_utc_time), a_day_or_a_time()]
Tags = Annotated[list[Tag], Field(max_length=MAX_TAGS)]


def local_time(value: object) -> datetime:
    """Return the local time of an ISO 8601 date or time; a zone is left out: papers state none."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=None)
    if not isinstance(value, str):
        raise ValueError("expected an ISO 8601 date or time such as 2024-05-01T12:00:00")
    try:
        return datetime.fromisoformat(_LEAP_SECOND.sub(":59", value.upper())).replace(tzinfo=None)
    except ValueError as error:
        raise ValueError("expected an ISO 8601 date or time such as 2024-05-01T12:00:00") from error


def end_of_local_time(value: object) -> datetime:
    """Return the local time before which a filter ends: of a date, the end of that day."""
    moment = local_time(value)
    try:
        day = date.fromisoformat(str(value))
        return datetime.combine(day + timedelta(days=1), time.min)
    except (ValueError, OverflowError):
        return moment


LocalTime = Annotated[datetime, BeforeValidator(local_time), a_day_or_a_time()]
EndOfLocalTime = Annotated[datetime, BeforeValidator(end_of_local_time), a_day_or_a_time()]
Moment = Annotated[int, Whole] | Id
Values = Annotated[list[Id], Field(max_length=MAX_FILTER_VALUES)]


class KnowledgeBaseInput(Input):
    """Body of POST /kb."""

    name: BaseName
    description: Description = ""


class MaskingInput(Input):
    """What those see masked who may not see personal data; nothing of either: all see all."""

    kinds: Annotated[list[Annotated[str, one_of(PersonalKind)]], Field(max_length=20)] = []
    roles: Annotated[list[Annotated[str, one_of(PersonRole)]], Field(max_length=20)] = []

    def to_domain(self) -> Masking:
        """Return the domain's value. Raises InvalidRequest (invalid_masking)."""
        try:
            return Masking(
                frozenset(map(PersonalKind, self.kinds)), frozenset(map(PersonRole, self.roles))
            )
        except ValueError as error:
            raise InvalidRequest(
                f"masking: {error}; of kinds {', '.join(PersonalKind)} and of roles "
                f"{', '.join(PersonRole)} are accepted",
                code="invalid_masking",
            ) from error


class KnowledgeBaseChange(Input):
    """Body of PATCH /kb/{id}; what is absent or null stays."""

    name: BaseName | None = None
    description: Description | None = None
    masking: MaskingInput | None = None


def _has_words(name: str) -> Json:
    return {"required": [name], "properties": {name: {"type": "array", "minItems": 1}}}


_asks_something: Json = {
    "anyOf": [*map(stated, ("min", "max")), *map(_has_words, ("any_of", "none_of"))]
}


class RangeInput(Input):
    """Numbers from `min` to `max`, both included; either may be left out. `any_of`: words of which
    a value has one; `none_of`: words of which none has any.
    """

    model_config = ConfigDict(json_schema_extra=_asks_something)

    min: float | None = None
    max: float | None = None
    any_of: Values = []
    none_of: Values = []

    @model_validator(mode="after")
    def _asks(self) -> "RangeInput":
        is_range = self.min is not None or self.max is not None
        if not (self.any_of or self.none_of or is_range):
            raise ValueError("expected min, max, any_of or none_of")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError("expected min not above max")
        return self


FieldValues = Annotated[dict[Id, Id | float | RangeInput], Field(max_length=MAX_FILTER_FIELDS)]


class FiltersInput(Input):
    """Narrows a search: all tags and labels, any of the documents, dates of the last change, and
    what records state: the time of the incident, its kind, place, people, organisations, any field,
    any words.
    """

    document_ids: Values = []
    tags: Values = []
    labels: Values = []
    date_from: UtcTime | None = None
    date_to: LastUtcTime | None = None
    time_from: LocalTime | None = None
    time_to: EndOfLocalTime | None = None
    kind: Values = []
    place: Values = []
    person: Values = []
    unit: Values = []
    text: Values = []
    fields: FieldValues = {}

    @model_validator(mode="after")
    def _in_order(self) -> "FiltersInput":
        if self.date_from and self.date_to and self.date_from > self.date_to:
            raise ValueError("expected date_from not later than date_to")
        if self.time_from and self.time_to and self.time_from >= self.time_to:
            raise ValueError("expected time_from earlier than time_to")
        return self

    def to_domain(self) -> Filters:
        """Return the domain's value."""
        return Filters(
            tuple(self.document_ids),
            tuple(self.tags),
            self.date_from,
            self.date_to,
            self.time_from,
            self.time_to,
            tuple(self.kind),
            tuple(self.place),
            tuple(self.person),
            tuple(self.unit),
            tuple(_field_filter(name, asked) for name, asked in self.fields.items()),
            tuple(self.text),
            tuple(self.labels),
        )


def _field_filter(name: str, asked: "str | float | RangeInput") -> FieldFilter:
    if isinstance(asked, RangeInput):
        either, none = tuple(asked.any_of), tuple(asked.none_of)
        return FieldFilter(name, None, asked.min, asked.max, either, none)
    if isinstance(asked, str):
        return FieldFilter(name, text=asked)
    return FieldFilter(name, min=asked, max=asked)


class RecordQueryInput(Input):
    """Body of POST /kb/{id}/query; the domain checks which words and parts go together."""

    op: Annotated[str, one_of(Operation)]
    of: Annotated[str, one_of(Counted)] = "incidents"
    filters: FiltersInput | None = None
    field: Id | None = None
    by: Id | None = None
    measure: Annotated[str, one_of(Measure)] = "count"
    columns: Annotated[list[Id], Field(max_length=MAX_COLUMNS)] = []
    groups: Annotated[list[FiltersInput], Field(max_length=2)] = []
    limit: Annotated[int, Field(ge=1, le=MAX_LIMIT), Whole] = DEFAULT_LIMIT
    descending: bool = True
    cursor: Id | None = None
    language: Annotated[str, one_of(LANGUAGES)] = "en"

    def to_domain(self) -> RecordQuery:
        """Return the typed query. Raises InvalidRequest (invalid_query)."""
        words = self.model_dump(exclude={"filters", "groups", "language"})
        groups = [filters_json(group.to_domain()) for group in self.groups]
        return query_from(
            words | {"filters": filters_json(filters_of(self.filters)), "groups": groups}
        )


class WatchInput(Input):
    """Body of POST /kb/{id}/watches: a question in words or a typed query, asked by a schedule."""

    name: WatchName
    question: Question | None = None
    query: RecordQueryInput | None = None
    schedule: ScheduleLine = AFTER_CHANGES
    webhook: Id = ""

    def to_domain(self) -> Asked:
        """Return what is asked. Raises InvalidRequest (invalid_query)."""
        query = self.query.to_domain() if self.query else None
        return Asked(self.question or "", query, self.query.language if self.query else "en")


class WatchChange(Input):
    """Body of PATCH /kb/{id}/watches/{watch}; what is absent or null stays."""

    is_paused: bool | None = None
    schedule: ScheduleLine | None = None


class SearchInput(Input):
    """Body of POST /kb/{id}/search."""

    query: SearchText
    top_k: TopK | None = None
    filters: FiltersInput | None = None
    as_of: Moment | None = None


class AskInput(Input):
    """Body of POST /kb/{id}/ask; `channel`: in whose list a conversation that begins is shown."""

    question: Question
    conversation_id: Id | None = None
    stream: bool = False
    top_k: TopK | None = None
    filters: FiltersInput | None = None
    temperature: Temperature | None = None
    max_tokens: MaxTokens | None = None
    seed: Seed | None = None
    channel: Literal["page", "api"] = "api"
    as_of: Moment | None = None

    def to_domain(self, base: KnowledgeBase) -> AskRequest:
        """Return the request to the answering service."""
        return AskRequest(
            kb_id=base.id,
            base=base,
            question=self.question,
            conversation_id=self.conversation_id,
            top_k=self.top_k,
            filters=filters_of(self.filters),
            options=SamplingOptions(self.temperature, self.max_tokens, self.seed),
            channel=Channel(self.channel),
            as_of=self.as_of,
        )


class ExportInput(Input):
    """Body of POST /kb/{id}/export: whether conversations and stored answers come along."""

    conversations: bool = False


class FeedbackInput(Input):
    """Body of POST /answers/{id}/feedback."""

    rating: Literal["up", "down"]
    comment: Comment = ""


class ConversationChange(Input):
    """Body of PATCH /conversations/{id}."""

    title: ConversationTitle


def filters_of(filters: FiltersInput | None) -> Filters:
    """Return the domain's filters; None restricts nothing."""
    return Filters() if filters is None else filters.to_domain()


class ReadAsInput(Input):
    """Body of POST …/documents/{document}/read: the encoding of its text, empty: guessed."""

    encoding: EncodingName


class RestoreInput(Input):
    """Body of POST …/documents/{document}/restore: the SHA-256 of an earlier version."""

    revision: Id


class ColumnInput(Input):
    """Body of PUT /kb/{kb}/columns: a column by its name, and the field that it stands for."""

    name: ColumnName
    field: Annotated[str, one_of(COLUMN_FIELDS)] | None


class CorrectionInput(Input):
    """Body of PATCH /kb/{kb}/facts/{fact}: what its words mean; null: as they were read."""

    value: Typed | None
