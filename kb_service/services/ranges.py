"""Accepted ranges of what a request may say, checked in one way, and refused values repeated.

Knows no request.
"""

import reprlib
from typing import Literal

from kb_service.domain.errors import InvalidRequest

MAX_TEMPERATURE = 2.0
MAX_SHOWN_CHARS = 200
"""How much of a refused value an error repeats."""

_SHORT_REPR = reprlib.Repr()
_SHORT_REPR.maxlevel = 4
_SHORT_REPR.maxdict = _SHORT_REPR.maxlist = 20
_SHORT_REPR.maxstring = _SHORT_REPR.maxlong = _SHORT_REPR.maxother = 2 * MAX_SHOWN_CHARS
"""Shows a part of what was sent: a value may be nested deeper than `repr` can follow."""

# Written out, so that a search for a documented code finds it.
_CODES = {
    "question": {"empty": "question_empty", "too_long": "question_too_long"},
    "query": {"empty": "query_empty", "too_long": "query_too_long"},
}


def check_text(name: Literal["question", "query"], text: str, max_chars: int) -> None:
    """Raise InvalidRequest (`<name>_empty`, `<name>_too_long`) outside 1 to `max_chars`."""
    details = {"num_chars": len(text), "max_chars": max_chars}
    if not text.strip():
        raise InvalidRequest(
            f"{name} is empty; expected 1 to {max_chars} characters",
            code=_CODES[name]["empty"],
            details=details,
        )
    if len(text) > max_chars:
        raise InvalidRequest(
            f"{name} has {len(text)} characters; expected 1 to {max_chars}",
            code=_CODES[name]["too_long"],
            details=details,
        )


def check_range(name: str, value: float | None, low: float, high: float) -> None:
    """Raise InvalidRequest (`<name>_out_of_range`) unless the value is None or in the range."""
    # NaN fails every comparison, so the test is for being inside.
    if value is None or low <= value <= high:
        return
    raise InvalidRequest(
        f"{name} is {value}; expected {low} to {high}",
        code=f"{name}_out_of_range",
        details={"name": name, "value": str(value), "min": low, "max": high},
    )


def shown(value: object, *, quoted: bool = True) -> str:
    """Return a printable, short form of what was sent."""
    text = value if isinstance(value, str) and not quoted else _SHORT_REPR.repr(value)
    if not text.isprintable():
        text = ascii(text)[1:-1]
    return text if len(text) <= MAX_SHOWN_CHARS else f"{text[:MAX_SHOWN_CHARS]}…"
