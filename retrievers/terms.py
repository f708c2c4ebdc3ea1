"""Which terms a passage is indexed under and a question is searched by. Pure functions.

Knows words; knows no index. Both sides share `domain.text.index_terms`; Latin words get their stem
beside them, marked so that it never meets a whole word.
"""

from collections.abc import Iterator

from kb_service.domain.questions import content_terms, stem
from kb_service.domain.text import index_terms

FUNCTION_WORD_WEIGHT = 0.4
"""Weight of question and function words (什么, 的, which, of) beside 1.0 for the others.

Chosen on the training questions (benchmarks/RESULTS.md, Retrieval).
"""

_STEM_MARK = "~"
_MIN_STEMMED = 4


def passage_terms(text: str) -> list[str]:
    """Return the terms of a passage with repetitions: index terms, and a stem for Latin words."""
    return [term for word in index_terms(text) for term in _with_stem(word)]


def question_weights(question: str) -> dict[str, float]:
    """Return the distinct terms of a question, each with its weight, in order of appearance."""
    content = set(content_terms(question))
    return {
        term: 1.0 if word in content or not content else FUNCTION_WORD_WEIGHT
        for word in dict.fromkeys(index_terms(question))
        for term in _with_stem(word)
    }


def _with_stem(word: str) -> Iterator[str]:
    yield word
    if len(word) >= _MIN_STEMMED and word.isascii() and word.isalpha():
        yield _STEM_MARK + stem(word)
