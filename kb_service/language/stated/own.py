"""Labels of a form that stand for no field of all documents: each keeps its name, as columns do.

Pure functions. A form is told by how its lines stand together and by what its values are: of
speech, of a glossary and of prose behind a word nothing is a field. Knows no words of labels.
"""

import re
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

from kb_service.domain.facts import (
    CASUALTIES,
    CLOCK,
    OWN_COLUMN,
    STANDARD_FIELDS,
    FactField,
    Role,
)
from kb_service.domain.record_queries import PERIODS
from kb_service.domain.spans import TextSpan
from kb_service.language.layout import LAYOUT
from kb_service.language.lexicon import CJK, any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.fields import status_of
from kb_service.language.stated.forms import (
    ALIGNED,
    ALONE,
    DASHED,
    LABELLED,
    FormField,
    is_label,
    label_name,
)
from kb_service.language.stated.labels import Label, label_of
from kb_service.language.stated.places import Places
from kb_service.language.stated.plain import plain
from kb_service.language.stated.sorts import Sort, measured_sort

MAX_OWN = 80
"""Fields of its own that a record keeps; a form has fewer."""
MAX_VALUE = 200
"""Characters of a value; what is longer is prose under a heading."""
_MIN_LINES, _MIN_TYPED_LINES, _MIN_KNOWN, _MIN_WEAK = 3, 4, 2, 3
"""Lines of a form; of one in which hardly a label is understood; labels that are, and for lines
whose label no sign ends."""
_TYPED_SHARE, _MOST_SENTENCES, _MOST_LOOSE = 0.25, 0.5, 0.5
_WHOLE = 0.8
"""A paper of which so many lines are labels with values is nothing but a form."""
_MAX_HEAD = 40
_MAX_PAIRS_CHARS = 2000
"""Of a line that much is looked at."""
_SENTENCE_CHARS, _SENTENCE_CJK = 80, 40
_COLONS = (":", "\uff1a")
_PART = regex(r"\s*[^;\uff1b:\uff1a]{1,45}[:\uff1a]")
_PARTS = regex(r"[;\uff1b]")
_IN_CJK = regex(f"[{CJK}]")
_SENTENCE = regex(r"[\u3002!?\uff01\uff1f\u2026]|[^\W\d_]{3}\.(?:\s|\Z)")
_WORDS_IN_LINE = regex(r"[ \t]*\S")
_SAID = regex(
    rf"[a-z]+(?: [^\W\d_]+){{2,}}|.*(?:{any_of(shipped_lexicon().listed('stated', 'said_ends'))})"
)
_FILLING = " \t\u3000*_|;\uff1b"
_TAKEN = frozenset({*STANDARD_FIELDS, *Role, *PERIODS, CASUALTIES, CLOCK})
"""Names that mean something else where a query gives them."""


@dataclass(frozen=True, slots=True)
class _Line:
    """A label with its value. `field`: what it is understood as, None for one of its own.

    `is_weak`: no sign ends its label.
    """

    start: int
    value: TextSpan
    name: str
    field: str | None
    sort: Sort | None
    is_sentence: bool = False
    is_weak: bool = False
    is_said: bool = False


def own_fields(
    text: str,
    known: Sequence[FormField],
    rows: Sequence[TextSpan],
    records: Sequence[TextSpan] = (),
    given: Mapping[str, str] | None = None,
) -> list[FormField]:
    """Return the labels of forms that are not understood, with their values, in order.

    `known`: those that are; `rows`: of tables; `records`: that stand one below the other. `given`:
    what people said that labels stand for.
    """
    told = [one for one in known if not _says_no_status(text, one)]
    lines = sorted(_lines(text, told, rows, given or {}), key=lambda line: line.start)
    places = Places(records)
    number = Counter[int | None]()
    found: list[FormField] = []
    for line in _of_forms(text, lines, places):
        record = places.at(line.start)
        number[record] += 1
        if number[record] <= MAX_OWN:
            label = Label(line.name, line.name, is_own=True)
            found.append(FormField(label, line.value, TextSpan(line.start, line.value.end)))
    return found


def _says_no_status(text: str, one: FormField) -> bool:
    """True for a status that is none of a report: of the case, of a machine."""
    return one.label.field == FactField.STATUS and not status_of(plain(one.value.of(text)))


def _lines(
    text: str, known: Sequence[FormField], rows: Sequence[TextSpan], given: Mapping[str, str]
) -> Iterator[_Line]:
    """Yield labels with their values; one that no sign ends only where no other stands."""
    closed = sorted([*rows, *(one.span for one in known)])
    for one in known:
        if not one.is_within:
            yield _Line(one.span.start, one.value, one.label.name, one.label.field, None)
    for patterns, is_weak in (((LABELLED,), False), ((DASHED, ALIGNED, ALONE), True)):
        marks = list(_marks(text, patterns, closed))
        begun = {*(mark.start() for mark in marks), *(span.start for span in closed)}
        follows = dict(pairwise(sorted(begun)))
        for mark in marks:
            value = _value_of(text, mark.end(), follows.get(mark.start(), len(text)))
            closed.append(TextSpan(mark.start(), max(mark.end(), value.end)))
            sign = text[mark.end("label") : mark.end()].strip(f"\t{_FILLING}")
            line = _line(mark, text, value, given, is_weak=is_weak or not sign)
            if line and not (line.is_sentence and _goes_on(text, value.end, begun)):
                yield line
        closed.sort()


def _line(
    mark: re.Match[str], text: str, value: TextSpan, given: Mapping[str, str], *, is_weak: bool
) -> _Line | None:
    """Return a label with its value; None for what is none, or is understood."""
    name, words = label_name(mark["label"]), value.of(text)
    is_said = given.get(name) == OWN_COLUMN
    if not words or len(words) > MAX_VALUE or not (is_said or is_label(name, words)):
        return None
    if LAYOUT.begins_item(words):  # the first of a list is not its value
        return None
    if not is_said and (name in given or (is_weak and _is_no_label(name))):
        return None
    shown = name.capitalize() if name in _TAKEN else name
    sort, is_sentence = measured_sort(words), _is_sentence(words)
    if is_weak and is_sentence:
        return None
    return _Line(mark.start(), value, shown, None, sort, is_sentence, is_weak, is_said)


def _is_no_label(name: str) -> bool:
    """True for what is understood but has no value that its field may have, and for Page 3."""
    return name[-1] in ".0123456789" or label_of(name).is_standard


def _goes_on(text: str, end: int, starts: Container[int]) -> bool:
    """True where a line of prose is wrapped into the next one."""
    line = text.find("\n", end) + 1
    return line > 0 and line not in starts and bool(_WORDS_IN_LINE.match(text, line))


def _marks(
    text: str, patterns: Iterable[re.Pattern[str]], closed: Sequence[TextSpan]
) -> Iterator[re.Match[str]]:
    """Yield what looks like a label outside of closed spans, in order; of two at a place one."""
    begun: set[int] = set()
    found = [mark for pattern in patterns for mark in pattern.finditer(text)]
    spans = iter(closed)
    span = next(spans, None)
    for mark in sorted(found, key=lambda one: one.start()):
        while span and span.end <= mark.start():
            span = next(spans, None)
        is_closed = span is not None and span.start < mark.end()
        if is_closed or mark.start() in begun or mark.group().count("\n") > 1:
            continue
        if _begins_pair(text, mark):
            begun.add(mark.start())
            yield mark


def _begins_pair(text: str, mark: re.Match[str]) -> bool:
    """True for a label at the beginning of its line, or of one of the pairs that it consists of."""
    if text[mark.start() - 1 : mark.start()] not in (";", "\uff1b"):
        return True
    begin = text.rfind("\n", 0, mark.start()) + 1
    end = text.find("\n", mark.start())
    line = text[begin : end if end >= 0 else len(text)][:_MAX_PAIRS_CHARS]
    return all(_PART.match(part) for part in _PARTS.split(line) if part.strip())


def _value_of(text: str, begin: int, limit: int) -> TextSpan:
    """Where a value stands: until its line or cell ends, or the next label begins.

    It may stand in the line below its label.
    """
    start = begin
    while text[start : start + 1] in _FILLING and start < limit:
        start += 1
    if text[start : start + 1] == "\n":
        start += 1
    while text[start : start + 1] in _FILLING and start < limit:
        start += 1
    ends = [at for sign in "\n\t" if (at := text.find(sign, start, limit)) >= 0]
    end = min([*ends, limit])
    while end > start and text[end - 1] in f"\n{_FILLING}":
        end -= 1
    return TextSpan(start, max(start, end))


def _is_sentence(words: str) -> bool:
    """True for what is long, has an end mark, or reads as it is said: on my way, 我们到了."""
    longest = _SENTENCE_CJK if _IN_CJK.search(words) else _SENTENCE_CHARS
    is_long = len(words) > longest or _SENTENCE.search(words) is not None
    return is_long or _SAID.fullmatch(words) is not None


def _of_forms(text: str, lines: Sequence[_Line], records: Places) -> Iterator[_Line]:
    """Yield the lines with labels of their own that stand in forms."""
    blocks = _blocks(text, lines)
    is_form = [_is_form(block) for block in blocks]
    is_whole = any(is_form) and len(lines) >= _WHOLE * sum(
        map(bool, map(str.strip, text.split("\n")))
    )
    for block, is_one in zip(blocks, is_form, strict=True):
        own = [line for line in block if line.field is None]
        if not (is_one or (is_whole and not _is_speech(own))):
            own = [line for line in own if line.is_said]
        yield from _said_once(block, own, records)


def _blocks(text: str, lines: Sequence[_Line]) -> list[list[_Line]]:
    """Return the lines that stand together: nothing between them, or a heading."""
    gaps = [text[one.value.end : other.start] for one, other in pairwise(lines)]
    blank = [gap for gap in gaps if not gap.strip(f"\n{_FILLING}")]
    loose = sum(gap.count("\n") > 1 for gap in blank)
    is_loose = loose > _MOST_LOOSE * len(blank)
    blocks: list[list[_Line]] = [list(lines[:1])] if lines else []
    for gap, line in zip(gaps, lines[1:], strict=True):
        if _joins(gap, is_loose=is_loose):
            blocks[-1].append(line)
        else:
            blocks.append([line])
    return blocks


def _joins(gap: str, *, is_loose: bool) -> bool:
    """True for nothing, a heading, and labels that nobody filled in."""
    between = [words for line in gap.split("\n") if (words := line.strip(_FILLING))]
    if not between:
        return is_loose or gap.count("\n") <= 1
    between = [words for words in between if not words.endswith(_COLONS)]
    is_short = len(between) <= 1 and len("".join(between)) <= _MAX_HEAD
    return is_short and not _SENTENCE.search("".join(between))


def _is_form(block: Sequence[_Line]) -> bool:
    """True where enough labels are understood, or where enough values are no words."""
    own = [line for line in block if line.field is None]
    known = len({line.field for line in block if line.field})
    typed = sum(line.sort not in (None, Sort.WORDS) for line in own)
    if _is_speech(own):
        return False
    if len(block) >= _MIN_LINES and (known >= _MIN_KNOWN or (known and typed)):
        return True
    return len(block) >= _MIN_TYPED_LINES and typed >= max(1.0, _TYPED_SHARE * len(own))


def _is_speech(own: Sequence[_Line]) -> bool:
    """True where most of what stands behind labels is sentences."""
    return sum(line.is_sentence for line in own) > _MOST_SENTENCES * len(own)


def _said_once(block: Sequence[_Line], own: Sequence[_Line], records: Places) -> Iterator[_Line]:
    """Yield the lines of labels that their record has once.

    What stands between two times of one label that has words behind it each time is a talk.
    """
    known = len({line.field for line in block if line.field})
    named: dict[tuple[int | None, str], list[int]] = {}
    for place, line in enumerate(own):
        named.setdefault((records.at(line.start), line.name), []).append(place)
    again = [places for places in named.values() if len(places) > 1]
    talks = [
        (places[0], places[-1])
        for places in again
        if all(own[place].sort is Sort.WORDS for place in places)
    ]
    left_out = {place for places in again for place in places}
    for place, line in enumerate(own):
        is_talk = any(first <= place <= last for first, last in talks)
        is_sure = not line.is_weak or known >= _MIN_WEAK
        if line.is_said or (is_sure and not is_talk and place not in left_out):
            yield line
