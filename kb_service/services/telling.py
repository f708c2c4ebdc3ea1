"""What is said for what was found: Plan, its sayings, status and reason. Decides, writes nothing.

Knows the kinds of questions and the outcomes of weighing; the words are the languages' own.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from kb_service.domain.answers import AnswerStatus, Generation
from kb_service.domain.chats import Usage
from kb_service.domain.ports import PassageReader
from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question, QuestionKind
from kb_service.domain.reading import Reading
from kb_service.domain.spans import TextSpan
from kb_service.language.follow_ups import points_back
from kb_service.language.kinds import asks_what_happened, counts_what_is_asked
from kb_service.language.messages import message
from kb_service.language.quantities import held, units_named
from kb_service.language.text import normalise
from kb_service.services.assembly import RevisionTexts
from kb_service.services.comparing import bare
from kb_service.services.evidence import Shortfall
from kb_service.services.finding import Finding
from kb_service.services.opening import gist_of
from kb_service.services.turns import Draft, Turn
from kb_service.services.writing import GroundedWriter

KNOWLEDGE_BASE_EMPTY = "knowledge_base_empty"
GREETING, PART_MISSING = "greeting", "part_missing"
CANNOT_COUNT, CANNOT_SUMMARISE = "cannot_count", "cannot_summarise"

ACROSS = frozenset((QuestionKind.COUNT, QuestionKind.LIST_DOCUMENTS, QuestionKind.COMPARISON))
"""Questions over many documents: a single quotation answers them only when it says so outright."""

OUTRIGHT = 0.6
"""The confidence of a reading that answers such a question, as a paper of statistics does."""

MAX_NAMED = 5
MIN_TITLE = 4
"""A shorter title may stand in a question without being meant."""


@dataclass(frozen=True, slots=True)
class Saying:
    """A stretch of the answer: `text` of ours, then what the generator makes of the readings."""

    text: str = ""
    readings: tuple[Reading, ...] = ()
    asks: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """What is to be written. `status`: None when it depends on what comes of it.

    `reason`: why the answer is refused or less than whole. `missing`: words of the question that no
    document meets. `nearest`: numbers of the passages that come nearest to what was not found.
    `opened`: a passage that no search found and that is quoted too.
    """

    sayings: tuple[Saying, ...]
    status: AnswerStatus | None = None
    reason: str | None = None
    missing: tuple[str, ...] = ()
    nearest: tuple[int, ...] = ()
    opened: Passage | None = None


def plan_answer(
    turn: Turn,
    findings: Sequence[Finding],
    texts: RevisionTexts,
    reader: PassageReader,
    *,
    writes: bool,
) -> Plan:
    """Return what to say. `writes`: the generator writes words of its own, and may sum up."""
    language = turn.question.language
    if turn.kind is QuestionKind.SMALL_TALK:
        return _said(message("greeting", language), AnswerStatus.ANSWERED, GREETING)
    if not findings:
        text = message("base_empty", language)
        return _said(text, AnswerStatus.REFUSED, KNOWLEDGE_BASE_EMPTY)
    if len(findings) > 1:
        return _in_parts(findings, [part.shown for part in turn.parts], language)
    (found,) = findings
    if turn.kind in ACROSS and not says_outright(found, turn.question):
        return _cannot(CANNOT_COUNT, found, language)
    if _wants_gist(turn, found) and not writes:
        return _gist(turn, found, texts, reader)
    return _told(found, language, writes=writes)


def _wants_gist(turn: Turn, found: Finding) -> bool:
    if turn.kind in {QuestionKind.SUMMARY, QuestionKind.ABOUT_DOCUMENT}:
        return True
    told = max((reading.confidence for reading in found.evidence.readings), default=0.0)
    is_unsaid = told < OUTRIGHT and found.evidence.shortfall in {None, Shortfall.NO_ANSWER}
    return is_unsaid and asks_what_happened(turn.question) and _meant(turn, found) is not None


def _said(text: str, status: AnswerStatus, reason: str) -> Plan:
    return Plan((Saying(text),), status, reason)


def says_outright(found: Finding, question: Question) -> bool:
    """True when a reading is sure, and counts what the question counts."""
    return any(
        reading.confidence >= OUTRIGHT and counts_what_is_asked(question, _with_counter(reading))
        for reading in found.evidence.readings
    )


def _with_counter(reading: Reading) -> str:
    """The words of a reading and the word behind them, which may be its counter."""
    end = reading.span.end + 2
    return reading.passage.text[reading.span.start : end]


def _cannot(reason: str, found: Finding, language: str) -> Plan:
    """Say what cannot be done, and which documents speak of it."""
    text = message(reason, language, documents=titles_of([found]))
    return cannot(reason, text, [found])


def titles_of(findings: Iterable[Finding]) -> str:
    """Return the titles of the documents found, a line each."""
    return "\n".join(f"- {title}" for title in _titles(p for f in findings for p in f.passages))


def cannot(
    reason: str, text: str, findings: Iterable[Finding], missing: tuple[str, ...] = ()
) -> Plan:
    """Return a refusal in those words; what was found comes nearest."""
    nearest = _numbers(passage for found in findings for passage in found.passages)
    return Plan((Saying(text),), AnswerStatus.REFUSED, reason, missing, nearest)


def unknown_subject(found: Finding, language: str) -> Plan | None:
    """Return the refusal of a question whose subject no document names, None where one does."""
    is_unknown = found.evidence.shortfall is Shortfall.SUBJECT_UNKNOWN
    return _unknown(found, language) if is_unknown else None


def _gist(turn: Turn, found: Finding, texts: RevisionTexts, reader: PassageReader) -> Plan:
    """Quote what the document that is meant says in short."""
    language = turn.question.language
    meant = _meant(turn, found)
    gist = gist_of(meant, texts, reader, len(turn.passages) + 1) if meant else ()
    if meant is None or not gist:
        return _cannot(CANNOT_SUMMARISE, found, language)
    lead = message("gist" if len(gist) > 1 else "opens", language, title=meant.title)
    sayings = (Saying(lead), Saying("", gist, asks=True))
    return Plan(sayings, None, CANNOT_SUMMARISE, opened=gist[0].passage)


def _meant(turn: Turn, found: Finding) -> Passage | None:
    """The passage whose document is asked for; None when that is none in particular."""
    if not found.passages:
        return None
    asked = bare(turn.question.text)
    titled = (p for p in found.passages if bare(p.title) in asked)
    named = max(titled, key=lambda p: len(p.title), default=None)
    if named is not None and len(named.title) >= MIN_TITLE:
        return named
    documents = {passage.document_id for passage in found.passages}
    is_one = len(documents) == 1 or bool(turn.pinned) or bool(turn.named.subjects)
    if found.evidence.shortfall is Shortfall.SUBJECT_UNKNOWN:
        return None
    if turn.named.times and found.evidence.readings:
        return found.evidence.readings[0].passage  # of those days, as not all that was found is
    return found.passages[0] if is_one else None


def _told(found: Finding, language: str, *, writes: bool) -> Plan:
    evidence = found.evidence
    if evidence.shortfall is Shortfall.SUBJECT_UNKNOWN:
        return _unknown(found, language)
    if evidence.is_empty and not (writes and found.passages):
        text = message("not_stated", language)
        nearest = _numbers([evidence.nearest.passage] if evidence.nearest else found.passages)
        return Plan(
            (Saying(text),), AnswerStatus.REFUSED, Shortfall.NO_ANSWER.value, nearest=nearest
        )
    if evidence.shortfall in {Shortfall.SEVERAL, Shortfall.CONFLICT} and not writes:
        return Plan(_each(found, language), None, evidence.shortfall.value)
    shortfall = evidence.shortfall if not evidence.is_empty else None
    quoted = Saying("", evidence.readings, asks=True)
    return Plan((quoted,), None, shortfall.value if shortfall else None)


def _unknown(found: Finding, language: str) -> Plan:
    evidence = found.evidence
    words = message("and", language).join(evidence.missing)
    nearest = evidence.nearest.passage if evidence.nearest else None
    text = message("subject_unknown", language, missing=words)
    if nearest:
        text += message("nearest", language, title=nearest.title)
    return Plan(
        (Saying(text),),
        AnswerStatus.REFUSED,
        Shortfall.SUBJECT_UNKNOWN.value,
        evidence.missing,
        _numbers([nearest] if nearest else found.passages),
    )


def _each(found: Finding, language: str) -> tuple[Saying, ...]:
    """Each reading behind the name of its document."""
    evidence = found.evidence
    sayings = [Saying(message(str(evidence.shortfall), language))]
    for reading in evidence.readings:
        name = message("of_document", language, title=reading.passage.title)
        sayings += [Saying(f"\n{name}"), Saying("", (reading,), asks=True)]
    return tuple(sayings)


def _in_parts(findings: Sequence[Finding], parts: Sequence[str], language: str) -> Plan:
    """Answer part by part, and name the part that nothing answers. `parts`: as they are told."""
    told = list(zip(findings, parts, strict=True))
    told = told[:1] + [(found, part) for found, part in told[1:] if not _is_told(part, findings[0])]
    missing = tuple(part for found, part in told if found.evidence.is_empty)
    if len(missing) == len(told):
        return Plan(
            (Saying(message("not_stated", language)),),
            AnswerStatus.REFUSED,
            Shortfall.NO_ANSWER.value,
            missing,
            _numbers([p for found in findings for p in found.passages[:1]]),
        )
    sayings: list[Saying] = []
    quoted: set[tuple[int, TextSpan]] = set()
    for found, part in told:
        units = _units_of(found)
        if units and units <= quoted and not found.evidence.shortfall:
            continue  # one sentence or row answers both parts
        quoted |= units
        sayings += [Saying("\n")] if sayings else []
        sayings += _part(found, part, language)
    shortfalls = (found.evidence.shortfall for found in findings if not found.evidence.is_empty)
    less = next((shortfall.value for shortfall in shortfalls if shortfall), None)
    return Plan(tuple(sayings), None, PART_MISSING if missing else less, missing)


def _is_told(part: str, first: Finding) -> bool:
    """True where what is quoted for the first part states the amount that one asks of the same.

    "What came of it, how many days was he off?": who is meant by "he" stands there alone.
    """
    asked = normalise(part)
    if not points_back(asked):
        return False
    texts = {reading.passage.number: reading.passage.text for reading in first.evidence.readings}
    units = {unit for _, unit in units_named(held(asked)[0])}
    told = (held(normalise(span.of(texts[number])))[1] for number, span in _units_of(first))
    return any(quantity.unit in units for quantities in told for quantity in quantities)


def _units_of(found: Finding) -> set[tuple[int, TextSpan]]:
    """Where the sentences, fields and rows stand that its readings lie in."""
    return {
        (reading.passage.number, unit.span)
        for reading in found.evidence.readings
        for unit in reading.passage.units
        if unit.span.overlap(reading.span)
    }


def _part(found: Finding, part: str, language: str) -> tuple[Saying, ...]:
    """What is said for one part; where several documents fit, each of them."""
    if found.evidence.is_empty:
        return (Saying(message("part_missing", language, part=part)),)
    if found.evidence.shortfall:
        return _each(found, language)
    return (Saying("", found.evidence.readings, asks=True),)


def to_draft(
    plan: Plan,
    writer: GroundedWriter,
    generation: Generation | None,
    highlight: TextSpan | None,
) -> Draft:
    """Return what was written with its status: the writer's, less than whole where planned so."""
    status, reason = plan.status, plan.reason
    if status is None and generation is not None:
        status, reason = writer.verdict(generation)
        if status is AnswerStatus.ANSWERED and plan.reason:
            status, reason = AnswerStatus.PARTIAL, plan.reason
    return Draft(
        status or AnswerStatus.REFUSED,
        reason,
        writer.text,
        tuple(writer.citations),
        generation or Generation("", Usage()),
        highlight,
        plan.missing,
        plan.nearest,
    )


def _titles(passages: Iterable[Passage]) -> list[str]:
    return list({passage.document_id: passage.title for passage in passages}.values())[:MAX_NAMED]


def _numbers(passages: Iterable[Passage]) -> tuple[int, ...]:
    return tuple(passage.number for passage in passages)
