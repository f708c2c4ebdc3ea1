"""Bitmaps as Windows holds them in memory: files but for their first bytes. Knows BMP's heads."""

import struct

_HEAD = 14  # bytes of a BMP file before what a bitmap in memory begins with
_MIN_INFO = 40


def with_head(bitmap: bytes) -> bytes:
    """Return a bitmap of memory as a file (BITMAPFILEHEADER before BITMAPINFOHEADER)."""
    if len(bitmap) < _MIN_INFO:
        return bitmap
    size, _, _, _, bits, packing = struct.unpack("<IiiHHI", bitmap[:20])
    num_colours = struct.unpack("<I", bitmap[32:36])[0] or (1 << bits if bits <= 8 else 0)
    start = _HEAD + size + 4 * num_colours + (12 if packing == 3 and size == _MIN_INFO else 0)
    total = _HEAD + len(bitmap)
    return struct.pack("<2sIII", b"BM", total, 0, min(start, total)) + bitmap
