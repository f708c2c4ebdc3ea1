"""Chinese words that sound alike: 遂道 is how one mistypes 隧道; 黑石岭 is no 青石岭.

Pure functions on strings. Knows readings without their tones; knows no words.
"""

import os
from functools import cache


def same_sound(a: str, b: str) -> bool:
    """True when two strings of one length share a toneless reading, character by character.

    What has no reading must be the same character; nothing sounds like nothing.
    """
    return len(a) == len(b) > 0 and all(
        one == other or not set(readings(one)).isdisjoint(readings(other))
        for one, other in zip(a, b, strict=True)
    )


@cache
def readings(character: str) -> tuple[str, ...]:
    """Return the toneless readings of a character, the usual one first."""
    # Single characters need none of the library's phrases, which take 40 MB and most of its start.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True)
    return tuple(dict.fromkeys(reading for each in found for reading in each))
