"""The report of an evaluation as a value, as JSON and as Markdown.

Knows sections, rows and cells; computes nothing. HTML and plots are `report_html` and `plots`.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from math import isnan

from kb_service.domain.inert import inert
from kb_service.evaluation.kinds import KIND_COLUMNS, KindCounts
from kb_service.evaluation.resampling import Estimate
from kb_service.evaluation.summaries import (
    ALL_METRICS,
    ANSWER_METRICS,
    RANKING_METRICS,
    REFUSAL_METRICS,
    Metric,
    PairedComparison,
    SystemSummary,
)

MIB = 1024 * 1024
LABELS = {metric.key: metric.label for metric in ALL_METRICS}
READING_METRICS = (*ANSWER_METRICS, *REFUSAL_METRICS)


@dataclass(frozen=True, slots=True)
class SetReport:
    """One question set: what it is (`facts`, in order), its rows, and comparisons.

    `kinds`: what became of the questions of each kind, by the system that answered.
    """

    name: str
    facts: Mapping[str, str | int]
    rankings: Sequence[SystemSummary] = ()
    answers: Sequence[SystemSummary] = ()
    comparisons: Sequence[PairedComparison] = ()
    kinds: Mapping[str, Sequence[KindCounts]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Report:
    """A whole evaluation. `run`: how it was made; `overall`: comparisons over several sets."""

    title: str
    run: Mapping[str, str | int]
    sets: Sequence[SetReport]
    overall: Sequence[PairedComparison] = ()
    notes: Sequence[str] = field(default=())


@dataclass(frozen=True, slots=True)
class Table:
    """Cells as they are shown: a caption, the head and the rows.

    `is_wide`: it has more columns than a terminal; there a row is shown as a column.
    """

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    is_wide: bool = False


def report_json(report: Report) -> dict[str, object]:
    """Return the report ready for JSON: shares 0..1, seconds, bytes; absent figures are absent."""
    return {
        "title": report.title,
        "run": dict(report.run),
        "notes": list(report.notes),
        "metrics": {metric.key: metric.text for metric in ALL_METRICS},
        "kind_columns": {column.key: column.text for column in KIND_COLUMNS},
        "sets": [
            {
                "name": part.name,
                "facts": dict(part.facts),
                "rankings": [_row_json(row) for row in part.rankings],
                "answers": [_row_json(row) for row in part.answers],
                "kinds": {name: [asdict(row) for row in rows] for name, rows in part.kinds.items()},
                "comparisons": [asdict(comparison) for comparison in part.comparisons],
            }
            for part in report.sets
        ],
        "overall": [asdict(comparison) for comparison in report.overall],
    }


def report_markdown(report: Report) -> str:
    """Return the report as Markdown, tables in per cent with their 95 % intervals.

    Names of files, models and bases in it are words.
    """
    lines = [f"# {report.title}", ""]
    lines += [f"- {name}: {value}" for name, value in report.run.items()]
    lines += ["", CELL_NOTE, *[f"\n{note}" for note in report.notes], ""]
    for part in report.sets:
        lines += [f"## {part.name}", "", facts_line(part), ""]
        for table in tables_of(part):
            lines += [f"**{table.caption}**", "", *_markdown_rows(table), ""]
    if report.overall:
        lines += ["## Over all sets", "", *_markdown_rows(comparison_table(report.overall)), ""]
    lines += ["## Columns", ""]
    lines += [f"- {metric.label}: {metric.text}" for metric in shown_metrics(report)]
    return inert("\n".join(lines) + "\n")


CELL_NOTE = (
    "Per cent; in brackets the 95 % bootstrap interval over questions. "
    "A dash: the figure does not apply."
)


def facts_line(part: SetReport) -> str:
    """Return the facts of a set on one line."""
    return ", ".join(f"{name}: {value}" for name, value in part.facts.items())


def tables_of(part: SetReport) -> list[Table]:
    """Return the tables of a set that have rows; columns without any figure are left out."""
    tables = []
    if part.rankings:
        tables.append(_system_table("Retrieval", part.rankings, RANKING_METRICS))
    if part.answers:
        tables.append(_system_table("Answers", part.answers, READING_METRICS))
    tables += [_kind_table(name, rows) for name, rows in part.kinds.items()]
    if part.comparisons:
        tables.append(comparison_table(part.comparisons))
    return tables


def comparison_table(comparisons: Iterable[PairedComparison]) -> Table:
    """Return the paired comparisons, in points (hundredths)."""
    head = ("metric", "system", "against", "difference", "p", "sets", "questions")
    return Table("Paired bootstrap", head, tuple(_comparison_row(c) for c in comparisons))


def shown_metrics(report: Report) -> list[Metric]:
    """Return the metrics that some row of the report has, then the columns by kind."""
    rows = [row for part in report.sets for row in (*part.rankings, *part.answers)]
    shown = [metric for metric in ALL_METRICS if any(metric.key in r.estimates for r in rows)]
    labels = {metric.label for metric in shown}
    by_kind = KIND_COLUMNS if any(part.kinds for part in report.sets) else ()
    return [*shown, *(column for column in by_kind if column.label not in labels)]


def _row_json(row: SystemSummary) -> dict[str, object]:
    body = asdict(row)
    body["estimates"] = {
        key: {name: None if isnan(value) else value for name, value in figures.items()}
        for key, figures in body["estimates"].items()
    }
    return body


def _system_table(caption: str, rows: Sequence[SystemSummary], metrics: Sequence[Metric]) -> Table:
    shown = [metric for metric in metrics if any(metric.key in row.estimates for row in rows)]
    has_memory = any(row.peak_memory_bytes for row in rows)
    has_failures = any(row.num_failed for row in rows)
    head = ["system", "n", *(metric.label for metric in shown), "p50 ms", "p95 ms"]
    head += ["peak MB"] if has_memory else []
    head += ["failed"] if has_failures else []
    body = []
    for row in rows:
        cells = [row.system, str(row.num_questions)]
        cells += [_cell(row.estimates.get(metric.key)) for metric in shown]
        cells += _latency_cells(row)
        cells += [_memory_cell(row)] if has_memory else []
        cells += [str(row.num_failed)] if has_failures else []
        body.append(tuple(cells))
    return Table(caption, tuple(head), tuple(body), is_wide=True)


def _kind_table(system: str, rows: Sequence[KindCounts]) -> Table:
    head = ("kind", "n", *(column.label for column in KIND_COLUMNS))
    body = tuple(tuple(map(str, asdict(row).values())) for row in rows)
    return Table(f"Questions by kind: {system}", head, body)


def _cell(estimate: Estimate | None) -> str:
    if estimate is None:
        return "–"
    value = f"{100 * estimate.value:.1f}"
    if isnan(estimate.low):
        return value
    return f"{value} [{100 * estimate.low:.1f}, {100 * estimate.high:.1f}]"


def _latency_cells(row: SystemSummary) -> list[str]:
    if row.latency is None:
        return ["–", "–"]
    return [f"{1000 * row.latency.p50_s:.1f}", f"{1000 * row.latency.p95_s:.1f}"]


def _memory_cell(row: SystemSummary) -> str:
    return f"{row.peak_memory_bytes / MIB:.0f}" if row.peak_memory_bytes else "–"


def _comparison_row(comparison: PairedComparison) -> tuple[str, ...]:
    found = comparison.difference
    points = f"{100 * found.value:+.1f} [{100 * found.low:+.1f}, {100 * found.high:+.1f}]"
    return (
        LABELS[comparison.metric],
        comparison.second,
        comparison.first,
        points,
        f"{found.p:.3f}",
        ", ".join(comparison.sets),
        str(found.num),
    )


def _markdown_rows(table: Table) -> list[str]:
    lines = [table.head, tuple("---" for _ in table.head), *table.rows]
    return [f"| {' | '.join(cell.replace('|', '¦') for cell in line)} |" for line in lines]
