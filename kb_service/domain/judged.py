"""Whether a record is of what a phrase calls, as a model judges it. Values only."""

from enum import StrEnum


class Fit(StrEnum):
    """`open`: it may be; who wants to know has to look."""

    FITS = "fits"
    OPEN = "open"
    OTHER = "other"
