"""Which of the two languages a text is in, by its script. Knows characters, no words."""

import re

from kb_service.language.lexicon import HAN

CHINESE, ENGLISH = "zh", "en"
LANGUAGES = (CHINESE, ENGLISH)

_HAN = re.compile(f"[{HAN}]")
_LATIN_WORD = re.compile("[A-Za-z]{2,}")


def language_of(text: str) -> str:
    """Return `zh` where the text has more Chinese characters than Latin words, else `en`."""
    num_characters = sum(1 for _ in _HAN.finditer(text))
    num_words = sum(1 for _ in _LATIN_WORD.finditer(text))
    return CHINESE if num_characters > num_words else ENGLISH
