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
        one == other or not _readings(one).isdisjoint(_readings(other))
        for one, other in zip(a, b, strict=True)
    )


@cache
def _readings(character: str) -> frozenset[str]:
    # Single characters need none of the library's phrases, which take 40 MB and most of its start.
    os.environ.setdefault("PYPINYIN_NO_PHRASES", "true")
    from pypinyin import Style, pinyin

    found = pinyin(character, style=Style.NORMAL, heteronym=True)
    return frozenset(reading for readings in found for reading in readings)
