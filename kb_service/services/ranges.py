"""Accepted ranges of what a request may say, checked in one way. Knows no request."""

from typing import Literal

from kb_service.domain.errors import InvalidRequest

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
