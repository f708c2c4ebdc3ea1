"""Stretches of days: Period, and TimeWindow, one that words stand for. Values only; no words."""

from dataclasses import dataclass
from datetime import date

from kb_service.domain.spans import TextSpan


@dataclass(frozen=True, slots=True)
class Period:
    """The days from `first` to `last`, both included."""

    first: date
    last: date


@dataclass(frozen=True, slots=True)
class TimeWindow:
    """The days from `first` to `last`, both included, that the words of `span` stand for.

    Raises ValueError at birth when the last day lies before the first.
    """

    span: TextSpan
    first: date
    last: date

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"window ends on {self.last}, before it begins on {self.first}")
