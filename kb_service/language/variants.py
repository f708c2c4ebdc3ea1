"""Traditional characters as simplified ones, one for one, so that offsets stay true.

For matching only: which of two traditional characters a simplified one stands for is not asked.
"""

from functools import cache

_POINTS = range(0x3400, 0xA000)
"""The ideographs of the basic plane, where the variants in use stand."""


@cache
def _table() -> dict[int, str]:
    """Return the table for `str.translate`; what it gives is never changed again."""
    from opencc import OpenCC

    characters = [chr(point) for point in _POINTS]
    # At once, one a line: a call a character takes forty times as long.
    converted = OpenCC("t2s").convert("\n".join(characters)).split("\n")
    pairs = zip(characters, converted, strict=True)
    table = {old: new for old, new in pairs if old != new}
    return {ord(old): table.get(new, new) for old, new in table.items()}


def simplified(text: str) -> str:
    """Return the text with traditional characters as simplified ones, each in its place."""
    return text if text.isascii() else text.translate(_table())
