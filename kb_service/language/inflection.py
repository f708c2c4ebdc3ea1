"""A Latin word without its inflection: plural, third person, past, gerund, possessive.

Pure. Knows English endings as rules and what no rule finds as data; derives no word from another
(failure and failed stay two words).
"""

import re
from functools import lru_cache

from kb_service.language.lexicon import shipped_lexicon
from kb_service.language.regexes import regex

_IRREGULAR = shipped_lexicon().paired("inflection", "irregular")
_VOWEL = regex("[aeiouy]")
_DOUBLED = regex(r"([bdglmnprt])\1$")
_MIN_BASE = 2


@lru_cache(maxsize=65_536)
def base_form(word: str) -> str:
    """Return what all inflections of a normalised word share; not always a word itself."""
    bare = re.sub(r"['’]s?$", "", word)
    if not bare.isascii() or not bare.isalpha():
        return bare
    plain = _IRREGULAR.get(bare) or _without_ending(bare)
    return _DOUBLED.sub(r"\1", plain).removesuffix("e")


def singular_forms(words: str) -> tuple[str, ...]:
    """Return words, and as one of them would be called where the last is a Latin plural."""
    last = words.rpartition(" ")[2]
    if last.isascii() and last.isalnum() and last[:-1][-1:].isdigit() and last[-1] == "s":
        return (words, words[:-1])  # all P1s
    if not last.isascii() or not last.isalpha() or len(last) < 4:
        return (words,)
    return tuple(dict.fromkeys((words, words.removesuffix("s"), words.removesuffix("es"))))


def _without_ending(word: str) -> str:
    if len(word) > 4 and word.endswith(("ies", "ied")):
        return word[:-3] + "y"
    if word.endswith("s") and not word.endswith(("ss", "us", "is")):
        sibilant = re.fullmatch(r"(.+(?:s|x|z|ch|sh))es", word)
        return sibilant[1] if sibilant and len(word) > 4 else _base(word, "s")
    if word.endswith("ed") and not word.endswith("eed"):
        return _base(word, "ed")
    return _base(word, "ing") if word.endswith("ing") else word


def _base(word: str, ending: str) -> str:
    base = word.removesuffix(ending)
    return base if len(base) >= _MIN_BASE and _VOWEL.search(base) else word
