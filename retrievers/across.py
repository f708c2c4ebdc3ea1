"""Texts in the language of a question and texts in another one: ranked apart, then merged.

Pure functions on hits. Knows no index and no text.
"""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

from retrievers.fusion import FusedHit, FusionPolicy, fuse
from retrievers.lexical import Hit

PLACES = (2, 4)
"""Places, from 1, of the best texts in another language where they may be meant: how near they are
cannot be compared with how near those in the question's own language are."""

MAX_CONFIDENCE = 0.35
"""They may be meant where no text has more of the question's words than this."""

MAX_GAP = 0.05
"""Or where the nearest of them is nearly as near as the nearest in the question's language, which
the encoder prefers. Chosen with the value above on paragraphs of the Python documentation, SQuAD,
CMRC 2018 and reports that were asked in their own language, which lost nothing."""

LEXICAL_SHARE = 0.25
"""Weight of the words there, beside 1 for the meaning: what is shared are names and numbers."""


@dataclass(frozen=True, slots=True)
class Legs:
    """What words and vectors found, each best first. `foreign`: which are in another language.

    A chunk that has no vector yet counts as one in the question's own.
    """

    lexical: Sequence[Hit]
    own_dense: Sequence[Hit]
    across_dense: Sequence[Hit]
    foreign: Collection[int]

    @property
    def may_be_across(self) -> bool:
        """True when the nearest text in another language is nearly the nearest of all."""
        if not self.own_dense or not self.across_dense:
            return False
        return self.own_dense[0][1] - self.across_dense[0][1] < MAX_GAP


def own(legs: Legs, policy: FusionPolicy, confidence: float) -> list[FusedHit]:
    """Return the texts in the question's language. `confidence`: as in `fuse`."""
    lexical = [hit for hit in legs.lexical if hit[0] not in legs.foreign]
    return fuse([("lexical", lexical), ("dense", legs.own_dense)], policy, confidence)


def across(legs: Legs, policy: FusionPolicy) -> list[FusedHit]:
    """Return the texts in another language."""
    weights = replace(policy, lexical_weight=LEXICAL_SHARE * policy.dense_weight)
    lexical = [hit for hit in legs.lexical if hit[0] in legs.foreign]
    return fuse([("lexical", lexical), ("dense", legs.across_dense)], weights)


def together(legs: Legs, policy: FusionPolicy, confidence: float) -> list[FusedHit]:
    """Return all texts as one ranking.

    Texts in the question's language have words in common with any question, others have none to set
    against them. So where others may be meant, the best of these stand at PLACES.
    """
    is_side_by_side = legs.may_be_across or confidence < MAX_CONFIDENCE
    if not (is_side_by_side and legs.own_dense and legs.across_dense):
        lists = (("dense", legs.own_dense), ("dense", legs.across_dense))
        return fuse([("lexical", legs.lexical), *lists], policy, confidence)
    return beside(own(legs, policy, confidence), across(legs, policy))


def beside(own: Sequence[FusedHit], others: Sequence[FusedHit]) -> list[FusedHit]:
    """Return two rankings of different chunks as one: the second's best at PLACES.

    The rest goes by score; then scores are dealt out anew, so that they fall along the list.
    """
    num_own = PLACES[-1] - len(PLACES)
    merged = list(own[:num_own])
    for place, hit in zip(PLACES, others, strict=False):
        merged.insert(place - 1, hit)
    rest = [*own[num_own:], *others[len(PLACES) :]]
    merged += sorted(rest, key=lambda hit: (-hit.score, hit.chunk_id))
    scores = sorted((hit.score for hit in merged), reverse=True)
    return [replace(hit, score=score) for hit, score in zip(merged, scores, strict=True)]
