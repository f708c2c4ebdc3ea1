"""What a sentence says that the words it cites do not: the only judge of what is verified.

Pure functions on clauses. A claim is new when no way to meet it is evident in the cited words. A
clause contradicts them when it does not deny as often as the clauses that it is taken from. Sees no
wrong relation between right words: who did what to whom is not read.
"""

from collections.abc import Sequence

from kb_service.language.claims import Claim
from kb_service.language.clauses import Clause, clauses_in
from kb_service.language.text import normalise


def cited_clauses(text: str) -> tuple[Clause, ...]:
    """Return the clauses of words that may be cited."""
    return clauses_in(normalise(text))


def evidence_of(clauses: Sequence[Clause]) -> frozenset[str]:
    """Return what is evident in clauses together."""
    return frozenset[str]().union(*(clause.evidence for clause in clauses))


def new_claims(clause: Clause, evidence: frozenset[str]) -> list[Claim]:
    """Return the claims of a clause that the evidence does not meet, in order."""
    return [claim for claim in clause.claims if not claim.is_met(evidence)]


def share_met(clauses: Sequence[Clause], evidence: frozenset[str]) -> float:
    """Return the share of what clauses say that the evidence meets; 0 where nothing is said."""
    claims = [claim for clause in clauses for claim in clause.claims]
    said = sum(claim.weight for claim in claims)
    return sum(claim.weight for claim in claims if claim.is_met(evidence)) / said if said else 0.0


def contradicting(clauses: Sequence[Clause], cited: Sequence[Clause]) -> list[Clause]:
    """Return the clauses that deny more or less often than the cited ones they are taken from.

    Clauses that are taken from one and the same are counted together.
    """
    found: list[Clause] = []
    for group, places in _grouped(clauses, cited):
        said = sum(len(clause.negations) for clause in group)
        stated = sum(len(cited[place].negations) for place in places)
        if said != stated:
            found += group
    return found


def _grouped(
    clauses: Sequence[Clause], cited: Sequence[Clause]
) -> list[tuple[list[Clause], frozenset[int]]]:
    groups: list[tuple[list[Clause], frozenset[int]]] = []
    for clause in clauses:
        members, places = [clause], _taken_from(clause, cited)
        for group in [group for group in groups if group[1] & places]:
            groups.remove(group)
            members, places = [*group[0], *members], group[1] | places
        groups.append((members, places))
    return groups


def _taken_from(clause: Clause, cited: Sequence[Clause]) -> frozenset[int]:
    """Return the fewest cited clauses, greedily, that meet what they together can meet."""
    met = [{c for c in clause.claims if c.is_met(source.evidence)} for source in cited]
    places: set[int] = set()
    left = set[Claim]().union(*met)
    while left:
        best = max(range(len(cited)), key=lambda place: sum(c.weight for c in met[place] & left))
        places.add(best)
        left -= met[best]
    return frozenset(places)
