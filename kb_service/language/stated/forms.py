"""Lines of a text that are labels with their values.

Pure functions. A label that is not understood makes no field: prose may stand behind it.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import CJK
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.stated.labels import Label, label_of
from kb_service.language.stated.meaning import Sense, accepts, field_meant

_COLON = "[:\uff1a]"
_NUMERALS = re.escape("".join(NUMERALS.digits) + "".join(NUMERALS.powers))
_CLAUSE = rf"(?:[(\uff08]?(?:\d{{1,2}}|[{_NUMERALS}]{{1,3}})[)\uff09\u3001.\uff0e][ \u3000]*)?"
"""The number of a clause or an item."""
_LEAD = rf"[ \u3000]*(?:[-*\u2022\xb7] ?)?{_CLAUSE}[*_|]*"
_LABELLED = regex(
    rf"(?:^|(?<=[\t;\uff1b|])){_LEAD}"
    r"(?P<label>[^\s:\uff1a;\uff1b\u3002|*][^:\uff1a\n;\uff1b\u3002\t|]{0,44}?)"
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
_SENTENCE_END = regex(r"[\u3002;\uff1b]|(?<=[^\W_])\.(?=\s|\Z)")
_LINE = regex(r"[^\n\t]*")
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

    Of two that begin at one place the longer one is meant.
    """
    found: dict[int, tuple[int, Label]] = {}
    for pattern in (_LABELLED, _SPACED, _WITHIN, _DASHED, _ALONE):
        for match in pattern.finditer(text):
            label = _understood(text, match, sense, is_weak=pattern in (_DASHED, _ALONE))
            if label and match.end() > found.get(match.start(), (0, label))[0]:
                found[match.start()] = match.end(), label
    kept: list[tuple[int, int, Label]] = []
    for start, (end, label) in sorted(found.items()):
        if not kept or kept[-1][1] <= start:  # else it is a part of the label before
            kept.append((start, end, label))
    return kept


def _understood(
    text: str, match: re.Match[str], sense: Sense | None, *, is_weak: bool
) -> Label | None:
    label = label_of(match["label"])
    if label.is_standard and not is_weak:
        return label
    line = _LINE.match(text, match.end())
    value = line.group() if line else ""
    if label.is_standard:
        return label if accepts(label.field, value) else None
    field = field_meant(label.name, [value], sense) if sense else None
    return replace(label, field=field) if field else None


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
