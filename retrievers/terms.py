"""Which terms a passage is indexed under and a question is searched by. Pure functions.

Knows words; knows no index. Both sides share `domain.text.index_terms`; Latin words get their stem
beside them, marked so that it never meets a whole word.
"""

import re
from collections.abc import Iterator

from kb_service.language.numerals import whole_number
from kb_service.language.questions import content_terms, stem
from kb_service.language.text import index_terms, normalise

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
_NAMED = re.compile("《([^《》]{2,80})》")
# What a citation of a law leaves out or adds: the state's name in front, a date behind.
_TITLE_FRINGE = re.compile(r"^中华人民共和国|\s*[(（][^()（）]*[)）]$")
_ORDINAL = re.compile(r"第([〇零一二两三四五六七八九十百千]{1,9}|\d{1,5})([条章节编款项号])")


def passage_terms(text: str) -> list[str]:
    """Return the terms of a passage with repetitions.

    Index terms, the stem of Latin words, and numbered parts whole (第四百二十七条 is 第427条):
    their characters and pairs stand in every other article too.
    """
    words = [term for word in index_terms(text) for term in _with_stem(word)]
    return words + [part for part, _ in _numbered_parts(text)]


def title_terms(prefix: str) -> list[str]:
    """Return the terms of a chunk's prefix: those of a passage, and the whole title as one."""
    title = prefix.partition("\n")[0].partition(" > ")[0]
    return [*passage_terms(prefix), _whole_title(title)]


def question_weights(question: str) -> dict[str, float]:
    """Return the distinct terms of a question, each with its weight, in order of appearance."""
    parts = dict(_numbered_parts(question))
    rest = normalise(question)
    for written in parts.values():
        rest = rest.replace(written, " ")
    content = set(content_terms(rest))
    weights = {
        term: 1.0 if word in content or not content else FUNCTION_WORD_WEIGHT
        for word in dict.fromkeys(index_terms(question))
        for term in _with_stem(word)
    }
    named = {_whole_title(title) for title in _NAMED.findall(question)}
    return (
        weights
        | dict.fromkeys(parts, NUMBERED_PART_WEIGHT)
        | dict.fromkeys(sorted(named), NAMED_TITLE_WEIGHT)
    )


def _whole_title(title: str) -> str:
    """Return a title as one term: marked, without white space, state name and date."""
    words = "".join(normalise(title).strip("《》").split())
    return f"《{_TITLE_FRINGE.sub('', words)}》"


def _with_stem(word: str) -> Iterator[str]:
    yield word
    if len(word) >= _MIN_STEMMED and word.isascii() and word.isalpha():
        yield _STEM_MARK + stem(word)


def _numbered_parts(text: str) -> Iterator[tuple[str, str]]:
    """Yield each numbered part as a term and as it is written (after normalisation)."""
    for match in _ORDINAL.finditer(normalise(text)):
        numeral, unit = match.groups()
        value = whole_number(numeral)
        if value is not None:
            yield f"第{value}{unit}", match.group()
