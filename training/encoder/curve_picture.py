"""What is drawn of the encoder's training: the loss above, held-out questions below.

Knows the lines of its curve file. Does not know how a picture is made.
"""

from __future__ import annotations

from training.curve_picture import Axis, Curve, Plot, Series
from training.curve_picture import curve_svg as picture_of

_HELD = {
    "zh_cmrc2018": ("#b3261e", "CMRC 2018"),
    "zh_drcd": ("#0b7a75", "DRCD"),
    "en_squad": ("#1a5fb4", "SQuAD"),
    "en_covidqa": ("#9a6700", "COVID-QA"),
}
PLOTS = (
    Plot("loss of a batch, nats", 0.0, 2.0, [Series("loss", "#6b4fa0", "loss")]),
    Plot(
        "held-out questions: mean reciprocal rank of the right passage",
        0.5,
        1.0,
        [Series(key, *how) for key, how in _HELD.items()],
    ),
)


def curve_svg(curve: Curve) -> str:
    """The picture of a curve. ValueError without lines."""
    last = curve[-1] if curve else {"pairs": 0, "seconds": 0}
    text = f"The encoder: {last['pairs']:,} pairs, {last['seconds'] / 60:.0f} minutes"
    return picture_of(curve, text, Axis("pairs", 1e3, "{:.0f} k"), PLOTS)
