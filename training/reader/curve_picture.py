"""What is drawn of the pocket reader's training: losses above, shares of right tokens below.

Knows the lines of its curve file. Does not know how a picture is made.
"""

from __future__ import annotations

from training.curve_picture import Axis, Curve, Plot, Series
from training.curve_picture import curve_svg as picture_of

_PARTS = {
    "citation": ("#b3261e", "citation"),
    "start": ("#0b7a75", "answer start"),
    "answer": ("#1a5fb4", "answer words"),
    "question": ("#2e7d32", "repeated question"),
    "evidence": ("#9a6700", "evidence"),
    "labels": ("#6b4fa0", "auxiliary labels"),
}
_COUNTED = ("citation", "start", "answer", "question")
PLOTS = (
    Plot("cross-entropy, nats", 0.0, 8.0, [Series(key, *how) for key, how in _PARTS.items()]),
    Plot(
        "share of right tokens", 0.0, 1.0, [Series(f"{key}_hits", *_PARTS[key]) for key in _COUNTED]
    ),
)


def curve_svg(curve: Curve, title: str) -> str:
    """The picture of a curve. ValueError without lines."""
    last = curve[-1] if curve else {"tokens": 0, "seconds": 0}
    text = f"{title}: {last['tokens'] / 1e6:.2f} M tokens, {last['seconds'] / 60:.0f} minutes"
    return picture_of(curve, text, Axis("tokens", 1e6, "{:.2f} M"), PLOTS)
