"""The evidence gate: do these passages speak of what is asked at all? Decides before generation.

Pure functions. Knows words and values, not models; whether the passages really answer the question
is decided later, sentence by sentence (see citations).
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.language.dates import dates_in_title
from kb_service.language.identifiers import names_whole
from kb_service.language.name_endings import accidents_in, hints_at, mentions_accident
from kb_service.language.questions import coverage, text_terms
from kb_service.language.text import normalise
from kb_service.language.values import unstated

MIN_COVERAGE = 0.40
"""Share of the question's idf mass that the best two neighbouring units must hold.

Calibrated on train questions with their own against foreign passages; see
docs/decisions/0004-evidence-gate.md for the table.
"""

WINDOW_UNITS = 2
NO_EVIDENCE = "no_evidence"
_FIXED = re.compile(r"(?:date|time):|num:\d{2}")


@dataclass(frozen=True, slots=True)
class Evidence:
    """What the gate saw. `reason`: None when it opens, else a stable code. `coverage`: 0..1.

    `missing`: what the question fixes (identifier, name, date, number) and no passage states.
    """

    coverage: float
    missing: tuple[str, ...]
    reason: str | None


def weigh_evidence(
    question: Question,
    passages: Sequence[Passage],
    idf: Mapping[str, float],
    confirmed: Iterable[str] = (),
) -> Evidence:
    """Return whether the passages are evidence for the question.

    `confirmed`: identifiers and names known to be named elsewhere in the passages' documents.
    """
    missing = missing_slots(question, passages, confirmed)
    terms = question.terms
    covered = max((best_window(terms, p, idf) for p in passages), default=0.0)
    is_covered = covered >= MIN_COVERAGE or (not terms and bool(passages))
    is_open = is_covered and not missing
    return Evidence(covered, missing, None if is_open else NO_EVIDENCE)


def best_window(terms: tuple[str, ...], passage: Passage, idf: Mapping[str, float]) -> float:
    """Return the best coverage of the terms by a passage's title and two neighbouring units."""
    title = text_terms(passage.title)
    units = [text_terms(unit.span.of(passage.text)) for unit in passage.units]
    windows = [
        title.union(*units[index : index + WINDOW_UNITS])
        for index in range(max(1, len(units) - WINDOW_UNITS + 1))
    ]
    return max(coverage(terms, window, idf) for window in windows)


def missing_slots(
    question: Question, passages: Sequence[Passage], confirmed: Iterable[str] = ()
) -> tuple[str, ...]:
    """Return what the question fixes and no passage states, sorted.

    Identifiers (as they are, case-folded), dates, times, years and numbers of two digits or more
    (`num:1998`). Small numbers are left out: "the 2nd measure" or "name 3 causes" fix nothing.
    And Chinese organisations and places, and the kind of accident asked of one that is known.
    """
    sources = "\n".join(f"{passage.title}\n{passage.text}" for passage in passages)
    haystack, known = normalise(sources), frozenset(confirmed)
    titled = frozenset[str]().union(*(dates_in_title(passage.title) for passage in passages))
    lost = {i for i in question.identifiers if i not in known and not names_whole(haystack, i)}
    lost |= _missing_subjects(question, haystack, known)
    unsaid = unstated(question.values, sources) - titled
    return tuple(sorted(lost | {value for value in unsaid if _FIXED.match(value)}))


def _missing_subjects(question: Question, haystack: str, known: frozenset[str]) -> set[str]:
    lost = {s for s in question.subjects if s not in known and not hints_at(haystack, s)}
    if known.intersection(question.subjects):
        lost |= {
            kind
            for kind in accidents_in(question.normalised)
            if not mentions_accident(haystack, kind)
        }
    return lost
