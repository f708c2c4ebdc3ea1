"""Lines of a text that are labels with their values.

Pure functions. A label that is not understood makes no field here: prose may stand behind it
(`own`).
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from kb_service.domain.facts import FactField
from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import BULLETS, CJK
from kb_service.language.numerals import NUMERALS
from kb_service.language.regexes import regex
from kb_service.language.stated.labels import Label, column_as, label_of, names_thing
from kb_service.language.stated.meaning import Sense, accepts, is_told, settled
from kb_service.language.stated.moments import moments_in
from kb_service.language.stated.narrow import narrow_width, wrapped_end
from kb_service.language.stated.plain import plain
from kb_service.language.stated.sorts import Sort, sort_of

_COLON = "[:\uff1a]"
_NUMERALS = re.escape("".join(NUMERALS.digits) + "".join(NUMERALS.powers))
_CLAUSE = rf"(?:[(\uff08]?(?:\d{{1,2}}|[{_NUMERALS}]{{1,3}})[)\uff09\u3001.\uff0e][ \u3000]*)?"
"""The number of a clause or an item."""
_LEAD = rf"[ \u3000]*(?:[-*{BULLETS}] ?)?{_CLAUSE}[*_|]*"
LABELLED = regex(
    rf"(?:^|(?<=[\t;\uff1b|\u3000])|(?<=  )(?! )){_LEAD}"
    r"(?P<label>[^\W\d][\w-]*(?:\.[\w-]+)+|"
    r"[^\s:\uff1a;\uff1b\u3002|*][^:\uff1a\n;\uff1b\u3002\t|]{0,44}?)"
    rf"(?:[*_ ]*+(?:{_COLON}[*_]*|\t|\||[ \u3000]*+(?:\.{{3,}}|\u2026+|\xb7{{3,}}))|"
    r"[ \u3000]*+_{3,})[ \u3000]*",
    re.MULTILINE,
)
DASHED = regex(
    rf"^{_LEAD}(?P<label>[^\s:\uff1a\u3002|*-][^:\uff1a\n\u3002\t|\u2013\u2014]{{0,40}}?)[*_]*"
    r"[ \u3000]+[-\u2013\u2014]{1,2}[ \u3000]+(?=\S)",
    re.MULTILINE,
)
ALONE = regex(
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
_CAPITALS = regex(r"(?<=\. )(?P<label>[A-Z](?:/?[A-Z]){1,5}) (?=[^\s:])")
"""A label in capitals behind a sentence, as call-takers write: FAT 2. INJ none. ATT Holm Police."""
_SPACED = regex(
    rf"^[ \u3000]*(?P<label>[{CJK}][{CJK} \u3000]{{0,8}}[{CJK}])[ \u3000]{{1,}}(?=\S)", re.MULTILINE
)
ALIGNED = regex(
    rf"^{_LEAD}(?P<label>[^\s:\uff1a\u3002|*][^:\uff1a\n\u3002\t|]{{0,40}}?)"
    r"(?: {2,}|\u3000+)(?=\S)",
    re.MULTILINE,
)
"""A label with its value in a column of its own, told by spaces alone."""
_BROKEN = regex(
    rf"(?:^|(?<=  )(?! )|(?<=\u3000)){_LEAD}"
    rf"(?P<label>[{CJK}]{{1,8}}\n[{CJK}]{{0,8}}){_COLON}[ \u3000]*",
    re.MULTILINE,
)
"""A label that a narrow page breaks over two lines."""
_NAMING = (FactField.PERSON, FactField.ORGANISATION, FactField.PLACE)
_TIMES = (FactField.TIME, FactField.REPORTED)
_SHORT = (*_NAMING, FactField.NUMBER, FactField.KIND)
_GAP = regex(r"\S(?: {4,}|\u3000{2,})(?=\S)")
"""Between columns of a page: what stands behind is not of the value."""
_MAX_REST, _ANY_YEAR = 20, 2000
_MIN_CAPITALS = 2
_INLINE = regex(r"[:\uff1a][ \u3000*_]*\Z")
_NAMES_PAPER = regex(
    r"[\u300a\"]|(?=[^\s,;\uff0c\uff1b\u3002]*\d)[^\W\d_]+[^\s,;\uff0c\uff1b\u3002]*[-/_\u3014(\uff08\[]|\d{4,}"
)
"""What a paper is called by: a title in its marks, a number with its joints."""
_WEAK = (DASHED, ALONE, ALIGNED)
_SPACES = regex(r"[\s\u3000]+")
_IN_CJK = regex(rf"(?<=[{CJK}]) (?=[{CJK}])")
_CJK_CHAR = regex(f"[{CJK}]")
_NO_LABEL = regex(r"[,\uff0c\u3001\u3002!?\uff01\uff1f\"\u201c\u201d<>=]|\.\s")
_FIRST = regex(r"[^\W_]")
_LETTERS = regex(rf"[{CJK}].*[{CJK}]|[^\W\d_{CJK}].*[^\W\d_{CJK}]", re.DOTALL)
_BRACKETED = regex(r"[(\[\uff08][^)\]\uff09]*[)\]\uff09]")
MAX_LABEL, MAX_CJK, MAX_WORDS = 40, 16, 6
"""Characters, characters of CJK and words of a label; what is longer is a sentence."""
_INDEX = regex(r"[\w.-]*\.\d+\.(?=[^\W\d])")
_SENTENCE_END = regex(r"[\u3002;\uff1b]|(?<=[^\W_])\.(?=\s|\Z)")
_LINE = regex(r"[^\n\t]*")
MAX_MEANT = 64
"""Labels of a text that are asked for by their meaning: a form has fewer."""
_MAX_VALUE = 1500
_JOIN = "; "
_NEXT_LABEL = regex(rf"{_JOIN}[^\s:\uff1a;\uff1b][^:\uff1a\n;\uff1b\t]{{0,44}}: ")
_COLONS = (":", "\uff1a", "?", "\uff1f")
_PARTS_OF_VALUE = regex(r"[,\uff0c\u3002;\uff1b+#\d]")
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
        return self.is_within or self.label.is_meant or not self.label.is_standard


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
    text: str,
    taken: tuple[TextSpan, ...],
    ends: Mapping[int, int],
    sense: Sense | None = None,
    given: Mapping[str, str] | None = None,
) -> Iterator[FormField]:
    """Yield the labelled values of a text that lie in no taken span, in order.

    `ends`: where what begins at a place ends, for values of several lines. `sense`: what labels
    mean that no list of words has. `given`: what people said that labels stand for.
    """
    known = _labels_in(text, sense, given or {})
    covered = iter(taken)
    span = next(covered, None)
    last, width = 0, narrow_width(text)
    for place, (start, behind, label) in enumerate(known):
        while span and span.end <= start:
            span = next(covered, None)
        if start < last or (span and span.start <= start):
            continue
        following = known[place + 1][0] if place + 1 < len(known) else len(text)
        begin, is_within = _past_tabs(text, behind), _is_within(text, start)
        end = min(_end_of(text, start, begin, ends), max(following, begin))
        end = _second_line(text, start, begin, end, following)
        if width and not is_within and _INLINE.search(text, start, begin):
            end = wrapped_end(text, end, width)
        end = _other_label(text, begin, end)
        end = _cell_end(text, begin, end)
        if is_within:
            sentence = _SENTENCE_END.search(text, begin, end)
            end = sentence.start() if sentence else end
        if label.field in _TIMES and not is_within:
            end = _time_end(text, begin, end)
        if label.field in _SHORT and (gap := _GAP.search(text, begin, end)):
            end = gap.start() + 1
        if span and span.start < end:
            end = begin + len(text[begin : max(begin, span.start)].rstrip())
        last = end
        if text[begin:end].strip() and not _COLON_END.search(text[begin:end]):
            yield FormField(label, TextSpan(begin, end), TextSpan(start, end), is_within)


def label_name(written: str) -> str:
    """Return the name of a label: without its number in a list, marks and spaces around it."""
    words = _behind_index(_SPACES.sub(" ", written).strip(" *_|"))
    return _IN_CJK.sub("", words)


def is_label(name: str, words: str) -> bool:
    """True for a short name of a value: no sentence, no time of day and no address."""
    bare = _BRACKETED.sub("", name)
    return (
        len(name) <= MAX_LABEL
        and len(_CJK_CHAR.findall(bare)) <= MAX_CJK
        and len(bare.split()) <= MAX_WORDS
        and _FIRST.match(name) is not None
        and _LETTERS.search(bare) is not None
        and not _NO_LABEL.search(bare)
        and not words.startswith("//")
        and not (name[-1].isdigit() and words[:1].isdigit())
        and sort_of(name) is Sort.WORDS
    )


def _label(written: str, given: Mapping[str, str]) -> Label:
    name = label_name(written) if given else ""
    return column_as(name, given[name]) if name in given else label_of(_behind_index(written))


def _labels_in(
    text: str, sense: Sense | None, given: Mapping[str, str]
) -> list[tuple[int, int, Label]]:
    """Return where labels stand that are understood, where their values begin, and what they say.

    Of two that begin at one place the longer one is meant, but one that may be none only where no
    other begins there; its value is no other label.
    """
    found = [
        _Mark(match.start(), match.end(), _label(match["label"], given), pattern in _WEAK)
        for pattern in (LABELLED, _SPACED, _WITHIN, *_WEAK)
        for match in pattern.finditer(text)
    ]
    found += [*_capitals(text, given), *_broken(text, given)]
    kept: list[tuple[int, int, Label]] = []
    told = list(_settled(text, found, sense))
    strong = {one.start for one in told if not one.is_weak}
    marks = [one for one in told if not (one.is_weak and one.behind in strong)]
    for mark in sorted(marks, key=lambda one: (one.start, one.is_weak, -one.behind)):
        is_value = mark.label.is_meant and kept and kept[-1][1] == mark.start
        if not is_value and (not kept or kept[-1][1] <= mark.start):  # else a part of that before
            kept.append((mark.start, mark.behind, mark.label))
    return kept


def _capitals(text: str, given: Mapping[str, str]) -> list[_Mark]:
    """Return labels in capitals that are understood, of a text that has several such."""
    found = [
        _Mark(match.start(), match.end(), label, is_weak=True)
        for match in _CAPITALS.finditer(text)
        if (label := _label(match["label"], given)).is_standard
        and (label.field not in _NAMING or text[match.end()].isupper())
    ]
    return found if len({mark.label.field for mark in found}) >= _MIN_CAPITALS else []


def _broken(text: str, given: Mapping[str, str]) -> Iterator[_Mark]:
    """Yield labels over a line end that are understood; what stands above a label is none of it."""
    for match in _BROKEN.finditer(text):
        label = _label(match["label"].replace("\n", ""), given)
        is_below = _label(match["label"].partition("\n")[2], given).is_standard
        if label.is_standard and not (is_below and text[: match.start()][-1:] in ("", "\n")):
            yield _Mark(match.start(), match.end(), label, is_weak=False)


def _settled(text: str, found: Sequence[_Mark], sense: Sense | None) -> Iterator[_Mark]:
    """Yield the marks whose labels are understood, by their words or by what they mean."""
    values = [_first_words(text, mark) for mark in found]
    unknown: dict[str, list[str]] = {}
    known: list[Label] = []
    for mark, value in zip(found, values, strict=True):
        if mark.label.is_own:
            continue
        if not mark.label.is_standard:
            is_asked = mark.label.name in unknown or len(unknown) < MAX_MEANT
            if is_asked and value.strip():
                unknown.setdefault(mark.label.name, []).append(value)
        elif mark.label.field == FactField.FOLLOWS and not _NAMES_PAPER.search(value):
            continue  # Correction: two were hurt, not three
        elif not mark.is_weak or accepts(mark.label.field, value):
            known.append(mark.label)
            yield mark
    told = settled([*known, *(Label(name, name) for name in unknown)], _Values(unknown), sense)
    meant = {label.name: label for label in told if label.name in unknown}
    for mark, value in zip(found, values, strict=True):
        label = meant.get(mark.label.name, mark.label)
        is_told_already = mark.label.is_standard or mark.label.is_own
        if is_told_already or label.field == label.name or not accepts(label.field, value):
            continue
        if not mark.is_weak or is_told(label.field, label.name):
            is_of_thing = label.is_of_thing and names_thing(label.name)  # a form may say it twice
            yield replace(mark, label=replace(label, is_meant=True, is_of_thing=is_of_thing))


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


def _first_words(text: str, mark: _Mark) -> str:
    """The rest of the line behind a label; behind a sentence of it the rest of its own."""
    words = _first_line(text, mark.behind)
    end = _SENTENCE_END.search(words) if _is_within(text, mark.start) else None
    return words[: end.start()] if end else words


def _is_within(text: str, start: int) -> bool:
    """True for a label behind a sentence: its value ends where that of the next one begins."""
    return text[max(0, start - 1) : start] == "\u3002" or text[max(0, start - 2) : start] == ". "


def _second_line(text: str, start: int, begin: int, end: int, following: int) -> int:
    """Where a value ends that goes on in a second line, between two labels of lines of their own.

    What begins like a label itself, or stands alone as one may, is none of it.
    """
    rest = text[end:following]
    is_alone = "\n" in text[start:begin] and _first_line(text, following).strip() != ""
    lines = [line for line in rest.split("\n") if line.strip()]
    if not is_alone or len(lines) != 1 or "\n" in text[begin:end].strip():
        return end
    second = lines[0].strip()
    goes_on = second[:1].islower() or _PARTS_OF_VALUE.search(second) is not None
    if not goes_on or second.endswith(_COLONS) or label_of(second).is_standard:
        return end
    return end + rest.index(second) + len(second)


def _other_label(text: str, begin: int, end: int) -> int:
    """Where a line below the first one begins with a label, which may be written small."""
    line = text.find("\n", begin, end)
    while line >= 0:
        mark = LABELLED.match(text, line + 1, end)
        words = _first_line(text, mark.end()) if mark else ""
        if mark and words.strip() and is_label(label_name(mark["label"]), words.strip()):
            return line
        line = text.find("\n", line + 1, end)
    return end


def _time_end(text: str, begin: int, end: int) -> int:
    """Where a time ends that a narrow page breaks over two lines; the rest of it stands alone."""
    value, rest = text[begin:end].strip(), _first_line(text, end + 1).strip()
    if "\n" in value or text[end : end + 1] != "\n" or not rest or len(rest) > _MAX_REST:
        return end
    joint = " " if value.isascii() and rest.isascii() else ""
    moments = moments_in(plain(f"{value}{joint}{rest}"), _ANY_YEAR)
    is_whole = bool(moments) and moments[0].end == len(value) + len(joint) + len(rest)
    return text.index(rest, end) + len(rest) if is_whole else end


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
