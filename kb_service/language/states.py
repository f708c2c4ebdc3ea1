"""Whether something is over: what a value says of it, and what a question asks for.

Pure functions on normalised words. Knows no column and no base.
"""

import re
from enum import StrEnum

from kb_service.language.lexicon import HAN, any_of, shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()


class State(StrEnum):
    """What has become of something so far."""

    OPEN = "open"
    CLOSED = "closed"


_VALUES = {
    state: regex(rf"(?<![a-z])(?:{any_of(_LEXICON.listed('states', state))})(?![a-z])")
    for state in State
}
_ASKS = {
    state: regex("|".join(_LEXICON.patterns("states", f"asks_{state}")) or "(?!)")
    for state in State
}
_MOST_WORDS, _MOST_HAN = 3, 8
"""A longer value tells what happened, and only in passing how far that is."""


def state_of(value: str) -> State | None:
    """Return what a normalised value of a column says; what denies a word has it in it: 未办结."""
    if len(value.split()) > _MOST_WORDS or len(re.findall(f"[{HAN}]", value)) > _MOST_HAN:
        return None
    return next((state for state in State if _VALUES[state].search(value)), None)


def state_asked(words: str) -> tuple[re.Match[str], State] | None:
    """Return the words of a normalised question that ask what is over, or what is not."""
    for state in State:
        if match := _ASKS[state].search(words):
            return match, state
    return None
