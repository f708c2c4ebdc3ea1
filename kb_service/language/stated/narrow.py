"""A page so narrow that it breaks its lines: where a value ends that goes on in the next one.

Pure functions. Knows no labels but by the signs behind them.
"""

from kb_service.language.regexes import regex
from kb_service.language.wraps import width_of

_LINE = regex(r"[^\n]*")
_MIN_WIDTH, _MAX_WIDTH, _RAGGED, _FULL_SHARE, _MIN_NARROW_LINES = 8, 40, 2, 0.15, 6
"""Of a page that breaks its lines: characters of the longest line, by how many others are shorter,
how many are not."""
_SIGN = regex(r"[:\uff1a\t|]|\S(?: {2,}|\u3000+)\S|[._\u2026\xb7-]{2,}|^\s*[#>*-]")


def narrow_width(text: str) -> tuple[int, int] | None:
    """Characters of a line of a narrow page that breaks its lines, and how wide it is; else None.

    A character of CJK is as wide as two others.
    """
    lines = [line.rstrip() for line in text.split("\n") if line.strip()]
    longest = max(map(len, lines), default=0), max(map(width_of, lines), default=0)
    if not _MIN_WIDTH <= longest[0] <= _MAX_WIDTH or len(lines) < _MIN_NARROW_LINES:
        return None
    full = sum(_is_full(line, longest) for line in lines)
    return longest if full >= max(2, _FULL_SHARE * len(lines)) else None


def wrapped_end(text: str, end: int, longest: tuple[int, int]) -> int:
    """Where a value ends whose line a narrow page breaks: what goes on below has no label."""
    while text[end : end + 1] == "\n":
        line = text[text.rfind("\n", 0, end) + 1 : end]
        below = _line_from(text, end + 1)
        if not _is_full(line, longest) or not below.strip() or _SIGN.search(below):
            return end
        if _joins_labels(text, end + 1 + len(below)):
            return end
        end += 1 + len(below)
    return end


def _is_full(line: str, longest: tuple[int, int]) -> bool:
    return len(line) >= longest[0] - _RAGGED or width_of(line) >= longest[1] - _RAGGED


def _joins_labels(text: str, end: int) -> bool:
    """True where the next line begins with the colon of a label that this one ends with."""
    return _SIGN.match(_line_from(text, end + 1).strip()) is not None


def _line_from(text: str, start: int) -> str:
    line = _LINE.match(text, start)
    return line.group() if line else ""
