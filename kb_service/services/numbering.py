"""The passages of several findings numbered as one list, as an answer shows them."""

from collections.abc import Callable, Sequence
from dataclasses import replace

from kb_service.domain.queries import Passage
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.services.evidence import Evidence
from kb_service.services.finding import Finding


def numbered_together(
    findings: Sequence[Finding],
) -> tuple[tuple[Passage, ...], tuple[Finding, ...]]:
    """Number the passages of several findings as one list; what stands in two is numbered once."""
    if len(findings) == 1:
        return findings[0].passages, tuple(findings)
    numbered: dict[tuple[int, TextSpan], Passage] = {}
    for passage in (p for found in findings for p in found.passages):
        key = (passage.revision_id, passage.span)
        numbered.setdefault(key, replace(passage, number=len(numbered) + 1))

    def renumbered(reading: Reading) -> Reading:
        old = reading.passage
        return replace(reading, passage=numbered[old.revision_id, old.span])

    return tuple(numbered.values()), tuple(
        replace(
            found,
            passages=tuple(numbered[p.revision_id, p.span] for p in found.passages),
            evidence=_renumbered(found.evidence, renumbered),
        )
        for found in findings
    )


def _renumbered(evidence: Evidence, anew: Callable[[Reading], Reading]) -> Evidence:
    nearest = anew(evidence.nearest) if evidence.nearest else None
    return replace(evidence, readings=tuple(map(anew, evidence.readings)), nearest=nearest)
