"""The smallest stretches of a text worth quoting: sentences, form fields, list items, headings.

Pure functions on strings. Knows layout only (line ends, labels, numbering), no meaning.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from kb_service.domain.numerals import whole_number
from kb_service.domain.spans import TextSpan
from kb_service.domain.text import CJK, sentence_spans, trimmed_span

MAX_SENTENCE_CHARS = 400
"""A longer stretch without end marks is a table or a list: it is cut at its line ends."""

_LINE = re.compile(r"[^\n]+")
# "Accident Number:" or "Date & Time: 12/08/2007": a few capitalised words, then a colon.
_LATIN_LABEL = re.compile(
    r"\s*[A-Z][\w&/.()#'-]*(?:[ \t][\w&/.()#'-]+){0,5}[ \t]*:(?=\s|$)", re.MULTILINE
)
_CJK_LABEL = re.compile(f"\\s*[{CJK}]{{2,10}}[ \\t]*[:：](?![^\\n]*[。；])")
# Forms set a label and its value apart by white space alone; prose in this script has none.
_CJK_SPACED = re.compile(f"\\s*[{CJK}]{{2,8}}[ \\t\\u3000]+(?=\\S)(?![^\\n]*[。；，])")
_NEXT_LABEL = re.compile(f"\\t(?=[^\\t\\n:：]{{1,45}}[:：](?:\\s|$)|[{CJK}]{{2,8}}[:：])")
_LABEL_ONLY = re.compile(r"[^\n]*[:：]\s*$")
_CJK_HEADING = re.compile(
    "\\s*(?:[一二三四五六七八九十]+、|第[一二三四五六七八九十百]+[章节编])[^。；，：:]{1,20}\\s*$"
)
_LATIN_HEADING = re.compile(r"\s*(?:\d+\.[\d.]*\s+)?[A-Z][\w'/&()-]*(?:\s+[\w'/&()]+){0,7}\s*$")
_MARKDOWN_HEADING = re.compile(r"\s*#{1,6}\s+\S")
_ITEM = re.compile(
    r"\s*(?:(?P<arabic>\d{1,3})[.、)）](?!\d)|[（(](?P<in_brackets>\d{1,3})[)）]"
    r"|[（(]?(?P<cjk>[一二三四五六七八九十百]{1,5})[、)）]"
    r"|第(?P<article>[一二三四五六七八九十百千零〇\d]{1,8})[条条款项])"
)


class UnitKind(StrEnum):
    """What a unit is; only headings are never an answer."""

    SENTENCE = "sentence"
    FIELD = "field"
    HEADING = "heading"


@dataclass(frozen=True, slots=True)
class Unit:
    """A quotable stretch: `span` in the text it was cut from, without surrounding white space."""

    span: TextSpan
    kind: UnitKind


def quotable_units(text: str) -> list[Unit]:
    """Return the units of a text in order; every non-space character lies in exactly one."""
    units: list[Unit] = []
    for kind, start, end in _blocks(text):
        if kind is UnitKind.SENTENCE:
            units.extend(Unit(span, kind) for span in _sentences(text, start, end))
        else:
            units.extend(Unit(span, kind) for span in _cells(text, start, end))
    return units


def item_number(text: str) -> int | None:
    """Return the number a list item or article begins with ("2." "（二）" "第十二条"), or None."""
    match = _ITEM.match(text)
    if match is None:
        return None
    digits = next(group for group in match.groups() if group)
    return whole_number(digits)


def reflow(text: str) -> str:
    """Return the words on one line: a line end between CJK characters vanishes, others are a space.

    Nothing but white space changes, so the result is still a quotation.
    """
    joined = re.sub(f"(?<=[{CJK}，。；：、！？）])\\s*\\n\\s*(?=[{CJK}（“‘《])", "", text)
    joined = re.sub(f"(?<=[{CJK}])[ \\t]*\\n[ \\t]*(?=\\d)", "", joined)
    joined = re.sub(f"(?<=\\d)[ \\t]*\\n[ \\t]*(?=[{CJK}])", "", joined)
    return re.sub(r"\s+", " ", joined).strip()


def _blocks(text: str) -> Iterator[tuple[UnitKind, int, int]]:
    """Yield runs of prose, single fields (label with value) and headings, covering all lines."""
    lines = [(match.start(), match.end()) for match in _LINE.finditer(text)]
    prose: tuple[int, int] | None = None
    index = 0
    while index < len(lines):
        kind, last = _classified(text, lines, index)
        start, end = lines[index][0], lines[last][1]
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


def _classified(text: str, lines: list[tuple[int, int]], index: int) -> tuple[UnitKind, int]:
    """Return the kind of the block that begins at a line and the index of its last line."""
    line = text[slice(*lines[index])]
    if _is_label(line):
        return UnitKind.FIELD, _last_value_line(text, lines, index)
    if _is_heading(line, _line_at(text, lines, index + 1)):
        return UnitKind.HEADING, index
    return UnitKind.SENTENCE, index


def _is_label(line: str) -> bool:
    # "Findings: the valve leaked and was replaced." is prose behind a label: it stays a field.
    return any(pattern.match(line) for pattern in (_LATIN_LABEL, _CJK_LABEL, _CJK_SPACED))


def _last_value_line(text: str, lines: list[tuple[int, int]], index: int) -> int:
    last = index
    following = _line_at(text, lines, last + 1)
    if _LABEL_ONLY.match(text[slice(*lines[index])]) and not _begins_other(following):
        last += 1
    while _continues(text[slice(*lines[last])], _line_at(text, lines, last + 1)):
        last += 1
    return last


def _begins_other(line: str) -> bool:
    stripped = line.strip()
    return not stripped or (_is_label(line) and not re.match(r"\s*Part \d", line))


def _continues(line: str, following: str) -> bool:
    """True when the next line goes on with a Latin value: a comma before, or no capital after."""
    next_words = following.strip()
    if not next_words or _is_label(following):
        return False
    if line.rstrip().endswith(":"):
        return False
    return line.rstrip().endswith((",", "&")) or next_words[0].islower()


def _is_heading(line: str, following: str) -> bool:
    if _MARKDOWN_HEADING.match(line) or _CJK_HEADING.match(line):
        return True
    return (
        len(line) <= 60
        and bool(_LATIN_HEADING.match(line))
        and bool(re.match(r"\s*[A-Z\d]", following))
    )


def _line_at(text: str, lines: list[tuple[int, int]], index: int) -> str:
    return text[slice(*lines[index])] if index < len(lines) else ""


def _cells(text: str, start: int, end: int) -> Iterator[TextSpan]:
    """Cut a line of a form at the tabs in front of its further labels."""
    cuts = [match.start() for match in _NEXT_LABEL.finditer(text, start, end)]
    for low, high in pairwise([start, *cuts, end]):
        trimmed = trimmed_span(text, low, high)
        if trimmed:
            yield trimmed


def _sentences(text: str, start: int, end: int) -> Iterator[TextSpan]:
    for span in sentence_spans(text[start:end]):
        whole = span.shifted(start)
        if len(whole) <= MAX_SENTENCE_CHARS:
            yield whole
            continue
        for match in _LINE.finditer(text, whole.start, whole.end):
            trimmed = trimmed_span(text, match.start(), match.end())
            if trimmed:
                yield trimmed
