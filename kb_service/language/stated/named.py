"""Names in the value of a label: several of them, or one with what is said of the person behind it.

Pure functions on plain text. Knows no fields.
"""

from collections.abc import Iterator

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.stated.sorts import is_name

_LISTED = regex(r"[^,;/&\uff0c\u3001\uff1b]+")
_DESCRIBED = regex("|".join(shipped_lexicon().patterns("stated", "described_persons")))


def names_in(plain: str) -> Iterator[tuple[int, int]]:
    """Yield where the names stand of a value that is several, or one and what he is: Ann, 34."""
    described = _DESCRIBED.match(plain)
    if described and is_name(described["name"]):
        yield described.span("name")
        return
    parts = [match.span() for match in _LISTED.finditer(plain)]
    spans = [(start + _led(plain[start:end]), end) for start, end in parts]
    if len(spans) > 1 and all(is_name(plain[start:end]) for start, end in spans):
        yield from ((start, start + len(plain[start:end].rstrip())) for start, end in spans)


def _led(words: str) -> int:
    return len(words) - len(words.lstrip())
