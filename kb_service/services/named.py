"""What a question names, read once for all who go by it: subjects, and stretches of days.

Knows what a text must speak of to be about the question; searches nothing.
"""

from dataclasses import dataclass
from datetime import date

from kb_service.domain.questions import Question, Subject, SubjectKind
from kb_service.domain.times import TimeWindow
from kb_service.language.asked import parse_question
from kb_service.language.background import background_of
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.days import is_of_other_days, says_month_of, states_day_of
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.mentions import unmentioned
from kb_service.language.messages import message
from kb_service.language.regexes import regex
from kb_service.language.subjects import subjects_in
from kb_service.language.text import normalise
from kb_service.language.time_words import days_in_words, time_windows
from kb_service.services.evidence import names_one

_TIME_LEADS = regex(rf"(?i:{'|'.join(shipped_lexicon().patterns('time_words', 'time_leads'))})\Z")


@dataclass(frozen=True, slots=True)
class NamedTime:
    """Words of a question and the days that they stand for.

    `is_required`: a document has to be of these days. Not so for a time that a subject tells as
    well (a half-year is more than its year), and for one that only tells what is behind a long
    question.
    """

    words: str
    window: TimeWindow
    is_required: bool = True


@dataclass(frozen=True, slots=True)
class Named:
    """What a question names: subjects, and every time that it tells (上周三, last Tuesday)."""

    subjects: tuple[Subject, ...] = ()
    told: tuple[NamedTime, ...] = ()

    @property
    def times(self) -> tuple[NamedTime, ...]:
        """The times that a document has to be of."""
        return tuple(time for time in self.told if time.is_required)

    @property
    def is_one(self) -> bool:
        """True when this tells one incident from another."""
        return bool(self.times) or names_one(self.subjects)

    @property
    def is_narrow(self) -> bool:
        """True when this tells one incident from another by more than a month or a year."""
        days = [time.window for time in self.told if time.window.first == time.window.last]
        long = [time.window.span for time in self.told if time.window not in days]
        others = (s for s in self.subjects if not any(s.span.overlap(span) for span in long))
        return bool(days) or names_one([s for s in others if not _is_year(s)])

    def unmet(self, typed: str, language: str) -> tuple[Subject, ...]:
        """Return what a text does not speak of; a time as a date without forms.

        The first line of the text is its title. `language`: the question's.
        """
        text = normalise(with_dates_in_order(typed))
        outside = (
            Subject(time.words, SubjectKind.DATE, time.window.span, ())
            for time in self.times
            if not (
                states_day_of(text, time.window) or says_month_of(typed, time.words, time.window)
            )
            or is_of_other_days(text.partition("\n")[0], time.window)
        )
        return (*unmentioned(self.subjects, text, language, typed), *outside)


def named_in(question: Question, today: date) -> Named:
    """Return what a question names when it is asked on a day."""
    windows = time_windows(question.text, today)
    subjects = tuple(
        one
        for one in subjects_in(question)
        if not any(_is_of_time(one, window, question.text) for window in windows)
    )
    background = background_of(question.text)
    asked_from = background.end if background else 0

    def is_required(window: TimeWindow) -> bool:
        said = [s.span for s in subjects if window.span.overlap(s.span)]
        says_more = all(len(span) < len(window.span) for span in said)
        return window.span.end > asked_from and says_more

    told = (
        NamedTime(window.span.of(question.text), window, is_required(window)) for window in windows
    )
    return Named(subjects, tuple(told))


def explicit_question(question: Question, named: Named) -> Question:
    """Return a question with the days that its time words mean, where that is one day each.

    Documents write days out; a stretch of days would only bring its first and last one.
    """
    text = question.text
    for window in (time.window for time in reversed(named.times)):
        if window.first == window.last:
            days = days_in_words(window.first, window.last, question.language)
            added = message("in_brackets", question.language, words=days)
            text = text[: window.span.end] + added + text[window.span.end :]
    return question if text == question.text else parse_question(text)


def _is_year(subject: Subject) -> bool:
    return subject.kind is SubjectKind.DATE and all(f.startswith("num:") for f in subject.forms)


def _is_of_time(subject: Subject, window: TimeWindow, typed: str) -> bool:
    """True for what looks like a name and is of words for a time: in Q3, but not alarm Q3."""
    is_name = subject.kind in (SubjectKind.NAME, SubjectKind.IDENTIFIER)
    if not (is_name and window.span.covers(subject.span)):
        return False
    is_longer = len(window.span) > len(subject.span)
    return (
        is_longer
        or not typed[: subject.span.start].strip()
        or bool(_TIME_LEADS.search(typed, 0, subject.span.start))
    )
