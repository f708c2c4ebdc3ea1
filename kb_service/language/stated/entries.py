"""Entries of a log or a digest: lines or items that tell of a happening each, with its time.

Pure functions on plain text. A text is a log where its first lines call it one, or each entry has a
number of its own: the steps of one happening are told by the clock as well.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import time, timedelta
from itertools import islice, pairwise

from kb_service.domain.facts import Precision
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit
from kb_service.language.identifiers import identifier_matches
from kb_service.language.lexicon import BULLETS, shipped_lexicon
from kb_service.language.numerals import NUMERALS, whole_number
from kb_service.language.regexes import regex
from kb_service.language.stated.entry_heads import place_at_head
from kb_service.language.stated.moments import Clock, Moment, at_clock, clocks_in, moments_in
from kb_service.language.stated.sentences import happenings_in
from kb_service.language.stated.sorts import own_numbers

_HEADS = regex("|".join(shipped_lexicon().patterns("stated", "log_heads")))
_DIGESTS = regex("|".join(shipped_lexicon().patterns("stated", "digest_heads")))
_LINE = regex(r"[^\n]+")
_MARK = regex(
    r"\s*[(\[\uff08\u3010]?\s*(?:\d{1,3}\s*(?:[)\]\uff09\u3011.\uff0e\u3001]|:(?!\d))\s*)?"
)
_NUMERALS = re.escape("".join(NUMERALS.digits) + "".join(NUMERALS.powers))
_ITEM = regex(
    rf"\s*(?:[(\uff08]?(?:\d{{1,3}}|[{_NUMERALS}]{{1,3}})\s*[)\uff09.\uff0e\u3001](?!\d)|"
    rf"[{BULLETS}\u2460-\u2473]|[*-]\s|[\u3010\[]|"
    rf"\u7b2c[{_NUMERALS}\d]{{1,3}}[\u4ef6\u8d77\u4f8b\u6b21][\s\u3002\u3001\uff0c\uff1a,.:])"
)
"""What an item of a list begins with, or a word in brackets at the head of a line."""
_COUNTED = tuple(map(regex, shipped_lexicon().patterns("stated", "counted_items")))
_FOUR_DIGITS = regex(r"(?P<h>[01]\d|2[0-3])(?P<min>[0-5]\d)(?=\s)")
_HEAD_LINES = 3
_MIN_ENTRIES = 2
_HEAD = 40
_LETTER, _DIGIT = regex(r"[^\W\d_]"), regex(r"\d")
_REACH = 160
"""In so many characters of an item stands when it happened."""
_BY_CLOCK = (Precision.HOUR, Precision.MINUTE, Precision.SECOND)
_FIRST_PART = 1 / 3
"""A list that begins further down is of what the paper tells of beside."""
_MIN_OF_NIGHT, _EVENING, _NOON = 3, 17, 12
"""Lines of a log that goes on past midnight; hours between which it does."""
_ROUGH = (Precision.YEAR, Precision.MONTH)


@dataclass(frozen=True, slots=True)
class Entry:
    """Where an entry stands, and when it happened; `clock`: where its time is written.

    None where it does not begin with it; its line where the day above is its time. `number`: that
    it has at its head, as all the others do. `called`: the words for what happened, in a log of
    which every entry tells of something that did. `is_of_duty`: it tells of whoever keeps the log.
    """

    span: TextSpan
    clock: TextSpan | None = None
    moment: Moment | None = None
    number: TextSpan | None = None
    called: TextSpan | None = None
    is_of_duty: bool = False


@dataclass(frozen=True, slots=True)
class _Start:
    """A line that may begin an entry, and when that happened; `clock`: on the day above it.

    `is_led`: it begins with its time of day. `is_item`: with a number or mark of a list.
    `is_first`: of its paragraph. `is_dated`: the clock has its own day.
    """

    place: int
    clock: TextSpan | None = None
    moment: Moment | None = None
    is_led: bool = False
    is_item: bool = False
    is_first: bool = False
    is_dated: bool = False


def is_called_log(plain: str) -> bool:
    """True where the first lines of a text call it a log or a digest."""
    heads = "\n".join(match.group() for match in islice(_LINE.finditer(plain), _HEAD_LINES))
    return is_called_digest(plain) or _HEADS.search(heads) is not None


def is_called_digest(plain: str) -> bool:
    """True where the first lines of a text call it a digest of several happenings."""
    heads = "\n".join(match.group() for match in islice(_LINE.finditer(plain), _HEAD_LINES))
    return _DIGESTS.search(heads) is not None


def entries_in(plain: str, year: int | None) -> tuple[Entry, ...]:
    """Return the entries of a log or digest that tell of a happening on a known day, in order."""
    lines = [TextSpan(*match.span()) for match in _LINE.finditer(plain)]
    is_digest = is_called_digest(plain)
    starts = _past_midnight(list(_starts(plain, lines, year)))
    led = [start for start in starts if start.is_led]
    listed = [start for start in starts if start.is_led or start.is_item]
    found = _told(plain, led)
    is_called_one = is_called_log(plain)
    if all(start.is_item for start in led):  # else items stand within entries
        items = _told(plain, listed)
        is_list = is_called_one or (items and items[0].span.start <= _FIRST_PART * len(plain))
        found = max(found, items if is_list else (), key=len)
    if not found and is_digest:
        found = _told(plain, [start for start in starts if start.is_first])
        found = found if _are_of_several_kinds(plain, found) else ()
    if not found:
        found = _told(plain, [start for start in starts if start.is_first])
        found = found if _have_places(plain, found) else ()
    is_log = is_called_one or _have_numbers([entry.span.of(plain) for entry in found])
    is_log = is_log or _have_places(plain, found)
    if is_log and len(found) >= _MIN_ENTRIES:
        return numbered(plain, found)
    return _counted_above(plain, _counts_above(plain, lines), starts)


def counted_in(plain: str, year: int | None) -> tuple[Entry, ...]:
    """Return the items of a text that says above them how many happenings it tells of."""
    lines = [TextSpan(*match.span()) for match in _LINE.finditer(plain)]
    counts = _counts_above(plain, lines)
    return _counted_above(plain, counts, list(_starts(plain, lines, year))) if counts else ()


def _counts_above(plain: str, lines: Sequence[TextSpan]) -> frozenset[int | None]:
    """How many happenings the first lines of a text say that it tells of."""
    heads = "\n".join(line.of(plain) for line in lines[:_HEAD_LINES])
    return frozenset(whole_number(m["n"]) for p in _COUNTED for m in p.finditer(heads))


def _counted_above(
    plain: str, counts: Collection[int | None], starts: Sequence[_Start]
) -> tuple[Entry, ...]:
    """Return the items of a paper, each with a time of its own and as many as are counted above.

    `counts`: what is counted there: 一季度三起.
    """
    items = [start for start in starts if start.is_item]
    if len(items) < _MIN_ENTRIES or len(items) not in counts or not all(s.moment for s in items):
        return ()
    ends = [*(start.place for start in items), len(plain)][1:]
    return tuple(
        Entry(TextSpan(start.place, end), start.clock, start.moment)
        for start, end in zip(items, ends, strict=True)
    )


def _past_midnight(starts: Sequence[_Start]) -> list[_Start]:
    """Return starts; those of a night behind its one midnight are of the next day: 23:05, 02:15."""
    led = [n for n, one in enumerate(starts) if one.is_led and not one.is_dated and one.moment]
    times = [moment.since for n in led if (moment := starts[n].moment)]
    falls = [n for n, (one, other) in enumerate(pairwise(times)) if other < one]
    if len(falls) != 1 or len(times) < _MIN_OF_NIGHT or times[0].date() != times[-1].date():
        return list(starts)
    last, first = times[falls[0]], times[falls[0] + 1]
    if last.hour < _EVENING or first.hour > _NOON:
        return list(starts)
    night = {led[n] for n in range(falls[0] + 1, len(led))}
    return [_next_day(one) if n in night else one for n, one in enumerate(starts)]


def _next_day(start: _Start) -> _Start:
    if start.moment is None:
        return start
    since, until = (t + timedelta(days=1) for t in (start.moment.since, start.moment.until))
    return replace(start, moment=replace(start.moment, since=since, until=until))


def cut_at(units: Iterable[Unit], entries: Sequence[Entry]) -> Iterator[Unit]:
    """Yield units so that none reaches from one entry into the next one."""
    starts = sorted({one.span.start for one in entries} | {one.span.end for one in entries})
    for unit in units:
        span = unit.span
        first, last = bisect_right(starts, span.start), bisect_left(starts, span.end)
        for start, end in pairwise([span.start, *starts[first:last], span.end]):
            yield replace(unit, span=TextSpan(start, end))


def numbered(plain: str, found: Sequence[Entry]) -> tuple[Entry, ...]:
    """Return entries with the numbers at their heads, where each has another one of one shape."""
    heads = [TextSpan(one.span.start, min(one.span.end, one.span.start + _HEAD)) for one in found]
    matches = [next(own_numbers(head.of(plain)), None) for head in heads]
    numbers = [match.group() for match in matches if match]
    shapes = {_shape_of(number) for number in numbers}
    if len(set(numbers)) < len(found) or len(shapes) > 1:
        return tuple(found)
    return tuple(
        replace(entry, number=TextSpan(*match.span()).shifted(entry.span.start))
        for entry, match in zip(found, matches, strict=True)
        if match
    )


def _shape_of(number: str) -> str:
    """The signs of a number, with one letter and one digit in the place of all."""
    return _DIGIT.sub("0", _LETTER.sub("a", number))


def _told(plain: str, starts: Sequence[_Start]) -> tuple[Entry, ...]:
    """Return what tells of a happening at a known time, each until the next one begins."""
    ends = [*(start.place for start in starts), len(plain)][1:]
    return tuple(
        Entry(TextSpan(start.place, end), start.clock, start.moment)
        for start, end in zip(starts, ends, strict=True)
        if start.moment and happenings_in(plain[start.place : end])
    )


def _have_numbers(told: Sequence[str]) -> bool:
    """True where each entry has a number of its own: steps of one happening have not."""
    numbers = [next((m.group() for m in identifier_matches(words)), "") for words in told]
    return len(numbers) >= _MIN_ENTRIES and all(numbers) and len(set(numbers)) == len(numbers)


def _have_places(plain: str, found: Sequence[Entry]) -> bool:
    """True where the head of each entry says where it was, none the same: no steps of one."""
    heads = [place_at_head(plain, entry.span) for entry in found]
    places = {head.of(plain) for head in heads if head}
    return len(found) >= _MIN_ENTRIES and len(places) == len(found)


def _are_of_several_kinds(plain: str, found: Sequence[Entry]) -> bool:
    """True for paragraphs of which none tells of the same kind as the one before: no steps."""
    kinds = [happenings_in(entry.span.of(plain))[0][0] for entry in found]
    return all(one != other for one, other in pairwise(kinds))


def _starts(plain: str, lines: Sequence[TextSpan], year: int | None) -> Iterator[_Start]:
    day: Moment | None = None
    has_four_digits = _have_four_digits(plain, lines)
    for line in lines:
        words = line.of(plain)
        is_item = _ITEM.match(words) is not None
        is_first = plain[max(0, line.start - 2) : line.start] in ("", "\n\n")
        mark = _MARK.match(words)
        lead = mark.end() if mark else 0
        clock = _leading(words[lead:], has_four_digits=has_four_digits)
        if clock:
            place = TextSpan(line.start + lead + clock.start, line.start + lead + clock.end)
            moment = day and at_clock(day, clock)
            yield _Start(line.start, place, moment, is_led=True, is_item=is_item)
            continue
        moments = moments_in(words[:_REACH], year)
        first = next(iter(moments), None)
        if first and first.start == lead and first.precision in _BY_CLOCK:
            place = TextSpan(line.start + first.start, line.start + first.end)
            yield _Start(line.start, place, first, is_led=True, is_item=is_item, is_dated=True)
            continue
        if not is_item:
            day = next((m for m in moments if m.precision is Precision.DAY), day)
        yield _start(line, words, moments, day, is_item=is_item, is_first=is_first)


def _start(
    line: TextSpan,
    words: str,
    moments: Sequence[Moment],
    day: Moment | None,
    *,
    is_item: bool,
    is_first: bool,
) -> _Start:
    """Return a line with the first time that it tells: on a day of its own, or on the one above."""
    known = [m for m in moments if m.precision not in _ROUGH]
    whole = next((m for m in known if m.precision is not Precision.DAY), next(iter(known), None))
    clock = None if whole or moments else next(iter(clocks_in(words[:_REACH])), None)
    if clock and day:
        place = TextSpan(line.start + clock.start, line.start + clock.end)
        moment = at_clock(day, clock)
        return _Start(line.start, place, moment, is_item=is_item, is_first=is_first)
    return _Start(line.start, None, whole, is_item=is_item, is_first=is_first)


def _leading(words: str, *, has_four_digits: bool) -> Clock | None:
    """The time of day that words begin with; four digits are one where lines begin so."""
    found = next((clock for clock in clocks_in(words[:20])[:1] if clock.start == 0), None)
    match = _FOUR_DIGITS.match(words) if found is None and has_four_digits else None
    if match is None:
        return found
    at = time(int(match["h"]), int(match["min"]))
    return Clock(match.start(), match.end(), at, Precision.MINUTE)


def _have_four_digits(plain: str, lines: Sequence[TextSpan]) -> bool:
    """True where lines begin with times of day as four digits, one after the other: no years."""
    found = [m.group() for line in lines if (m := _FOUR_DIGITS.match(line.of(plain)))]
    back = sum(one > other for one, other in pairwise(found))
    return len(set(found)) >= _MIN_ENTRIES and back <= 1 and not all(map(_is_year, found))


def _is_year(digits: str) -> bool:
    return digits[:2] in ("19", "20")
