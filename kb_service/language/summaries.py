"""Which headings stand over a summary. Pure functions; the words are the languages' own."""

import re

from kb_service.language.lexicon import any_of, shipped_lexicon
from kb_service.language.text import normalise

_HEADS = re.compile(
    rf"[\W\d_]*(?:{any_of(shipped_lexicon().listed('summaries', 'headings'))})[\W_]*"
)


def heads_summary(line: str) -> bool:
    """True for a line that is nothing but the heading of a summary: 摘要, Executive summary."""
    return bool(_HEADS.fullmatch(normalise(line)))
