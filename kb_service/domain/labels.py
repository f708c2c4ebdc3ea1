"""Labels: marks that a base gives its documents. Values only.

A tag is a free word that comes with a file; a label is one thing of the base, whatever it is
called.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum


class LabelColour(StrEnum):
    """What a label is drawn in; a page says the name beside it, so that none is told by this."""

    GREY = "grey"
    RED = "red"
    AMBER = "amber"
    GREEN = "green"
    TEAL = "teal"
    BLUE = "blue"
    VIOLET = "violet"
    PINK = "pink"


@dataclass(frozen=True, slots=True)
class LabelMark:
    """A label as a document carries it."""

    id: str
    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Label:
    """A label of a base; `num_documents` carry it."""

    id: str
    kb_id: str
    name: str
    colour: LabelColour
    description: str
    num_documents: int
    created_at: datetime
