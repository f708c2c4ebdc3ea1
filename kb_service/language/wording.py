"""How a reply marks its sources, and which marks stand at the edges of quoted words.

Pure functions on strings. Knows no passages.
"""

import re

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex

_LEXICON = shipped_lexicon()
EDGES = f" \t\r\n.,;:!?\"'()*_#>-•·{_LEXICON.characters('sentences', 'edges')}"
"""Marks that may stand at either end of quoted words without being a part of them."""

_OPENS, _CLOSES, _JOINS = (
    re.escape(_LEXICON.characters("sentences", f"source_{key}"))
    for key in ("opens", "closes", "joins")
)
_MARKER = regex(rf"[ \t]*[\[{_OPENS}]\s*(\d{{1,2}}(?:\s*[,{_JOINS}]\s*\d{{1,2}})*)\s*[\]{_CLOSES}]")


def split_markers(sentence: str) -> tuple[str, tuple[int, ...]]:
    """Return the sentence without marks such as [1] or 【2、3】, and the numbers in them."""
    numbers = [int(n) for m in _MARKER.finditer(sentence) for n in re.findall(r"\d+", m[1])]
    return _MARKER.sub("", sentence).rstrip(), tuple(dict.fromkeys(numbers))
