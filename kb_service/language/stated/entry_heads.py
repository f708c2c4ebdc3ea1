"""Where an entry of a digest says that it happened: beside the time and the kind at its head.

Pure functions on plain text: Theft - Pier 7 - 09:05, [theft] Pier 7, 09:05. Knows no record.
"""

from collections.abc import Iterator, Sequence
from itertools import pairwise

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import BULLETS, CJK, shipped_lexicon
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.stated.moments import clocks_in, moments_in
from kb_service.language.stated.sentences import happenings_in
from kb_service.language.stated.sorts import PLACE

_NUMERALS = "".join(NUMERALS.digits) + "".join(NUMERALS.powers)
_MARK = regex(
    rf"\s*(?:[(\[]?(?:\d{{1,3}}|[{_NUMERALS}]{{1,3}})\s*[)\].\u3001](?!\d)|"
    rf"[{BULLETS}\u2460-\u2473\u25b2\u25b6]|[*-]\s)\s*"
)
"""What an item of a list begins with."""
_HEAD = regex(r"[^\n\u3002]{1,120}?(?=\n|\u3002|\.(?:\s|$)|:\s|$)")
_BRACKETS = r"\u3010\u3011\[\]"
_BETWEEN = (
    regex(rf"\s*[|\u2014\u2013\u30fb\u00b7]+\s*|\s+[-/]\s+|\s*[{_BRACKETS}]\s*"),
    regex(rf"\s*[,\uff0c{_BRACKETS}()]\s*"),
    regex(rf"(?<=[{CJK}\d])[ \u3000]+(?=[{CJK}\d])"),
)
"""What stands between the parts of a head, the surest first."""
_MAX_PLACE, _MAX_WORDS = 60, 6
_TOLD = regex("|".join(shipped_lexicon().patterns("stated", "told_marks")))
_ANY_YEAR = 2000
_AFTER_TIME = regex(r"(?:\s*(?:hrs?|hours|h)\b|\u65f6?\u8bb8|\u5de6\u53f3)?")
_EDGES = " \t\u3000,:;-"
_WORDY = regex(rf"[{CJK}]{{2}}|[^\W\d_]{{2}}")


def place_at_head(plain: str, entry: TextSpan) -> TextSpan | None:
    """Return what the head of an entry says beside its time and what happened; None for neither."""
    mark = _MARK.match(plain, entry.start, entry.end)
    start = mark.end() if mark else entry.start
    head = _HEAD.match(plain, start, entry.end)
    words = head.group() if head else ""
    kinds = [TextSpan(first, last) for _, first, last in happenings_in(words)]
    told = [*((c.start, c.end) for c in clocks_in(words))]
    told += [(m.start, m.end) for m in moments_in(words, _ANY_YEAR)]
    times = [TextSpan(first, _behind(words, last)) for first, last in told]
    if not (kinds and times):
        return None
    for between in _BETWEEN:
        breaks = [TextSpan(*match.span()) for match in between.finditer(words)]
        cuts = sorted([*times, *breaks]) if breaks else []
        parts = list(_parts(words, cuts))
        places = [
            part
            for part in parts
            if _is_place(part.of(words)) and not any(part.overlap(kind) for kind in kinds)
        ]
        if whole := _as_one(places, parts):
            return _trimmed(whole, words).shifted(start)
    return None


def _behind(words: str, end: int) -> int:
    """Where a time ends with the word for its unit."""
    unit = _AFTER_TIME.match(words, end)
    return unit.end() if unit else end


def _is_place(words: str) -> bool:
    """True for words for a place in which nothing is told: no "guard went to room 4"."""
    is_short = len(words) <= _MAX_PLACE and len(words.split()) <= _MAX_WORDS
    bare = words.strip(_EDGES)
    return is_short and PLACE.search(bare) is not None and not _TOLD.search(bare)


def _trimmed(part: TextSpan, words: str) -> TextSpan:
    lead = len(part.of(words)) - len(part.of(words).lstrip(_EDGES))
    size = len(part.of(words).strip(_EDGES))
    return TextSpan(part.start + lead, part.start + lead + size)


def _parts(words: str, cuts: Sequence[TextSpan]) -> Iterator[TextSpan]:
    """Yield what stands between cuts, but for signs."""
    edges = [0, *(edge for cut in cuts for edge in (cut.start, cut.end)), len(words)]
    for start, end in list(pairwise(edges))[::2]:
        if _WORDY.search(words, start, max(start, end)):
            yield TextSpan(start, end)


def _as_one(rest: Sequence[TextSpan], parts: Sequence[TextSpan]) -> TextSpan | None:
    """Return parts that follow one another as one: Gate 2, Holm Yard."""
    if not rest or len(rest) == len(parts):
        return None
    first = parts.index(rest[0])
    is_run = list(parts[first : first + len(rest)]) == list(rest)
    return TextSpan(rest[0].start, rest[-1].end) if is_run else None
