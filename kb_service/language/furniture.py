"""Page furniture: the lines that say nothing of the subject but where a page stands.

Pure functions on strings, patterns only: page numbers, the dates of edits and retrievals, licence
and navigation lines. Knows no documents.
"""

import re

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex

_LINE = regex(
    "|".join(
        (
            r"-\s*\d{1,3}\s*-|\d{1,3}(?:\s*[/／]\s*\d{1,3})?",
            *shipped_lexicon().patterns("layout", "furniture"),
        )
    ),
    re.IGNORECASE,
)
_WHOLE = regex(
    "|".join(shipped_lexicon().patterns("layout", "furniture_blocks")), re.IGNORECASE | re.DOTALL
)


def is_furniture(text: str) -> bool:
    """True when every line of a text is page furniture, so that nothing of it is worth quoting."""
    lines = [line.strip() for line in text.splitlines()]
    return bool(_WHOLE.match(text)) or all(_LINE.fullmatch(line) for line in lines if line)
