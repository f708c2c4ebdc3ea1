"""Why nothing is made of many documents for a question: what no record states, no filter says.

Decides when that is told and when a document's own words go first. Runs nothing.
"""

from collections.abc import Sequence

from kb_service.domain.queries import Filters
from kb_service.domain.questions import QuestionKind
from kb_service.domain.record_queries import AGGREGATES
from kb_service.language.across import sketch_of
from kb_service.language.counted import (
    asks_how_many,
    says_how_often,
    says_several,
    says_whole,
)
from kb_service.language.identifiers import names_whole
from kb_service.language.messages import message
from kb_service.language.rows import is_row
from kb_service.language.stated.sorts import PLACE
from kb_service.language.tables import field_name, filters_in_words, said
from kb_service.language.text import normalise
from kb_service.services.evidence import Shortfall
from kb_service.services.finding import Finding
from kb_service.services.planning import Planned
from kb_service.services.telling import (
    ACROSS,
    CANNOT_COUNT,
    Plan,
    cannot,
    says_outright,
    titles_of,
    unknown_subject,
)
from kb_service.services.turns import Turn

FIELD_MISSING = "field_missing"

_OF_ONE = frozenset({QuestionKind.FACT, QuestionKind.YES_NO})
"""Kinds of questions that one paper may answer where nothing is counted."""


def _outside(asked: Filters, given: Filters, findings: Sequence[Finding], language: str) -> Plan:
    """Say that the days of a question are none of those that were picked for it."""
    days, picked = (
        said("apart", language).join(filters_in_words(f, language)) for f in (asked, given)
    )
    text = said("days_apart", language, asked=days, picked=picked)
    return cannot(CANNOT_COUNT, text, findings, (days,))


def refusal(
    turn: Turn, planned: Planned, findings: Sequence[Finding], language: str
) -> Plan | None:
    """Say which field no record states, or by which words nothing can be selected.

    None where a document may say it itself, or no record is asked for in so many words.
    """
    if planned.outside is not None:
        return _outside(planned.outside, turn.request.filters, findings, language)
    if _is_said(turn, planned, findings):
        return None
    if planned.unknown and len(findings) == 1:
        told = unknown_subject(findings[0], language)
        if told is not None or not planned.says_units:
            return told
    if _may_be_told(turn, planned):
        return None
    documents, apart = titles_of(findings), said("apart", language)
    if planned.lacking:
        fields = apart.join(field_name(f, language) for f in planned.lacking)
        text = said(FIELD_MISSING, language, fields=fields, documents=documents)
        return cannot(FIELD_MISSING, text, findings, planned.lacking)
    left = (*planned.unread, *planned.unknown)
    if left and planned.is_explicit and planned.is_of_units:
        words = apart.join(field_name(word, language) for word in left)
        known = apart.join(planned.offered)
        offered = said("offered", language, fields=known) if known else ""
        text = said("unread", language, words=words, offered=offered, documents=documents)
        return cannot(CANNOT_COUNT, text, findings, left)
    return None


def refused_by_a_row(turn: Turn, findings: Sequence[Finding], language: str) -> Plan | None:
    """Say that nothing can be made of many records where a question asks for that of them.

    A sum, an extreme, groups or a comparison: one row of a table, which is all that was read, tells
    none of them; nor how often, where it says nothing of that. None for other questions.
    """
    sketch = sketch_of(turn.question.normalised)
    groups = sketch.by and not sketch.is_by_one
    makes = bool(sketch.order or groups or sketch.compares or sketch.operation in AGGREGATES)
    read = [reading.words for found in findings for reading in found.evidence.readings]
    is_counted = sketch.counts is not None and not any(map(says_how_often, read))
    if not (makes or is_counted) or not _are_rows(findings):
        return None
    documents, words = titles_of(findings), tuple(sketch.rest)
    if words:
        unread = said("apart", language).join(words)
        text = said("unread", language, words=unread, offered="", documents=documents)
    else:
        text = message(CANNOT_COUNT, language, documents=documents)
    return cannot(CANNOT_COUNT, text, findings, words)


def _are_rows(findings: Sequence[Finding]) -> bool:
    """True where all that was read stands in rows of tables."""
    around = _around(findings)
    return bool(around) and all(map(is_row, around))


def _around(findings: Sequence[Finding]) -> list[str]:
    """Return the sentences and rows in which anything was read."""
    return [
        unit.span.of(reading.passage.text)
        for found in findings
        for reading in found.evidence.readings
        for unit in reading.passage.units
        if unit.span.overlap(reading.span)
    ]


def _is_said(turn: Turn, planned: Planned, findings: Sequence[Finding]) -> bool:
    """True where a document says what is asked: of many documents, only when it counts outright.

    In one incident that is named, a sum (一共) is what its paper says; where no other paper speaks
    of it, so is a number of what no record can be selected by and is no incident (几条生命), which
    any paper may tell where the question names no sort of incident. Of several papers a sum is
    what a sentence tells as a whole, a number of each of something what it tells several of, and
    the most of something nothing that several tell.
    """
    is_of_several = any(one.evidence.shortfall is Shortfall.SEVERAL for one in findings)
    if planned.order and planned.is_explicit and is_of_several:
        return False
    is_sum_of_one = planned.sums_up and not planned.counts and turn.named.is_narrow
    counts_units = planned.counts and planned.says_units
    is_told = planned.query is None and not counts_units and _is_in_one(turn, planned, findings)
    is_in_one = is_sum_of_one or is_told
    is_of_many = planned.is_explicit and planned.is_of_units and not is_in_one
    if turn.kind in ACROSS or (is_of_many and not _may_be_told(turn, planned)):
        if not _may_say(turn, planned, findings):
            return False
        return any(says_outright(found, turn.question) for found in findings)
    return not all(found.evidence.is_empty for found in findings)


def _may_say(turn: Turn, planned: Planned, findings: Sequence[Finding]) -> bool:
    """False where what was read is of one where a whole or each of several is asked."""
    if planned.sums_up and not _tells_whole(turn, findings):
        return False
    return not planned.divides or any(map(says_several, _around(findings)))


def _tells_whole(turn: Turn, findings: Sequence[Finding]) -> bool:
    """True where a sum is asked for by what is counted, or a sentence tells what it says as one."""
    return asks_how_many(turn.question.normalised) or any(map(says_whole, _around(findings)))


def _may_be_told(turn: Turn, planned: Planned) -> bool:
    """True for whether one thing was so, or which one it was: nothing is counted for that.

    Did the wing get new locks, which measure is the department's: a paper tells that, or none does.
    """
    return planned.query is None and planned.may_be_of_one and turn.kind in _OF_ONE


def _is_in_one(turn: Turn, planned: Planned, findings: Sequence[Finding]) -> bool:
    """True when what the question names is told in one of the papers that were found.

    A place that no record states is named too.
    """
    places = [word for word in planned.unread if PLACE.search(word)]
    if not (places or turn.named.is_narrow):
        return False
    language = turn.question.language
    speaking = {
        passage.document_id
        for found in findings
        for passage in found.passages
        for text in [f"{passage.title}\n{passage.text}"]
        if not turn.named.unmet(text, language)
        and all(names_whole(normalise(text), place) for place in places)
    }
    return len(speaking) == 1
