"""Who speaks in a paper: the turns of a chat, the writers of a mail and of those quoted in it.

Pure functions. A turn begins with a line that says who and when and nothing else, or that and a
colon before its words. Who tells first of a happening reports it.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.facts import CLOCK, Fact, FactField, Role
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import Unit
from kb_service.language.lexicon import HAN, any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import Place, compared, fact, timed
from kb_service.language.stated.labels import Label, label_of
from kb_service.language.stated.moments import Moment, clocks_in, moments_in
from kb_service.language.stated.roles import role_of
from kb_service.language.stated.sentences import happenings_in
from kb_service.language.stated.sorts import ORGANISATION, is_name

_LEXICON = shipped_lexicon()
_LABELS = regex("|".join(_LEXICON.patterns("roles", "reporter_labels")))
_WHO = (
    r"(?P<who>[^\W\d_][^\n:\uff1a,\uff0c\u3002!?\uff01\uff1f\d\[\](){}<>\uff08\uff09;\uff1b]{0,30})"
)
_SENTENCE = regex(r"[^\W\d_]{3}\.\Z")
"""A line of a log that ends so behind its time names nobody: 07:00 Took over."""
_WORDS = r"(?:[:\uff1a][ \t]*(?P<words>\S[^\n]*))?$"
_OPEN, _CLOSE = r"[\[(\uff08\u3010]?", r"[\])\uff09\u3011]?"
_WHEN = r"(?P<when>(?=\S)[^\n\[\]()\uff08\uff09]{4,36}?)"
_HEADS = (
    regex(rf"^[ \t>]*+{_OPEN}{_WHEN}{_CLOSE}[\s,\uff0c-]++{_WHO}{_WORDS}", re.MULTILINE),
    regex(
        rf"^[ \t>]*+{_WHO}[\s,\uff0c]*[ \t\[(\uff08]{_OPEN}{_WHEN}{_CLOSE}{_WORDS}", re.MULTILINE
    ),
)
_FROM = regex(
    rf"^[ \t>]*(?:{any_of(_LEXICON.listed('stated', 'mail_from'))})[ \t]*[:\uff1a][ \t]*"
    r"(?P<who>[^\n<\[(\uff08,;]{2,40})",
    re.MULTILINE | re.IGNORECASE,
)
_HEAD_LINE = regex(
    rf"[ \t>]*(?:{any_of(_LEXICON.listed('stated', 'mail_heads'))})[ \t]*[:\uff1a]", re.IGNORECASE
)
_MAIL_LABELS = frozenset(
    [*_LEXICON.listed("stated", "mail_heads"), *_LEXICON.listed("stated", "mail_from")]
)
_WROTE = tuple(map(regex, _LEXICON.patterns("stated", "mail_wrote")))
_PARTS = regex(r"[\s\-\u2013\u2014\xb7/|]+")
_HAN = regex(f"[{HAN}]")
_ALONE = regex(r"[A-Z][^\W\d_]{1,20}")
"""A first name, as many have in a chat."""
_QUOTED_HEAD = regex(
    rf"^[ \t]*>[ \t>]*(?:{any_of(_LEXICON.listed('stated', 'mail_heads'))})[ \t]*[:\uff1a]"
    r"[^\n]*\n?",
    re.MULTILINE | re.IGNORECASE,
)
_TALK_HEADS = regex("|".join(shipped_lexicon().patterns("stated", "talk_heads")))
_BARE_TIMES = frozenset(shipped_lexicon().listed("stated", "bare_times"))
_TIMES = (FactField.TIME, FactField.REPORTED, CLOCK)
_HEAD_LINES = 3
_CONFIDENCE = 0.6
"""Of whoever speaks or writes, that he reports: less than of one who is said to."""
_MIN_TURNS, _MIN_SAID = 3, 0.6
_MAX_CHARS = 100_000
"""Of a longer text nobody's turns are looked for behind so many characters."""


@dataclass(frozen=True, slots=True)
class Turn:
    """Who said what lies in `words`; `head`: where that is told, with the time it was said at."""

    head: TextSpan
    who: TextSpan
    words: TextSpan
    when: TextSpan | None = None


def is_writer(label: Label) -> bool:
    """True for the label of who writes a mail or gets it, in a quoted mail as well."""
    is_named = label.field in (FactField.PERSON, FactField.ORGANISATION)
    return is_named and label.name.strip(" \t>").casefold() in _MAIL_LABELS


def bare_times(plain: str) -> frozenset[str]:
    """Return the labels that tell when people talked, of minutes and statements; else none."""
    head = "\n".join(plain.split("\n", _HEAD_LINES)[:_HEAD_LINES])
    return _BARE_TIMES if _TALK_HEADS.search(head) else frozenset()


def quoted_heads(plain: str) -> list[TextSpan]:
    """Return the lines of the heads of quoted mails."""
    return [TextSpan(*match.span()) for match in _QUOTED_HEAD.finditer(plain)]


def turns_in(plain: str) -> tuple[Turn, ...]:
    """Return the turns of a chat, in order; none where a text is no chat."""
    found: dict[int, Turn] = {}
    for pattern in _HEADS:
        for match in pattern.finditer(plain, 0, _MAX_CHARS):
            is_label = label_of(match["who"].strip()).field in _TIMES
            is_said = _SENTENCE.search(match["who"].rstrip()) is not None
            if match.start() not in found and not (is_label or is_said) and _is_time(match["when"]):
                found[match.start()] = _turn(match)
    turns = [found[start] for start in sorted(found)]
    ends = [*(turn.head.start for turn in turns), len(plain)][1:]
    told = [
        Turn(turn.head, turn.who, TextSpan(turn.words.start, max(turn.words.start, end)), turn.when)
        for turn, end in zip(turns, ends, strict=True)
    ]
    return tuple(told) if _is_talk(plain, told) else ()


def speakers(text: str, plain: str, turns: Sequence[Turn], at: Place) -> Iterator[Fact]:
    """Yield who speaks or writes, in which role, and when a happening was first told of."""
    at = replace(at, confidence=_CONFIDENCE)
    writers = [*turns, *_writers(plain)]
    told = [turn for turn in writers if happenings_in(turn.words.of(plain))]
    first = told[0] if turns and told else told[-1] if told else None
    for turn in writers:
        name, role = _named(text, turn.who)
        is_alone = bool(turns) and _ALONE.fullmatch(name.of(text)) is not None
        if not (is_name(name.of(plain)) or is_alone) or ORGANISATION.search(name.of(plain)):
            continue
        if _LABELS.fullmatch(name.of(plain)):  # 来电: says who stands behind it
            continue
        is_first = first is not None and turn.who.of(plain).strip() == first.who.of(plain).strip()
        role = str(Role.REPORTER) if is_first else role
        yield fact(FactField.PERSON, name.of(text), name, at, compared(name.of(plain)), role=role)
    if first and first.when:
        moment = next(iter(_moments(plain, first.when, at)), None)
        if moment:
            yield timed(FactField.REPORTED, first.when.of(text), first.when, at, moment)


def reporters_told(facts: Iterable[Fact]) -> list[Fact]:
    """Return facts in which nobody reports for having written where a paper says who reported."""
    found = list(facts)

    def is_writer_only(item: Fact) -> bool:
        return item.role == Role.REPORTER and item.confidence == _CONFIDENCE

    is_told = any(
        role_of(item.field, item.role or "") is Role.REPORTER and not is_writer_only(item)
        for item in found
        if item.field == FactField.PERSON
    )
    return [item for item in found if not (is_told and is_writer_only(item))]


def without_heads(units: Sequence[Unit], spans: Sequence[TextSpan]) -> Iterator[Unit]:
    """Yield units without the lines that say who speaks."""
    heads = iter(spans)
    head = next(heads, None)
    for unit in units:
        start = unit.span.start
        while head and head.start < unit.span.end:
            if head.start > start:
                yield replace(unit, span=TextSpan(start, head.start))
            start = max(start, min(head.end, unit.span.end))
            if head.end > unit.span.end:
                break
            head = next(heads, None)
        if start < unit.span.end:
            yield replace(unit, span=TextSpan(start, unit.span.end))


def _moments(plain: str, when: TextSpan, at: Place) -> list[Moment]:
    words = when.of(plain)
    found = moments_in(words, at.year)
    return found or (at.days.told_by(when.start, words) if at.days else [])


def _writers(plain: str) -> Iterator[Turn]:
    """Yield the writers of mails from the outermost to the innermost, with what they wrote."""
    heads = [(m.start(), m.span("who")) for m in _FROM.finditer(plain) if _in_head(plain, m)]
    heads += [(m.start(), m.span("who")) for p in _WROTE for m in p.finditer(plain)]
    heads.sort()
    ends = [*(start for start, _ in heads), len(plain)][1:]
    for (start, who), end in zip(heads, ends, strict=True):
        yield Turn(TextSpan(start, who[1]), TextSpan(*who), TextSpan(who[1], end))


def _in_head(plain: str, match: re.Match[str]) -> bool:
    """True for a label of a mail's head: others of it stand above or below."""
    end = plain.find("\n", match.end()) + 1
    below = end > 0 and _HEAD_LINE.match(plain, end) is not None
    before = plain.rfind("\n", 0, max(0, match.start() - 1)) + 1
    return below or _HEAD_LINE.match(plain, before, match.start()) is not None


def _turn(match: re.Match[str]) -> Turn:
    who, when = TextSpan(*match.span("who")), TextSpan(*match.span("when"))
    head = max(who.end, when.end)
    words = match.start("words") if match["words"] else match.end()
    return Turn(TextSpan(match.start(), max(head, words)), who, TextSpan(words, words), when)


def _is_time(words: str) -> bool:
    """True for words that are a time of day, with its date or without."""
    bare = words.strip()
    clocks = clocks_in(bare)
    days = moments_in(bare, 2000)
    places = [(one.start, one.end) for one in days] + [(one.start, one.end) for one in clocks]
    begin = min((start for start, _ in places), default=len(bare))
    end = max((end for _, end in places), default=0)
    return bool(clocks) and begin == 0 and end >= len(bare) - 1


def _is_talk(plain: str, turns: Sequence[Turn]) -> bool:
    """True where someone speaks again, and most turns have words."""
    names = Counter(turn.who.of(plain).strip() for turn in turns)
    said = sum(any(map(str.isalnum, turn.words.of(plain))) for turn in turns)
    return (
        len(turns) >= _MIN_TURNS
        and max(names.values(), default=0) > 1
        and said >= _MIN_SAID * len(turns)
    )


def _named(text: str, who: TextSpan) -> tuple[TextSpan, str]:
    """Return where the name of a speaker stands, and what else he is called."""
    words = who.of(text)
    lead = len(words) - len(words.lstrip(" \"'"))
    bare = words.strip(" \"'")
    whole = TextSpan(who.start + lead, who.start + lead + len(bare))
    if not _HAN.search(bare):
        return whole, ""
    parts = [part for part in _PARTS.split(bare) if part]
    if len(parts) < 2:
        return whole, ""
    start = whole.start + bare.rindex(parts[-1])
    return TextSpan(start, start + len(parts[-1])), parts[0]
