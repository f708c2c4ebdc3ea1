"""Whether the letters of a text are those of one language that is written in CP1252, CP1251 or
KOI8-R.

Pure functions on strings. A text in another code page of one byte a character becomes letters too,
but not those that any one of these languages has together, or small ones before capitals.
"""

from kb_service.language.regexes import regex

_ALPHABETS = tuple(map(frozenset, (
    "äöüßéèà", "àâæçéèêëîïôùûüœ", "áéíñóúüçà", "àèéìíòóùú", "áâãàçéêíóôõúü", "åäöéèü", "æøåéó",
    "ëïéèóüáö",
)))  # fmt: skip
"""Beyond ASCII: German, French, Spanish, Italian, Portuguese, Swedish, Danish, Dutch."""
_TELLING = frozenset("äöüßéàñóç")
"""Letters that alone tell: every other one may stand for one that is more usual elsewhere."""
_SIGNS = frozenset("«»‹›„“”‚‘’–—…•€£§°©®™·¡¿ªº²³µ×½¼¾±†\xa0\xad№")
_SIGN_IN_A_WORD = regex(r"(?<=[^\W\d_])[¡¿ªº²³¹‹›«»„•†‡°±€£§©®×½¼¾](?=[a-zà-ÿ])")
_CAPITAL_WITHIN = regex("(?<=[a-zß-ÿ])[À-ÖØ-Þ]")
_CYRILLIC = regex("[\u0400-\u045f\u0490\u0491]")
_CYRILLIC_CAPITAL_WITHIN = regex("(?<=[\u0430-\u045f\u0491])[\u0400-\u042f\u0490]")
_CYRILLIC_RUN = regex("[Ѐ-џҐґ]{2,}")
_MAX_WITHIN_SHARE, _MIN_RUN_SHARE = 0.03, 0.5
"""Of the letters: units (kW) have a capital behind a small letter; most stand beside others."""


def is_one_language(text: str) -> bool:
    """True where one of these languages has every letter beyond ASCII of the text."""
    num_cyrillic = len(_CYRILLIC.findall(text))
    if num_cyrillic:
        num_within = len(_CYRILLIC_CAPITAL_WITHIN.findall(text))
        num_beside = sum(map(len, _CYRILLIC_RUN.findall(text)))
        is_in_words = num_beside >= _MIN_RUN_SHARE * num_cyrillic
        return is_in_words and num_within <= _MAX_WITHIN_SHARE * num_cyrillic
    beyond = {character.lower() for character in text if not character.isascii()} - _SIGNS
    if _SIGN_IN_A_WORD.search(text) or _CAPITAL_WITHIN.search(text):
        return False
    if len(beyond) == 1 and beyond.isdisjoint(_TELLING):
        return False
    return any(beyond <= alphabet for alphabet in _ALPHABETS)
