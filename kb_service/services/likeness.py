"""In what two incidents are alike and in what they differ, by what is stated of both. Pure.

What only one of them states is neither: it is not known of the other.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from kb_service.domain.facts import COUNTS_OF_PEOPLE, FactField, Incident, StoredFact
from kb_service.language.text import index_terms

WEIGHTS: dict[str, float] = {
    FactField.KIND: 3.0,
    FactField.PLACE: 2.0,
    FactField.CAUSE: 2.0,
    **dict.fromkeys(COUNTS_OF_PEOPLE, 1.0),
    FactField.LOSS: 0.5,
}
MEANING_WEIGHT = 2.0
ALIKE = 0.5
"""From this share on two values are alike, below they differ."""

_WORDS = frozenset({FactField.PLACE, FactField.CAUSE})


@dataclass(frozen=True, slots=True)
class Compared:
    """A field that both state: the fact of each, and how alike they are (0..1)."""

    field: str
    mine: StoredFact
    other: StoredFact
    share: float


@dataclass(frozen=True, slots=True)
class SimilarIncident:
    """An incident beside the asked one. `score`, `nearness` (of the words in meaning): 0..1."""

    incident: Incident
    score: float
    nearness: float
    alike: tuple[Compared, ...]
    differs: tuple[Compared, ...]


def compared(mine: Incident, other: Incident, nearness: float) -> SimilarIncident:
    """Compare an incident with another one, which is so near in meaning."""
    found, weight = list[Compared](), MEANING_WEIGHT
    score = MEANING_WEIGHT * nearness
    for field, field_weight in WEIGHTS.items():
        own = known(mine, field)
        if not own:
            continue
        weight += field_weight
        pairs = [
            Compared(field, a, b, _share(field, a, b)) for a in own for b in known(other, field)
        ]
        if pairs:
            best = max(pairs, key=lambda pair: pair.share)
            found.append(best)
            score += field_weight * best.share
    return SimilarIncident(
        other,
        score / weight,
        nearness,
        tuple(pair for pair in found if pair.share >= ALIKE),
        tuple(pair for pair in found if pair.share < ALIKE),
    )


def known(incident: Incident, field: str) -> list[StoredFact]:
    """Return what is stated of a field and known, one fact for each value."""
    stated = [i for i in incident.facts if i.fact.field == field and not i.fact.is_unknown]
    return list({item.fact.text: item for item in stated}.values())


def ranked(found: Sequence[SimilarIncident], limit: int) -> tuple[SimilarIncident, ...]:
    """Return the most similar ones that are alike in anything, the lower number first of equals."""
    worth = [one for one in found if one.alike or one.nearness]
    return tuple(sorted(worth, key=lambda one: (-one.score, one.incident.number))[:limit])


def _share(field: str, a: StoredFact, b: StoredFact) -> float:
    if a.fact.text == b.fact.text and a.fact.unit == b.fact.unit:
        return 1.0
    if field in _WORDS:
        return _shared_words(field, a.fact.text, b.fact.text)
    if a.fact.number is None or b.fact.number is None or a.fact.unit != b.fact.unit:
        return 0.0
    most = max(abs(a.fact.number), abs(b.fact.number))
    return 1 - abs(a.fact.number - b.fact.number) / most if most else 1.0


def _shared_words(field: str, one: str, other: str) -> float:
    """Of places the share of the shorter one: the other may say more exactly where it is."""
    mine, theirs = set(index_terms(one)), set(index_terms(other))
    both = len(mine & theirs)
    if not both:
        return 0.0
    if field == FactField.PLACE:
        return both / min(len(mine), len(theirs))
    return 2 * both / (len(mine) + len(theirs))
