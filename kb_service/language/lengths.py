"""Columns that say when something began, or was over, by their names. Pure functions."""

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_STARTS, _ENDS = (
    tuple(map(regex, shipped_lexicon().patterns("lengths", key))) for key in ("starts", "ends")
)


def says_start(column: str) -> bool:
    """True for the name of a column that says when something began: 停电时间, Opened."""
    name = normalise(column)
    return any(pattern.search(name) for pattern in _STARTS)


def says_end(column: str) -> bool:
    """True for the name of a column that says when something was over: 处置结束时间, Closed."""
    name = normalise(column)
    return any(pattern.search(name) for pattern in _ENDS)
