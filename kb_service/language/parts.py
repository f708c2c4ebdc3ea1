"""Named parts and titles: Article 45 of a law, a work between its marks, as one term each.

Pure functions on strings, for both sides of an index. Knows no documents.
"""

from collections.abc import Iterator

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.numerals import whole_number
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_LEXICON = shipped_lexicon()
_PARTS = tuple(map(regex, _LEXICON.patterns("parts", "patterns")))
_TITLES = tuple(map(regex, _LEXICON.patterns("titles", "patterns")))
_OPENS, _CLOSES = (_LEXICON.characters("titles", key) for key in ("opens", "closes"))
_FRINGE = regex("|".join(_LEXICON.patterns("titles", "fringe")) or any_of([]))


def numbered_parts(normalised: str) -> Iterator[tuple[str, str]]:
    """Yield each numbered part of a normalised text with its number in digits, and as written."""
    for match in (match for part in _PARTS for match in part.finditer(normalised)):
        value = whole_number(match["numeral"])
        if value is not None:
            written = match.group()
            before, after = (match.start("numeral"), match.end("numeral"))
            head, tail = written[: before - match.start()], written[after - match.start() :]
            yield f"{head}{value}{tail}", written


def titles_in(text: str) -> list[str]:
    """Return the titles between title marks, as they are written."""
    return [match["title"] for title in _TITLES for match in title.finditer(text)]


def title_term(title: str) -> str:
    """Return a title as one term: marked, without white space, state name and date."""
    words = "".join(normalise(title).strip(_OPENS + _CLOSES).split())
    return f"{_OPENS}{_FRINGE.sub('', words)}{_CLOSES}"
