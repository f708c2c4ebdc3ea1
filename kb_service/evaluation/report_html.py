"""The report as one HTML file that needs nothing beside it: tables, and plots where there are any.

Knows mark-up; every text is escaped, because names of files and bases are a user's.
"""

from base64 import b64encode
from collections.abc import Iterable, Mapping
from html import escape

from kb_service.evaluation.report import (
    CELL_NOTE,
    Report,
    SetReport,
    Table,
    comparison_table,
    facts_line,
    shown_metrics,
    tables_of,
)

NO_PLOTS = "No plots: install matplotlib (the extra `eval`) and run the evaluation again."
_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 80rem; padding: 0 1rem }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; margin: 0 0 1.5rem }
th, td { border-bottom: 1px solid #ccc; padding: .25rem .6rem; text-align: right }
th:first-child, td:first-child { text-align: left }
caption { font-weight: 600; text-align: left }
.scroll { overflow-x: auto }
figure { display: inline-block; margin: 0 1rem 1rem 0 }
img { display: block; height: auto; max-width: 100% }
"""


def report_html(report: Report, plots: Mapping[str, str] | None) -> str:
    """Return the page. `plots`: title -> SVG, or None when matplotlib is absent."""
    parts = [
        f"<h1>{escape(report.title)}</h1>",
        _list(f"{name}: {value}" for name, value in report.run.items()),
        *[f"<p>{escape(note)}</p>" for note in (CELL_NOTE, *report.notes)],
        *_pictures(plots),
        *[_section(part) for part in report.sets],
    ]
    if report.overall:
        parts += ["<h2>Over all sets</h2>", _table(comparison_table(report.overall))]
    parts += ["<h2>Columns</h2>", _list(f"{m.label}: {m.text}" for m in shown_metrics(report))]
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width">\n'
        f"<title>{escape(report.title)}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        + "\n".join(parts)
        + "\n</body>\n</html>\n"
    )


def _section(part: SetReport) -> str:
    tables = "\n".join(_table(table) for table in tables_of(part))
    return f"<h2>{escape(part.name)}</h2>\n<p>{escape(facts_line(part))}</p>\n{tables}"


def _table(table: Table) -> str:
    head = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    rows = "\n".join(
        "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in row) + "</tr>" for row in table.rows
    )
    return (
        f'<div class="scroll"><table><caption>{escape(table.caption)}</caption>\n'
        f"<thead><tr>{head}</tr></thead>\n<tbody>\n{rows}\n</tbody></table></div>"
    )


def _pictures(plots: Mapping[str, str] | None) -> list[str]:
    if plots is None:
        return [f"<p>{escape(NO_PLOTS)}</p>"]
    return [
        f'<figure><img alt="{escape(title)}" src="{_data_address(svg)}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
        for title, svg in plots.items()
    ]


def _data_address(svg: str) -> str:
    # As an image each picture keeps its ids to itself; side by side in the page they would clash.
    return f"data:image/svg+xml;base64,{b64encode(svg.encode()).decode()}"


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"
