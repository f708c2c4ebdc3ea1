"""What an incident report says of itself at its head: number, kind, time and place, by its labels.

Pure functions on a text in either Chinese script. Knows labels; reads no values.
"""

import re
from collections.abc import Iterator

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.variants import simplified

_LINES = tuple(
    regex(pattern, re.MULTILINE) for pattern in shipped_lexicon().patterns("facts", "lines")
)


def labelled_facts(text: str) -> Iterator[tuple[str, str]]:
    """Yield label and value of each such line in order, as they are written; no two overlap."""
    place, folded = 0, simplified(text)
    while found := [match for line in _LINES if (match := line.search(folded, place))]:
        match = min(found, key=lambda match: match.start())
        place = match.end()
        yield text[slice(*match.span("label"))], text[slice(*match.span("value"))]
