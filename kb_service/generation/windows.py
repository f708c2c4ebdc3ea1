"""Which stretches of the passages a reader reads: windows of whole units, the likeliest first.

Work is counted in windows, never in time, so that a question reads the same on a busy machine. A
passage in another language than the question is read where a search found it.
Pure functions. Knows units, words and their rarity; knows no model.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from kb_service.domain.queries import Passage
from kb_service.domain.questions import Question
from kb_service.domain.spans import TextSpan
from kb_service.language.questions import coverage, text_terms
from kb_service.language.scripts import is_across

RANK_WEIGHT = 0.5
"""What the first passage counts more than one of no rank, as a share of the words' rarity mass."""

FOUND_SHARE = 0.5
"""What the chunk that a search found counts across languages, where no words are shared, as the
same share."""

Length = Callable[[str], int]
"""The number of tokens of a text."""


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of a passage. `span`: offsets in `passage.text`."""

    passage: Passage
    span: TextSpan

    @property
    def text(self) -> str:
        """The words of the stretch."""
        return self.span.of(self.passage.text)


def windows_of(passage: Passage, length: Length, max_tokens: int) -> Iterator[Window]:
    """Cut a passage at unit borders; a unit stands twice where windows meet, if there is room.

    A unit longer than a window is cut by characters. No window holds words that are in no unit.
    """
    spans = _short_spans(passage, length, max_tokens)
    sizes = [length(span.of(passage.text)) for span in spans]
    first = 0
    while first < len(spans):
        last, total = first, sizes[first]
        while (
            last + 1 < len(spans)
            and total + sizes[last + 1] <= max_tokens
            and not passage.text[spans[last].end : spans[last + 1].start].strip()
        ):
            last += 1
            total += sizes[last]
        yield Window(passage, TextSpan(spans[first].start, spans[last].end))
        if last + 1 == len(spans):
            return
        is_next = not passage.text[spans[last].end : spans[last + 1].start].strip()
        is_shared = is_next and last > first and sizes[last] + sizes[last + 1] <= max_tokens
        first = last if is_shared else last + 1


def _short_spans(passage: Passage, length: Length, max_tokens: int) -> list[TextSpan]:
    whole = TextSpan(0, len(passage.text))
    spans = [unit.span for unit in passage.units] or [whole]
    return [s for span in spans for s in _halved(passage.text, span, length, max_tokens)]


def _halved(text: str, span: TextSpan, length: Length, max_tokens: int) -> Iterator[TextSpan]:
    if len(span) < 2 or length(span.of(text)) <= max_tokens:
        yield span
        return
    middle = (span.start + span.end) // 2
    for half in (TextSpan(span.start, middle), TextSpan(middle, span.end)):
        yield from _halved(text, half, length, max_tokens)


def choose_windows(
    question: Question,
    idf: Mapping[str, float],
    passages: Sequence[Passage],
    length: Length,
    *,
    max_tokens: int,
    max_windows: int,
) -> list[Window]:
    """Return the windows worth reading, best first: by what they share with the question, by rank.

    The best window of each of the first passages is read before the second one of any.
    """
    worth = _worth_in(question, idf)
    scored: list[tuple[int, float, int, Window]] = []
    for rank, passage in enumerate(passages):
        of_passage = [(worth(w), w) for w in windows_of(passage, length, max_tokens)]
        of_passage.sort(key=lambda pair: (-pair[0], pair[1].span.start))
        prior = RANK_WEIGHT / (1 + rank)
        for turn, (share, window) in enumerate(of_passage):
            is_later = 0 if turn == 0 and rank < max_windows // 2 else 1
            scored.append((is_later, -(share + prior), rank, window))
    scored.sort(key=lambda item: (item[:3], item[3].span.start))
    return [window for *_, window in scored[:max_windows]]


def _worth_in(question: Question, idf: Mapping[str, float]) -> Callable[[Window], float]:
    """Return what a window shares with a question; across languages, with what was found too."""

    def worth(window: Window) -> float:
        terms = text_terms(window.passage.title) | text_terms(window.text)
        share = coverage(question.terms, terms, idf)
        if not is_across(question.language, window.passage.text):
            return share
        return max(share, FOUND_SHARE * _found_share(window))

    return worth


def _found_share(window: Window) -> float:
    """How much of a window, or of what fits into it, was found; less where better was found."""
    shares = (
        len(shared) / min(len(window.span), len(found)) / (1 + rank)
        for rank, found in enumerate(window.passage.found)
        if (shared := window.span.overlap(found))
    )
    return max(shares, default=0.0)
