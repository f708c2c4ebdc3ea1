"""The training curve as an SVG: losses above, shares of right tokens below, over tokens seen.

Knows the lines of a curve file and plain SVG; draws nothing else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

WIDTH, HEIGHT, MARGIN, GAP = 720, 520, 52, 46
COLOURS = {
    "citation": "#b3261e",
    "start": "#0b7a75",
    "answer": "#1a5fb4",
    "question": "#2e7d32",
    "evidence": "#9a6700",
    "labels": "#6b4fa0",
}
NAMES = {
    "citation": "citation",
    "start": "answer start",
    "answer": "answer words",
    "question": "repeated question",
    "evidence": "evidence",
    "labels": "auxiliary labels",
}
SMOOTHING = 5
Curve = Sequence[Mapping[str, Any]]


@dataclass(frozen=True, slots=True)
class Panel:
    """One plot: where it stands, the range of its values, what is drawn in it."""

    title: str
    top: float
    height: float
    low: float
    high: float
    series: Mapping[str, str]

    def y(self, value: float) -> float:
        """Where a value stands, from the top of the picture."""
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return self.top + self.height * (1 - share)


def smoothed(values: Sequence[float]) -> list[float]:
    """Means over each value and those just before it."""
    return [
        sum(part) / len(part)
        for end in range(1, len(values) + 1)
        for part in [values[max(0, end - SMOOTHING) : end]]
    ]


def curve_svg(curve: Curve, title: str) -> str:
    """The picture of a curve. ValueError without lines."""
    if not curve:
        raise ValueError("the curve has 0 lines; expected at least 1")
    height = (HEIGHT - 2 * MARGIN - GAP) / 2
    losses = {name: name for name in COLOURS}
    hits = {name: f"{name}_hits" for name in ("citation", "start", "answer", "question")}
    panels = (
        Panel("cross-entropy, nats", MARGIN, height, 0.0, 8.0, losses),
        Panel("share of right tokens", MARGIN + height + GAP, height, 0.0, 1.0, hits),
    )
    last = curve[-1]
    text = f"{title}: {last['tokens'] / 1e6:.2f} M tokens, {last['seconds'] / 60:.0f} minutes"
    parts = [
        (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {HEIGHT}" '
            'font-family="sans-serif" font-size="12">'
        ),
        f'<rect width="{WIDTH}" height="{HEIGHT}" fill="#ffffff"/>',
        f'<text x="{MARGIN}" y="24" font-size="15" fill="#1b1b1b">{text}</text>',
        *(line for panel in panels for line in _panel(panel, curve)),
        *_legend(),
        "</svg>",
    ]
    return "\n".join(parts) + "\n"


def _panel(panel: Panel, curve: Curve) -> list[str]:
    right = WIDTH - MARGIN
    most = max(line["tokens"] for line in curve)
    parts = [
        f'<text x="{MARGIN}" y="{panel.top - 6:.0f}" fill="#444">{panel.title}</text>',
        (
            f'<rect x="{MARGIN}" y="{panel.top:.0f}" width="{right - MARGIN}" '
            f'height="{panel.height:.0f}" fill="none" stroke="#bbb"/>'
        ),
    ]
    for step in range(5):
        value = panel.low + (panel.high - panel.low) * step / 4
        y = panel.y(value)
        x = MARGIN + (right - MARGIN) * step / 4
        tokens = most * step / 4e6
        parts += [
            (
                f'<text x="{MARGIN - 6}" y="{y + 4:.1f}" text-anchor="end" fill="#444">'
                f"{value:g}</text>"
            ),
            f'<path d="M{MARGIN} {y:.1f}H{right}" stroke="#eee"/>',
            (
                f'<text x="{x:.0f}" y="{panel.top + panel.height + 15:.0f}" '
                f'text-anchor="middle" fill="#444">{tokens:.2f} M</text>'
            ),
        ]
    for name, key in panel.series.items():
        found = [(line["tokens"], line[key]) for line in curve if key in line]
        if not found:
            continue
        levels = smoothed([value for _, value in found])
        points = " ".join(
            f"{MARGIN + (right - MARGIN) * tokens / most:.1f},{panel.y(level):.1f}"
            for (tokens, _), level in zip(found, levels, strict=True)
        )
        colour = COLOURS[name]
        parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="1.6"/>'
        )
    return parts


def _legend() -> list[str]:
    parts, x = [], float(MARGIN)
    for name, colour in COLOURS.items():
        y = HEIGHT - 12
        parts += [
            f'<path d="M{x:.0f} {y - 4}h18" stroke="{colour}" stroke-width="3"/>',
            f'<text x="{x + 24:.0f}" y="{y}" fill="#1b1b1b">{NAMES[name]}</text>',
        ]
        x += 38 + 6.2 * len(NAMES[name])
    return parts
