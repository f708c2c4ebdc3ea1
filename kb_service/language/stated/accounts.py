"""Whether a record tells of something that happened, though no word names a kind of happening.

Pure functions. By structure: prose or cells of running words on a day that is stated, without the
heads and the duties of other papers; and by meaning, which is handed in (`Telling`): how much
nearer a text is to an account of a happening than to papers of other sorts. Knows no trades.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from kb_service.domain.facts import (
    COUNTS_OF_PEOPLE,
    DOCUMENT_RECORD,
    HAPPENED,
    STANDARD_FIELDS,
    Fact,
    FactField,
    FactMethod,
    Precision,
    name_an_incident,
)
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, UnitKind
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.lexicon import CJK, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import Place, timed
from kb_service.language.stated.moments import Moment, moments_in
from kb_service.language.stated.plain import plain
from kb_service.language.stated.years import Years

Telling = Callable[[str], float]
"""How much nearer a text is to accounts of happenings than to other papers: a margin of cosines."""

MAX_SENSED = 700
"""Characters at the head of a text whose meaning is asked for."""
MIN_MARGIN, MIN_ROW_MARGIN = -0.004, -0.01
"""Of prose and of rows, which have their own structure beside: set on made-up bases."""
_OPENING = 240
"""In so many characters at its head an account says when it happened."""
_LOOKED_AT, _NEAR, _MOST_NEAR = 4000, timedelta(days=366), 0.75
"""Characters at the head of a text of which so many times are near to that day: no history."""
_TITLE_LINES, _MAX_TITLE = 2, 80
_MIN_SENTENCES, _MIN_TOLD, _MOST_DUTIES = 2, 0.4, 0.4
_MIN_WORDS, _MIN_CJK = 4, 5
"""Of a cell that tells something, and names nobody and nothing only."""
_MIN_ROWS = 0.6
"""Of rows with a day so many tell something, or none does."""
_ROUGH = (Precision.YEAR, Precision.MONTH)
_CLOCKS = (Precision.HOUR, Precision.MINUTE, Precision.SECOND)
_CONFIDENCE = 0.5
_LEXICON = shipped_lexicon()
_OTHER_PAPERS, _DUTIES, _TOLD = (
    regex("|".join(_LEXICON.patterns("stated", key)))
    for key in ("other_papers", "duties", "told_marks")
)
_BREAK = regex(r"[.!?](?=\s)|[\u3002\uff01\uff1f\uff1b;\n]")
_IN_CJK, _WORD = regex(f"[{CJK}]"), regex(r"[^\W\d_]{2,}")
_ENDS = regex(r"[.!?\u3002\uff01\uff1f\uff1b;][\"'\u201d\u2019)\uff09\s]*$")


def told_by_account(
    marked: MarkedText,
    title: str,
    own: Sequence[Fact],
    years: Years,
    telling: Telling | None,
) -> list[Fact]:
    """Return what a document states, with the time of what it gives an account of marked as such.

    Only of one that is known by no kind and no number. Kinds of which a paper of another sort
    speaks, as a plan of fires, are no happenings of its own. Where no time is stated as that of a
    happening, it is the first day of the opening; where the text names no year, only a day that a
    sentence tells: one in a title may be that of signing. `years`: of days that say none.
    """
    called = _called_otherwise(marked, title)
    facts = [
        item
        for item in own
        if called is None or not _is_spoken_of(item, called) or _is_told(item, own, marked.text)
    ]
    if called is not None and not any(item.field == FactField.KIND for item in facts):
        return [_of_paper(item, called.of(marked.text) or title) for item in facts]
    if telling is None or _is_known(facts) or called is not None:
        return facts
    folded = with_dates_in_order(plain(marked.text))
    told = moments_in(folded[:_LOOKED_AT], years.of_records)
    days = [m for m in told if m.precision not in _ROUGH and m.start < _OPENING]
    if years.taken:
        days = [day for day in days if _is_in_sentence(day, marked, folded)]
    labelled = [one for one in _times(facts) if one.method is FactMethod.FORM]
    first = next((one.time_from for one in labelled), None) or (days[0].since if days else None)
    if first is None or not _is_of_one_time(told, first) or not _is_account(marked, folded):
        return facts
    if telling(marked.text[:MAX_SENSED]) < MIN_MARGIN:
        return facts
    return _marked_time(facts) or [*facts, _of_day(marked.text, days[0], years.of_records)]


def told_in_rows(text: str, found: Sequence[Fact], telling: Telling | None) -> list[Fact]:
    """Return what rows state, with the time of each that tells something marked as such."""
    facts = list(found)
    records: dict[int, list[Fact]] = {}
    for item in facts:
        records.setdefault(item.record, []).append(item)
    open_ = [told for told in records.values() if not _is_known(told) and _times(told)]
    telling_rows = [told for told in open_ if any(map(_tells, told))]
    if telling is None or not open_ or len(telling_rows) < _MIN_ROWS * len(open_):
        return facts
    if telling(text[:MAX_SENSED]) < MIN_ROW_MARGIN:
        return facts
    changed = {id(old): new for told in telling_rows for old, new in _with_mark(told)}
    return [changed.get(id(item), item) for item in facts]


def is_called_otherwise(title: str) -> bool:
    """True for a title of which the head noun is a paper of another sort: minutes, 管理规定."""
    return len(title) <= _MAX_TITLE and _OTHER_PAPERS.search(plain(title)) is not None


def _called_otherwise(marked: MarkedText, title: str) -> TextSpan | None:
    """Return the line that calls a paper one of another sort, an empty one for what it is called.

    None where nothing does.
    """
    for unit in marked.units[:_TITLE_LINES]:
        if is_called_otherwise(unit.span.of(marked.text)):
            return unit.span
    return TextSpan(0, 0) if is_called_otherwise(title) else None


def _of_paper(item: Fact, called: str) -> Fact:
    """A number of minutes or of a notice numbers that paper, and no incident."""
    is_own = item.field == FactField.NUMBER and not item.role
    return replace(item, role=called.strip()) if is_own else item


def _is_spoken_of(item: Fact, called: TextSpan) -> bool:
    """True for a kind that stands under no label and not in the line that calls the paper so."""
    is_in_words = item.method in (FactMethod.TITLE, FactMethod.SENTENCE)
    return item.field == FactField.KIND and is_in_words and item.span.overlap(called) is None


def _is_told(kind: Fact, own: Sequence[Fact], text: str) -> bool:
    """True for a kind of which its sentence says at what time of which day, or who came to harm."""

    def is_beside(item: Fact) -> bool:
        first, last = sorted((kind.span, item.span), key=lambda span: span.start)
        return _BREAK.search(text[first.end : last.start]) is None

    return any(
        item.method is FactMethod.SENTENCE
        and (item.field in COUNTS_OF_PEOPLE or (_is_dated(item) and item.precision in _CLOCKS))
        and is_beside(item)
        for item in own
    )


def _is_known(facts: Sequence[Fact]) -> bool:
    is_dated = any(item.field == FactField.TIME and _is_dated(item) for item in facts)
    return is_dated and name_an_incident(facts)


def _is_of_one_time(told: Sequence[Moment], day: datetime) -> bool:
    near = sum(abs(moment.since - day) <= _NEAR for moment in told)
    return near >= _MOST_NEAR * len(told)


def _is_account(marked: MarkedText, folded: str) -> bool:
    """True for prose that tells what was, and hardly what is to be done."""
    told = [one for one in _sentences(marked, folded) if _ENDS.search(one)]
    if len(told) < _MIN_SENTENCES:
        return False
    duties = sum(_DUTIES.search(one) is not None for one in told)
    past = sum(_TOLD.search(one) is not None for one in told)
    return duties <= _MOST_DUTIES * len(told) and past >= _MIN_TOLD * len(told)


def _is_in_sentence(day: Moment, marked: MarkedText, folded: str) -> bool:
    within = (one.span for one in marked.units if one.span.start <= day.start < one.span.end)
    return any(_ENDS.search(span.of(folded)) for span in within)


def _sentences(marked: MarkedText, folded: str) -> Iterator[str]:
    for unit in marked.units:
        if unit.kind is not UnitKind.HEADING:
            yield unit.span.of(folded)


def _times(told: Sequence[Fact]) -> list[Fact]:
    """Return when it happened, or else when it was reported, where the day is known."""
    for name in (FactField.TIME, FactField.REPORTED):
        found = [item for item in told if item.field == name and _is_dated(item)]
        if found:
            return found
    return []


def _is_dated(item: Fact) -> bool:
    return item.time_from is not None and item.precision not in _ROUGH


def _with_mark(told: Sequence[Fact]) -> Iterator[tuple[Fact, Fact]]:
    for item in _times(told)[:1]:
        yield item, replace(item, role=HAPPENED)


def _marked_time(facts: Sequence[Fact]) -> list[Fact]:
    """Return the facts with the time marked; none where no day is stated as one."""
    changed = {id(old): new for old, new in _with_mark(facts)}
    return [changed.get(id(item), item) for item in facts] if changed else []


def _of_day(text: str, day: Moment, year: int | None) -> Fact:
    span = TextSpan(day.start, day.end)
    place = Place(DOCUMENT_RECORD, FactMethod.SENTENCE, _CONFIDENCE, year)
    return replace(timed(FactField.TIME, span.of(text), span, place, day), role=HAPPENED)


def _tells(item: Fact) -> bool:
    """True for a cell of running words, as what a caller said; not for a place or a name."""
    is_open = item.field not in STANDARD_FIELDS or item.field in (
        FactField.MEASURE,
        FactField.CAUSE,
        FactField.KIND,
    )
    if not is_open:
        return False
    return len(_IN_CJK.findall(item.value)) >= _MIN_CJK or (
        len(_WORD.findall(item.value)) >= _MIN_WORDS
    )
