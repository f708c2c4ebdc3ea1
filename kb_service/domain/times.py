"""Stretches of days: Period, and TimeWindow, one that words stand for. Values only; no words."""

from dataclasses import dataclass, field
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

    `is_yearless`: the words are of a month and name no year; it is the latest that has begun.
    Raises ValueError at birth when the last day lies before the first.
    """

    span: TextSpan
    first: date
    last: date
    is_yearless: bool = field(default=False, compare=False)

    def __post_init__(self) -> None:
        if self.last < self.first:
            raise ValueError(f"window ends on {self.last}, before it begins on {self.first}")
