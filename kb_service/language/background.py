"""Which part of a long question asks, and which only tells what is behind it.

Pure functions on a question as it was typed. What a background names helps a search; a document
that does not speak of it may still answer.
"""

import re
from collections.abc import Iterator

from kb_service.domain.spans import TextSpan
from kb_service.language.lexicon import CJK, shipped_lexicon
from kb_service.language.regexes import regex

MAX_WORDS = 60
MAX_CHARACTERS = 100
"""A question of no more words, or characters of a script without spaces, has no background."""

MAX_WORDS_READ = 30
MAX_CHARACTERS_READ = 40
"""A longer question is read from the clause before the one that asks to the end of that."""

_LEXICON = shipped_lexicon()
_ASKS = regex("|".join(_LEXICON.patterns("question_parts", "asks")), re.IGNORECASE)
_LOOKS_UP = regex("|".join(_LEXICON.patterns("question_parts", "looks_up")), re.IGNORECASE)
_LEADING = regex("|".join(_LEXICON.patterns("question_parts", "leading")), re.IGNORECASE)
_SENTENCE_ENDS = regex(r"[\u3002?\uff1f!\uff01;\uff1b\n]+|\.(?=\s|$)")
_CLAUSE_ENDS = regex(rf"{_SENTENCE_ENDS.pattern}|,(?!\d)|\uff0c|:(?=\s)|\uff1a")
_MARK = regex(r"[?\uff1f]")
_HAN = regex(f"[{CJK}]")
_WORD = regex(rf"[^\W_{CJK}]+")

_Part = tuple[int, int]
"""Start and end in the question."""


def background_of(text: str) -> TextSpan | None:
    """Return the stretch of a question before what asks and the clause in front of it, or None."""
    if not _is_long(text, MAX_CHARACTERS, MAX_WORDS):
        return None
    parts = list(_parts(text, _SENTENCE_ENDS))
    asking = _asking(parts, text)
    if _is_long(text[slice(*asking)], MAX_CHARACTERS, MAX_WORDS):
        parts = list(_parts(text, _CLAUSE_ENDS))
        asking = _asking(parts, text)
    start = _start_before(asking, parts)
    return TextSpan(0, start) if start else None


def asking_part(text: str) -> str:
    """Return what of a long question is read: the clause that asks and the one before it."""
    if not _is_long(text, MAX_CHARACTERS_READ, MAX_WORDS_READ):
        return text
    parts = list(_parts(text, _CLAUSE_ENDS))
    asking = _asking(parts, text)
    return text[_start_before(asking, parts) : asking[1]].strip()


def asking_alone(text: str) -> str:
    """Return the clause of a long question that asks, without the one before it; "" for others."""
    if not _is_long(text, MAX_CHARACTERS_READ, MAX_WORDS_READ):
        return ""
    clauses = list(_parts(asking_part(text), _CLAUSE_ENDS))
    alone = text[slice(*_asking(list(_parts(text, _CLAUSE_ENDS)), text))].strip()
    return alone if len(clauses) > 1 else ""


def asking_first(text: str) -> str:
    """Return a question with what it asks before the clause that it begins with.

    "When the hoist ran on, who was there?" would be read as asking when.
    """
    match = _LEADING.fullmatch(text.strip())
    if match is None:
        return text
    lead = match["lead"]
    return f"{match['asks'].rstrip()} {lead[:1].lower()}{lead[1:]}{match['end']}"


def only_looks_up(words: str) -> bool:
    """True for words that only ask to look up what was asked: "please check what it says"."""
    return bool(_LOOKS_UP.fullmatch(words.strip()))


def _start_before(asking: _Part, parts: list[_Part]) -> int:
    before = [start for start, end in parts if end <= asking[0]]
    return before[-1] if before else asking[0]


def _is_long(text: str, max_characters: int, max_words: int) -> bool:
    return len(_HAN.findall(text)) > max_characters or len(_WORD.findall(text)) > max_words


def _parts(text: str, ends: re.Pattern[str]) -> Iterator[_Part]:
    """Yield what stands between ends, each with its own."""
    start = 0
    for match in ends.finditer(text):
        if text[start : match.start()].strip():
            yield start, match.end()
            start = match.end()
    if text[start:].strip():
        yield start, len(text)


def _asking(parts: list[_Part], text: str) -> _Part:
    """Return the last part with a question mark, else with an asking word, else the last one.

    One that only asks to look it up asks nothing.
    """
    marked = [part for part in parts if _MARK.search(text, *part)]
    asked = marked or [part for part in parts if _ASKS.search(text, *part)]
    own = [part for part in asked if not only_looks_up(text[slice(*part)])]
    return (own or asked or parts)[-1]
