"""Entries of a log: lines one under another that begin alike, with a time or a day.

Pure functions on plain text. A text is a log where it is called one, where each entry has a number
of its own, or where entries of several days tell of several things. The steps of one happening are
told by the clock as well: under a title of their own, or a heading that says so, nothing is cut.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from itertools import pairwise

from kb_service.domain.facts import Precision
from kb_service.domain.spans import TextSpan
from kb_service.language.dates import RUN_TOGETHER
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.entries import Entry, numbered
from kb_service.language.stated.log_lines import LineKind, LogLine, log_lines
from kb_service.language.stated.moments import Moment, at_clock, clocks_in, moments_in
from kb_service.language.stated.sentences import happenings_in

_LEXICON = shipped_lexicon()
_LOGS, _DIGESTS, _STEPS, _QUIET, _DUTY, _INCIDENT_LOGS = (
    regex("|".join(_LEXICON.patterns("stated", key)))
    for key in (
        "log_heads",
        "digest_heads",
        "step_heads",
        "quiet_entries",
        "duty_entries",
        "incident_logs",
    )
)
_ANY_YEAR = regex(r"(?<!\d)(?:19|20)\d\d(?!\d)")
_MARK_CHARS = 4
_DIGITS, _ANY = regex(r"\d"), 2000
_CLAUSES = [
    regex(
        r"[^\s,.;:!?\uff0c\u3002\uff1b\uff1a\uff01\uff1f]"
        rf"[^\n,;!?\uff0c\u3002\uff1b\uff01\uff1f]{{{least},}}?"
        r"(?=[\n,;!?\uff0c\u3002\uff1b\uff01\uff1f]|\.(?:\s|$)|\Z)"
    )
    for least in (0, 2)
]
_FIRST, _CLAUSE = _CLAUSES
"""A clause of any length, and one of some words."""
_LABEL = regex(r"[^\W\d][\w .]{0,20}[:\uff1a]\s*")
_MAX_CALLED = 80
_LETTER = regex(r"[^\W\d_]")
_BREAK = regex(r"[,.;:()\uff0c\u3002\uff1b\uff1a\uff08\uff09\u201c\u201d\"\u2013\u2014]| - ")
_TITLE_LINES, _MAX_TITLE = 4, 100
_MIN_ENTRIES, _MIN_UNNAMED, _MIN_DAYS = 2, 4, 3
_MIN_TELLING, _MIN_KINDS, _MANY_KINDS, _MIN_SHARE = 3, 2, 3, 0.4
_COVERS, _COVERS_MOST, _MAX_LEAD = 0.4, 0.6, 600
"""What share of a text the entries are: of one that is called a log, and of one that is not."""
_ONE_DAY = timedelta(hours=36)
_AT_ONCE = 28
"""Of so many characters that an entry begins with a time of day is looked for in the first half."""
_GENERIC = 20
"""Between what happens and the word for a log stand so few characters: fire station log."""


@dataclass(frozen=True, slots=True)
class _Told:
    """An entry, when it was, and its words behind that."""

    entry: Entry
    moment: Moment
    words: str


def log_entries(plain: str, year: int | None, title: str = "") -> tuple[Entry, ...] | None:
    """Return the entries of a log in order, quiet ones as well; () where a text is none.

    None where no lines stand one below the other that begin with a time. `title`: what the text is
    called, which may not stand in it.
    """
    title = title.replace("_", " ")
    day = _day_called(title, year)
    year = year or (day.since.year if day else None)
    lines = log_lines(plain, year, day)
    starts = [line for line in lines if line.kind is LineKind.START]
    titles = [title, *(line.span.of(plain).strip() for line in _above(lines))]
    if len(starts) < _MIN_ENTRIES or _is_of_items(plain, titles, lines):
        return None
    under = {line.moment.since.date() for line in starts if line.is_under and line.moment}
    if len(under) == 1:  # a digest of one day
        return None
    found = _entries(plain, lines)
    if len(found) < _MIN_ENTRIES or _are_steps(plain, title, lines):
        return ()
    if not _is_log(plain, titles, found, _share_of_entries(lines)):
        return ()
    entries = numbered(plain, [one.entry for one in found])
    is_of_incidents = any(_INCIDENT_LOGS.search(title) for title in titles[:_TITLE_LINES])
    return tuple(
        replace(
            entry,
            called=_called(plain, one) if is_of_incidents else None,
            is_of_duty=_is_of_duty(one),
        )
        for entry, one in zip(entries, found, strict=True)
    )


def _is_log(plain: str, titles: Sequence[str], found: Sequence[_Told], covered: float) -> bool:
    is_called_one = _is_called_log(titles) and _are_several(found)
    if is_called_one or _have_numbers(plain, found, titles):
        return covered >= _COVERS and not _is_of_one(titles)
    return _is_log_unnamed(titles, found, covered)


def _called(plain: str, one: _Told) -> TextSpan | None:
    """The first words of an entry, by which it calls what happened; None where nothing did."""
    first = _CLAUSE.search(plain, one.entry.span.end - len(one.words), one.entry.span.end)
    if first is None or _is_of_duty(one):
        return None
    end = first.start() + len(first.group().rstrip())
    if end - first.start() > _MAX_CALLED:
        end = plain.rfind(" ", first.start(), first.start() + _MAX_CALLED)
    return TextSpan(first.start(), end) if end > first.start() else None


def _share_of_entries(lines: Sequence[LogLine]) -> float:
    """The share of a text but its titles that entries are."""
    is_entry, entries, others = False, 0, 0
    for line in lines:
        is_entry = line.kind is LineKind.START or (is_entry and line.kind is LineKind.MORE)
        entries += len(line.span) * is_entry
        others += len(line.span) * (line.kind is LineKind.MORE and not is_entry)
    return entries / max(1, entries + others)


def _day_called(title: str, year: int | None) -> Moment | None:
    """The day by which a text is called, of which its times of day are."""
    written = RUN_TOGETHER.sub(r"\g<y>-\g<m>-\g<d>", title)
    days = [one for one in moments_in(written, year) if one.precision is Precision.DAY]
    return days[0] if len(days) == 1 else None


def _above(lines: Sequence[LogLine]) -> list[LogLine]:
    """The lines above the first entry."""
    first = next((n for n, line in enumerate(lines) if line.kind is LineKind.START), 0)
    return list(lines[:first])


def _is_of_items(plain: str, titles: Sequence[str], lines: Sequence[LogLine]) -> bool:
    """True for a list of which more items begin with other words than with a time.

    In a log points without a number may stand under an entry.
    """
    starts = [line for line in lines if line.kind is LineKind.START]
    items = [line for line in lines if LAYOUT.begins_item(line.span.of(plain))]
    others = [line for line in items if line.kind is not LineKind.START]
    if not all(line.is_item for line in starts) or len(others) <= len(starts):
        return False
    is_numbered = any(_DIGITS.search(line.span.of(plain)[:_MARK_CHARS]) for line in others)
    is_log = _is_called_log(titles) and not any(map(_DIGESTS.search, titles))
    is_under = items[0].kind is LineKind.START and not is_numbered
    return not (is_log and is_under and len(starts) >= _MIN_TELLING)


def _entries(plain: str, lines: Sequence[LogLine]) -> tuple[_Told, ...]:
    """Return what has a time and says something, each until another or a title begins."""
    found: list[_Told] = []
    open_line: LogLine | None = None
    end = 0
    for line in [*lines, None]:
        if line is not None and line.kind is LineKind.MORE:
            end = line.span.end
            continue
        if open_line is not None and open_line.moment is not None:
            words = plain[open_line.words : end]
            if _LETTER.search(words):
                found.append(_told(plain, open_line, open_line.moment, end))
        open_line = line if line is not None and line.kind is LineKind.START else None
        end = line.span.end if line is not None else end
    return tuple(found)


def _told(plain: str, line: LogLine, moment: Moment, end: int) -> _Told:
    """An entry of a day is of the time of day that its first words tell: 3 May. At 14:20 a pump"""
    span, place = TextSpan(line.span.start, end), line.place or line.span
    words = plain[line.words : end]
    clock = next(iter(clocks_in(words[:_AT_ONCE])), None)
    if moment.precision is Precision.DAY and clock and clock.start <= _AT_ONCE // 2:
        place = TextSpan(line.words + clock.start, line.words + clock.end)
        moment = at_clock(moment, clock)
    return _Told(Entry(span, place, moment), moment, words)


def _are_steps(plain: str, title: str, lines: Sequence[LogLine]) -> bool:
    """True where a title or a heading over entries says that they are steps, or a programme."""
    titles = [line for line in lines if line.kind is LineKind.HEAD][:_TITLE_LINES]
    over = [one for one, other in pairwise(lines) if _is_over(one, other)]
    heads = [title, *(line.span.of(plain).strip() for line in (*titles, *over))]
    return any(len(head) <= _MAX_TITLE and _STEPS.search(head) for head in heads)


def _is_over(one: LogLine, other: LogLine) -> bool:
    is_first = other.kind in (LineKind.START, LineKind.DAY)
    return is_first and one.kind in (LineKind.HEAD, LineKind.MORE)


def _is_called_log(titles: Sequence[str]) -> bool:
    heads = [title for title in titles[:_TITLE_LINES] if len(title) <= _MAX_TITLE]
    return any(_LOGS.search(title) for title in (*heads, *titles[-1:]))


def _is_of_one(titles: Sequence[str]) -> bool:
    """True where a title says what happened, and is not called a log of such things.

    A log of thefts is one of several; the log of a fire, or of the fire of a day, is of one.
    """
    for title in titles[:_TITLE_LINES]:
        for _, _, end in happenings_in(title):
            log = _LOGS.search(title, end)
            is_generic = log is not None and log.start() - end <= _GENERIC
            if not (is_generic and log and not _BREAK.search(title, end, log.start())):
                return True
    return False


def _have_numbers(plain: str, found: Sequence[_Told], titles: Sequence[str]) -> bool:
    """True where each entry has a number of its own at its head and tells what happened.

    Steps of one happening have not, and stand under what tells of it.
    """
    entries = numbered(plain, [one.entry for one in found])
    told = sum(bool(happenings_in(one.words)) for one in found)
    is_bare = len("\n".join(titles)) <= _MAX_LEAD
    return is_bare and all(one.number for one in entries) and told == len(found)


def _are_several(found: Sequence[_Told]) -> bool:
    """True for entries of some days; of one day where they tell of several things, or of the duty.

    An hour of a log may be all about one thing.
    """
    times = [one.moment.since for one in found]
    if max(times) - min(times) > _ONE_DAY:
        return True
    told = [kinds[0][0] for one in found if (kinds := happenings_in(one.words))]
    return len(set(told)) >= _MIN_KINDS or any(map(_is_of_duty, found))


def _is_of_duty(one: _Told) -> bool:
    """True where an entry, or the whole of its first clause, is of the duty or says nothing was."""
    first = _FIRST.search(one.words)
    clause = first.group().strip() if first else ""
    label = _LABEL.match(clause)
    ways = (clause, clause[label.end() :]) if label else (clause,)
    is_of_it = any(p.fullmatch(way) for p in (_QUIET, _DUTY) for way in ways)
    is_quiet = _QUIET.fullmatch(one.words.strip()) is not None
    return is_quiet or (is_of_it and not happenings_in(clause))


def _is_log_unnamed(titles: Sequence[str], found: Sequence[_Told], covered: float) -> bool:
    """True for entries of several days that tell of several things, under no subject."""
    days = {one.moment.since.date() for one in found}
    lead = "\n".join(titles)
    if len(found) < _MIN_UNNAMED or len(days) < _MIN_DAYS or covered < _COVERS_MOST:
        return False
    if len(lead) > _MAX_LEAD or happenings_in(lead) or _is_numbered(titles):
        return False
    told = [kinds[0][0] for one in found if (kinds := happenings_in(one.words))]
    is_quiet = any(_QUIET.fullmatch(one.words.strip()) for one in found)
    is_of_several = len(told) >= max(_MIN_TELLING, _MIN_SHARE * len(found))
    return (is_of_several and len(set(told)) >= _MANY_KINDS) or (is_quiet and bool(told))


def _is_numbered(titles: Sequence[str]) -> bool:
    """True where a title has a number that is no date: of a case, of a house."""
    return any(_DIGITS.search(_ANY_YEAR.sub("", _undated(title))) for title in titles)


def _undated(title: str) -> str:
    rest = title
    for one in reversed(moments_in(title, _ANY)):
        rest = rest[: one.start] + rest[one.end :]
    return rest
