"""Where records begin that stand one below the other: labels that come again and again.

Pure functions on the labelled values that a text was found to have. Knows no words of labels.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise

from kb_service.domain.facts import STATED_ONCE, FactField
from kb_service.domain.spans import TextSpan
from kb_service.language.regexes import regex
from kb_service.language.stated.forms import LABELLED, FormField, is_label, label_name

_TOLD_APART_BY = (FactField.NUMBER, FactField.KIND, FactField.TIME, FactField.PLACE)
_MIN_TOLD = 2
"""A record says so many of these: people and vehicles of one incident are listed as well."""
_MIN_SHARE = 0.6
_MIN_BLOCKS = 2
_PATH = regex(r"[^\W\d][\w-]*(?:\.[\w-]+)+")
_INDEX = regex(r"(?<=\.)\d+(?=\.)")
_MAX_DEPTH = 4
_MAX_ANCHORS = 12
_MOST_TWICE = 0.1
_MOST_PARTED = 0.5
"""Where more labels than this are parted from the next by an empty line, such lines tell nothing.
"""
_PART = regex(r"\n[ \t\u3000]*(?:[-=_*~#\u2500-\u257f\u2014\uff0d]{3,}[ \t]*)?\n")
_MAX_HEAD = 120


def blocks_in(text: str, fields: Sequence[FormField]) -> tuple[TextSpan, ...]:
    """Return the records of a text, in order: from the first label of each to the next record.

    None where labels do not come again, or where what comes again tells no happenings apart.
    """
    for firsts in _ways(text, fields):
        within = [fields[start:end] for start, end in pairwise([*firsts, len(fields)])]
        times = Counter(name for block in within for name in {one.label.name for one in block})
        told = sum(_tells(block, times) for block in within)
        if told >= _MIN_BLOCKS and told >= _MIN_SHARE * len(within):
            starts = [_head_of(text, fields, first) for first in firsts]
            return tuple(TextSpan(*edge) for edge in pairwise([*starts, len(text)]))
    return ()


def _ways(text: str, fields: Sequence[FormField]) -> Iterator[list[int]]:
    """Yield with which fields records may begin, the surest sign of it first."""
    yield _indexed(text, fields)
    yield _behind_breaks(text, fields)
    yield _behind_anchor(fields)


def _tells(block: Sequence[FormField], times: Mapping[str, int]) -> bool:
    """True for a block that tells a happening apart, mostly under labels that others have too."""
    names = {one.label.name for one in block}
    shared = sum(times[name] > 1 for name in names)
    told = {one.label.field for one in block if times[one.label.name] > 1}
    return 2 * shared >= len(names) and len(told & set(_TOLD_APART_BY)) >= _MIN_TOLD


def _indexed(text: str, fields: Sequence[FormField]) -> list[int]:
    """Return where items of a list begin whose keys are numbered: items.1.when, items.2.when."""
    paths = [_PATH.search(text, one.span.start, one.value.start) for one in fields]
    for depth in range(1, _MAX_DEPTH):
        keys = [_item_of(path.group(), depth) if path else "" for path in paths]
        if len(set(keys) - {""}) >= _MIN_BLOCKS:
            return [n for n, key in enumerate(keys) if key and (not n or keys[n - 1] != key)]
    return []


def _item_of(path: str, depth: int) -> str:
    """The path down to its number at a depth; "" where it has none there."""
    indexes = [m.end() for m in _INDEX.finditer(path)]
    return path[: indexes[depth - 1]] if len(indexes) >= depth else ""


def _behind_breaks(text: str, fields: Sequence[FormField]) -> list[int]:
    """Return which labels stand behind an empty line or a rule, where these part records."""
    parted = [n for n in range(1, len(fields)) if _is_parted(text, fields[n - 1], fields[n])]
    firsts = [0, *parted]
    if len(parted) > _MOST_PARTED * len(fields):
        return []
    while len(firsts) > _MIN_BLOCKS and not _is_alike(fields[: firsts[1]], fields[firsts[1] :]):
        firsts = firsts[1:]  # what stands above the records is of the document
    return firsts if _is_once_each(fields, firsts) else []


def _behind_anchor(fields: Sequence[FormField]) -> list[int]:
    """Return where the label stands with which each record begins."""
    times = Counter(one.label.name for one in fields)
    best: list[int] = []
    for name in [name for name, number in times.items() if number >= _MIN_BLOCKS][:_MAX_ANCHORS]:
        firsts = [n for n, one in enumerate(fields) if one.label.name == name]
        again = {one.label.name for one in fields[firsts[0] :]}
        is_first = not any(one.label.name in again for one in fields[: firsts[0]])
        if is_first and len(firsts) > len(best) and _is_once_each(fields, firsts):
            best = firsts
    return best


def _is_alike(block: Sequence[FormField], others: Sequence[FormField]) -> bool:
    names = {one.label.name for one in others}
    return any(one.label.name in names for one in block)


def _is_once_each(fields: Sequence[FormField], firsts: Sequence[int]) -> bool:
    """True where hardly a record says twice what it can say but once."""
    twice = 0
    for start, end in pairwise([*firsts, len(fields)]):
        labels = [one.label for one in fields[start:end] if one.label.field in STATED_ONCE]
        twice += len({label.name for label in labels}) < len(labels)
    return twice <= _MOST_TWICE * len(firsts)


def _is_parted(text: str, one: FormField, other: FormField) -> bool:
    return _PART.search(text, one.value.end, other.span.start) is not None


def _head_of(text: str, fields: Sequence[FormField], first: int) -> int:
    """Where a record begins: with a short line of its own above its first label, if it has one."""
    start = fields[first].span.start
    begin = text.rfind("\n", 0, start) + 1
    floor = fields[first - 1].span.end if first else 0
    for line in _lines_above(text, begin, floor):
        if len(line) > _MAX_HEAD:
            break
        if line.of(text).strip():
            return min(begin, start) if _is_tail(text, line, start) else line.start
    return min(begin, start)


def _is_tail(text: str, line: TextSpan, start: int) -> bool:
    """True for a label with its value above an empty line: it is of the record before."""
    mark = LABELLED.match(text, line.start, line.end)
    if mark is None or not is_label(label_name(mark["label"]), text[mark.end() : line.end].strip()):
        return False
    return "\n" in text[line.end : start].strip(" \t").removeprefix("\n")


def _lines_above(text: str, start: int, floor: int) -> Iterator[TextSpan]:
    end = start
    while end > floor:
        begin = text.rfind("\n", floor, end - 1) + 1 or floor
        yield TextSpan(begin, end - 1)
        end = begin
