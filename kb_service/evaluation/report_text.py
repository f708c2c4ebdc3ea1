"""The report for a terminal: one column a system, one row a metric, aligned.

Knows widths; the cells are those of `report`.
"""

import unicodedata
from collections.abc import Sequence

from kb_service.evaluation.report import CELL_NOTE, Report, comparison_table, facts_line, tables_of


def report_text(report: Report) -> str:
    """Return the tables of all sets as plain text."""
    lines: list[str] = []
    for part in report.sets:
        lines += [part.name, facts_line(part), ""]
        for table in tables_of(part):
            rows = [table.head, *table.rows]
            shown = list(zip(*rows, strict=True)) if table.is_wide else rows
            lines += [table.caption, *_aligned(shown), ""]
    if report.overall:
        table = comparison_table(report.overall)
        lines += ["Over all sets", *_aligned([table.head, *table.rows]), ""]
    return "\n".join([*lines, CELL_NOTE, *report.notes])


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    widths = [max(_width(cell) for cell in column) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell + " " * (width - _width(cell)) for cell, width in zip(row, widths, strict=True)
        ).rstrip()
        for row in rows
    ]


def _width(text: str) -> int:
    """Return the columns a text takes: two for a wide East Asian character."""
    return sum(2 if unicodedata.east_asian_width(c) in "WF" else 1 for c in text)
