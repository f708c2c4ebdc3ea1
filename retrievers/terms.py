"""Which terms a passage is indexed under and a question is searched by. Pure functions.

Knows words; knows no index. Both sides share `index_terms`; Latin words get their stem beside them,
marked so that it never meets a whole word.
"""

from collections.abc import Iterator

from kb_service.domain.questions import Question
from kb_service.language.numbered import writings_across
from kb_service.language.parts import numbered_parts, title_term, titles_in
from kb_service.language.questions import content_terms, stem
from kb_service.language.text import normalise, terms_of

FUNCTION_WORD_WEIGHT = 0.4
"""Weight of question and function words (什么, 的, which, of) beside 1.0 for the others.

Chosen on the training questions (benchmarks/RESULTS.md, Retrieval).
"""

NUMBERED_PART_WEIGHT = 16.0
"""Weight of a named part (第四十五条): whoever names it wants it, not the rest of that text."""

NAMED_TITLE_WEIGHT = 16.0
"""Weight of a title in book-title marks (《消防法》): other texts mention its words too."""

_STEM_MARK = "~"
_MIN_STEMMED = 4


def passage_terms(text: str) -> list[str]:
    """Return the terms of a passage with repetitions.

    Index terms, the stem of Latin words, and numbered parts whole (第四百二十七条 is 第427条):
    their characters and pairs stand in every other article too.
    """
    normalised = normalise(text)
    words = [term for word in terms_of(normalised) for term in _with_stem(word)]
    return words + [part for part, _ in numbered_parts(normalised)]


def title_terms(prefix: str) -> list[str]:
    """Return the terms of a chunk's prefix: those of a passage, and the whole title as one."""
    title = prefix.partition("\n")[0].partition(" > ")[0]
    return [*passage_terms(prefix), title_term(title)]


def question_weights(question: Question) -> dict[str, float]:
    """Return the distinct terms of a question, each with its weight, in order of appearance."""
    parts = dict(numbered_parts(question.normalised))
    rest = question.normalised
    for written in parts.values():
        rest = rest.replace(written, " ")
    content = set(content_terms(rest))
    weights = {
        term: 1.0 if word in content or not content else FUNCTION_WORD_WEIGHT
        for word in dict.fromkeys(question.words)
        for term in _with_stem(word)
    }
    named = {title_term(title) for title in titles_in(question.text)}
    return (
        weights
        | dict.fromkeys(parts, NUMBERED_PART_WEIGHT)
        | dict.fromkeys(sorted(named), NAMED_TITLE_WEIGHT)
    )


def across_weights(question: Question) -> dict[str, float]:
    """Return the terms by which texts in another language name the numbered things of a question.

    Without single characters and numbers, which stand in too many of them.
    """
    words = (word for name in writings_across(question.normalised) for word in terms_of(name))
    return {term: 1.0 for word in words if _tells(word) for term in _with_stem(word)}


def _tells(term: str) -> bool:
    return len(term) > 1 and not term.isdecimal()


def _with_stem(word: str) -> Iterator[str]:
    yield word
    if len(word) >= _MIN_STEMMED and word.isascii() and word.isalpha():
        yield _STEM_MARK + stem(word)
