"""What the first lines of a document say as titles: kind, status, number, day, service.

Pure functions. Knows no forms and no tables.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import date, datetime, time, timedelta

from kb_service.domain.facts import Fact, FactField, Precision
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import Place, compared, fact, status_of, tight, timed
from kb_service.language.stated.moments import Moment, moments_in
from kb_service.language.stated.plain import Line, line_of
from kb_service.language.stated.sentences import happenings_in, numbers_of
from kb_service.language.stated.sorts import own_numbers

_TITLE_LINES = 3
_MAX_TITLE = 120
_DATED_NAME = regex(
    r"(?<!\d)(?P<y>(?:19|20)\d\d)-?(?P<m>0[1-9]|1[0-2])-?(?P<d>0[1-9]|[12]\d|3[01])[-_ ]+"
    r"(?P<who>[^\W\d](?:[\w .:+-]{0,38}\w))\s*$"
)
"""How a report on an outage is called: its day, and the service that it is about."""
_PAPER_NUMBER = regex(
    rf"^[ \t\u3000]*(?P<words>{'|'.join(shipped_lexicon().patterns('stated', 'paper_numbers'))})"
    r"[ \t\u3000]*$",
    re.MULTILINE,
)
"""The number of a paper in a line of its own at its head."""
_SUBJECT = regex(
    rf"^(?:{any_of(shipped_lexicon().listed('stated', 'mail_subjects'))})[ \t]*[:\uff1a][ \t]*"
    r"(?P<words>\S[^\n]{0,119})",
    re.MULTILINE,
)
_HEAD_CHARS = 400
_NAMED = regex("|".join(shipped_lexicon().patterns("stated", "named_reports")))
_SERVICE = "service"
_DAYS = tuple(map(regex, shipped_lexicon().patterns("stated", "named_days")))
_SUBJECTS = tuple(map(regex, shipped_lexicon().patterns("stated", "title_subjects")))
_GENRES = regex(rf"\s*(?:{'|'.join(shipped_lexicon().patterns('stated', 'genres'))})")
"""What stands behind a kind that calls a sort of paper or an office: 快报, brigade.

Such a paper tells of other kinds as well.
"""
_BELOW = 2000
_FALLBACK = 0.3
"""By so much less sure is a place that a title names before what happened than what a text says."""
_EDGES = " \t\u3000,\uff0c\u3001\"'\u201c\u201d\u2018\u2019\u300c"
_MIN_SUBJECT = 3
_LATER = timedelta(days=31)
"""By so much later than the last day of a text, a day without a year is of the year before."""


def title_facts(
    marked: MarkedText, folded: str, taken: Sequence[TextSpan], at: Place
) -> Iterator[Fact]:
    """Yield what the first lines say that are no fields and no rows. `taken`: these, in order."""
    subject = _SUBJECT.search(folded, 0, _HEAD_CHARS)
    if subject:
        yield from _line_facts(line_of(marked.text, folded, TextSpan(*subject.span("words"))), at)
    paper = _PAPER_NUMBER.search(folded, 0, _HEAD_CHARS)
    if paper:
        span = TextSpan(*paper.span("words"))
        yield fact(FactField.NUMBER, span.of(marked.text), span, at, tight(paper["words"]))
    for unit in marked.units[:_TITLE_LINES]:
        is_field = any(unit.span.overlap(span) for span in taken[:100])
        if is_field or len(unit.span) > _MAX_TITLE:
            continue
        below = folded[unit.span.end : unit.span.end + _BELOW]
        yield from _line_facts(line_of(marked.text, folded, unit.span), at, below)


def _line_facts(line: Line, at: Place, below: str = "") -> Iterator[Fact]:
    """A title of one line: kind, status, number and day. `below`: the text under it."""
    whole = line.span(0, len(line.plain))
    status = status_of(line.plain)
    if status:
        yield fact(FactField.STATUS, line.value(whole), whole, at, status)
    kinds = happenings_in(line.plain)
    if kinds:
        kind, start, end = kinds[0]
        span = line.span(start, end)
        told = {one for one, _, _ in happenings_in(below)}
        is_of_paper = told and kind not in told and _GENRES.match(line.plain, end)
        less = replace(at, confidence=at.confidence - _FALLBACK) if is_of_paper else at
        yield fact(FactField.KIND, line.value(span), span, less, kind)
        yield from _subject(line, start, at)
    yield from named_days(line, at)
    dated = _DATED_NAME.search(line.plain)
    day = next(iter(moments_in("-".join(dated.group("y", "m", "d")))), None) if dated else None
    if dated and day and _NAMED.search(line.plain, 0, dated.start()):
        span = line.span(dated.start("y"), dated.end("d"))
        yield timed(FactField.TIME, line.value(span), span, at, day)
        span = line.span(*dated.span("who"))
        text, role = compared(dated["who"]), _SERVICE
        yield fact(FactField.ORGANISATION, line.value(span), span, at, text, role=role)
        whole = line.span(dated.start("y"), dated.end("who"))
        yield fact(FactField.NUMBER, line.value(whole), whole, at, tight(dated.group().strip()))
        return
    named = list(numbers_of(line, at))
    yield from named
    if not named:
        for match in list(own_numbers(line.plain))[:1]:
            span = line.span(*match.span())
            yield fact(FactField.NUMBER, line.value(span), span, at, tight(match.group()))


def named_days(line: Line, at: Place) -> Iterator[Fact]:
    """Yield the day by which an incident is called: the "3.18" fire."""
    for match in (m for pattern in _DAYS for m in pattern.finditer(line.plain)):
        day = _day_of(int(match["month"]), int(match["day"]), at)
        if day:
            since = datetime.combine(day, time())
            inner = match.start("month"), match.end("day")
            moment = Moment(*inner, since, since + timedelta(days=1), Precision.DAY)
            span = line.span(*inner)
            yield timed(FactField.TIME, line.value(span), span, at, moment)
            return


def _day_of(month: int, day: int, at: Place) -> date | None:
    """Return a day of the year of its text, or of the one before where it would lie ahead."""
    try:
        found = date(at.year or 0, month, day)
    except ValueError:
        return None
    last = at.days.last() if at.days else None
    is_ahead = last is not None and found > last + _LATER
    return found.replace(year=found.year - 1) if is_ahead else found


def _subject(line: Line, end: int, at: Place) -> Iterator[Fact]:
    """Yield what a title names between its lead and what happened there: a place or a company."""
    match = next(
        (m for p in _SUBJECTS if (m := p.search(line.plain)) and m.start("words") < end), None
    )
    if match is None:
        return
    days = [m.span() for p in _DAYS for m in p.finditer(line.plain, 0, end)]
    days += [(m.start, m.end) for m in moments_in(line.plain[:end], at.year)]
    start = match.start("words")
    for first, last in sorted(days):
        if first <= start + 1:
            start = max(start, last)
        else:
            end = min(end, first)
    words = line.plain[start:end]
    start += len(words) - len(words.lstrip(_EDGES))
    words = words.strip(_EDGES)
    if len(words) >= _MIN_SUBJECT:
        span = line.span(start, start + len(words))
        less = replace(at, confidence=at.confidence - _FALLBACK)
        yield fact(FactField.PLACE, line.value(span), span, less, compared(words))
