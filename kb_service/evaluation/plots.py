"""Pictures of a report as SVG text: bars with their intervals, by set and system.

Knows matplotlib, which is imported when a picture is drawn and may be absent (extra `eval`).
"""

import io
from collections.abc import Callable, Sequence
from importlib.util import find_spec
from typing import TYPE_CHECKING

from kb_service.evaluation.report import LABELS, Report, SetReport
from kb_service.evaluation.summaries import SystemSummary

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

PLOTTED = (
    ("rankings", "ndcg@10"),
    ("rankings", "holds@5"),
    ("answers", "f1"),
    ("answers", "contains"),
    ("answers", "citation_recall"),
    ("answers", "refusal_macro_f1"),
)
BAR_GROUP = 0.8
"""Share of the room of one set that its bars fill."""


def can_plot() -> bool:
    """True when matplotlib is installed."""
    return find_spec("matplotlib") is not None


def draw_plots(report: Report) -> dict[str, str]:
    """Return title -> SVG for each plot that has figures; ImportError without matplotlib.

    The same report gives the same bytes.
    """
    pictures = {}
    for part, key in PLOTTED:
        if any(key in row.estimates for s in report.sets for row in getattr(s, part)):
            pictures[LABELS[key]] = _metric_plot(report, part, key)
    for part, title in (("rankings", "Retrieval latency"), ("answers", "Answer latency")):
        if any(row.latency for s in report.sets for row in getattr(s, part)):
            pictures[title] = _latency_plot(report, part)
    return pictures


def _metric_plot(report: Report, part: str, key: str) -> str:
    def heights(row: SystemSummary) -> tuple[float, float, float] | None:
        found = row.estimates.get(key)
        if found is None:
            return None
        low, high = min(found.low, found.value), max(found.high, found.value)
        return 100 * found.value, 100 * (found.value - low), 100 * (high - found.value)

    return _bars(report, part, heights, f"{LABELS[key]} (%)")


def _latency_plot(report: Report, part: str) -> str:
    def heights(row: SystemSummary) -> tuple[float, float, float] | None:
        latency = row.latency
        if latency is None:
            return None
        return 1000 * latency.p50_s, 0.0, 1000 * (latency.p95_s - latency.p50_s)

    return _bars(report, part, heights, "ms (bar: median, line: to the 95th percentile)")


def _bars(
    report: Report,
    part: str,
    heights: Callable[[SystemSummary], tuple[float, float, float] | None],
    label: str,
) -> str:
    """Draw one bar a system and set: (height, below, above) from `heights`."""
    import matplotlib as mpl
    from matplotlib.figure import Figure

    sets = [s for s in report.sets if any(heights(row) for row in getattr(s, part))]
    rows = [row for s in sets for row in getattr(s, part) if heights(row)]
    systems = list(dict.fromkeys(row.system for row in rows))
    with mpl.rc_context({"svg.fonttype": "none", "svg.hashsalt": "kb", "font.size": 9}):
        figure = Figure(figsize=(max(5.0, 1.6 * len(sets) + 2), 3.2), layout="constrained")
        axes = figure.subplots()
        for place, system in enumerate(systems):
            _draw_system(axes, [_row(s, part, system) for s in sets], heights, place, systems)
        axes.set_xticks(range(len(sets)), [s.name for s in sets], rotation=15, ha="right")
        axes.set_ylabel(label)
        axes.set_ylim(0, 100 if label.endswith("(%)") else None)
        axes.spines[["top", "right"]].set_visible(False)
        figure.legend(loc="outside upper center", ncols=min(4, len(systems)), frameon=False)
        return _svg(figure)


def _draw_system(
    axes: "Axes",
    rows: Sequence[SystemSummary | None],
    heights: Callable[[SystemSummary], tuple[float, float, float] | None],
    place: int,
    systems: Sequence[str],
) -> None:
    width = BAR_GROUP / len(systems)
    offset = (place - (len(systems) - 1) / 2) * width
    found = [(x, h) for x, row in enumerate(rows) if row and (h := heights(row))]
    if not found:
        return
    axes.bar(
        [x + offset for x, _ in found],
        [h for _, (h, _, _) in found],
        width,
        yerr=[[low for _, (_, low, _) in found], [high for _, (_, _, high) in found]],
        label=systems[place],
        error_kw={"linewidth": 0.8},
    )


def _row(part: SetReport, kind: str, system: str) -> SystemSummary | None:
    rows: Sequence[SystemSummary] = getattr(part, kind)
    return next((row for row in rows if row.system == system), None)


def _svg(figure: "Figure") -> str:
    """Return the picture; without date and program, so that it depends on the report alone."""
    stream = io.StringIO()
    figure.savefig(stream, format="svg", metadata={"Date": None, "Creator": None})
    return stream.getvalue()
