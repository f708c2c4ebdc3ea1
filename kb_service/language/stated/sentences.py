"""What a sentence states, by patterns: counts of people, amounts, causes, times, places, names.

Pure functions. A sentence states what it says itself; nothing is concluded from several.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from kb_service.domain.facts import UNKNOWN, Fact, FactField
from kb_service.language.dates import DATE_WORDS
from kb_service.language.events import event_places
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.casualties import people_told
from kb_service.language.stated.corrections import corrections_in
from kb_service.language.stated.fields import (
    Place,
    compared,
    fact,
    kind_of,
    numbered,
    tight,
    timed,
)
from kb_service.language.stated.moments import Moment, moments_in
from kb_service.language.stated.patterns import compiled, first, patterns
from kb_service.language.stated.plain import Line
from kb_service.language.stated.sorts import EMAIL, ORGANISATION
from kb_service.language.stated.values import Number, amount_in, duration_in

_LEXICON = shipped_lexicon()
_AMOUNTS = {field: compiled(field) for field in (FactField.LOSS, FactField.FINE)}
_NO_LOSS, _UNKNOWN_LOSS = compiled("zero_loss"), compiled("unknown_loss")
_DURATIONS = compiled("duration")
_CAUSE_LEADS = compiled("cause_leads")
_CAUSE_ENDS = regex("|".join(_LEXICON.patterns("stated", "cause_ends")))
"""A clause behind a cause that tells what it brought about, or what it cost."""
_CAUSES, _UNKNOWN_CAUSE = compiled("cause"), compiled("unknown_cause")
_PLACES, _CASED_PLACES = compiled("places"), compiled("cased_places")
_NAMES = {
    (FactField.PERSON, False): compiled("persons"),
    (FactField.PERSON, True): compiled("cased_persons"),
    (FactField.ORGANISATION, False): compiled("organisations"),
    (FactField.ORGANISATION, True): compiled("cased_organisations"),
    (FactField.VEHICLE, False): compiled("plates"),
    (FactField.PHONE, False): compiled("phones"),
    (FactField.EMAIL, False): patterns([f"(?P<who>{EMAIL.pattern})"]),
}
_TIGHT = (FactField.VEHICLE, FactField.PHONE)
_NUMBERS, _FOLLOWS = compiled("numbers"), compiled("follows")
_NO_EVENT = compiled("no_event")
_DENIED_BEFORE = regex("|".join(_LEXICON.patterns("stated", "denied_before")))
_DENIED_WITHIN = 24
_TIME, _REPORTED, _OTHER = (
    regex("|".join(_LEXICON.patterns("stated", key)))
    for key in ("time_words", "reported_words", "other_times")
)
_PLACE_BEFORE = regex("|".join(_LEXICON.patterns("stated", "places_before")))
_PLACE_STARTS = regex("|".join(_LEXICON.patterns("stated", "places_start")))
_PLACE_LEADS = regex("|".join(_LEXICON.patterns("stated", "place_leads")))
_ISSUERS, _PAPERS_OF = compiled("issuers"), compiled("papers_of")
_REACH = 60
"""Characters around a time in which its verb stands."""
_STOP = regex(r"[,;\uff0c\uff1b\u3002]")
_LESS, _MORE = 0.15, 0.1
_MAX_LEADS = 2
_BY_DAY_ABOVE = 0.05
"""By so much less sure is a time of day whose day stands further up."""


def sentence_facts(line: Line, at: Place) -> Iterator[Fact]:
    """Yield what a sentence states."""
    yield from corrections_in(line, at)
    yield from people_told(line, at)
    yield from _money(line, at)
    yield from _length(line, at)
    yield from _cause(line, at)
    yield from _names(line, at)
    yield from numbers_of(line, at)
    yield from _happening(line, at)


def _money(line: Line, at: Place) -> Iterator[Fact]:
    for field, found in _AMOUNTS.items():
        if match := first(found, line.plain):
            place = match.span("amount")
            amount = amount_in(match["amount"])
            if amount:
                span = line.span(*place)
                yield numbered(field, line.value(span), span, at, amount, amount.unit)
    for told, number in ((_NO_LOSS, Number(0.0)), (_UNKNOWN_LOSS, None)):
        if match := first(told, line.plain):
            span = line.span(*match.span())
            value = line.value(span)
            yield numbered(FactField.LOSS, value, span, at, number, "")


def fines_told(line: Line, at: Place) -> Iterator[Fact]:
    """Yield the fine that stands among measures: 罚款95万元, the yard was fined $2,000."""
    yield from (item for item in _money(line, at) if item.field == FactField.FINE)


def _length(line: Line, at: Place) -> Iterator[Fact]:
    match = first(_DURATIONS, line.plain)
    number = duration_in(match["words"]) if match else None
    if match and number:
        span = line.span(*match.span("words"))
        yield numbered(FactField.DURATION, line.value(span), span, at, number, number.unit)


def _cause(line: Line, at: Place) -> Iterator[Fact]:
    for found, text in ((_UNKNOWN_CAUSE, UNKNOWN), (_CAUSES, "")):
        if match := first(found, line.plain):
            start, end = match.span("words")
            behind = _CAUSE_ENDS.search(line.plain, start + 1, end)
            end = behind.start() if behind else end
            yield _worded(FactField.CAUSE, line, (start, end), at, text)
            return


def cause_told(line: Line, at: Place) -> Iterator[Fact]:
    """Yield the cause of a line that is a sentence which says no more than it: It was caused by X.

    A phrase is a cause as it stands: "short circuit due to water".
    """
    for found, text in ((_UNKNOWN_CAUSE, UNKNOWN), (_CAUSES, "")):
        match = first(found, line.plain)
        if match and _leads(line.plain[: match.start()]) and not _more(line.plain, match.end()):
            yield _worded(FactField.CAUSE, line, match.span("words"), at, text)
            return


def _leads(before: str) -> bool:
    return not before.strip() or any(p.fullmatch(before.strip()) for p in _CAUSE_LEADS)


def _more(plain: str, end: int) -> bool:
    return any(map(str.isalnum, plain[end:]))


def _names(line: Line, at: Place) -> Iterator[Fact]:
    for (field, is_cased), several in _NAMES.items():
        for pattern in several.on(line.plain):
            for match in pattern.finditer(line.written if is_cased else line.plain):
                start, end = match.span("who")
                folded = line.plain[start:end]
                if is_cased and field == FactField.PERSON and ORGANISATION.search(folded):
                    continue
                text = tight(folded) if field in _TIGHT else compared(folded)
                role = match.groupdict().get("role") or ""
                span = line.span(start, end)
                yield fact(field, line.value(span), span, at, text, role=role)


def numbers_of(line: Line, at: Place) -> Iterator[Fact]:
    """Yield the number that a line says to be the document's own, and what it goes on from."""
    follows = first(_FOLLOWS, line.plain)
    if follows:
        yield _worded(FactField.FOLLOWS, line, follows.span("words"), at, tight(follows["words"]))
    for pattern in _NUMBERS.on(line.plain):
        for match in pattern.finditer(line.plain):
            is_other = follows and match.start("words") < follows.end("words")
            if not is_other or (follows and match.end("words") <= follows.start()):
                text = tight(match["words"])
                yield _worded(FactField.NUMBER, line, match.span("words"), at, text)
                return


def happenings_in(plain: str) -> list[tuple[str, int, int]]:
    """Return the kinds of happening that a line tells of, first named first, with their words.

    What is denied (no fire), or said to be none ("Aircraft Fire: None"), tells of nothing.
    """
    found = sorted(event_places(plain), key=lambda item: item[1])
    return [one for one in found if not _is_denied(plain, *one[1:])]


def _is_denied(plain: str, start: int, end: int) -> bool:
    before = plain[max(0, start - _DENIED_WITHIN) : start]
    is_none = any(pattern.match(plain, end) for pattern in _NO_EVENT)
    return is_none or _DENIED_BEFORE.search(before) is not None


def _happening(line: Line, at: Place) -> Iterator[Fact]:
    """When and where it happened, and what: of a sentence that speaks of a happening."""
    kinds = happenings_in(line.plain)
    is_told = at.tells or bool(kinds) or bool(_TIME.search(line.plain))
    if kinds:
        kind, start, end = kinds[0]
        span = line.span(start, end)
        less = replace(at, confidence=at.confidence - _LESS)
        yield fact(FactField.KIND, line.value(span), span, less, kind)
    moments = moments_in(line.plain, at.year)
    sure = at
    may_be_told = is_told or bool(_REPORTED.search(line.plain))
    if may_be_told and at.days and not moments:
        moments = at.days.told_by(line.start, line.plain)
        sure = replace(at, confidence=at.confidence - _BY_DAY_ABOVE)
    told = [one for one in kinds if not _is_over(line.plain, one[2])]
    for moment in moments:
        yield from _moment(line, moment, moments, told, sure, is_told=is_told)
    if is_told:
        yield from list(_place(line, moments, at)) or _place_before(line, kinds, moments, at)


def _moment(
    line: Line,
    moment: Moment,
    moments: list[Moment],
    kinds: Sequence[tuple[str, int, int]],
    at: Place,
    *,
    is_told: bool,
) -> Iterator[Fact]:
    low = max((m.end for m in moments if m.end <= moment.start), default=0)
    high = min((m.start for m in moments if m.start >= moment.end), default=len(line.plain))
    begun = [start - moment.end for _, start, _ in kinds if moment.end <= start < high]
    field = _role_of(line.plain, moment, max(low, moment.start - _REACH), high, begun)
    if first(_PAPERS_OF, line.plain[low : moment.start]):
        field = FactField.REPORTED
    if field is None:
        return
    if not is_told and _is_issue(line.plain, moment):
        span = line.span(moment.start, moment.end)
        for name, less in ((FactField.REPORTED, _LESS), (FactField.TIME, _LESS + _BY_DAY_ABOVE)):
            place = replace(at, confidence=at.confidence - less)
            yield timed(name, line.value(span), span, place, moment)
        return
    less = 0.0 if field and is_told else _LESS
    place = replace(at, confidence=at.confidence - less)
    span = line.span(moment.start, moment.end)
    yield timed(field, line.value(span), span, place, moment)


def _is_issue(plain: str, moment: Moment) -> bool:
    """True for a line that is a day and perhaps who signs: a paper was issued then."""
    rest = f"{plain[: moment.start]} {plain[moment.end :]}"
    return any(pattern.fullmatch(rest) for pattern in _ISSUERS)


def _is_over(plain: str, end: int) -> bool:
    """True for a happening that the rest of its clause says to be over: 火灾被扑灭."""
    stop = _STOP.search(plain, end)
    return _OTHER.search(plain, end, stop.start() if stop else len(plain)) is not None


def _role_of(plain: str, moment: Moment, low: int, high: int, begun: Sequence[int]) -> str | None:
    """Return the field of the verb that stands nearest to a time; None where it is of neither.

    `begun`: how far behind the time the words for what happened stand.
    """
    near = min((gap for gap in begun if gap <= _REACH), default=None)
    nearest: tuple[int, str | None] | None = None if near is None else (near, FactField.TIME)
    roles = ((_TIME, FactField.TIME), (_REPORTED, FactField.REPORTED), (_OTHER, None))
    for pattern, field in roles:
        behind = pattern.search(plain, moment.end, min(high, moment.end + _REACH))
        before = [m.end() for m in pattern.finditer(plain, low, moment.start)]
        gaps = [behind.start() - moment.end] if behind else []
        gaps += [moment.start - max(before)] if before else []
        if gaps and (nearest is None or min(gaps) < nearest[0]):
            nearest = (min(gaps), field)
    return nearest[1] if nearest else FactField.TIME


def _place(line: Line, moments: list[Moment], at: Place) -> Iterator[Fact]:
    for several, words in ((_PLACES, line.plain), (_CASED_PLACES, line.written)):
        for pattern in several.on(line.plain):
            for match in pattern.finditer(words):
                start, end = _trimmed(line.plain, *match.span("words"), moments)
                is_time = any(m.start < end and start < m.end for m in moments)
                first = line.plain[start:end].split(" ")[0].strip(".,")
                if (
                    end > start
                    and not is_time
                    and first not in DATE_WORDS
                    and kind_of(line.plain[start:end]) is None
                ):
                    yield _worded(FactField.PLACE, line, (start, end), at, "")
                    return


def _place_before(
    line: Line, kinds: list[tuple[str, int, int]], moments: Sequence[Moment], at: Place
) -> Iterator[Fact]:
    """What ends as places do and stands directly before what happened there: 云栖巷60号这边起火."""
    for _, start, _ in kinds[:1]:
        found = _PLACE_BEFORE.search(line.plain, max(0, start - _REACH), start)
        begin, end = _trimmed(line.plain, *found.span("words"), moments) if found else (0, 0)
        words = line.plain[begin:end]
        if words and _PLACE_STARTS.match(words) and kind_of(words) is None:
            less = replace(at, confidence=at.confidence - _LESS)
            yield _worded(FactField.PLACE, line, (begin, end), less, "")


def _trimmed(plain: str, start: int, end: int, moments: Sequence[Moment]) -> tuple[int, int]:
    """Where a place begins and ends without words that lead to it and a day in front of it."""
    for _ in range(_MAX_LEADS):
        lead = _PLACE_LEADS.match(plain, start, end)
        start = lead.end() if lead else start
        day = next((m for m in moments if m.start <= start < m.end <= end), None)
        start = day.end if day else start
    return start, end


def _worded(field: str, line: Line, place: tuple[int, int], at: Place, text: str) -> Fact:
    start, end = place
    while end > start and line.plain[end - 1] in " ,.;:":
        end -= 1
    span = line.span(start, end)
    return fact(field, line.value(span), span, at, text or compared(line.plain[start:end]))
