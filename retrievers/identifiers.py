"""Exact identifiers in a question: case numbers, tail numbers, host names, plates, phones.

Pure functions on strings. Knows nothing of indexes; whether an identifier is rare enough to pin
documents is decided where the index is.
"""

import re

from kb_service.domain.text import index_terms

_MIN_LENGTH = 4
_MIN_DIGITS = 6
_LETTER = re.compile(r"[^\W\d_]")
_DIGIT = re.compile(r"\d")
# 19th, 1990s, 100km, 3.5mg, 20kg/m: counted or measured, not named.
_QUANTITY = re.compile(r"\d+(?:[.,:]\d+)*[^\W\d_]{1,3}(?:/[^\W\d_]{1,3})?")


def identifiers(text: str) -> list[str]:
    """Return the distinct terms of a text that name one thing, in reading order.

    A term is an identifier when it has a digit, at least four characters, and either a letter
    (quantities such as `100km` excepted) or at least six digits.
    """
    return [term for term in dict.fromkeys(index_terms(text)) if _is_identifier(term)]


def _is_identifier(term: str) -> bool:
    num_digits = len(_DIGIT.findall(term))
    if num_digits == 0 or len(term) < _MIN_LENGTH or _QUANTITY.fullmatch(term):
        return False
    return _LETTER.search(term) is not None or num_digits >= _MIN_DIGITS
