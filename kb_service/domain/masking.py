"""What personal data a base hides from those who may not see them. Values only.

A mask has as many code points as what it hides, so that every span into a text stays true.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum

from kb_service.domain.spans import TextSpan

MASK = "*"


class PersonalKind(StrEnum):
    """What is told by its form: `plate` of a vehicle, `id_number` of a person."""

    PHONE = "phone"
    ID_NUMBER = "id_number"
    BANK_CARD = "bank_card"
    PLATE = "plate"
    EMAIL = "email"


class PersonRole(StrEnum):
    """In what role somebody is named; `party` is concerned, `other` are all beside these."""

    REPORTER = "reporter"
    WITNESS = "witness"
    VICTIM = "victim"
    SUSPECT = "suspect"
    PARTY = "party"
    CONTACT = "contact"
    HANDLER = "handler"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Masking:
    """Which kinds, and the names of people in which roles, are hidden; nothing of either: none."""

    kinds: frozenset[PersonalKind] = frozenset()
    roles: frozenset[PersonRole] = frozenset()

    def __bool__(self) -> bool:
        return bool(self.kinds or self.roles)


NO_MASKING = Masking()


@dataclass(frozen=True, slots=True)
class PersonalSpan:
    """Where a text has something personal; `kind` None: a name."""

    span: TextSpan
    kind: PersonalKind | None


def merged_spans(spans: Iterable[PersonalSpan]) -> tuple[PersonalSpan, ...]:
    """Return the spans in order of the text; of those that overlap the earlier and longer stays,
    and what another one has beyond it."""
    kept: list[PersonalSpan] = []
    for item in sorted(spans, key=lambda one: (one.span.start, -one.span.end)):
        start = max(item.span.start, kept[-1].span.end) if kept else item.span.start
        if start < item.span.end:
            kept.append(PersonalSpan(TextSpan(start, item.span.end), item.kind))
    return tuple(kept)
