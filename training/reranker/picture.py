"""The training curve of the reranker as a picture. Knows the lines of its curve file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from training.curve_picture import Axis, Plot, Series, curve_svg

BLENDED, OWN, WORDS = "#b3261e", "#1a5fb4", "#666666"
PLOTS = (
    Plot(
        "cross-entropy of the relevant one of 6 candidates, nats",
        0.0,
        2.0,
        (
            Series("loss", BLENDED, "with the lexical score"),
            Series("own_loss", OWN, "reranker alone"),
        ),
    ),
    Plot(
        "share of lists with the relevant candidate first",
        0.5,
        1.0,
        (
            Series("hits", BLENDED, "with the lexical score"),
            Series("own_hits", OWN, "reranker alone"),
            Series("lexical_hits", WORDS, "lexical score alone"),
        ),
    ),
)


def picture_of(curve: Sequence[Mapping[str, float]]) -> str:
    """The SVG of a curve. ValueError without lines."""
    title = f"The reranker: {curve[-1]['seconds'] / 60:.0f} minutes" if curve else ""
    return curve_svg(curve, title, Axis("lists", 1000.0, "{:.1f}k lists"), PLOTS)
