"""Texts with numbers in them: placeholders filled, words in the number that they speak of.

Pure functions. Knows no text.
"""

from string import Formatter
from typing import Any


class _Filling(Formatter):
    """Beside what a format says, `{number:document|documents}` is the word for so many."""

    def format_field(self, value: Any, format_spec: str) -> str:  # noqa: ANN401  as the base class
        if "|" not in format_spec:
            return str(super().format_field(value, format_spec))
        one, many = format_spec.split("|")
        return one if value == 1 else many


_FILLING = _Filling()


def filled(text: str, **values: object) -> str:
    """Return a text with its placeholders filled. Raises KeyError where a value is lacking."""
    return _FILLING.vformat(text, (), values)


def num_of(number: int, one: str, many: str = "") -> str:
    """Return a number with the English word for so many: `1 file`, `3 files`."""
    return f"{number} {one if number == 1 else many or f'{one}s'}"
