"""Which stored words support an answer sentence: pure functions from sentence to quotations.

The system makes citations, never the model: a sentence is matched to sentences of the passages, and
what is cited is sliced from them. Rules, none of which is ever relaxed to make something match:

1. Words found in a passage as they stand (white space aside) support the sentence: verified.
2. Otherwise up to three source sentences are taken, best wording first. Every number, date, time,
   name and identifier of the sentence must occur in them, else it is unsupported.
3. At least 60 % of its words there, and the same polarity: verified. At least 40 %: unverified.
   Less: unsupported.

Knows no streaming, no storage and no model.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from kb_service.domain.queries import Passage
from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import UnitKind
from kb_service.language.text import normalise
from kb_service.language.values import missing_values, negates
from kb_service.language.wording import EDGES, share_of_words, telling_words

VERIFIED_OVERLAP = 0.6
RELATED_OVERLAP = 0.4
MAX_QUOTES = 3
MIN_GAIN = 0.15
"""A further source sentence is cited only for a missing value or this much more of the wording."""

_MIN_EXACT_CHARS = 12
"""A shorter exact match is cited with the whole sentence around it, so that it can be judged."""


class SupportStatus(StrEnum):
    """How far the passages carry a sentence."""

    VERIFIED = "verified"
    UNVERIFIED = "unverified"
    UNSUPPORTED = "unsupported"


@dataclass(frozen=True, slots=True)
class Quote:
    """Words of a passage. `source`: their span in the revision text; `score`: 0..1 overlap."""

    passage: Passage
    source: TextSpan
    score: float

    @property
    def text(self) -> str:
        """The quoted words, sliced from the stored text."""
        return self.source.shifted(-self.passage.span.start).of(self.passage.text)


@dataclass(frozen=True, slots=True)
class Support:
    """What was found for one sentence. `quotes` is empty when it is unsupported."""

    status: SupportStatus
    quotes: tuple[Quote, ...]


UNSUPPORTED = Support(SupportStatus.UNSUPPORTED, ())


def find_support(sentence: str, passages: Sequence[Passage], hinted: Iterable[int] = ()) -> Support:
    """Match one marker-free sentence to the passages; those numbered in `hinted` go first.

    A hint decides between equal matches only: it never makes a sentence supported.
    """
    first = frozenset(hinted)
    ordered = sorted(passages, key=lambda passage: passage.number not in first)
    if not telling_words(sentence):
        return UNSUPPORTED
    return _exact(sentence, ordered) or _similar(sentence, ordered)


def find_verbatim(words: str, text: str) -> TextSpan | None:
    """Return where the words stand in a text when only white space may differ, else None.

    Punctuation at both ends of the words is optional, and a match may not cut a Latin word or a
    number in two.
    """
    wanted = "".join(words.strip(EDGES).split())
    if not wanted:
        return None
    places = [index for index, character in enumerate(text) if not character.isspace()]
    compact = "".join(text[index] for index in places)
    start = compact.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        span = TextSpan(places[start], places[end - 1] + 1)
        if not _cuts_word(text, span):
            return _with_outer_marks(words, text, span)
        start = compact.find(wanted, start + 1)
    return None


def _exact(sentence: str, passages: Sequence[Passage]) -> Support | None:
    for passage in passages:
        span = find_verbatim(sentence, passage.text)
        if span is None:
            continue
        if len(span) < _MIN_EXACT_CHARS or not _begins_clause(passage.text, span.start):
            span = _enclosing(passage, span)
        quote = _quote(passage, span, 1.0)
        agrees = negates(sentence) == negates(quote.text)
        status = SupportStatus.VERIFIED if agrees else SupportStatus.UNVERIFIED
        return Support(status, (quote,))
    return None


def _similar(sentence: str, passages: Sequence[Passage]) -> Support:
    quotes = _best_quotes(sentence, _candidates(sentence, passages))
    sources = "\n".join(quote.text for quote in quotes)
    shared = share_of_words(sentence, sources)
    if shared < RELATED_OVERLAP or missing_values(sentence, sources):
        return UNSUPPORTED
    agrees = negates(sentence) == negates(sources)
    is_verified = shared >= VERIFIED_OVERLAP and agrees
    status = SupportStatus.VERIFIED if is_verified else SupportStatus.UNVERIFIED
    return Support(status, tuple(quotes))


def _candidates(sentence: str, passages: Sequence[Passage]) -> list[Quote]:
    """Return the units that share words with the sentence, best overlap first, then as given."""
    quotes = [
        _quote(passage, unit.span, share_of_words(sentence, unit.span.of(passage.text)))
        for passage in passages
        for unit in passage.units
        if unit.kind is not UnitKind.HEADING
    ]
    related = [quote for quote in quotes if quote.score > 0]
    return sorted(related, key=lambda quote: -quote.score)


def _best_quotes(sentence: str, candidates: Sequence[Quote]) -> list[Quote]:
    if not candidates:
        return []
    chosen = [candidates[0]]
    for quote in candidates[1:]:
        if len(chosen) == MAX_QUOTES:
            break
        before = "\n".join(q.text for q in chosen)
        after = f"{before}\n{quote.text}"
        adds_value = len(missing_values(sentence, after)) < len(missing_values(sentence, before))
        if (
            adds_value
            or share_of_words(sentence, after) - share_of_words(sentence, before) >= MIN_GAIN
        ):
            chosen.append(quote)
    return chosen


def _quote(passage: Passage, span: TextSpan, score: float) -> Quote:
    return Quote(passage, span.shifted(passage.span.start), round(score, 4))


def _cuts_word(text: str, span: TextSpan) -> bool:
    return _joined(text, span.start) or _joined(text, span.end)


def _joined(text: str, place: int) -> bool:
    """True when the place lies inside a Latin word or a number (also 1|,500 and 3|.5)."""
    around = normalise(text[max(0, place - 1) : place + 1])
    if len(around) == 2 and all(c.isascii() and c.isalnum() for c in around):
        return True
    wider = text[max(0, place - 2) : place + 2]
    return bool(re.fullmatch(r"\d[.,]\d.?|.?\d[.,]\d", wider)) and len(wider) >= 3


def _with_outer_marks(words: str, text: str, span: TextSpan) -> TextSpan:
    """Take the first and the last mark along where both the sentence and the source have it."""
    first, last = words.lstrip()[:1], words.rstrip()[-1:]
    before, after = text[max(0, span.start - 1) : span.start], text[span.end : span.end + 1]
    opens = before and before == first and before in EDGES
    closes = after and after == last and after in EDGES
    return TextSpan(span.start - 1 if opens else span.start, span.end + 1 if closes else span.end)


def _begins_clause(text: str, start: int) -> bool:
    before = text[:start].rstrip(" \t")
    return not before or not before[-1].isalnum()


def _enclosing(passage: Passage, span: TextSpan) -> TextSpan:
    for unit in passage.units:
        if unit.span.covers(span):
            return unit.span
    return span
