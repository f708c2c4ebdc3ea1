"""A question in a conversation as a full question, which everything after gets and the user sees.

A pure rule, no model: what the question before and the documents of its answer were about is
carried when the new question names nothing itself. Knows no storage.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date

from kb_service.domain.answers import Answer
from kb_service.domain.queries import Filters
from kb_service.domain.questions import Question, QuestionKind, Subject, SubjectKind
from kb_service.domain.record_queries import RecordQuery
from kb_service.language.asked import parse_question
from kb_service.language.events import event_kinds, speaks_of_event
from kb_service.language.follow_ups import (
    bare_number,
    joined,
    only_names,
    points_back,
    stands_alone,
    told_person,
    with_person,
    without_lead,
)
from kb_service.language.kinds import bare_question, kind_of
from kb_service.language.messages import message
from kb_service.language.numbered import is_numbered, renumbered
from kb_service.language.subjects import subjects_in
from kb_service.language.tables import filters_in_words
from kb_service.language.text import normalise
from kb_service.language.time_words import time_windows

MAX_TITLE_CHARS = 80
"""A longer title is no name that one would put into a question."""

_TIMES = frozenset({SubjectKind.DATE})
_NO_NAMES = frozenset({SubjectKind.NUMBER, SubjectKind.EVENT})
_ANY_DAY = date(2000, 1, 1)
"""Where words for a time stand does not depend on the day."""
_OVER_MANY = frozenset({QuestionKind.COUNT, QuestionKind.LIST_DOCUMENTS, QuestionKind.COMPARISON})


@dataclass(frozen=True, slots=True)
class CitedDocument:
    """A document that the answer before quoted."""

    id: str
    title: str


@dataclass(frozen=True, slots=True)
class Carried:
    """What a question may go on from: the full question before it, and what its answer quoted.

    `person`: the name that was asked for and answered; empty where it was none. `filters`: of an
    answer over many records, whatever documents they stand in; None of any other. `query`: all that
    was asked of them.
    """

    question: Question
    documents: tuple[CitedDocument, ...] = ()
    person: str = ""
    filters: Filters | None = None
    query: RecordQuery | None = None

    @property
    def within(self) -> Filters | None:
        """What a total is of that goes on from it: what was counted, or the one document."""
        if self.filters is not None:
            return None if self.filters.is_empty else self.filters
        if len(self.documents) != 1:
            return None
        return Filters(document_ids=(self.documents[0].id,))


@dataclass(frozen=True, slots=True)
class Rewritten:
    """The question to answer; with nothing `carried` it is the one that was typed.

    `about`: what was added, in words for the user. `carried`: its words that come from the
    conversation. `documents`: those that these come from. `within`: as of Carried.
    """

    question: Question
    about: str | None = None
    carried: tuple[str, ...] = ()
    documents: tuple[str, ...] = ()
    within: Filters | None = None


def rewrite(question: Question, previous: Carried | None) -> Rewritten:
    """Return the question with what it leaves out; as it is when it names its own subject."""
    kind = kind_of(question)
    if previous is None or kind is QuestionKind.SMALL_TALK:
        return Rewritten(question)
    own = subjects_in(question)
    named = _with_times(question, own)
    if only_names(question, named):
        return _in_its_place(question, named, previous.question)
    if number := bare_number(question.normalised):
        things = [s for s in subjects_in(previous.question) if is_numbered(normalise(s.text))]
        if len(things) == 1:
            return _renumbered(question, previous.question, things[0], number)
    subject = _carried_subject(previous, question.language)
    is_other = asks_of_another(question, previous.question)
    if not subject or is_other or _is_its_own(question, own, kind, previous):
        return Rewritten(question)
    asked = without_lead(question.text)
    told = with_person(asked, previous.person)
    text = message("asked_about", question.language, subject=subject, question=told)
    return Rewritten(
        _spoken(text, question),
        message("about_it", question.language, subject=subject),
        (subject,) if told == asked else (subject, previous.person),
        tuple(document.id for document in previous.documents),
        previous.within,
    )


def _spoken(text: str, typed: Question) -> Question:
    """Return the question of a text, asked in the language that was typed, whatever it names."""
    return replace(parse_question(text), language=typed.language)


def _with_times(question: Question, own: Sequence[Subject]) -> tuple[Subject, ...]:
    """The subjects of a question and the times that it tells by what is now: last year."""
    told = [
        Subject(window.span.of(question.text), SubjectKind.DATE, window.span, ())
        for window in time_windows(question.text, _ANY_DAY)
        if not any(window.span.overlap(one.span) for one in own)
    ]
    return tuple(sorted((*own, *told), key=lambda one: one.span))


def asks_of_another(question: Question, previous: Question) -> bool:
    """True for the question before with other words in one place: what it asks of is said anew."""
    new, old = question.normalised.split(), previous.normalised.split()
    same_front = _shared(new, old)
    same_back = _shared(new[same_front:][::-1], old[same_front:][::-1])
    num_new = len(new) - same_front - same_back
    num_old = len(old) - same_front - same_back
    return min(num_new, num_old) > 0 and same_front + same_back > num_new + num_old


def _shared(one: Sequence[str], other: Sequence[str]) -> int:
    """The number of words that two questions begin with alike."""
    pairs = zip(one, other, strict=False)
    return next((n for n, (a, b) in enumerate(pairs) if a != b), min(len(one), len(other)))


def is_elsewhere(previous: Carried, filters: Filters) -> bool:
    """True where only documents are asked that the answer before did not quote."""
    quoted = {document.id for document in previous.documents}
    asked = filters.document_ids
    return bool(asked and quoted) and quoted.isdisjoint(asked)


def carried_from(answer: Answer) -> Carried:
    """Return what goes on from a stored answer."""
    cited = {c.document_id: CitedDocument(c.document_id, c.title) for c in answer.citations}
    question = parse_question(answer.understood.question)
    lit = answer.highlight.of(answer.answer) if answer.highlight else ""
    person = told_person(question.normalised, lit)
    query = answer.tabled.query if answer.tabled else None
    filters = query.filters if query else None
    return Carried(question, tuple(cited.values()), person, filters, query)


def carried_through(asked: Iterable[str]) -> Carried | None:
    """Return what goes on from questions without stored answers, each read after the one before."""
    previous: Carried | None = None
    for text in asked:
        question = rewrite(parse_question(text), previous).question
        if kind_of(question) is not QuestionKind.SMALL_TALK:
            previous = Carried(question)
    return previous


def _is_its_own(
    question: Question, own: Sequence[Subject], kind: QuestionKind, previous: Carried
) -> bool:
    """True for a question that is not about what was asked before."""
    if any(subject.kind not in _NO_NAMES | _TIMES for subject in own):
        return True
    if points_back(question.normalised):
        return False
    asked = bare_question(question.normalised)
    has_time = any(subject.kind in _TIMES for subject in own)
    return has_time or kind in _OVER_MANY or stands_alone(asked) or _is_other_event(own, previous)


def _is_other_event(own: Sequence[Subject], previous: Carried) -> bool:
    """True when a question speaks of a kind of happening that was not asked about."""
    kinds = {form for s in own if s.kind is SubjectKind.EVENT for form in s.forms}
    before = " ".join([previous.question.text, *(d.title for d in previous.documents)])
    known = normalise(before)
    return any(not speaks_of_event(known, kind) for kind in kinds) and bool(event_kinds(known))


def _carried_subject(previous: Carried, language: str) -> str:
    """Return what the question before was about, in the shortest words that tell it.

    The number of the one document that was quoted, what the question named, or that one's title:
    that goes first where only a kind of happening was named, which others are of too.
    """
    is_one = len(previous.documents) == 1 and previous.filters is None
    title = previous.documents[0].title if is_one else ""
    numbers = _identifiers(parse_question(title)) if title else []
    named = [s for s in subjects_in(previous.question) if s.kind is not SubjectKind.NUMBER]
    numbers = numbers or _identifiers(previous.question)
    if numbers:
        return numbers[0].text
    is_open = all(s.kind is SubjectKind.EVENT for s in named) and previous.filters is None
    if title and is_open and len(title) <= MAX_TITLE_CHARS:
        return title
    if named:
        return joined(previous.question.text, named, language)
    if previous.filters is not None:
        return message("comma", language).join(filters_in_words(previous.filters, language))
    return title if len(title) <= MAX_TITLE_CHARS else ""


def _identifiers(question: Question) -> list[Subject]:
    return [s for s in subjects_in(question) if s.kind is SubjectKind.IDENTIFIER]


def _in_its_place(question: Question, own: Sequence[Subject], before: Question) -> Rewritten:
    """Return the question before with another subject: "and in Lisbon?" after one about Seward."""
    text = before.text
    for subject in own:
        text = _with(text, subject, question.language)
    words = joined(question.text, own, question.language)
    about = message("about_it", question.language, subject=words)
    full = _spoken(text, question)
    named = (subject.text for subject in subjects_in(full))
    carried = tuple(name for name in named if name not in question.text)
    return Rewritten(full, about, carried or (before.text,))


def _renumbered(question: Question, before: Question, thing: Subject, number: str) -> Rewritten:
    """Return the question before of another number of its series: "and no. 6?" after crane 5."""
    name = renumbered(thing.text, number)
    text = f"{before.text[: thing.span.start]}{name}{before.text[thing.span.end :]}"
    full = _spoken(text, question)
    carried = tuple(s.text for s in subjects_in(full) if s.text in before.text)
    about = message("about_it", question.language, subject=name)
    return Rewritten(full, about, carried or (before.text,))


def _with(text: str, subject: Subject, language: str) -> str:
    """Return a question with a subject where it had one of the same sort, else with it in front."""
    asked = parse_question(text)
    there = _with_times(asked, subjects_in(asked))
    same = [one for one in there if one.kind is subject.kind]
    is_time = subject.kind in _TIMES
    alike = [one for one in there if (one.kind in _TIMES) is is_time and one.kind not in _NO_NAMES]
    taken = next(iter(same or ([] if subject.kind in _NO_NAMES else alike)), None)
    if taken is None:
        return message("asked_about", language, subject=subject.text, question=text)
    return f"{text[: taken.span.start]}{subject.text}{text[taken.span.end :]}"
