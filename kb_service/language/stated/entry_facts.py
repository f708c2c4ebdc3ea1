"""What an entry of a log states: its time and number at its head, and what its sentences tell.

Pure functions. Knows not which lines are entries, nor labels within them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kb_service.domain.facts import COUNTS_OF_PEOPLE, HAPPENED, REPLACED, Fact, FactField
from kb_service.domain.texts import Unit
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.entries import Entry
from kb_service.language.stated.fields import Place, compared, fact, tight, timed
from kb_service.language.stated.plain import line_of
from kb_service.language.stated.sentences import sentence_facts

_NOT_HAPPENED = regex("|".join(shipped_lexicon().patterns("stated", "no_happening")))
_LESS = 0.15
"""By so much less sure is what happened where a log alone says that something did."""


def entry_facts(
    text: str, folded: str, entry: Entry, units: Sequence[Unit], form: Place, sure: Place
) -> Iterator[Fact]:
    """Yield what the head of an entry and its units state. `form`, `sure`: how surely each does."""
    if entry.number:
        words, number = entry.number.of(text), tight(entry.number.of(folded))
        yield fact(FactField.NUMBER, words, entry.number, sure, number)
    is_denied = _NOT_HAPPENED.search(entry.span.of(folded)) is not None
    told = list(_told(text, folded, entry, units, sure))
    is_hurt = any(map(_is_hurt, told))
    if entry.clock and entry.moment:
        time = timed(FactField.TIME, entry.clock.of(text), entry.clock, form, entry.moment)
        is_open = not (is_denied or entry.is_of_duty)
        is_harm = is_hurt or (is_open and any(map(_is_harm, told)))
        yield replace(time, role=HAPPENED) if is_harm else time
    yield from (item for item in told if not (is_denied and item.field == FactField.KIND))
    if entry.called and not is_denied and all(item.field != FactField.KIND for item in told):
        less = replace(sure, confidence=sure.confidence - _LESS)
        words = compared(entry.called.of(folded))
        yield fact(FactField.KIND, entry.called.of(text), entry.called, less, words)


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
