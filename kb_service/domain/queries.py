"""Asking for passages: Query, Filters, ScoredChunk, Passage. Values only."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from dataclasses import fields as dataclass_fields
from datetime import date, datetime

from kb_service.domain.documents import Chunk
from kb_service.domain.facts import FactField
from kb_service.domain.questions import Question
from kb_service.domain.spans import PageRegion, TextSpan
from kb_service.domain.texts import Unit


@dataclass(frozen=True, slots=True)
class FieldFilter:
    """What a field states: words that its value has in it, or a number from `min` to `max`.

    `any_of`: its value has any of these words in it. `none_of`: the field is stated, and no value
    of it has any of these. Raises ValueError at birth when it asks for nothing, or for less than
    `min`.
    """

    field: str
    text: str | None = None
    min: float | None = None
    max: float | None = None
    any_of: tuple[str, ...] = ()
    none_of: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        is_range = self.min is not None or self.max is not None
        is_asked = is_range or self.text is not None or self.any_of or self.none_of
        if not is_asked or (is_range and self.text is not None):
            raise ValueError(f"{self.field} is asked for a value, or for min and max: one of both")
        if self.min is not None and self.max is not None and self.max < self.min:
            raise ValueError(f"{self.field} has max {self.max} below min {self.min}")

    def also(self, other: "FieldFilter") -> tuple["FieldFilter", ...]:
        """Return what asks for both: one filter, or the two where one cannot say it."""
        low = max((one for one in (self.min, other.min) if one is not None), default=None)
        high = min((one for one in (self.max, other.max) if one is not None), default=None)
        texts = dict.fromkeys(one for one in (self.text, other.text) if one is not None)
        several = dict.fromkeys(one for one in (self.any_of, other.any_of) if one)
        is_range = low is not None or high is not None
        is_empty = low is not None and high is not None and high < low
        text, *more = texts or (None,)
        either, *twice = (*several, *((words,) for words in more)) or ((),)
        if twice or (texts and is_range) or is_empty:
            return (self, other)
        none = tuple(dict.fromkeys((*self.none_of, *other.none_of)))
        return (FieldFilter(self.field, text, low, high, either, none),)


@dataclass(frozen=True, slots=True)
class Filters:
    """Narrow a query before ranking; empty tuples and None mean no restriction.

    `tags`, `labels` (by id or name): a document must carry all of them. Dates compare with
    the document's `updated_at`. The others ask what its records state: `time_from` until `time_to`,
    which is not in it, the time of the incident, local and without a zone; any of each of `kind`,
    `place`, `person`, `unit` (an organisation); all of `fields`; all of `text`, each in any value
    that a record states.
    """

    document_ids: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    date_from: datetime | None = None
    date_to: datetime | None = None
    time_from: datetime | None = None
    time_to: datetime | None = None
    kind: tuple[str, ...] = ()
    place: tuple[str, ...] = ()
    person: tuple[str, ...] = ()
    unit: tuple[str, ...] = ()
    fields: tuple[FieldFilter, ...] = ()
    text: tuple[str, ...] = ()
    labels: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.time_from and self.time_to and self.time_to <= self.time_from:
            raise ValueError(f"time_to {self.time_to} is not later than {self.time_from}")

    @property
    def asks_facts(self) -> bool:
        """True when records have to state something."""
        of_documents = (self.document_ids, self.tags, self.date_from, self.date_to)
        return self != Filters(*of_documents, labels=self.labels)

    def merged(self, other: "Filters") -> "Filters":
        """Return these filters and others; of what both restrict the others' holds."""
        given = {f.name: value for f in dataclass_fields(self) if (value := getattr(other, f.name))}
        if other.fields:
            given["fields"] = _together((*self.fields, *other.fields))
        return replace(self, **given)

    def both(self, other: "Filters") -> "Filters | None":
        """Return what asks for all that these filters and others ask for.

        None where no time, date or document is in both. A list has any of its words: where both
        have one, the others' becomes a filter of the field.
        """
        begins = max(filter(None, (self.time_from, other.time_from)), default=None)
        ends = min(filter(None, (self.time_to, other.time_to)), default=None)
        since = max(filter(None, (self.date_from, other.date_from)), default=None)
        until = min(filter(None, (self.date_to, other.date_to)), default=None)
        ids = tuple(one for one in self.document_ids if one in other.document_ids)
        if (begins and ends and ends <= begins) or (since and until and until < since):
            return None
        if self.document_ids and other.document_ids and not ids:
            return None
        fields, kept = list(self.fields), dict[str, tuple[str, ...]]()
        for name, of in _FIELD_OF.items():
            mine, theirs = getattr(self, name), getattr(other, name)
            kept[name] = mine or theirs
            if mine and theirs and set(mine) != set(theirs):
                fields.append(FieldFilter(of, any_of=theirs))
        return replace(
            self.merged(other),
            document_ids=ids or self.document_ids or other.document_ids,
            tags=tuple(dict.fromkeys((*self.tags, *other.tags))),
            labels=tuple(dict.fromkeys((*self.labels, *other.labels))),
            date_from=since,
            date_to=until,
            time_from=begins,
            time_to=ends,
            fields=_together((*fields, *other.fields)),
            text=tuple(dict.fromkeys((*self.text, *other.text))),
            kind=kept["kind"],
            place=kept["place"],
            person=kept["person"],
            unit=kept["unit"],
        )

    @property
    def is_empty(self) -> bool:
        """True when nothing is restricted."""
        return self == Filters()


_FIELD_OF = {
    "kind": FactField.KIND,
    "place": FactField.PLACE,
    "person": FactField.PERSON,
    "unit": FactField.ORGANISATION,
}


def _together(asked: Iterable[FieldFilter]) -> tuple[FieldFilter, ...]:
    """Return filters that ask for all; of a field one, where one can say it."""
    by_field: dict[str, tuple[FieldFilter, ...]] = {}
    for one in dict.fromkeys(asked):
        known = by_field.get(one.field, ())
        by_field[one.field] = (*known[:-1], *known[-1].also(one)) if known else (one,)
    return tuple(one for found in by_field.values() for one in found)


@dataclass(frozen=True, slots=True)
class Query:
    """A question to one knowledge base. `top_k`: number of chunks wanted, at least 1.

    `with_regions`: tell of each chunk where it stands on its pages. `is_across`: texts in another
    language than the question's only. `is_reranked`: False where a reader reads what is found.
    """

    kb_id: str
    question: Question
    top_k: int = 10
    filters: Filters = field(default_factory=Filters)
    with_regions: bool = False
    is_across: bool = False
    is_reranked: bool = True


@dataclass(frozen=True, slots=True)
class ScoredChunk:
    """A chunk with why it was found: rank (1-based) and score by leg (lexical, dense, rerank).

    `score`: the fused score, higher is better; comparable within one result only. `sha256`: the
    revision's public name. `regions`: where the chunk stands on its pages, if the query
    wants that.
    """

    chunk: Chunk
    sha256: str
    score: float
    ranks: dict[str, int]
    scores: dict[str, float]
    regions: tuple[PageRegion, ...] = ()


@dataclass(frozen=True, slots=True)
class Reranking:
    """How far the candidates of a question were read again: `num_scored` of `num_candidates`.

    The rest kept its order after them, because the model's scores of it were not finite.
    """

    model: str
    num_candidates: int
    num_scored: int

    @property
    def is_complete(self) -> bool:
        """True when every candidate was scored."""
        return self.num_scored == self.num_candidates


@dataclass(frozen=True, slots=True)
class RetrievalResult:
    """Ranked chunks, best first, seconds spent by step, and what a reranker did (None: none)."""

    items: tuple[ScoredChunk, ...]
    timings: dict[str, float]
    reranking: Reranking | None = None


@dataclass(frozen=True, slots=True)
class Passage:
    """A readable stretch placed in the prompt, numbered from 1.

    `span` is its range in the stored text of the revision and `text` its words there:
    `revision_text[span.start:span.end] == text`. It may be wider than the chunk it grew from.
    Not kept with an answer: `units`, what can be quoted, with offsets into `text`, and `found`, the
    chunks in it that a search found, best first. `regions`: where it stands on its pages, of a
    passage that a refusal shows. By these a reader tells documents apart: `document_name`, the
    file's; `document_date`, which its title or first lines state; `document_line`, in which it
    differs from others of the same title.
    """

    number: int
    chunk_id: int
    document_id: str
    revision_id: int
    sha256: str
    title: str
    span: TextSpan
    text: str
    score: float
    units: tuple[Unit, ...] = field(default=(), compare=False)
    regions: tuple[PageRegion, ...] = ()
    document_name: str = ""
    document_date: date | None = None
    document_line: str | None = None
    found: tuple[TextSpan, ...] = field(default=(), compare=False)
