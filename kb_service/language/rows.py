"""Which units of a text are rows of a table, and which rows a question is about.

Pure functions. Knows how rows are written out (label: value; label: value, or cells between bars);
knows no file format.
"""

from collections.abc import Collection, Sequence

from kb_service.domain.questions import Subject
from kb_service.domain.texts import Unit
from kb_service.language.identifiers import names_whole
from kb_service.language.mentions import mentions
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_LABELLED = regex(r"[^\n;|\uff1b]{1,40}[:\uff1a]\s*[^\n;|\uff1b]+[;\uff1b]")
_BARS = regex(r"[^|\n]*\|[^|\n]*\|")


_BETWEEN = regex(r"[;\uff1b|]")
MIN_CELL = 2
"""A single character stands in any question."""


def is_row(words: str) -> bool:
    """True for two or more cells on one line, each behind its label or between bars."""
    line = words.strip()
    if "\n" in line:
        return False
    return bool(_LABELLED.match(line) or _BARS.match(line))


def units_about(
    text: str, units: Sequence[Unit], asked: str, subjects: Sequence[Subject]
) -> tuple[Unit, ...]:
    """Return the units without the rows that are about others than a question's words.

    `asked`: the normalised question. A row is meant when the question says one of its cells, or
    names a subject that it names; where some rows are meant and others are not, those are left out.
    So is the line of labels above rows that have each its own.
    """
    rows = {n: normalise(w) for n, u in enumerate(units) if is_row(w := u.span.of(text))}
    said = {n for n, words in rows.items() if _says_a_cell(asked, words)}
    named = [{n for n, words in rows.items() if mentions(words, s)} for s in subjects]
    others: set[int] = set()
    for meant in (said, *named):
        if meant:
            others |= rows.keys() - meant
    labels = {label for words in rows.values() for label in _labels(words)}
    others |= {n for n, u in enumerate(units) if labels and _is_of_labels(u.span.of(text), labels)}
    return tuple(u for n, u in enumerate(units) if n not in others)


def _cells(row: str) -> list[str]:
    return [cell.strip() for cell in _BETWEEN.split(row)]


def _is_of_labels(line: str, labels: Collection[str]) -> bool:
    cells = _cells(normalise(line))
    return len(cells) > 1 and all(cell in labels for cell in cells)


def _labels(row: str) -> list[str]:
    """The words before the colon of each cell that has one."""
    return [label.strip() for cell in _cells(row) if (label := cell.partition(":")[0]) != cell]


def _says_a_cell(asked: str, row: str) -> bool:
    values = (cell.rpartition(":")[2].strip() for cell in _cells(row))
    return any(len(value) >= MIN_CELL and names_whole(asked, value) for value in values)
