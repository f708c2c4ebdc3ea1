"""Which cell of a table a question asks for: a row by what stands in it, a column by its name.

Pure functions on rows as they are written out (label: value; label: value). Sure only where the
question says the whole name of a column and tells one row from all others. Knows no file format.
"""

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate, pairwise, takewhile

from kb_service.domain.spans import TextSpan
from kb_service.language.date_orders import with_dates_in_order
from kb_service.language.identifiers import names_whole
from kb_service.language.inflection import base_form
from kb_service.language.lexicon import CJK, any_of, shipped_lexicon
from kb_service.language.quantities import MEASURES
from kb_service.language.regexes import regex
from kb_service.language.stated.rows import cells_of_line, tables_in
from kb_service.language.text import normalise, terms_of
from kb_service.language.values import stated_values, supporting_values

_LEXICON = shipped_lexicon()
_BRACKETS = regex(r"[(\[\u3010][^()\[\]\u3010\u3011]*[)\]\u3011]")
_TOKEN = regex(rf"[{CJK}]+|[^\W_{CJK}]+(?:['\u2019.-][^\W_{CJK}]+)*|[%\u2030\xb0]")
_CJK = regex(f"[{CJK}]")
_UNITS = frozenset(_LEXICON.listed("cells", "units")) | frozenset(MEASURES)
_UNSAID = frozenset(_LEXICON.listed("cells", "unsaid"))
_EMPTY = frozenset(_LEXICON.listed("cells", "empty"))
_NUMBER_NAMES = regex(rf"\s*(?:{any_of(_LEXICON.listed('cells', 'number_names'))})$")
_SIGNS = any_of(_LEXICON.listed("cells", "signs"))
_NUMBER = regex(
    rf"(?:\u7b2c|no\.?\s*)?(?P<label>[a-z]{{0,2}}-?\d{{1,4}}[a-z]?|[a-z])\s*(?:{_SIGNS})?"
)
_WHICH = tuple(regex(pattern) for pattern in _LEXICON.patterns("cells", "which"))
_PARTICLES = regex(rf"(?<=[{CJK}])(?:{any_of(_LEXICON.listed('cells', 'particles'))})(?=[{CJK}])")
_PIECE = regex(rf"[{CJK}]|[^\W_{CJK}]+|[^\w\s]")
_JOINING = frozenset(_LEXICON.listed("cells", "joining")) | _UNSAID
_WEIGHTS, _MIN_SHARED = {True: 1.5, False: 1.0}, 3.0
"""So many characters, or two Latin words, are a sort of thing."""
_DAY = regex(r"date:(?:\d{4}-)?\d{1,2}-\d{1,2}")
_FULL_DAY = regex(r"date:\d{4}-\d{1,2}-\d{1,2}")
_HAS_LETTER = regex(r"[^\W\d_]")
MIN_VALUE, MAX_VALUE = 2, 40
"""A single character stands in any question, and no question says as much as a longer cell."""


@dataclass(frozen=True, slots=True)
class Column:
    """The normalised name of a column as words: `needed` to mean it, `more` that tell it apart."""

    name: str
    needed: frozenset[str]
    more: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class _Cell:
    """Name of the column and value, normalised; `ordered`: with its dates in order (`IN_ORDER`)."""

    name: str
    value: str
    ordered: str
    span: TextSpan


@dataclass(frozen=True, slots=True)
class AskedCell:
    """A cell that is asked for: of which row (an index), and where in its words it stands."""

    row: int
    span: TextSpan


class _Asked:
    """The words of a question as the names and values of a table are looked for in them."""

    def __init__(self, asked: str) -> None:
        self.text = asked
        self._joined = _PARTICLES.sub("", asked)
        self._words = {base_form(word) for word in _TOKEN.findall(asked) if not _CJK.match(word)}
        self._implied = _days_in(asked)
        self._days = self._implied & stated_values(asked, asked)
        self.sorts = [match["noun"] for pattern in _WHICH for match in pattern.finditer(asked)]

    def says(self, word: str) -> bool:
        """True when the question has a word of a column's name."""
        if _CJK.match(word):
            return word in self._joined
        if " " in word:
            return names_whole(self.text, word)
        return base_form(word) in self._words

    def says_cell(self, cell: _Cell, *, is_named: bool) -> bool:
        """True when it says a cell whole: its words, its day, its thing by column and number.

        `is_named`: it says the name of the column; a bare number is told only with that.
        """
        value = cell.value
        if value in _EMPTY or not value:
            return False
        if not cell.name:
            return self.says_name(value)
        if number := _NUMBER.fullmatch(value):
            if names_thing(self.text, cell.name, number["label"]):
                return True
            if not is_named and number["label"].isdecimal():
                return False
        if self._days and self._says_day(cell.ordered):
            return True
        is_telling = _HAS_LETTER.search(value) or is_named
        is_of_length = MIN_VALUE <= len(value) <= MAX_VALUE
        return bool(is_telling) and is_of_length and names_whole(self.text, value)

    def says_name(self, name: str) -> bool:
        """True when it says all of a name that stands beside a row."""
        words = [word for word, is_needed in _words(name) if is_needed]
        return bool(words) and all(map(self.says, words))

    def without(self, cells: Sequence[_Cell]) -> str:
        """Return its words without what it says of these cells."""
        rest = self.text
        for cell in cells:
            number = _NUMBER.fullmatch(cell.value)
            thing = _thing(cell.name, number["label"]) if number else ""
            rest = re.sub(thing or re.escape(cell.value), ",", rest)
        return rest

    def _says_day(self, words: str) -> bool:
        """True for a cell of a day that the question states, in its year where both name one."""
        days = _days_in(words)
        is_of_year = any(map(_FULL_DAY.fullmatch, days))
        return bool(days & self._days or (not is_of_year and days & self._implied))


@lru_cache(maxsize=16)
def _words_of(asked: str) -> _Asked:
    """The words of a question, which is held against the tables of one document after another."""
    return _Asked(asked)


def _days_in(words: str) -> set[str]:
    """The days of normalised words."""
    return {value for value in supporting_values(words, words) if _DAY.fullmatch(value)}


def names_thing(asked: str, column: str, label: str) -> bool:
    """True when a question names a thing by what its column is called and its number.

    3号滤池 under 滤池 or 滤池编号, pump 2 under Pump no. All normalised.
    """
    thing = _thing(column, label)
    return bool(thing and re.search(thing, asked))


def _thing(column: str, label: str) -> str:
    """The pattern of a thing; "" where the column has no name for it."""
    sort = _NUMBER_NAMES.sub("", _BRACKETS.sub("", column)).strip()
    if not sort:
        return ""
    name = re.escape(sort)
    if not _CJK.search(sort):
        return rf"(?<![^\W_]){name}s?\s*(?:no\.?|number|#)?\s*{label}(?![\w.]*\w)"
    first = rf"(?<![\d.a-z]){label}\s*(?:{_SIGNS})?\s*{name}"
    return rf"{first}|{name}\s*{label}(?![\d.a-z])"


def cells_asked(
    asked: str, rows: Sequence[str], above: Sequence[str] = (), known: str = ""
) -> tuple[AskedCell, ...]:
    """Return the cells that a normalised question asks for, all of one row; () where none is sure.

    `rows`: those of one document, each on a line; `above`: what stands above the table of each. A
    column is asked for by its whole name, or as what the row is about (which pump); the row is the
    only one of which most is said, or of those the only one above which most is said. A column is
    not meant behind words that the document has nowhere (`known`, normalised): the planned delay.
    """
    cells = _cells_of(rows)
    question = _words_of(asked)
    said = _said_columns(question, {cell.name for row in cells for cell in row})
    told = [
        {cell.name for cell in row if question.says_cell(cell, is_named=cell.name in said)}
        for row in cells
    ]
    wanted = [
        (said - names) & {cell.name for cell in row}
        or _sorts(question, [cell.name for cell in row], names)
        for row, names in zip(cells, told, strict=True)
    ]
    most = max((len(names) for names, asks in zip(told, wanted, strict=True) if asks), default=0)
    best = [n for n, names in enumerate(told) if most and wanted[n] and len(names) == most]
    if len(best) > 1 and above:
        best = _under_what_is_said(asked, best, above)
    if len(best) != 1:
        return ()
    (row,) = best
    named = question.without([cell for cell in cells[row] if cell.name in told[row]])
    return tuple(
        AskedCell(row, cell.span)
        for cell in cells[row]
        if cell.name in wanted[row] and not _is_qualified(cell.name, named, known)
    )


def _under_what_is_said(asked: str, rows: Sequence[int], above: Sequence[str]) -> list[int]:
    """Return the rows above which a question says most of what does not stand above the others.

    Of so many lines as stand above each: above the first table stands what heads them all.
    """
    terms = set(terms_of(asked))
    heads = {row: above[row].splitlines() for row in rows}
    lines = min(map(len, heads.values()))
    nearest = {row: " ".join(head[len(head) - lines :]) for row, head in heads.items()}
    stated = {row: terms & set(terms_of(normalise(nearest[row]))) for row in rows}
    common = set.intersection(*stated.values())
    most = max(len(told - common) for told in stated.values())
    return [row for row, told in stated.items() if most and len(told - common) == most]


def is_of(identifier: str, row: str) -> bool:
    """True for a row that has a cell with an identifier (normalised) and nothing else."""
    cells = (cell.span.of(row) for cell in cells_of_line(row))
    return any(normalise(cell).strip() == identifier for cell in cells)


def _cells_of(rows: Sequence[str]) -> list[list[_Cell]]:
    """Return the cells of each row."""
    text = "\n".join(rows)
    ordered = with_dates_in_order(text)
    begins = list(accumulate((len(row) + 1 for row in rows), initial=0))
    found: list[list[_Cell]] = [[] for _ in rows]

    def read(number: int, name: str, span: TextSpan) -> _Cell:
        inside = span.shifted(begins[number])
        value, day = (normalise(inside.of(one)).strip() for one in (text, ordered))
        return _Cell(normalise(name), value, day, span)

    for table in tables_in(text):
        for line in table.rows:
            number = bisect_right(begins, line.span.start) - 1
            spans = ((cell.name, cell.span.shifted(-begins[number])) for cell in line.cells)
            found[number] = [read(number, name, span) for name, span in spans]
    for number, row in enumerate(rows):
        if not found[number]:
            found[number] = [read(number, cell.name, cell.span) for cell in cells_of_line(row)]
        name = _nameless(row)
        if name and found[number]:
            found[number].insert(0, read(number, "", TextSpan(0, len(name))))
    return found


def _nameless(row: str) -> str:
    """The first cell of a row in which that has no name, as names that stand beside rows do."""
    first, join, _ = row.partition("; ")
    return first if join and ": " not in first else ""


def _said_columns(question: _Asked, names: Collection[str]) -> set[str]:
    """Return the columns whose names are said; of several, those of which most is said."""
    columns = _columns(names)
    said = {c.name: c for c in columns if c.needed and all(map(question.says, c.needed))}
    counts = {name: len(c.needed) + sum(map(question.says, c.more)) for name, c in said.items()}
    return {
        name
        for name, column in said.items()
        if not any(
            column.needed <= other.needed and counts[name] < counts[other.name]
            for other in said.values()
        )
    }


def _columns(names: Collection[str]) -> list[Column]:
    """Return the columns; what a name begins with as another does is no part of what it needs."""
    words = {name: list(_words(name)) for name in names}
    columns = []
    for name, own in words.items():
        others = [other for key, other in words.items() if key != name]
        shared = max((_num_shared(own, other) for other in others), default=0)
        needed = [word for word, is_needed in own[shared:] if is_needed]
        needed = needed or [word for word, is_needed in own if is_needed]
        rest = {word for word, _ in own} - set(needed)
        inside = {word for found in _BRACKETS.findall(name) for word in _TOKEN.findall(found)}
        columns.append(Column(name, frozenset(needed), frozenset(rest | inside)))
    return columns


def _num_shared(one: Sequence[object], other: Sequence[object]) -> int:
    pairs = zip(one, other, strict=False)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _words(name: str) -> Iterator[tuple[str, bool]]:
    """Yield the words of a column's name in order, and whether a question needs to say them."""
    before = ""
    for word in _TOKEN.findall(_BRACKETS.sub(" ", name)):
        if len(word) == 1 and before and not _CJK.match(word):
            yield f"{before} {word}", False
        elif (len(word) == 1 and before) or word in _UNSAID or (before and word in _UNITS):
            yield word, False
        else:
            yield _without_unit(word), True
        before = word


def _without_unit(word: str) -> str:
    ends = (u for u in _UNITS if len(u) > 1 and _CJK.match(u) and word.endswith(u))
    unit = next(ends, "")
    return word[: -len(unit)] if unit and len(word) - len(unit) > 1 else word


def _sorts(question: _Asked, names: Sequence[str], told: Collection[str]) -> set[str]:
    """Return the column that says which thing of a sort a row is about, if that is asked for."""
    for sort in question.sorts:
        for name in names:
            if name not in told and _is_of_sort(sort, name):
                return {name}
    return set()


def _is_of_sort(sort: str, name: str) -> bool:
    core = _NUMBER_NAMES.sub("", _BRACKETS.sub("", name)).strip()
    if _CJK.search(core):
        return bool(core) and (sort.startswith(core) or core.endswith(sort))
    words = {base_form(word) for word in _TOKEN.findall(core)}
    return base_form(sort.partition(" ")[0]) in words or base_form(sort.rpartition(" ")[2]) in words


def is_of_another(asked: str, row: str, known: str) -> bool:
    """True where a row is about its like: the validity of a level 1 permit for a hot work permit's.

    What it is about ends as what a question asks for does, and begins otherwise, with words that
    its document (`known`) does not have. All normalised.
    """
    cells = cells_of_line(row)
    about = _PIECE.findall(cells[0].span.of(row)) if cells else []
    words = _PIECE.findall(asked)
    shared = max((n for n in range(1, len(about)) if _places(about[-n:], words)), default=0)
    begins, sort = about[: len(about) - shared], about[len(about) - shared :]
    before = [piece for piece in begins if _HAS_LETTER.match(piece)]
    if not before or sum(_WEIGHTS[piece.isascii()] for piece in sort) < _MIN_SHARED:
        return False
    told = [_run_before(words, place) for place in _places(sort, words)]
    return all(
        bool(run) and not set(run) & set(before) and not _is_known(run, known) for run in told
    )


def _is_qualified(column: str, asked: str, known: str) -> bool:
    """True where a question has words before the name of a column that nothing else says."""
    if not known:
        return False
    words = _PIECE.findall(asked)
    first = next((word for word, is_needed in _words(column) if is_needed), "")
    pieces = _PIECE.findall(first)
    runs = [_run_before(words, place) for place in _places(pieces, words)] if pieces else []
    return bool(runs) and all(run and not _is_known(run, known) for run in runs)


def _places(pieces: Sequence[str], words: Sequence[str]) -> list[int]:
    size = len(pieces)
    return [at for at in range(len(words) - size + 1) if words[at : at + size] == pieces]


def _run_before(words: Sequence[str], place: int) -> list[str]:
    """Return the words that stand directly before a place, to the last one that only joins."""

    def is_part(word: str) -> bool:
        return word not in _JOINING and _HAS_LETTER.match(word) is not None

    return list(takewhile(is_part, words[:place][::-1]))[::-1]


def _is_known(run: Sequence[str], known: str) -> bool:
    pairs = [
        one + other for one, other in pairwise(run) if not one.isascii() and not other.isascii()
    ]
    return all(piece in known for piece in (pairs or run))
