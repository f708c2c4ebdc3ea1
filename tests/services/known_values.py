"""A base of few fields and values, as planning sees one."""

from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from kb_service.domain.facts import NUMBER_FIELDS, Role
from kb_service.domain.queries import Filters
from kb_service.domain.query_json import query_json
from kb_service.language.asked import parse_question
from kb_service.services.named import named_in
from kb_service.services.planning import Planned, planned_for

Roles = Mapping[str, frozenset[Role | None]]


@dataclass(frozen=True)
class KnownValues:
    """`values`: by field those that it has, () where none is known of. `roles`: of people.

    `called`: labels of fields. `written`: how records write a kind. `titles`: of
    registers, each with the id of its document.
    """

    values: Mapping[str, tuple[str, ...]]
    numbers: Collection[str] = ()
    roles_by_name: Roles = field(default_factory=dict)
    people_labels: frozenset[str] = frozenset()
    called: Mapping[str, str] = field(default_factory=dict)
    written: Mapping[str, list[str]] = field(default_factory=dict)
    titles: Mapping[str, str] = field(default_factory=dict)

    def fields(self, kb_id: str) -> frozenset[str]:
        return frozenset(self.values)

    def people(self, kb_id: str) -> frozenset[str]:
        return self.people_labels

    def labels(self, kb_id: str, fields: Iterable[str]) -> Mapping[str, str]:
        return {label: name for label, name in self.called.items() if name in {*fields}}

    def numeric(self, kb_id: str, fields: Iterable[str]) -> frozenset[str]:
        return frozenset({*self.numbers, *NUMBER_FIELDS}.intersection(fields))

    def categories(self, kb_id: str, fields: Collection[str]) -> Mapping[str, tuple[str, ...]]:
        return {name: values for name, values in self.values.items() if name in fields}

    def roles(self, kb_id: str) -> frozenset[Role]:
        return frozenset(role for people in self.roles_by_name.values() for role in people if role)

    def roles_of(self, kb_id: str, of: str, words: str) -> frozenset[Role | None]:
        return self.roles_by_name.get(words, frozenset({None}))

    def among(
        self, kb_id: str, words: Iterable[str], fields: Collection[str]
    ) -> list[tuple[str, str]]:
        found = set(words)
        known = self.categories(kb_id, fields)
        return sorted((name, v) for name, values in known.items() for v in values if v in found)

    def holding(self, kb_id: str, words: str, fields: Collection[str]) -> frozenset[str]:
        known = self.categories(kb_id, fields).items()
        return frozenset(name for name, values in known if any(words in v for v in values))

    def texts(self, kb_id: str, words: str, fields: Collection[str]) -> list[tuple[str, str]]:
        known = self.categories(kb_id, fields).items()
        return sorted((name, v) for name, values in known for v in values if words in v)

    def are_called(self, kb_id: str, is_so: Callable[[str], object]) -> bool:
        return bool(self.titles) and all(map(is_so, self.titles))

    def is_dated(self, kb_id: str, first: date, last: date) -> bool:
        days = self.values.get("time", ())
        return not days or any(f"{first}" <= day <= f"{last}" for day in days)

    def registers(self, kb_id: str, is_so: Callable[[str], object]) -> tuple[str, ...]:
        return tuple(document for title, document in self.titles.items() if is_so(title))

    def states_kind(self, kb_id: str, kind: str) -> bool:
        return not self.values.get("kind") or kind in self.values["kind"]

    def written_kinds(self, kb_id: str, kind: str) -> list[str]:
        return list(self.written.get(kind, ()))


def plan(base: KnownValues, text: str, today: date) -> Planned | None:
    """Return what a question asks of the records of a base."""
    question = parse_question(text)
    return planned_for(question, named_in(question, today), Filters(), "kb_1", base, today)


def assert_asks(planned: Planned | None, expected: Mapping[str, Any]) -> None:
    """A query came of it, and it says this much."""
    assert planned and planned.query, planned
    told = query_json(planned.query)
    assert {name: told.get(name) for name in expected} == expected
