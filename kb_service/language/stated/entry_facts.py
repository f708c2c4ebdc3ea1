"""What an entry of a log states: its time and number at its head, and what its sentences tell.

Pure functions. Knows not which lines are entries, nor labels within them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kb_service.domain.facts import COUNTS_OF_PEOPLE, HAPPENED, REPLACED, Fact, FactField
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.entries import Entry
from kb_service.language.stated.entry_heads import place_at_head
from kb_service.language.stated.fields import Place, compared, fact, tight, timed
from kb_service.language.stated.plain import line_of
from kb_service.language.stated.sentences import sentence_facts

_NOT_HAPPENED, _DRILLS, _FALSE_ALARMS = (
    regex("|".join(shipped_lexicon().patterns("stated", key)))
    for key in ("no_happening", "drills", "false_alarms")
)
_STOP = regex(r"[,;!?\uff0c\uff1b\u3002\uff01\uff1f]|\.(?=\s|$)")
_LETTER = regex(r"[^\W\d_]")
_LESS = 0.15
"""By so much less sure is what happened where a log alone says that something did."""


def entry_facts(
    text: str, folded: str, entry: Entry, units: Sequence[Unit], form: Place, sure: Place
) -> Iterator[Fact]:
    """Yield what the head of an entry and its units state. `form`, `sure`: how surely each does."""
    if entry.number:
        words, number = entry.number.of(text), tight(entry.number.of(folded))
        yield fact(FactField.NUMBER, words, entry.number, sure, number)
    told = list(_told(text, folded, entry, units, sure))
    told = list(_with_place(text, folded, entry, told, sure))
    is_hurt = any(map(_is_hurt, told))
    kinds = [item for item in told if item.field == FactField.KIND]
    denied = [item for item in kinds if _is_denied(folded, entry, item.span, is_hurt=is_hurt)]
    first = kinds[0].span if kinds else entry.called
    is_denied = _is_denied(folded, entry, first, is_hurt=is_hurt)
    if entry.clock and entry.moment:
        time = timed(FactField.TIME, entry.clock.of(text), entry.clock, form, entry.moment)
        is_open = not (is_denied or entry.is_of_duty)
        is_harm = is_hurt or (is_open and any(map(_is_harm, told)))
        yield replace(time, role=HAPPENED) if is_harm else time
    yield from (item for item in told if item not in denied)
    if entry.called and not is_denied and not kinds:
        less = replace(sure, confidence=sure.confidence - _LESS)
        words = compared(entry.called.of(folded))
        yield fact(FactField.KIND, entry.called.of(text), entry.called, less, words)


def _with_place(
    text: str, folded: str, entry: Entry, told: Sequence[Fact], sure: Place
) -> Iterator[Fact]:
    """Yield what is told, with the place that stands at the head; a part of it gives way."""
    span = place_at_head(folded, entry.span)
    places = [item for item in told if item.field == FactField.PLACE]
    if span is None or not all(span.covers(item.span) for item in places):
        yield from told
        return
    yield from (item for item in told if item not in places)
    yield fact(FactField.PLACE, span.of(text), span, sure, compared(span.of(folded)))


def _is_denied(folded: str, entry: Entry, told: TextSpan | None, *, is_hurt: bool) -> bool:
    """True for what its own clause calls a drill, or it or a later one a false alarm.

    `told`: the words for what happened; None for what the first clause says. Whoever is hurt is
    hurt in a drill as well; what only names a drill is no happening of its kind.
    """
    start, end = _words_from(folded, entry), entry.span.end
    stops = [stop.end() for stop in _STOP.finditer(folded, start, end)]
    place = told.start if told else start
    low = max((stop for stop in stops if stop <= place), default=start)
    high = min((stop for stop in stops if stop > place), default=end)
    if told and _DRILLS.match(folded, told.end, high):
        return True
    if is_hurt:
        return False
    later = [stop for stop in stops if stop >= high]
    return _NOT_HAPPENED.search(folded[low:high]) is not None or any(
        _FALSE_ALARMS.match(folded[stop:end].lstrip()) for stop in later
    )


def _words_from(folded: str, entry: Entry) -> int:
    """Where the words of an entry begin: behind its time, where it begins with that."""
    clock = entry.clock
    if clock is None or clock.end >= entry.span.end:
        return entry.span.start
    is_led = not _LETTER.search(folded, entry.span.start, clock.start)
    return clock.end if is_led else entry.span.start


def _is_harm(item: Fact) -> bool:
    """True for people who were hurt and for what was lost: something happened then."""
    is_counted = item.field in (*COUNTS_OF_PEOPLE, FactField.LOSS)
    return is_counted and bool(item.number) and item.role != REPLACED


def _is_hurt(item: Fact) -> bool:
    """True for people who were hurt or died, whatever else an entry says of itself."""
    return item.field in (FactField.DEAD, FactField.INJURED) and _is_harm(item)


def _told(
    text: str, folded: str, entry: Entry, units: Sequence[Unit], sure: Place
) -> Iterator[Fact]:
    """Yield what sentences state: the first one of a log's entry tells what happened."""
    year = entry.moment.since.year if entry.moment else sure.year
    beside = [unit for unit in units if not (entry.clock and entry.clock.covers(unit.span))]
    for place, unit in enumerate(beside):
        tells = not place and entry.clock is not None
        at = replace(sure, year=year, tells=tells)
        yield from sentence_facts(line_of(text, folded, unit.span), at)
