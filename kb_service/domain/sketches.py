"""How alike two texts are, by sketches of them: the smallest hashes of their windows. Pure.

A window is WINDOW letters or digits, of either case. Two texts of which the share J of the windows
is common have about that share of the smallest hashes of both in common (Broder 1997, "On the
resemblance and containment of documents", bottom-k).
"""

import re
from heapq import nsmallest
from zlib import crc32

WINDOW = 10
SKETCH = 128
"""Hashes of a sketch: the share is known to about 0.03 where it is 0.9."""

MARKS = 8
"""The smallest of them, by which other texts are found: of texts alike by 0.85 one in a million
pairs shares none."""

MIN_WINDOWS = 50
"""Shorter texts are not compared: a line says the same as many others."""

MAX_CHARS = 2_000_000
"""So much of the beginning of a text is looked at."""

ALIKE = 0.85
_NO_LETTER = re.compile(r"[\W_]+")
_MIXED = 0x9E3779B1
_BYTES = 4


def sketch_of(text: str) -> bytes:
    """Return the sketch of a text, its hashes ascending, 4 bytes each; b"" for a short one."""
    letters = _NO_LETTER.sub("", text[:MAX_CHARS].casefold())
    windows = {letters[at : at + WINDOW] for at in range(len(letters) - WINDOW + 1)}
    if len(windows) < MIN_WINDOWS:
        return b""
    # Mixed, as the checksums of windows that differ in one letter lie in rows.
    hashes = {(crc32(one.encode("utf-8", "surrogatepass")) * _MIXED) % 2**32 for one in windows}
    return b"".join(one.to_bytes(_BYTES, "big") for one in nsmallest(SKETCH, hashes))


def hashes_of(sketch: bytes) -> list[int]:
    """Return the hashes of a sketch, the smallest first."""
    return [int.from_bytes(sketch[at : at + _BYTES], "big") for at in range(0, len(sketch), _BYTES)]


def marks_of(sketch: bytes) -> list[int]:
    """Return the hashes by which texts like this one are found."""
    return hashes_of(sketch[: MARKS * _BYTES])


def likeness(one: bytes, other: bytes) -> float:
    """Return about which share of the windows of both is common, 0..1."""
    mine, theirs = set(hashes_of(one)), set(hashes_of(other))
    smallest = sorted(mine | theirs)[:SKETCH]
    if not smallest:
        return 0.0
    return sum(value in mine and value in theirs for value in smallest) / len(smallest)
