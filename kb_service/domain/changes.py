"""In which passages one text differs from another: a pure comparison, line by line.

Space around lines and empty lines do not count. Spans are those of each text.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from kb_service.domain.spans import TextSpan

MAX_LINES = 10_000
"""Differing lines of a text that are compared; of more, all from the first to the last is told."""


@dataclass(frozen=True, slots=True)
class ChangedPassage:
    """Words of a text: `text[start:end]`."""

    start: int
    end: int
    text: str


@dataclass(frozen=True, slots=True)
class Change:
    """What stood in the old text and stands in the new one; None where nothing does."""

    old: ChangedPassage | None
    new: ChangedPassage | None


def changes_between(old: str, new: str) -> tuple[Change, ...]:
    """Return in what `new` differs from `old`, in the order of the texts."""
    lines = _lines(old), _lines(new)
    words = [
        [span.of(text) for span in spans] for spans, text in zip(lines, (old, new), strict=True)
    ]
    return tuple(
        Change(_passage(old, lines[0][i:j]), _passage(new, lines[1][k:m]))
        for i, j, k, m in _differing(*words)
    )


def _lines(text: str) -> list[TextSpan]:
    found, start = [], 0
    for line in text.splitlines(keepends=True):
        words = line.strip()
        if words:
            begin = start + line.index(words)
            found.append(TextSpan(begin, begin + len(words)))
        start += len(line)
    return found


def _passage(text: str, lines: Sequence[TextSpan]) -> ChangedPassage | None:
    if not lines:
        return None
    start, end = lines[0].start, lines[-1].end
    return ChangedPassage(start, end, text[start:end])


def _differing(old: Sequence[str], new: Sequence[str]) -> Iterator[tuple[int, int, int, int]]:
    """Yield (from, to) of the lines in `old` and in `new` that differ."""
    shorter = min(len(old), len(new))
    before = next((n for n in range(shorter) if old[n] != new[n]), shorter)
    rest = shorter - before
    after = next((n for n in range(rest) if old[-1 - n] != new[-1 - n]), rest)
    old, new = old[before : len(old) - after], new[before : len(new) - after]
    if max(len(old), len(new)) > MAX_LINES:
        yield before, before + len(old), before, before + len(new)
        return
    for tag, i, j, k, m in SequenceMatcher(None, old, new).get_opcodes():
        if tag != "equal":
            yield before + i, before + j, before + k, before + m
