"""How a sentence agrees with its sources: its source marks, its edges, the words that count.

Pure functions on strings. Knows no passages and decides nothing.
"""

import re

from kb_service.language.lexicon import CJK, shipped_lexicon
from kb_service.language.questions import stem
from kb_service.language.text import index_terms

_LEXICON = shipped_lexicon()
EDGES = f" \t\r\n.,;:!?\"'()*_#>-•·{_LEXICON.characters('sentences', 'edges')}"
"""Marks that may stand at either end of quoted words without being a part of them."""

_OPENS, _CLOSES, _JOINS = (
    re.escape(_LEXICON.characters("sentences", f"source_{key}"))
    for key in ("opens", "closes", "joins")
)
_MARKER = re.compile(
    rf"[ \t]*[\[{_OPENS}]\s*(\d{{1,2}}(?:\s*[,{_JOINS}]\s*\d{{1,2}})*)\s*[\]{_CLOSES}]"
)
_SHARED_BY_ALL = frozenset(_LEXICON.listed("wording", "shared_by_all"))
_ONE_CHARACTER = re.compile(f"[{CJK}]")


def split_markers(sentence: str) -> tuple[str, tuple[int, ...]]:
    """Return the sentence without marks such as [1] or 【2、3】, and the numbers in them."""
    numbers = [int(n) for m in _MARKER.finditer(sentence) for n in re.findall(r"\d+", m[1])]
    return _MARKER.sub("", sentence).rstrip(), tuple(dict.fromkeys(numbers))


def telling_words(text: str) -> frozenset[str]:
    """Return CJK pairs and Latin stems; single characters tell nothing about wording."""
    return frozenset(
        stem(term)
        for term in index_terms(text)
        if term not in _SHARED_BY_ALL and not _ONE_CHARACTER.fullmatch(term)
    )


def share_of_words(sentence: str, source: str) -> float:
    """Return the share of the sentence's words (CJK pairs, Latin stems) that the source holds."""
    words = telling_words(sentence)
    return len(words & telling_words(source)) / len(words) if words else 0.0
