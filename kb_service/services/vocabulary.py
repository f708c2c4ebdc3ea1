"""What planning knows of a base: its fields, labels and values. Storage fulfils Vocabulary."""

import re
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from kb_service.domain.facts import STANDARD_FIELDS, Role
from kb_service.language.lexicon import HAN

_WORD = re.compile(rf"[{HAN}]{{1,2}}|[^\W{HAN}]+")
_MIN_TEXTS, _MAX_WORDS = 12, 2
"""Of a ward or a sort of fault there are fewer, or they are called by a word or two."""

_LONG = 6
"""What has more words than so many tells what happened, however few there are."""


class Vocabulary(Protocol):
    """Which fields and values a base has, and how its papers call them."""

    def fields(self, kb_id: str) -> frozenset[str]:
        """Return the fields that any record of a base states."""

    def people(self, kb_id: str) -> frozenset[str]:
        """Return by which labels people and organisations are stated: fields of their own."""

    def labels(self, kb_id: str, fields: Iterable[str]) -> Mapping[str, str]:
        """Return a label by which each of the fields is stated, with the field."""

    def numeric(self, kb_id: str, fields: Iterable[str]) -> frozenset[str]:
        """Return those of the fields whose values are numbers."""

    def categories(self, kb_id: str, fields: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each of the fields that has only a few."""

    def roles(self, kb_id: str) -> frozenset[Role]:
        """Return the roles in which a base states people or organisations."""

    def roles_of(self, kb_id: str, field: str, words: str) -> frozenset[Role | None]:
        """Return the roles in which a base states somebody; None: in one that is none of these."""

    def among(
        self, kb_id: str, words: Iterable[str], fields: Collection[str]
    ) -> list[tuple[str, str]]:
        """Return (field, value) of a base whose values are any of the words."""

    def holding(self, kb_id: str, words: str, fields: Collection[str]) -> frozenset[str]:
        """Return those of the fields of which any value of a base has the words in it."""

    def is_dated(self, kb_id: str, first: date, last: date) -> bool:
        """Return whether any record of a base is of the days from the one to the other."""

    def states_kind(self, kb_id: str, kind: str) -> bool:
        """Return whether any record of a base is of a kind; of a ledger its rows are."""

    def written_kinds(self, kb_id: str, kind: str) -> list[str]:
        """Return the words by which records of a base say that they are of a kind."""

    def texts(self, kb_id: str, words: str, fields: Collection[str]) -> list[tuple[str, str]]:
        """Return (field, value) of a base whose values have the words in them, a number of them."""

    def are_called(self, kb_id: str, is_so: Callable[[str], object]) -> bool:
        """Return whether there are documents with records, and all are called so.

        `is_so`: true or not of the name and the title of one, in lower case.
        """

    def registers(self, kb_id: str, is_so: Callable[[str], object]) -> tuple[str, ...]:
        """Return the ids of documents of several records that are called so, a number of them.

        `is_so`: true or not of the title of one, in lower case.
        """


def is_free_text(values: Sequence[str]) -> bool:
    """True for many values of several words each: they tell what happened, and sort nothing."""
    lengths = [len(_WORD.findall(value)) for value in values]
    if len(values) > 1 and 2 * sum(length > _LONG for length in lengths) > len(values):
        return True
    told = [length for length in lengths if length > _MAX_WORDS]
    return len(values) >= _MIN_TEXTS and 2 * len(told) > len(values)


@dataclass(frozen=True, slots=True)
class KnownBase:
    """A base with the fields that it has, while one question is read."""

    kb_id: str
    vocabulary: Vocabulary
    have: Collection[str]

    @property
    def own(self) -> list[str]:
        """The columns of its own."""
        return [name for name in self.have if name not in STANDARD_FIELDS]

    def categories(self, fields: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        """Return the values of each of the fields that has only a few, and no free text."""
        found = self.vocabulary.categories(self.kb_id, fields)
        return {name: values for name, values in found.items() if not is_free_text(values)}
