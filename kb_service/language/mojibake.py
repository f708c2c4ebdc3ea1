"""What text looks like that was decoded wrongly: scripts mixed as no language mixes them.

Pure functions on strings. Knows scripts; knows no bytes and no encodings.
"""

from kb_service.language.regexes import regex

_ODD = regex(
    "[\u0430-\u044f\u0451][\u0410-\u042f\u0401]"
    "|(?<=[A-Za-z])[\u0400-\u04ff]|[\u0400-\u04ff](?=[A-Za-z])"
    "|(?<![\uff66-\uff9f])[\uff61-\uff9f]{1,2}(?![\uff66-\uff9f])"
    "|(?<=[\u4e00-\u9fff])[\uff66-\uff9f]|[\uff66-\uff9f](?=[\u4e00-\u9fff])"
    "|[\xa1-\xbf\xd7\xf7](?=[A-Za-z\xc0-\xff])(?<=[A-Za-z\xc0-\xff].)|[\xc0-\xff]{3,}"
    "|(?<= )[\u4e00-\u9fff]{1,4}(?= [\u4e00-\u9fff])|[\uac00-\ud7a3]{12,}"
    "|[\ue000-\uf8ff\u3400-\u4dbf]|[\u2500-\u257f](?=[A-Za-z\u0400-\u04ff])"
)
_BEYOND_WIDE = regex("[^ -~\n\r\t\u3000-\u30ff\u4e00-\u9fff\uff00-\uffef]")
_WIDE_PUNCTUATION = regex("[\u3001\u3002\uff0c\uff1a\uff1b\n ]")


def oddness_of(text: str) -> float:
    """The share of a text's characters beyond ASCII that stand where their script has none.

    Small letters before capitals in a word, letters of two alphabets in one, half-width kana alone,
    heaps of accents, Chinese characters between spaces, Korean without spaces.
    """
    if text.isascii():
        return 0.0
    num_beyond = len(text) - len(text.encode("ascii", "ignore"))
    num_odd = sum(len(match) for match in _ODD.findall(text))
    return num_odd / num_beyond


def is_wide_text(text: str) -> bool:
    """True for Chinese or Japanese with its punctuation and nothing beyond the usual characters."""
    return bool(_WIDE_PUNCTUATION.search(text)) and not _BEYOND_WIDE.search(text)
