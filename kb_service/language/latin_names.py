"""Names in Latin letters: told by their capitals, or by standing in another script.

Pure functions on a text as it is written.
"""

import re
from collections.abc import Iterator

from kb_service.domain.questions import SubjectKind
from kb_service.language.dates import DATE_WORDS
from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import is_chinese, normalise

_LEXICON = shipped_lexicon()
_NOT_NAMES = DATE_WORDS | frozenset(_LEXICON.listed("subjects", "not_names"))
_TITLES = frozenset(_LEXICON.listed("subjects", "titles"))
_COMMON = frozenset(_LEXICON.listed("subjects", "common_letters"))
_INSIDE = any_of(_LEXICON.listed("subjects", "inside"))
_PLACES = frozenset(_LEXICON.listed("subjects", "place_endings"))
_ORGANISATIONS = frozenset(_LEXICON.listed("subjects", "organisation_endings"))
_CAPITALISED = r"[A-ZÀ-Þ](?:[\w.&-]|['’](?!s?\b))*"
_RUN = regex(rf"(?<![\w-]){_CAPITALISED}(?:\s+(?:(?:{_INSIDE})\s+)*{_CAPITALISED})*")
"""A possessive ends a name: the next one is another."""

_WORD = regex(r"(?<![A-Za-z0-9])[A-Za-z][A-Za-z]{2,}(?![A-Za-z0-9])")
_EDGES = regex(r"(?:['’]s?|[.,'’&-])+$")
_LATIN = regex(r"[A-Za-z]{2,}")
_AREA_BEHIND = regex(
    rf"\s+(?:{any_of(_LEXICON.listed('subjects', 'small_areas'))})\b(?![-'\u2019])"
)
_SMALL = regex(r"\b[a-z]{4,}")
"""Where no longer word has a small letter every word has a capital, and they tell nothing."""


def latin_names(text: str) -> Iterator[tuple[int, int, SubjectKind]]:
    """Yield start, end and kind of the Latin names of a question, as it is written."""
    if is_chinese(text):
        for match in _WORD.finditer(text):
            if normalise(match.group()) not in _COMMON:
                yield match.start(), match.end(), SubjectKind.NAME
    elif not _is_titled(text):
        for match in _RUN.finditer(text):
            yield from _names_of_run(text, match.start(), match.end())


def place_end(text: str, end: int) -> int:
    """Return where the name of a place ends, with a word for an area behind it.

    The Harbour district: written small, it is no part of the name itself.
    """
    area = _AREA_BEHIND.match(text, end)
    return area.end() if area else end


def _is_titled(text: str) -> bool:
    return len(_LATIN.findall(text)) > 4 and _SMALL.search(text) is None


def _names_of_run(text: str, start: int, end: int) -> Iterator[tuple[int, int, SubjectKind]]:
    """Yield the name of a run of capitalised words without the common words at its ends."""
    words = [
        (start + m.start(), start + m.end(), m.group())
        for m in re.finditer(r"\S+", text[start:end])
    ]
    begins = not text[:start].strip(" \"'“”‘’([") or bool(re.search(r"[.!?:]\s*$", text[:start]))
    single = len(words) == 1
    while words and _is_common(words[0][2]):
        words, begins = words[1:], False
    while words and _is_common(words[-1][2]):
        words = words[:-1]
    if not words or (begins and single and not words[0][2].isupper()):
        return
    first, last = words[0][0], words[-1][1]
    last -= len(match.group()) if (match := _EDGES.search(text[first:last])) else 0
    ending = normalise(text[first:last]).split()[-1:] or [""]
    if last - first > 1:
        yield first, last, _kind(ending[0])


def _is_common(word: str) -> bool:
    plain = normalise(_EDGES.sub("", word))
    return plain in _NOT_NAMES or plain in _TITLES or plain in _COMMON or plain.isdigit()


def _kind(ending: str) -> SubjectKind:
    if ending in _PLACES:
        return SubjectKind.PLACE
    return SubjectKind.ORGANISATION if ending in _ORGANISATIONS else SubjectKind.NAME
