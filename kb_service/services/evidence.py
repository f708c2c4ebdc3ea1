"""What was read, weighed: which readings may be quoted for a question, and what is missing.

Pure functions. The wrong-subject guarantee stands here: a reading counts only when its document
meets every name, place, time, number and kind of event that the question names. Knows no model.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from math import exp

from kb_service.domain.facts import STANDING, UNMARKED, ReportStatus
from kb_service.domain.questions import Subject, SubjectKind
from kb_service.domain.reading import Reading
from kb_service.language.polarity import negations_in
from kb_service.language.text import normalise
from kb_service.services.comparing import contradict, is_of_same_slot, same_words

MIN_CONFIDENCE = 0.4
"""A reading below it answers nothing. Chosen by hand, between refusing too much and
answering what is not there, on samples that were looked at: not held out."""

MIN_PINNED_CONFIDENCE = 0.25
"""The same in a document that a conversation speaks of, or in a clause that is named by its number:
the wrong one is less likely."""

RIVAL = 0.75
"""Another document is told of too when its reading is this near to the best one's confidence."""

ALIKE = 0.9
"""And when it says this share of what the best one says of the question's words."""

COVERAGE_SHARE = 0.5
"""How much of a reading's worth depends on its document's coverage of the question."""

HELD = 0.25
ANOTHER = 0.6
"""Where a document holds HELD of the question's rarity, one that holds less than this share of that
is about something else, however surely it is read. Of 164 right answers that were looked at (desk
and a trial) none was below 0.75; of the wrong ones some were."""

NEAR, NEARNESS = 0.068, 25.0
"""A reading in another language is as sure as it is read where its text is by NEAR less near to the
question than the nearest in its own; its logit falls by this for each unit of cosine beyond. In 83
cross-language questions with an answer the texts that answer were 0.02 to 0.09 less near, in ten
questions without one that were read surely there 0.08 to 0.13."""

ACROSS_LEAD = 1.5
"""A reading in another language counts when it is so many times as sure as the surest one in the
question's. Beside 73 such readings that answered (16 papers, a desk, a trial) the surest was 0.05;
beside three that were told from unrelated papers 0.33, 0.38 and 0.60, nearly as sure as they."""

ALONE_ACROSS = 0.6
"""Where several in another language are read as surely, and none surer than this, none of them is
told: nothing says of which incident the question is, and what it is about may be in no paper."""

ACROSS_SHARE = 0.8
"""What counts for the coverage of a document in another language, beside others in the question's.
"""

MAX_TOLD = 3
"""So many incidents are told of when several fit."""


class Shortfall(StrEnum):
    """Why an answer is less than whole; the codes that users of the API see."""

    NO_ANSWER = "no_answer_in_passages"
    SUBJECT_UNKNOWN = "subject_unknown"
    SEVERAL = "several_incidents"
    CONFLICT = "conflicting_sources"


@dataclass(frozen=True, slots=True)
class ReadDocument:
    """What weighing needs of a document that was read.

    `unmet`: subjects of the question that it does not name. `coverage`: the share of the question's
    rarity that its title and best passage hold. `dated`: sorts the later one behind. `is_across`:
    it is in another language than the question, so its coverage says nothing; `farther`: how much
    less near to the question it is than what is nearest in its language (cosine). `standing`: as
    what report of its incident it calls itself (STANDING). `names`: ids of the documents read that
    it names by their number or title.
    """

    unmet: tuple[Subject, ...]
    coverage: float
    dated: str = ""
    is_across: bool = False
    farther: float | None = None
    standing: int = UNMARKED
    names: frozenset[str] = frozenset()

    @property
    def corrects(self) -> bool:
        """True when it says of itself that it corrects what was stated."""
        return self.standing == STANDING[ReportStatus.CORRECTED]


@dataclass(frozen=True, slots=True)
class Evidence:
    """`readings`: to be quoted, in order. `shortfall`: None when the answer is whole.

    `missing`: words of the question that no document read meets. `nearest`: what comes nearest when
    nothing may be quoted. `is_elsewhere`: what was read surely is about something else, and another
    document holds the question's words.
    """

    readings: tuple[Reading, ...]
    shortfall: Shortfall | None = None
    missing: tuple[str, ...] = ()
    nearest: Reading | None = None
    is_elsewhere: bool = False

    @property
    def is_empty(self) -> bool:
        """True when there is nothing to quote."""
        return not self.readings


def weigh(
    readings: Sequence[Reading],
    documents: Mapping[str, ReadDocument],
    *,
    is_named: bool,
    asks_state: bool = False,
    min_confidence: float = MIN_CONFIDENCE,
    own: float = 0.0,
) -> Evidence:
    """Return what may be quoted of readings, surest first, of documents by id.

    `is_named`: the question says which document or incident it means, or a conversation does.
    `asks_state`: it asks whether something is so, which a later paper may say otherwise: then the
    later one goes first. That they disagree is said of values alone, and where one of them denies.
    `own`: how surely anything in the question's language was read before (`surest_own`).
    """
    least = ACROSS_LEAD * max(own, surest_own(readings, documents))
    alone = [
        r
        for r in readings
        if not documents[r.passage.document_id].is_across or r.confidence >= least
    ]
    held = (_as_near(r, documents[r.passage.document_id]) for r in alone)
    readings = sorted(held, key=lambda r: (-r.confidence, r.passage.number))
    about = [r for r in readings if not documents[r.passage.document_id].unmet]
    on_subject = _on_the_subject(about, documents)
    is_elsewhere = any(r.confidence >= min_confidence for r in about if r not in on_subject)
    about = on_subject
    sure = [r for r in about if r.confidence >= min_confidence]
    read = [documents[r.passage.document_id] for r in sure]
    most = max((d.coverage for d in read if not d.is_across), default=0.0)
    sure.sort(key=lambda r: -_worth(r, documents[r.passage.document_id], most))
    if not sure:
        return replace(_nothing(readings, about, documents), is_elsewhere=is_elsewhere)
    best = sure[0]
    doubtful = (r for r in about if r not in sure and r.confidence >= MIN_PINNED_CONFIDENCE)
    unsure = [r for r in doubtful if is_of_same_slot(best, r)]
    rivals = _rivals(best, [*sure, *unsure], documents, is_named=is_named)
    if is_named or (rivals and all(_is_one_case(best, r, documents) for r in rivals)):
        return _of_one(best, rivals, documents, asks_state=asks_state)
    others = [r for r in rivals if not same_words(best.words, r.words)]
    if others and documents[best.passage.document_id].is_across and best.confidence < ALONE_ACROSS:
        return replace(_nothing(readings, about, documents), is_elsewhere=True)
    if others:
        return Evidence((best, *others)[:MAX_TOLD], Shortfall.SEVERAL)
    return Evidence((best,))


def surest_own(readings: Sequence[Reading], documents: Mapping[str, ReadDocument]) -> float:
    """Return how surely a document in the question's language that meets its subjects was read."""
    of = [(r.confidence, documents[r.passage.document_id]) for r in readings]
    return max((sure for sure, d in of if not d.is_across and not d.unmet), default=0.0)


def _on_the_subject(
    readings: Sequence[Reading], documents: Mapping[str, ReadDocument]
) -> list[Reading]:
    """Leave out what shares few words with the question where another document shares far more.

    Names that no rule knows for names (the cooling tower's fan) are held against a document so. Not
    against one that goes on from another, which repeats less of it.
    """
    of = [documents[reading.passage.document_id] for reading in readings]
    most = max((d.coverage for d in of if not d.is_across), default=0.0)
    if most < HELD:
        return list(readings)
    return [
        r
        for r, d in zip(readings, of, strict=True)
        if d.is_across or d.coverage >= ANOTHER * most or d.standing != UNMARKED or d.names
    ]


def _as_near(reading: Reading, document: ReadDocument) -> Reading:
    """Return a reading in another language, as sure as its text is near to the question."""
    if not document.is_across or document.farther is None:
        return reading
    odds = reading.confidence / max(1 - reading.confidence, 1e-6)
    odds *= exp(NEARNESS * (NEAR - document.farther))
    return replace(reading, confidence=odds / (1 + odds))


def _is_one_case(one: Reading, other: Reading, documents: Mapping[str, ReadDocument]) -> bool:
    """True where one document goes on from the other: another standing, and it names it."""
    first, second = one.passage.document_id, other.passage.document_id
    of_first, of_second = documents[first], documents[second]
    is_named = second in of_first.names or first in of_second.names
    return is_named and of_first.standing != of_second.standing


def _worth(reading: Reading, document: ReadDocument, most: float) -> float:
    """The confidence of a reading, less where others' documents say more of the question's words.

    A name that no rule knows for one decides so between alike papers.
    """
    share = 1.0
    if most > 0:
        share = ACROSS_SHARE if document.is_across else document.coverage / most
    return reading.confidence * (1 - COVERAGE_SHARE + COVERAGE_SHARE * share)


def _of_one(
    best: Reading,
    rivals: Sequence[Reading],
    documents: Mapping[str, ReadDocument],
    *,
    asks_state: bool,
) -> Evidence:
    """Weigh what several documents say of one incident; the later one first where they differ.

    What calls itself a further report goes before what it goes on from, whatever days they name.
    """

    def of(reading: Reading) -> ReadDocument:
        return documents[reading.passage.document_id]

    def later_first(others: Sequence[Reading]) -> tuple[Reading, ...]:
        told = sorted((best, *others), key=lambda r: (of(r).standing, of(r).dated))
        return tuple(reversed(told))[:MAX_TOLD]

    def disagrees(reading: Reading) -> bool:
        if of(reading).corrects is not of(best).corrects:
            return not same_words(best.words, reading.words)
        is_denied = asks_state and _denies(reading) is not _denies(best)
        return is_denied or contradict(best.words, reading.words)

    against = [r for r in rivals if disagrees(r)]
    if against:
        return Evidence(later_first(against), Shortfall.CONFLICT)
    others = [
        r
        for r in rivals
        if (asks_state or of(r).standing != of(best).standing)
        and not same_words(best.words, r.words)
    ]
    return Evidence(later_first(others))


def _denies(reading: Reading) -> bool:
    return bool(negations_in(normalise(reading.words)))


def _nothing(
    readings: Sequence[Reading], about: Sequence[Reading], documents: Mapping[str, ReadDocument]
) -> Evidence:
    """Say what is missing: words on the subject, or the subject itself."""
    read = {r.passage.document_id for r in readings} or set(documents)
    unmet = min((documents[name].unmet for name in sorted(read)), key=len, default=())
    everywhere = [{s.text for s in documents[name].unmet} for name in read]
    unmet = tuple(s for s in unmet if all(s.text in missing for missing in everywhere))
    if not unmet:
        return Evidence((), Shortfall.NO_ANSWER, nearest=about[0] if about else None)
    nearest = min(readings, key=lambda r: len(documents[r.passage.document_id].unmet), default=None)
    return Evidence((), Shortfall.SUBJECT_UNKNOWN, tuple(s.text for s in unmet), nearest)


def _rivals(
    best: Reading,
    sure: Sequence[Reading],
    documents: Mapping[str, ReadDocument],
    *,
    is_named: bool,
) -> list[Reading]:
    """Return the first reading of each other document, in the same language, that answers as well.

    How well a document in another language answers cannot be compared. A further report of an
    incident that is named, or one that names the best one's document, repeats less of what was
    known; what corrects one is told beside it however unsure either's reading is, and what states
    another value of the same unit in a further report.
    """
    found: dict[str, Reading] = {}
    of_best = documents[best.passage.document_id]
    for reading in sure:
        document_id = reading.passage.document_id
        of_other = documents[document_id]
        if document_id == best.passage.document_id or document_id in found:
            continue
        is_of_one = is_named or _is_one_case(best, reading, documents)
        is_further = is_of_one and of_other.standing != of_best.standing
        is_corrected = is_further and of_other.corrects is not of_best.corrects
        is_near = reading.confidence >= RIVAL * best.confidence or is_corrected
        is_near = is_near or (is_further and is_of_same_slot(best, reading))
        if is_near and (is_further or _is_alike(of_other, of_best)):
            found[document_id] = reading
    return list(found.values())


def _is_alike(one: ReadDocument, best: ReadDocument) -> bool:
    if one.is_across or best.is_across:
        return one.is_across and best.is_across
    return one.coverage >= ALIKE * best.coverage


def names_one(subjects: Sequence[Subject]) -> bool:
    """True when subjects tell one incident from another: more than what kind of thing happened."""
    return any(
        s.kind not in {SubjectKind.EVENT, SubjectKind.NUMBER} and not s.is_background
        for s in subjects
    )
