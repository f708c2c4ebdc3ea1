"""Words that look like names of people, works and things.

Pure functions on a text as it is written: a Latin name is told by its capital, a Chinese one by its
marks, its surname and the role before it. Other Chinese names cannot be told from words without a
dictionary.
"""

import re

from kb_service.language.dates import DATE_WORDS
from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex
from kb_service.language.text import normalise
from kb_service.language.variants import simplified

_LEXICON = shipped_lexicon()
_PATTERNS = tuple(map(regex, _LEXICON.patterns("names", "patterns")))
_CAPITALISED = regex(r"(?<![\w-])[A-Z][\w’'-]*[\w]")
_SENTENCE_BEGINS = regex(r"[.!?:]\s*[\"'“”‘’(\[]*$")
_NOT_NAMES = DATE_WORDS | frozenset(_LEXICON.listed("names", "not_names"))


def names_in(text: str) -> list[str]:
    """Return `name:…` for words that look like names, case-folded.

    A capitalised word counts when it does not begin the sentence, or another one follows it.
    """
    plain = simplified(text)
    names = [match["name"] for pattern in _PATTERNS for match in pattern.finditer(plain)]
    for match in _CAPITALISED.finditer(text):
        before = text[: match.start()]
        begins = not before.strip(" \"'“”‘’([*_") or bool(_SENTENCE_BEGINS.search(before))
        word = normalise(match.group())
        if word in _NOT_NAMES or any(c.isdigit() for c in word):
            continue
        if not begins or re.match(r"\s+[A-Z][a-z]", text[match.end() :]):
            names.append(match.group())
    return [f"name:{normalise(name)}" for name in names]
