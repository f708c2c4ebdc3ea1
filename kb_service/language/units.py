"""The smallest stretches of a text worth quoting: sentences, form fields, list items, headings.

Pure functions on strings. Knows layout only (line ends, labels, numbering), no meaning.
"""

import hashlib
import re
from collections.abc import Iterator
from functools import partial
from itertools import pairwise

from kb_service.domain.spans import TextSpan
from kb_service.domain.texts import MarkedText, Unit, UnitKind
from kb_service.language.layout import Layout
from kb_service.language.lexicon import BULLETS, CJK, Lexicon, shipped_lexicon
from kb_service.language.numerals import Numerals
from kb_service.language.regexes import regex
from kb_service.language.text import sentence_end, sentence_spans, trimmed_span
from kb_service.language.timed_lines import entry_lines
from kb_service.language.wraps import Wraps

CUTTING = 6
"""Raise it when the code below cuts otherwise: stored units are marked anew then."""

MAX_SENTENCE_CHARS = 400
"""A longer stretch without end marks is a table or a list: it is cut at its line ends."""
MAX_WRAPPED_CHARS = 1200
"""Nor is so much without an end mark a sentence whose lines are wrapped."""

MAX_TITLE_CHARS = 60
TITLE_SHARE = 0.6
"""A title is this much shorter than the prose under it: where prose is wrapped, the first line of a
paragraph is about as long as the next one."""

_LINE = regex(r"[^\n]+")
_ENDS_OPENLY = regex(r"[\w)\]\"'\u201d\u2019\u300b\uff09\u3011]$")
_NEXT_LATIN_LABEL = r"[^\t\n:：]{1,45}[:：](?:\s|$)"
_LABEL_ONLY = regex(r"[^\n]*[:：]\s*$")
_MARKDOWN_HEADING = r"\s*#{1,6}\s+\S"
_BULLET = regex(rf"[-*{BULLETS}\u2013\u2014]\s")
_BEGINS_PLAINLY = regex(r"\s*[A-Z\d]")
_JOINS_BEFORE, _JOINS_AFTER = (
    re.escape(shipped_lexicon().characters("layout", key))
    for key in ("joins_before", "joins_after")
)


class UnitCutter:
    """Cuts texts in the languages of a lexicon."""

    def __init__(self, lexicon: Lexicon) -> None:
        layout = partial(lexicon.patterns, "layout")
        self._numerals = Numerals(lexicon)
        self._sentence_end = sentence_end(lexicon)
        self._labels = tuple(regex(p, re.MULTILINE) for p in layout("labels"))
        self._headings = tuple(map(regex, (_MARKDOWN_HEADING, *layout("headings"))))
        self._plain_headings = tuple(map(regex, layout("headings_before_capital")))
        self._layout = Layout(lexicon)
        marks = "".join(lexicon.characters("layout", key) for key in ("line_ends", "line_pauses"))
        self._pauses = regex(f"[{re.escape(marks)},.!?;:]")
        self._next_label = regex(rf"\t(?={'|'.join((_NEXT_LATIN_LABEL, *layout('next_labels')))})")
        marks = re.escape(lexicon.characters("sentences", "list_marks"))
        opens = re.escape(lexicon.characters("sentences", "list_opens"))
        self._items = tuple(
            regex(rf"\s*{pattern}")
            for pattern in (
                rf"(?P<number>\d{{1,3}})[.){marks}](?!\d)",
                rf"[({opens}](?P<number>\d{{1,3}})[){marks}]",
                *layout("items"),
            )
        )

    @property
    def rules(self) -> str:
        """The name (SHA-256) of how it cuts: by which code and which words."""
        patterns = (self._sentence_end, *self._labels, *self._headings, *self._plain_headings)
        written = [pattern.pattern for pattern in (*patterns, self._next_label)]
        return hashlib.sha256("\0".join([str(CUTTING), *written]).encode()).hexdigest()

    def units(self, text: str) -> list[Unit]:
        """Return the units of a text in order; every non-space character lies in exactly one."""
        units: list[Unit] = []
        for kind, start, end in self._blocks(text):
            cut = self._sentences if kind is UnitKind.SENTENCE else self._cells
            units.extend(Unit(span, kind) for span in cut(text, start, end))
        return units

    def marks(self, text: str) -> list[Unit]:
        """Return the units of a text, each long field followed by its sentences as parts."""
        marks: list[Unit] = []
        for unit in self.units(text):
            marks.append(unit)
            if unit.kind is UnitKind.FIELD and len(unit.span) > MAX_SENTENCE_CHARS:
                parts = self._sentences(text, unit.span.start, unit.span.end)
                marks.extend(Unit(span, UnitKind.PART) for span in parts)
        return marks

    def item_number(self, text: str) -> int | None:
        """Return the number a list item or article begins with ("2." "(3)"), or None."""
        match = next((found for item in self._items if (found := item.match(text))), None)
        return self._numerals.whole_number(match["number"]) if match else None

    def _blocks(self, text: str) -> Iterator[tuple[UnitKind, int, int]]:
        """Yield runs of prose, fields (label with value) and headings, covering all lines."""
        lines = [(match.start(), match.end()) for match in _LINE.finditer(text)]
        wraps = Wraps(text, lines)
        entries = entry_lines(text, lines)
        prose: tuple[int, int] | None = None
        index = 0
        while index < len(lines):
            kind, last = self._classified(text, lines, index, wraps)
            start, end = lines[index][0], lines[last][1]
            if prose and index in entries:
                yield UnitKind.SENTENCE, *prose
                prose = None
            index = last + 1
            if kind is UnitKind.SENTENCE:
                prose = (prose[0] if prose else start, end)
                continue
            if prose:
                yield UnitKind.SENTENCE, *prose
                prose = None
            yield kind, start, end
        if prose:
            yield UnitKind.SENTENCE, *prose

    def _classified(
        self, text: str, lines: list[tuple[int, int]], index: int, wraps: Wraps
    ) -> tuple[UnitKind, int]:
        """Return the kind of the block that begins at a line and the index of its last line."""
        line = text[slice(*lines[index])]
        if self._is_label(line):
            last = self._last_wrapped(text, lines, index, wraps)
            if not self._is_label(reflow(text[lines[index][0] : lines[last][1]])):
                return UnitKind.SENTENCE, last
            return UnitKind.FIELD, self._last_value_line(text, lines, last)
        if self._is_heading(line, _line_at(text, lines, index + 1)):
            return UnitKind.HEADING, index
        if self._is_title(text, lines, index):
            return UnitKind.HEADING, index
        return UnitKind.SENTENCE, index

    def _is_title(self, text: str, lines: list[tuple[int, int]], index: int) -> bool:
        """True for a short line without an end mark that prose stands under and none before it."""
        line, following = (_line_at(text, lines, at).strip() for at in (index, index + 1))
        is_short = len(line) <= min(MAX_TITLE_CHARS, TITLE_SHARE * len(following))
        if not is_short or not _ENDS_OPENLY.search(line) or following[0].islower():
            return False
        if _BULLET.match(line):
            return False
        if not self._pauses.search(following):
            return False
        before = text[: lines[index][0]]
        is_first = not before.strip() or before.endswith("\n\n")
        return is_first or self._layout.ends_line(before.rstrip())

    def _is_label(self, line: str) -> bool:
        # "Findings: the valve leaked and was replaced." is prose behind a label: it stays a field.
        bullet = _BULLET.match(line)
        words = line[bullet.end() :] if bullet else line
        return any(pattern.match(words) for pattern in self._labels)

    def _last_wrapped(
        self, text: str, lines: list[tuple[int, int]], index: int, wraps: Wraps
    ) -> int:
        """Return where the line ends that begins at one and is wrapped."""
        while wraps.goes_on(index) and not self._is_label(_line_at(text, lines, index + 1)):
            index += 1
        return index

    def _last_value_line(self, text: str, lines: list[tuple[int, int]], index: int) -> int:
        last = index
        following = _line_at(text, lines, last + 1)
        if _LABEL_ONLY.match(text[slice(*lines[index])]) and not self._begins_other(following):
            last += 1
        while self._continues(text[slice(*lines[last])], _line_at(text, lines, last + 1)):
            last += 1
        return last

    def _begins_other(self, line: str) -> bool:
        stripped = line.strip()
        return not stripped or (self._is_label(line) and not re.match(r"\s*Part \d", line))

    def _continues(self, line: str, following: str) -> bool:
        """True when the next line goes on with a value: a comma before, or a small letter after."""
        next_words = following.strip()
        if not next_words or self._is_label(following) or line.rstrip().endswith(":"):
            return False
        return line.rstrip().endswith((",", "&")) or next_words[0].islower()

    def _is_heading(self, line: str, following: str) -> bool:
        if any(pattern.match(line) for pattern in self._headings):
            return True
        return (
            len(line) <= 60
            and any(pattern.match(line) for pattern in self._plain_headings)
            and bool(_BEGINS_PLAINLY.match(following))
        )

    def _cells(self, text: str, start: int, end: int) -> Iterator[TextSpan]:
        """Cut a line of a form at the tabs in front of its further labels."""
        cuts = [match.start() for match in self._next_label.finditer(text, start, end)]
        for low, high in pairwise([start, *cuts, end]):
            trimmed = trimmed_span(text, low, high)
            if trimmed:
                yield trimmed

    def _sentences(self, text: str, start: int, end: int) -> Iterator[TextSpan]:
        for span in sentence_spans(text[start:end], self._sentence_end):
            whole = span.shifted(start)
            if len(whole) <= MAX_SENTENCE_CHARS:
                yield whole
                continue
            for low, high in _unwrapped(text, whole):
                trimmed = trimmed_span(text, low, high)
                if trimmed:
                    yield trimmed


_CUTTER = UnitCutter(shipped_lexicon())
UNIT_RULES = _CUTTER.rules
"""By which rules `quotable_units` cuts."""


def quotable_units(text: str) -> list[Unit]:
    """Return the units of a text in order; every non-space character lies in exactly one."""
    return _CUTTER.units(text)


def marked(text: str) -> MarkedText:
    """Return a whole text with its units, as they are kept with it."""
    return MarkedText(0, text, tuple(_CUTTER.marks(text)))


def item_number(text: str) -> int | None:
    """Return the number that a list item or article begins with, None when there is none."""
    return _CUTTER.item_number(text)


def reflow(text: str) -> str:
    """Return the words on one line: a line end between CJK characters vanishes, others are a space.

    Nothing but white space changes, so the result is still a quotation.
    """
    joined = re.sub(f"(?<=[{CJK}{_JOINS_BEFORE}])\\s*\\n\\s*(?=[{CJK}{_JOINS_AFTER}])", "", text)
    joined = re.sub(f"(?<=[{CJK}])[ \\t]*\\n[ \\t]*(?=\\d)", "", joined)
    joined = re.sub(f"(?<=\\d)[ \\t]*\\n[ \\t]*(?=[{CJK}])", "", joined)
    return re.sub(r"\s+", " ", joined).strip()


def _unwrapped(text: str, span: TextSpan) -> Iterator[tuple[int, int]]:
    """Yield the lines of a stretch, those together that are one wrapped line."""
    lines = [(match.start(), match.end()) for match in _LINE.finditer(text, span.start, span.end)]
    wraps = Wraps(text, lines)
    start = span.start
    for at, (_, end) in enumerate(lines):
        if not wraps.goes_on(at) or end - start > MAX_WRAPPED_CHARS:
            yield start, end
            start = end


def _line_at(text: str, lines: list[tuple[int, int]], index: int) -> str:
    return text[slice(*lines[index])] if index < len(lines) else ""
