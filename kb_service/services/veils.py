"""What callers are shown who may not see personal data: words with it hidden, in their places.

A veil is of one base and one answer to a caller: it knows what the documents that are spoken of
hide, and the people whom the base's facts name. Knows no shape of an answer and no door.
"""

import re
import secrets
import threading
from bisect import bisect_right
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from kb_service.domain.errors import InvalidRequest, NotFound
from kb_service.domain.facts import Fact, FactField
from kb_service.domain.masking import Masking, PersonalKind, PersonalSpan, merged_spans
from kb_service.domain.spans import TextSpan
from kb_service.language.personal.known import NO_NAMES, KnownNames, numbers_again
from kb_service.language.personal.masks import (
    hidden,
    may_be_personal,
    names_of,
    personal_spans,
    shown_spans,
)
from kb_service.language.personal.numbers import folded, tight
from kb_service.language.personal.people import people_of, role_meant
from kb_service.services.said import NOTHING_SAID, Corrected, corrected_of
from kb_service.storage.answers.store import AnswerStore
from kb_service.storage.maskings import KeptText, Maskings

MAX_TEXTS = 1000
"""So many texts whose personal data was found are kept in mind."""
MAX_BASES = 50
MAX_CURSORS = 10_000
_SEALED = "sealed_"
Found = TypeVar("Found")
_MIN_DIGITS = 5

Place = tuple[str, str | None]
"""Id of a document, and SHA-256 of one of its revisions; None: the searchable one."""
AnswerPlaces = Callable[[str], list[Place]]
"""Id of a stored answer -> where the passages stand that it was made from; none when it is gone."""


@dataclass(frozen=True, slots=True)
class Marks:
    """What one stored text hides: spans with the words that stand there instead, in order."""

    spans: tuple[TextSpan, ...]
    shown: tuple[str, ...]
    names: KnownNames
    numbers: Mapping[str, PersonalKind]

    def within(self, words: str, span: TextSpan) -> str:
        """Return the words of a span of the text with what is hidden of them hidden."""
        characters = list(words)
        first = max(0, bisect_right(self.spans, span.start, key=lambda one: one.end))
        for one, instead in zip(self.spans[first:], self.shown[first:], strict=True):
            if one.start >= span.end:
                break
            low, high = max(one.start, span.start), min(one.end, span.end)
            characters[low - span.start : high - span.start] = instead[
                low - one.start : high - one.start
            ]
        return "".join(characters)


@dataclass(frozen=True, slots=True)
class Veil:
    """What is hidden in one answer. `names`, `numbers`: of all that it speaks of; `corrected`: what
    people said that facts of the base mean."""

    kb_id: str
    masking: Masking
    marks: Mapping[Place, Marks]
    names: KnownNames
    numbers: Mapping[str, PersonalKind]
    corrected: Corrected = NOTHING_SAID

    def words(self, text: str) -> str:
        """Return words of any origin with what is personal in them hidden."""
        if not may_be_personal(text) and text not in self.corrected.words:
            return text
        own = names_of(text, self.masking)
        found = personal_spans(text, self.masking, self.names, own)
        again = (
            PersonalSpan(span, self.numbers[number])
            for span, number in numbers_again(text, self.numbers)
        )
        spans = merged_spans((*found, *again, *self.corrected.spans(text)))
        return "".join(_pieces(text, spans)) if spans else text

    def quoted(self, words: str, place: Place | None, span: TextSpan) -> str:
        """Return words of a stored text, as they stand in the masked one."""
        marks = self.marks.get(place) if place else None
        if marks is None or len(words) != len(span):
            return self.words(words)
        return marks.within(words, span)

    def whole(self, words: str, kind: PersonalKind | None) -> str:
        """Return words that are personal as a whole, hidden; `kind` None: a name."""
        return hidden(words, kind)


def _pieces(text: str, spans: Sequence[PersonalSpan]) -> Iterable[str]:
    place = 0
    for span, instead in shown_spans(text, spans):
        yield text[place : span.start]
        yield instead
        place = span.end
    yield text[place:]


class MaskingService:
    """Makes veils. Every method raises StorageError."""

    def __init__(self, maskings: Maskings, answer_places: AnswerPlaces) -> None:
        self._maskings = maskings
        self.answer_places = answer_places
        self._lock = threading.Lock()
        self._marks: OrderedDict[object, Marks] = OrderedDict()
        self._people: OrderedDict[object, KnownNames] = OrderedDict()
        self._said: OrderedDict[object, Corrected] = OrderedDict()
        self._cursors: OrderedDict[str, str] = OrderedDict()

    def seal(self, cursor: str) -> str:
        """Return what stands for a cursor that would tell a name; only this process reads it.

        One that is sealed stays as it is.
        """
        token = f"{_SEALED}{secrets.token_urlsafe(12)}"
        with self._lock:
            if cursor in self._cursors:
                return cursor
            self._cursors[token] = cursor
            while len(self._cursors) > MAX_CURSORS:
                self._cursors.popitem(last=False)
        return token

    def unseal(self, cursor: str) -> str:
        """Return the cursor that a sealed one stands for; as it is when it is none of these."""
        with self._lock:
            return self._cursors.get(cursor, cursor)

    def unsealed(self, cursor: str) -> str:
        """Return the cursor that a sealed one stands for.

        Raises InvalidRequest (invalid_cursor) for any other: one that is made up would tell by what
        follows it where a hidden name stands.
        """
        with self._lock:
            found = self._cursors.get(cursor)
        if found is None:
            raise InvalidRequest(
                "the cursor is none that this list gave out", code="invalid_cursor"
            )
        return found

    def masked_bases(self) -> dict[str, Masking]:
        """Return what is hidden by base, of those that hide anything."""
        return self._maskings.every()

    def veil(
        self,
        kb_id: str,
        masking: Masking,
        places: Iterable[Place] = (),
        people: KnownNames | None = None,
    ) -> Veil:
        """Return the veil over an answer that speaks of these places of a base.

        `people`: of the base, where they are known already.
        """
        marks: dict[Place, Marks] = {}
        for kept in self._maskings.texts(kb_id, places):
            found = self._marks_of(kept, masking)
            marks[kept.document_id, kept.sha256] = found
            if kept.is_current:
                marks[kept.document_id, None] = found
        names = self.people(kb_id, masking) if people is None else people
        for one in {id(m): m for m in marks.values()}.values():
            names |= one.names
        numbers = {number: kind for one in marks.values() for number, kind in one.numbers.items()}
        return Veil(kb_id, masking, marks, names, numbers, self._said_of(kb_id, masking))

    def _marks_of(self, kept: KeptText, masking: Masking) -> Marks:
        people = frozenset((one.name, one.role) for one in people_of(kept.facts))
        key = (kept.revision_id, masking, people, _told_numbers(kept.facts))
        return _kept(
            self._lock,
            self._marks,
            MAX_TEXTS,
            key,
            lambda: marks_of(self._maskings.text(kept.revision_id), masking, kept.facts),
        )

    def people(self, kb_id: str, masking: Masking) -> KnownNames:
        """Return the names that facts of a base tell and its masking hides."""
        if not masking.roles:
            return NO_NAMES

        def found() -> KnownNames:
            people = self._maskings.people(kb_id)
            return KnownNames.of(
                {name for name, label in people if role_meant(label) in masking.roles}
            )

        key = (kb_id, masking, self._maskings.newest_person(kb_id))
        return _kept(self._lock, self._people, MAX_BASES, key, found)

    def _said_of(self, kb_id: str, masking: Masking) -> Corrected:
        newest = self._maskings.newest_correction(kb_id)
        if not newest[1]:
            return NOTHING_SAID
        # A label comes anew with the facts of its text.
        key = (kb_id, masking, newest, self._maskings.newest_person(kb_id))
        return _kept(
            self._lock,
            self._said,
            MAX_BASES,
            key,
            lambda: corrected_of(self._maskings.corrections(kb_id), masking),
        )


def places_of(answers: AnswerStore, answer_id: str) -> list[Place]:
    """Return where the passages of a stored answer stand; none when it is gone."""
    try:
        answer, _ = answers.get(answer_id)
    except NotFound:
        return []
    return [(passage.document_id, passage.sha256) for passage in answer.passages]


def marks_of(text: str, masking: Masking, facts: Iterable[Fact] = ()) -> Marks:
    """Return what a stored text hides. `facts`: of the text."""
    stated = tuple(facts)
    names = names_of(text, masking, people_of(stated))
    spans = merged_spans((*personal_spans(text, masking, names), *_stated(stated, masking)))
    shown = shown_spans(text, spans)
    plain = folded(text)
    numbers = {
        number: one.kind
        for one in spans
        if one.kind is not None
        and one.kind is not PersonalKind.EMAIL
        and len(number := tight(one.span.of(plain))) >= _MIN_DIGITS
    }
    return Marks(
        tuple(span for span, _ in shown), tuple(words for _, words in shown), names, numbers
    )


def _stated(facts: Iterable[Fact], masking: Masking) -> Iterable[PersonalSpan]:
    """Phones that the name of a column tells, whatever their form."""
    if PersonalKind.PHONE not in masking.kinds:
        return ()
    return [
        PersonalSpan(item.span, PersonalKind.PHONE)
        for item in facts
        if item.field == FactField.PHONE and _is_long(item.value)
    ]


def _told_numbers(facts: Iterable[Fact]) -> frozenset[tuple[int, int]]:
    return frozenset(
        (item.span.start, item.span.end) for item in facts if item.field == FactField.PHONE
    )


def _is_long(value: str) -> bool:
    return sum(map(str.isdigit, value)) >= _MIN_DIGITS and re.search(r"[^\W\d_]{3}", value) is None


def _kept(
    lock: threading.Lock,
    cache: "OrderedDict[object, Found]",
    most: int,
    key: object,
    make: Callable[[], Found],
) -> Found:
    with lock:
        if key in cache:
            cache.move_to_end(key)
            return cache[key]
    made = make()
    with lock:
        cache[key] = made
        while len(cache) > most:
            cache.popitem(last=False)
    return made
