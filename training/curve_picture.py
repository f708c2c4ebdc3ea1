"""A training curve as an SVG: plots one above the other over one axis.

Knows lines of numbers and plain SVG; does not know what the numbers mean.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, MARGIN, GAP = 720, 520, 52, 46
SMOOTHING = 5
Curve = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Series:
    """One line of a plot: the key of its values, its colour, and its name in the legend.

    Series of one colour share a line of the legend: the name of the first.
    """

    key: str
    colour: str
    name: str


@dataclass(frozen=True, slots=True)
class Plot:
    """A title, the range of the values and what is drawn."""

    title: str
    low: float
    high: float
    series: Sequence[Series]


@dataclass(frozen=True, slots=True)
class Axis:
    """The key of what the curve runs over; labels are `label` of the value divided by `unit`."""

    key: str
    unit: float
    label: str


@dataclass(frozen=True, slots=True)
class _Panel:
    """Where a plot stands in the picture."""

    plot: Plot
    axis: Axis
    top: float
    height: float

    def y(self, value: float) -> float:
        low, high = self.plot.low, self.plot.high
        share = (min(max(value, low), high) - low) / (high - low)
        return self.top + self.height * (1 - share)


def smoothed(values: Sequence[float]) -> list[float]:
    """Means over each value and those just before it."""
    return [
        sum(part) / len(part)
        for end in range(1, len(values) + 1)
        for part in [values[max(0, end - SMOOTHING) : end]]
    ]


def curve_svg(curve: Curve, title: str, axis: Axis, plots: Sequence[Plot]) -> str:
    """The picture of a curve. ValueError without lines."""
    if not curve:
        raise ValueError("the curve has 0 lines; expected at least 1")
    height = (HEIGHT - 2 * MARGIN - GAP * (len(plots) - 1)) / len(plots)
    panels = [
        _Panel(plot, axis, MARGIN + (height + GAP) * index, height)
        for index, plot in enumerate(plots)
    ]
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="24" font-size="15" fill="#1b1b1b">{title}</text>',
        *(line for panel in panels for line in _drawn(panel, curve)),
        *_legend(plots),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _drawn(panel: _Panel, curve: Curve) -> list[str]:
    plot, axis = panel.plot, panel.axis
    most = max(line[axis.key] for line in curve) or 1
    parts = [
        f'<text x="{MARGIN}" y="{panel.top - 6:.0f}" fill="#444">{plot.title}</text>',
        (
            f'<rect x="{MARGIN}" y="{panel.top:.0f}" width="{WIDTH - 2 * MARGIN}" '
            f'height="{panel.height:.0f}" fill="none" stroke="#bbb"/>'
        ),
    ]
    for step in range(5):
        parts += _ticks(panel, step / 4, most)
    present = [series for series in plot.series if any(series.key in line for line in curve)]
    return parts + [_polyline(panel, series, curve, most) for series in present]


def _ticks(panel: _Panel, share: float, most: float) -> list[str]:
    right = WIDTH - MARGIN
    value = panel.plot.low + (panel.plot.high - panel.plot.low) * share
    y, x = panel.y(value), MARGIN + (right - MARGIN) * share
    label = panel.axis.label.format(most * share / panel.axis.unit)
    return [
        (f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#444">{value:g}</text>'),
        f'<path d="M{MARGIN} {y:.1f}H{right}" stroke="#eee"/>',
        (
            f'<text x="{x:.0f}" y="{panel.top + panel.height + 15:.0f}" '
            f'text-anchor="middle" fill="#444">{label}</text>'
        ),
    ]


def _polyline(panel: _Panel, series: Series, curve: Curve, most: float) -> str:
    found = [(line[panel.axis.key], line[series.key]) for line in curve if series.key in line]
    levels = smoothed([value for _, value in found])
    points = " ".join(
        f"{MARGIN + (WIDTH - 2 * MARGIN) * place / most:.1f},{panel.y(level):.1f}"
        for (place, _), level in zip(found, levels, strict=True)
    )
    return f'<polyline points="{points}" fill="none" stroke="{series.colour}" stroke-width="1.6"/>'


def _legend(plots: Sequence[Plot]) -> list[str]:
    names: dict[str, str] = {}
    for plot in plots:
        for series in plot.series:
            names.setdefault(series.colour, series.name)
    parts, x = [], float(MARGIN)
    for colour, name in names.items():
        y = HEIGHT - 12
        parts += [
            f'<path d="M{x:.0f} {y - 4}h18" stroke="{colour}" stroke-width="3"/>',
            f'<text x="{x + 24:.0f}" y="{y}" fill="#1b1b1b">{name}</text>',
        ]
        x += 38 + 6.2 * len(name)
    return parts
