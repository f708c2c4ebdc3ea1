"""Which of the two languages a text is in, by its script. Knows characters, no words."""

from kb_service.language.lexicon import HAN
from kb_service.language.regexes import regex

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)

_HAN = regex(f"[{HAN}]")
_LATIN_WORD = regex("[A-Za-z]{2,}")


MIN_MARKED = 0.1
"""Share of Chinese characters, beside Latin words, from which a text is near to Chinese ones.

An encoder prefers the language of a question: a listing with three Chinese comments comes before
every English paragraph, whatever is asked.
"""


def language_of(text: str) -> str:
    """Return `zh` where the text has more Chinese characters than Latin words, else `en`."""
    return CHINESE if _share(text) > 1 / 2 else ENGLISH


def is_across(language: str, text: str) -> bool:
    """True when a text is in another language than a question, whose words it cannot share."""
    return any(map(str.isalpha, text)) and language_of(text) != language


def nearest_language(text: str) -> str:
    """Return the language among whose texts an encoder puts this one; see MIN_MARKED."""
    return CHINESE if _share(text) > MIN_MARKED else ENGLISH


def _share(text: str) -> float:
    num_characters = sum(1 for _ in _HAN.finditer(text))
    num_words = sum(1 for _ in _LATIN_WORD.finditer(text))
    return num_characters / max(num_characters + num_words, 1)
