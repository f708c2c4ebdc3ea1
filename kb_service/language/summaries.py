"""Which headings stand over a summary, and what is asked of every report. Pure functions.

The words are the languages' own.
"""

from kb_service.language.lexicon import any_of, shipped_languages, shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise

_HEADS = regex(rf"[\W\d_]*(?:{any_of(shipped_lexicon().listed('summaries', 'headings'))})[\W_]*")


def heads_summary(line: str) -> bool:
    """True for a line that is nothing but the heading of a summary: 摘要, Executive summary."""
    return bool(_HEADS.fullmatch(normalise(line)))


def key_questions(language: str) -> tuple[str, ...]:
    """Return what is asked of every report, in a language that is shipped."""
    asked: list[str] = shipped_languages()[language]["summaries"]["asked"]
    return tuple(asked)
