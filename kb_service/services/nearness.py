"""How near found texts are to a question, in its language and in others. Pure functions.

Knows the cosines of a search; what follows from them is weighed elsewhere.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from kb_service.domain.queries import ScoredChunk
from kb_service.language.scripts import is_across

DENSE = "dense"
"""The leg of a search whose scores are cosines."""


@dataclass(frozen=True, slots=True)
class Nearness:
    """`own`: the cosine of the nearest text in the question's language, None where none was found.

    `across`: by document, that of its nearest text in another language.
    """

    own: float | None = None
    across: Mapping[str, float] = field(default_factory=dict)

    def farther(self, document_id: str, own: float | None) -> float | None:
        """Return how much less near a document is than `own`; None where one is not known."""
        near = self.across.get(document_id)
        return None if near is None or own is None else own - near


def nearness_of(language: str, found: Sequence[ScoredChunk]) -> Nearness:
    """Return how near found chunks are to a question in a language."""
    own: float | None = None
    across: dict[str, float] = {}
    for item in found:
        score, chunk = item.scores.get(DENSE), item.chunk
        if score is None:
            continue
        if is_across(language, chunk.draft.text):
            across[chunk.document_id] = max(score, across.get(chunk.document_id, score))
        else:
            own = score if own is None else max(score, own)
    return Nearness(own, across)
