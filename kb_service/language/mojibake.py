"""What text looks like that was decoded wrongly: scripts mixed as no language mixes them.

Pure functions on strings. Knows scripts and which characters are usual; decodes nothing.
"""

from functools import cache

from kb_service.language.regexes import regex

_ODD = regex(
    "[\u0430-\u044f\u0451][\u0410-\u042f\u0401]"
    "|(?<=[A-Za-z])[\u0400-\u04ff]|[\u0400-\u04ff](?=[A-Za-z])"
    "|(?<![\uff66-\uff9f])[\uff61-\uff9f]{1,2}(?![\uff66-\uff9f])"
    "|(?<=[\u4e00-\u9fff])[\uff66-\uff9f]|[\uff66-\uff9f](?=[\u4e00-\u9fff])"
    "|[\xa1-\xbf\xd7\xf7](?=[A-Za-z\xc0-\xff])(?<=[A-Za-z\xc0-\xff].)|[\xc0-\xff]{3,}"
    "|(?<= )[\u4e00-\u9fff]{1,4}(?= [\u4e00-\u9fff])|[\uac00-\ud7a3]{12,}"
    "|(?<=[\uac00-\ud7a3])[\u4e00-\u9fff]|[\u4e00-\u9fff](?=[\uac00-\ud7a3])"
    "|(?<=[\u3040-\u30ff])[\u3016\u3017]"
    "|[\ue000-\uf8ff\u3400-\u4dbf]|[\u2500-\u257f](?=[A-Za-z\u0400-\u04ff])"
)
_BEYOND_WIDE = regex("[^ -~\n\r\t\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
_HAN_RUN = regex("[\u3040-\u30ff\u4e00-\u9fff\uff00-\uffef]+")
_LATIN_WORD = regex("[A-Za-z]{2}")
_HALF_KANA = regex("[\uff66-\uff9f]")
_AFTER_S = "\uff80"
MIN_KANA = 5
_HAN = regex("[\u4e00-\u9fff]")
_FIRST_LEVELS = (
    ("gb2312", range(0xB0, 0xD8)), ("big5", range(0xA4, 0xC7)), ("euc_jp", range(0xB0, 0xD0)),
)  # fmt: skip
_MAX_RARE_SHARE = 0.15
MIN_USUAL = 2
"""Usual characters beside which a single rare one is that of a name."""
_WIDE_PUNCTUATION = regex("[\u3001\u3002\uff0c\uff1a\uff1b\n ]")


def oddness_of(text: str) -> float:
    """The share of a text's characters beyond ASCII that stand where their script has none.

    Small letters before capitals in a word, letters of two alphabets in one, half-width kana alone,
    heaps of accents, Chinese characters between spaces, inside Korean words or rare ones alone,
    Korean without spaces.
    """
    if text.isascii():
        return 0.0
    num_beyond = len(text) - len(text.encode("ascii", "ignore"))
    num_odd = sum(len(match) for match in _ODD.findall(text))
    num_odd += (
        _num_rare(_HAN.findall(text))
        + _num_alone(text)
        + _num_without_vowels(_HALF_KANA.findall(text))
    )
    return min(1.0, num_odd / num_beyond)


def _num_rare(characters: list[str]) -> int:
    """The Chinese characters that no list of usual ones has, where they are more than a name's."""
    num_rare = sum(character not in _usual() for character in characters)
    is_a_name = num_rare == 1 and len(characters) - num_rare >= MIN_USUAL
    return 0 if is_a_name or num_rare <= _MAX_RARE_SHARE * len(characters) else num_rare


def _num_alone(text: str) -> int:
    """Chinese characters beside Latin words, where no two of them stand together: signs (°C)."""
    runs = _HAN_RUN.findall(text)
    is_latin = _LATIN_WORD.search(text) is not None
    return len(runs) if is_latin and all(len(run) == 1 for run in runs) else 0


def _num_without_vowels(kana: list[str]) -> int:
    """Half-width kana, where none is a vowel or of the rows of k and s: Cyrillic letters."""
    return len(kana) if len(kana) >= MIN_KANA and min(kana) >= _AFTER_S else 0


@cache
def _usual() -> frozenset[str]:
    """The characters of the first levels of GB 2312, Big5 and JIS X 0208, which are the usual ones.

    Letters with accents, read as two bytes of such an encoding, fall outside of them.
    """
    cells = (
        (encoding, bytes((first, second)))
        for encoding, leads in _FIRST_LEVELS
        for first in leads
        for second in range(0x40, 0xFF)
    )
    return frozenset(cell.decode(encoding, "ignore") for encoding, cell in cells)


def is_wide_text(text: str) -> bool:
    """True for Chinese or Japanese with its punctuation and nothing beyond the usual characters."""
    return bool(_WIDE_PUNCTUATION.search(text)) and not _BEYOND_WIDE.search(text)
