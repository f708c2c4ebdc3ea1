"""Lines of a text that are labels with their values.

Pure functions. A label that is not understood makes no field: prose may stand behind it.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import BULLETS, CJK
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.stated.labels import Label, label_of
from kb_service.language.stated.meaning import Sense, accepts, is_told, settled

_COLON = "[:\uff1a]"
_NUMERALS = re.escape("".join(NUMERALS.digits) + "".join(NUMERALS.powers))
_CLAUSE = rf"(?:[(\uff08]?(?:\d{{1,2}}|[{_NUMERALS}]{{1,3}})[)\uff09\u3001.\uff0e][ \u3000]*)?"
"""The number of a clause or an item."""
_LEAD = rf"[ \u3000]*(?:[-*{BULLETS}] ?)?{_CLAUSE}[*_|]*"
_LABELLED = regex(
    rf"(?:^|(?<=[\t;\uff1b|\u3000])|(?<=  )){_LEAD}"
    r"(?P<label>[^\W\d][\w-]*(?:\.[\w-]+)+|"
    r"[^\s:\uff1a;\uff1b\u3002|*][^:\uff1a\n;\uff1b\u3002\t|]{0,44}?)"
    rf"[*_ ]*(?:{_COLON}[*_]*|\t|\||[ \u3000]*(?:\.{{3,}}|\u2026+|_{{3,}}|\xb7{{3,}}))[ \u3000]*",
    re.MULTILINE,
)
_DASHED = regex(
    rf"^{_LEAD}(?P<label>[^\s:\uff1a\u3002|*-][^:\uff1a\n\u3002\t|\u2013\u2014]{{0,40}}?)[*_]*"
    r"[ \u3000]+[-\u2013\u2014]{1,2}[ \u3000]+(?=\S)",
    re.MULTILINE,
)
_ALONE = regex(
    rf"^(?:#+ *)?{_LEAD}"
    r"(?P<label>[^\s:\uff1a\u3002|*.,;#][^:\uff1a\n\u3002\t|.,;\uff0c]{0,30}?)[*_ ]*$"
    r"\n+(?=[ \u3000]*\S)",
    re.MULTILINE,
)
"""A label with a line of its own, over its value. This and the one before stand in prose too: their
values have to be of a sort that the field has."""
_WITHIN = regex(
    r"(?:(?<=\u3002)|(?<=[^\W_]\. ))[ \u3000]*"
    r"(?P<label>[^\s:\uff1a;\uff1b\u3002|.,][^:\uff1a\n;\uff1b\u3002\t|.,]{0,44}?)"
    rf"{_COLON}[ \u3000]*"
)
"""A label behind a sentence of its line."""
_SPACED = regex(
    rf"^[ \u3000]*(?P<label>[{CJK}][{CJK} \u3000]{{0,8}}[{CJK}])[ \u3000]{{1,}}(?=\S)", re.MULTILINE
)
_ALIGNED = regex(
    rf"^{_LEAD}(?P<label>[^\s:\uff1a\u3002|*][^:\uff1a\n\u3002\t|]{{0,40}}?)"
    r"(?: {2,}|\u3000+)(?=\S)",
    re.MULTILINE,
)
"""A label with its value in a column of its own, told by spaces alone."""
_WEAK = (_DASHED, _ALONE, _ALIGNED)
_INDEX = regex(r"[\w.-]*\.\d+\.(?=[^\W\d])")
_SENTENCE_END = regex(r"[\u3002;\uff1b]|(?<=[^\W_])\.(?=\s|\Z)")
_LINE = regex(r"[^\n\t]*")
MAX_MEANT = 64
"""Labels of a text that are asked for by their meaning: a form has fewer."""
_MAX_VALUE = 1500
_JOIN = "; "
_NEXT_LABEL = regex(rf"{_JOIN}[^\s:\uff1a;\uff1b][^:\uff1a\n;\uff1b\t]{{0,44}}: ")
_COLON_END = regex(r"[:\uff1a]\s*\Z")
"""At the end of a cell: it is a label itself."""


@dataclass(frozen=True, slots=True)
class FormField:
    """A label that was understood, and where its value stands; `span`: of both.

    `is_within`: it stands behind a sentence of the same line.
    """

    label: Label
    value: TextSpan
    span: TextSpan
    is_within: bool = False

    @property
    def is_beside_prose(self) -> bool:
        """True where its line is read as prose too: it may be more than a label and a value."""
        return self.is_within or self.label.is_meant


@dataclass(frozen=True, slots=True)
class _Mark:
    """Where what looks like a label begins, and where its value does.

    `is_weak`: it is none where its value is of no sort that its field has.
    """

    start: int
    behind: int
    label: Label
    is_weak: bool


def form_fields(
    text: str, taken: tuple[TextSpan, ...], ends: Mapping[int, int], sense: Sense | None = None
) -> Iterator[FormField]:
    """Yield the labelled values of a text that lie in no taken span, in order.

    `ends`: where what begins at a place ends, for values of several lines. `sense`: what labels
    mean that no list of words has.
    """
    known = _labels_in(text, sense)
    covered = iter(taken)
    span = next(covered, None)
    last = 0
    for place, (start, behind, label) in enumerate(known):
        while span and span.end <= start:
            span = next(covered, None)
        if start < last or (span and span.start <= start):
            continue
        following = known[place + 1][0] if place + 1 < len(known) else len(text)
        begin = _past_tabs(text, behind)
        end = min(_end_of(text, start, begin, ends), max(following, begin))
        end = _cell_end(text, begin, end)
        is_within = _is_within(text, start)
        if is_within:
            sentence = _SENTENCE_END.search(text, begin, end)
            end = sentence.start() if sentence else end
        last = end
        if text[begin:end].strip() and not _COLON_END.search(text[begin:end]):
            yield FormField(label, TextSpan(begin, end), TextSpan(start, end), is_within)


def _labels_in(text: str, sense: Sense | None) -> list[tuple[int, int, Label]]:
    """Return where labels stand that are understood, where their values begin, and what they say.

    Of two that begin at one place the longer one is meant, but one that may be none only where no
    other begins there; its value is no other label.
    """
    found = [
        _Mark(match.start(), match.end(), label_of(_behind_index(match["label"])), pattern in _WEAK)
        for pattern in (_LABELLED, _SPACED, _WITHIN, *_WEAK)
        for match in pattern.finditer(text)
    ]
    kept: list[tuple[int, int, Label]] = []
    told = list(_settled(text, found, sense))
    strong = {one.start for one in told if not one.is_weak}
    marks = [one for one in told if not (one.is_weak and one.behind in strong)]
    for mark in sorted(marks, key=lambda one: (one.start, one.is_weak, -one.behind)):
        if not kept or kept[-1][1] <= mark.start:  # else it is a part of the label before
            kept.append((mark.start, mark.behind, mark.label))
    return kept


def _settled(text: str, found: Sequence[_Mark], sense: Sense | None) -> Iterator[_Mark]:
    """Yield the marks whose labels are understood, by their words or by what they mean."""
    values = [_first_line(text, mark.behind) for mark in found]
    unknown: dict[str, list[str]] = {}
    known: list[Label] = []
    for mark, value in zip(found, values, strict=True):
        if not mark.label.is_standard:
            is_asked = mark.label.name in unknown or len(unknown) < MAX_MEANT
            if is_asked and value.strip():
                unknown.setdefault(mark.label.name, []).append(value)
        elif not mark.is_weak or accepts(mark.label.field, value):
            known.append(mark.label)
            yield mark
    told = settled([*known, *(Label(name, name) for name in unknown)], _Values(unknown), sense)
    meant = {label.name: label.field for label in told if label.name in unknown}
    for mark, value in zip(found, values, strict=True):
        field = meant.get(mark.label.name, mark.label.name)
        if mark.label.is_standard or field == mark.label.name or not accepts(field, value):
            continue
        if not mark.is_weak or is_told(field, mark.label.name):
            yield replace(mark, label=replace(mark.label, field=field, is_meant=True))


def _behind_index(label: str) -> str:
    """A key of a list without what says which of its items it is of: items.2.when is when."""
    found = _INDEX.match(label)
    return label[found.end() :] if found else label


class _Values(dict[str, list[str]]):
    """Values by label; of those that are understood none is asked for."""

    def __missing__(self, name: str) -> list[str]:
        return []


def _first_line(text: str, start: int) -> str:
    line = _LINE.match(text, start)
    return line.group() if line else ""


def _is_within(text: str, start: int) -> bool:
    """True for a label behind a sentence: its value ends where that of the next one begins."""
    return text[max(0, start - 1) : start] == "\u3002" or text[max(0, start - 2) : start] == ". "


def _past_tabs(text: str, begin: int) -> int:
    """A label and its value may stand in cells of their own."""
    while text[begin : begin + 1] == "\t":
        begin += 1
    return begin


def _cell_end(text: str, begin: int, end: int) -> int:
    """The value ends at a tab, and where a row of a form goes on with its next label."""
    tab = text.find("\t", begin, end)
    end = end if tab < 0 else tab
    joint = _NEXT_LABEL.search(text, begin, end)
    end = joint.start() if joint else end
    return end - len(_JOIN) if text.endswith(_JOIN, begin, end) else end


def _end_of(text: str, start: int, begin: int, ends: Mapping[int, int]) -> int:
    """Where the value ends: with its line, with the unit of it, or with the line under a label."""
    line_end = text.find("\n", begin)
    line_end = len(text) if line_end < 0 else line_end
    if not text[begin:line_end].strip():
        after = text.find("\n", line_end + 1)
        line_end = len(text) if after < 0 else after
    lead = len(text[start:begin]) - len(text[start:begin].lstrip())
    marked = ends.get(start + lead, line_end)
    return min(max(line_end, marked), begin + _MAX_VALUE)
